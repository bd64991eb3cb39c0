// A server of some cores on simulated loops, for tests in which clients say fixed words.
#ifndef LARDER_TESTS_SIM_SIM_SERVER_H_
#define LARDER_TESTS_SIM_SIM_SERVER_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "server/worker.h"
#include "sim_loop.h"
#include "simulation.h"

namespace larder::sim {

class SimServer {
 public:
  explicit SimServer(uint32_t cores, server::Worker::Options options = {})
      : cluster_(cores, util::KeyHash(3), clock_) {
    options.huge_pages = false;
    cluster_.listener_names = {"tcp:sim"};
    for (uint32_t core = 0; core < cores; ++core) {
      loops_.push_back(std::make_unique<io::SimLoop>(core + 1));
      options.index = core;
      workers_.push_back(std::make_unique<server::Worker>(options, cluster_, *loops_.back()));
      cluster_.workers.push_back(workers_.back().get());
      cluster_.mailboxes.SetLoop(core, loops_.back().get());
      workers_.back()->AddListener(0);
    }
  }
  ~SimServer() {
    for (const auto& worker : workers_) worker->CloseAll();
    Run();
  }

  std::shared_ptr<SimSocket> Connect() {
    auto socket = loops_[0]->Connect(0);
    socket->SetWindow(1 << 20);
    return socket;
  }
  // Says something, and returns all that is answered.
  std::string Ask(SimSocket& client, std::string_view words) {
    client.Write(words);
    Run();
    return client.Read(SIZE_MAX);
  }
  void Run() {
    for (int turn = 0; turn < 500; ++turn) RunOnce();
  }
  void RunOnce() {
    for (const auto& worker : workers_) worker->RunTurn(0);
    clock_.now.ns += 1'000'000;
  }
  void Wait(uint64_t ns) { clock_.now.ns += ns; }
  std::vector<std::unique_ptr<server::Worker>>& workers() { return workers_; }
  server::Cluster& cluster() { return cluster_; }
  // A key that this core owns.
  std::string KeyOf(uint32_t core, std::string key = "k") {
    while (workers_[0]->OwnerOf(cluster_.hash(key)) != core) key += 'k';
    return key;
  }
  uint64_t Count(stats::Counter counter) {
    uint64_t sum = 0;
    for (const auto& worker : workers_) sum += worker->counters().Get(counter);
    return sum;
  }

 private:
  SimClock clock_;
  server::Cluster cluster_;
  std::vector<std::unique_ptr<io::SimLoop>> loops_;
  std::vector<std::unique_ptr<server::Worker>> workers_;
};

// A request of RESP.
inline std::string RespOf(const std::vector<std::string>& words) {
  std::string request = "*" + std::to_string(words.size()) + "\r\n";
  for (const std::string& word : words) {
    request += "$" + std::to_string(word.size()) + "\r\n" + word + "\r\n";
  }
  return request;
}

inline std::string SetOf(const std::string& key, const std::string& value) {
  return "set " + key + " 0 0 " + std::to_string(value.size()) + "\r\n" + value + "\r\n";
}

}  // namespace larder::sim

#endif  // LARDER_TESTS_SIM_SIM_SERVER_H_
