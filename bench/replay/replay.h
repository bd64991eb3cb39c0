// Replays a trace as an application uses a look-aside cache: get; on a miss, set.
//
// Where the cache is (in this process, or behind a socket) is a ReplayTarget's affair.
#ifndef LARDER_BENCH_REPLAY_REPLAY_H_
#define LARDER_BENCH_REPLAY_REPLAY_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "bench/common/endpoint.h"

namespace larder::bench {

// One request of a trace: a get, and what is stored if it misses.
struct Access {
  uint32_t time_s;
  uint64_t id;
  uint32_t value_size;
};

struct ReplayCounts {
  uint64_t requests = 0;
  uint64_t hits = 0;
  // Misses that could not be stored: over the server's item limit; or refused for another reason,
  // which is told by last_refusal.
  uint64_t too_large = 0;
  uint64_t refused = 0;
  std::string last_refusal = {};

  [[nodiscard]] uint64_t Misses() const { return requests - hits; }
  [[nodiscard]] double HitRatio() const;
};

// What a cache may hold, as far as it is known.
struct Capacity {
  std::string kind;  // "memory", or "unknown"
  uint64_t amount = 0;
};

// The text key of an id: "0:4711" in the first trace of a run, so that traces do not share keys.
std::string KeyOf(uint32_t trace, uint64_t id);
// Appends a value that belongs to `key`: it begins with it, as far as `size` goes.
void AppendReplayValue(std::string_view key, uint32_t size, std::string& out);
bool IsReplayValue(std::string_view key, std::string_view value);

class ReplayTarget {
 public:
  ReplayTarget() = default;
  ReplayTarget(const ReplayTarget&) = delete;
  ReplayTarget& operator=(const ReplayTarget&) = delete;
  virtual ~ReplayTarget() = default;

  // A trace begins, its number in the run being `trace`. All return false on failure.
  virtual bool Begin(uint32_t trace) = 0;
  virtual bool Run(std::span<const Access> window, ReplayCounts& counts) = 0;
  virtual bool End(ReplayCounts& counts) = 0;
  virtual Capacity CapacityNow() = 0;

  // One sentence, after a failure.
  [[nodiscard]] const std::string& failure() const { return failure_; }

 protected:
  bool Fail(const std::string& sentence) {
    failure_ = sentence;
    return false;
  }

 private:
  std::string failure_;
};

// A shard of this process: `memory_bytes` for items and table.
std::unique_ptr<ReplayTarget> MakeShardTarget(uint64_t memory_bytes);
// A server, over one connection in the text protocol; `flush` empties it before each trace.
std::unique_ptr<ReplayTarget> MakeSocketTarget(const Endpoint& endpoint, bool flush);

struct ReplayPlan {
  std::string path;
  uint32_t trace = 0;
  uint32_t window = 64;
  uint32_t value_size = 0;    // 0: as the trace says
  uint64_t requests_max = 0;  // 0: all
  // Told now and then how far it is, 0 to 1, and the requests so far.
  std::function<void(double, uint64_t)> progress;
};

struct ReplayResult {
  std::string failure;  // one sentence; empty if all is well
  ReplayCounts counts;
  Capacity capacity;
  double seconds = 0;
};

ReplayResult Replay(const ReplayPlan& plan, ReplayTarget& target);

// Where a trace has no sizes, they are 1: such values get this many bytes.
inline constexpr uint32_t kUnsizedValueBytes = 64;

}  // namespace larder::bench

#endif  // LARDER_BENCH_REPLAY_REPLAY_H_
