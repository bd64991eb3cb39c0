// The whole server in one thread: cores, mailboxes and connections on loops without a kernel, under
// a clock that stands until it is moved, with clients that know what they must be answered.
//
// Everything is drawn from one seed: the shape of the server, who moves when, and all that the
// loops and clients do. The same seed does the same, always.
#ifndef LARDER_TESTS_SIM_SIMULATION_H_
#define LARDER_TESTS_SIM_SIMULATION_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "larder/clock.h"
#include "server/worker.h"
#include "sim_client.h"
#include "sim_loop.h"
#include "sim_shared.h"
#include "util/prng.h"

namespace larder::sim {

struct SimOptions {
  uint64_t seed = 1;
  uint64_t until = UINT64_MAX;  // stops at this step
  uint64_t steps = 4000;        // before the clients settle
  // What the seed decides unless it is given.
  std::optional<uint32_t> cores = std::nullopt;
  std::optional<uint32_t> clients = std::nullopt;
  // For a test of the simulator: cores do not keep RESP commands in order, and think that they do.
  bool forget_order = false;
};

// What a run came to; for people, and to see that something happened.
struct SimReport {
  uint64_t steps = 0;
  uint64_t received_bytes = 0;
  uint64_t sent_bytes = 0;
  uint64_t messages = 0;
  uint64_t output_bytes_peak = 0;  // of one connection
  uint64_t lent_bytes_peak = 0;    // of one core's connections
  uint64_t lent = 0;               // values
  uint64_t in_place = 0;           // values received where they stay
  uint64_t moved = 0;              // clients that went on to another core
  uint64_t deaf_closed = 0;
  RespTally resp;
  // By cores.
  uint64_t orders_begun = 0;
  uint64_t orders_ended = 0;
};

class SimClock final : public Clock {
 public:
  [[nodiscard]] Now Read() const override { return now; }
  Now now{.ns = 5'000'000'000, .unix_ns = 1'767'225'600'123'456'789};
};

class Simulation {
 public:
  explicit Simulation(const SimOptions& options);
  ~Simulation();
  Simulation(const Simulation&) = delete;
  Simulation& operator=(const Simulation&) = delete;

  // To the end, or to `until`. A failure ends the process.
  SimReport Run();

 private:
  // What the seed makes of the server.
  struct Shape {
    uint32_t cores;
    uint32_t clients;
    uint32_t connections_max;
    size_t ring_messages;
    uint32_t requests_per_turn;
    uint64_t memory_bytes_max;
    uint64_t buffer_pool_bytes_min;
    bool lossy;
    bool evict;
    bool flush_enabled;
  };
  static Shape ShapeOf(const SimOptions& options, util::Prng& prng);

  bool Step();  // false: `until` is reached
  void RunCore(uint32_t core);
  void RunSomeCore();
  void WhileAsleep(uint32_t core);
  void ClientActs();
  void ClockMoves();
  // The phases after the first.
  bool Settle();
  bool Drain();
  bool CutOff();
  [[nodiscard]] std::string DescribeClients() const;
  void LookForDeaf();
  void CheckBounds();
  void CheckQuiet();
  void CheckNothingLeft();
  void CheckShared();
  [[nodiscard]] std::optional<std::string> ValueOf(const std::string& key);

  const SimOptions options_;
  util::Prng prng_;
  const Shape shape_;
  SimClock clock_;
  server::Cluster cluster_;
  SimShared shared_;
  std::vector<std::unique_ptr<io::SimLoop>> loops_;
  std::vector<std::unique_ptr<server::Worker>> workers_;
  std::vector<std::unique_ptr<SimClient>> clients_;
  std::vector<bool> running_;   // the core is in a turn
  std::vector<bool> in_order_;  // the core keeps RESP commands in order
  bool settling_ = false;       // clients only read
  util::Prng places_{0};        // what is drawn about where clients should live
  SimReport report_;
};

}  // namespace larder::sim

#endif  // LARDER_TESTS_SIM_SIMULATION_H_
