// One thread of the load generator: its connections, an epoll, and what came of the requests.
//
// Cheap by design, because on one core its time is taken from the server's: a batch of requests is
// written with one send, replies are compared with what is expected in place, and the clock is read
// once per batch.
//
// A connection has at most `depth` requests on their way. Without a rate, it sends `depth` at once
// and the next `depth` when all of them are answered; a latency then counts from the send. With a
// rate, requests are due at fixed times whether or not earlier ones were answered, and a latency
// counts from the time at which its request was due: a server that stalls is charged for all the
// requests that had to wait ("coordinated omission" is not possible).
//
// Each Run ends with no request on its way, so that what a phase costs a server can be told apart.
#ifndef LARDER_BENCH_LOAD_WORKER_H_
#define LARDER_BENCH_LOAD_WORKER_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bench/common/endpoint.h"
#include "bench/load/dialect.h"
#include "bench/load/key_space.h"
#include "bench/load/random.h"
#include "bench/load/zipf.h"
#include "util/histogram.h"

namespace larder::bench {

uint64_t MonotonicNs();

// What a worker adds up during a phase.
struct Tally {
  util::Histogram get_ns;
  util::Histogram set_ns;
  uint64_t hits = 0;
  uint64_t misses = 0;
  uint64_t refused = 0;  // error replies
  // Of requests that were due in the phase, but the server was too far behind to be asked: how long
  // they had waited when the phase ended.
  util::Histogram unsent_ns;

  void Merge(const Tally& other);
};

class Worker {
 public:
  struct Options {
    Endpoint endpoint;
    uint32_t connections = 1;
    uint32_t depth = 1;
    uint32_t keys_per_get = 1;
    uint32_t keys_per_set = 1;  // more: Dialect::HasMultiSet()
    double get_ratio = 1;
    double zipf_exponent = 0;  // 0: uniform
    uint64_t seed = 1;
    uint64_t stall_ns = 10'000'000'000;  // no reply for so long is a failure
  };

  // One phase. It ends after `requests`, or after `duration_ns`, whichever is set.
  struct Plan {
    uint64_t requests = 0;
    uint64_t duration_ns = 0;
    double rate_per_s = 0;  // 0: as fast as the server answers
    // A preload stores each key of [preload_begin, preload_end) once; otherwise these are equal.
    uint32_t preload_begin = 0;
    uint32_t preload_end = 0;
  };

  // `stop` ends the phase early, for all workers; a worker that fails sets it.
  Worker(const Options& options, const KeySpace& keys, const Dialect& dialect,
         std::atomic<bool>& stop);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // Opens all connections. False on failure.
  bool Connect();
  // On a thread of its own, or not. False on failure; the connections are then of no more use.
  bool Run(const Plan& plan);

  // After Run has returned.
  [[nodiscard]] const Tally& tally() const { return tally_; }
  // One sentence; empty if all is well.
  [[nodiscard]] const std::string& failure() const { return failure_; }

  // Replies since the start of the phase. From any thread.
  [[nodiscard]] uint64_t Answered() const { return answered_.load(std::memory_order_relaxed); }

 private:
  struct Request {
    uint64_t from_ns;  // where its latency begins
    Operation operation;
  };
  struct Connection {
    int fd = -1;
    uint32_t events = 0;  // what epoll watches
    // A ring of `depth` requests; request i has keys[i * keys_per_request_ …].
    std::vector<Request> requests;
    std::vector<uint32_t> keys;
    uint32_t head = 0;
    uint32_t on_way = 0;
    ScanState scan;
    std::string input;  // an incomplete part of a reply
    std::string output;
    size_t output_sent = 0;
  };

  void BeginPhase(const Plan& plan);
  [[nodiscard]] bool MayIssue(uint64_t now_ns) const;
  void Issue(Connection& connection, uint64_t from_ns);
  void FillBatch(Connection& connection, uint64_t now_ns);
  // With a rate: sends what is due.
  void IssueDue(uint64_t now_ns);
  void CountUnsent(uint64_t now_ns);
  [[nodiscard]] uint64_t DueNs(uint64_t request) const;
  uint32_t DrawKey();

  void Turn();
  [[nodiscard]] uint64_t WaitNs(uint64_t now_ns) const;
  void OnReadable(Connection& connection);
  bool TakeReplies(Connection& connection, std::string_view bytes, uint64_t now_ns);
  void FinishRequest(Connection& connection, bool refused, uint64_t now_ns);
  void Flush(Connection& connection);
  void Watch(Connection& connection, uint32_t events);
  bool Fail(const std::string& sentence);

  const Options options_;
  const KeySpace& key_space_;
  const Dialect& dialect_;
  uint32_t keys_per_request_;  // at most
  std::atomic<bool>& stop_;
  std::optional<Zipf> zipf_;
  Random random_;

  int epoll_fd_ = -1;
  std::vector<Connection> connections_;
  std::vector<char> scratch_;

  Plan plan_;
  uint64_t begin_ns_ = 0;
  uint64_t limit_ = 0;   // requests of this phase
  uint64_t issued_ = 0;  // of this phase
  uint64_t on_way_ = 0;
  uint64_t last_reply_ns_ = 0;
  uint32_t next_connection_ = 0;
  Tally tally_;
  std::atomic<uint64_t> answered_{0};
  std::string failure_;
};

}  // namespace larder::bench

#endif  // LARDER_BENCH_LOAD_WORKER_H_
