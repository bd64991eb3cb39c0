// A look-aside cache in this process: one shard and the engine's verbs, as a core of the server
// runs them; no sockets, no parsing.
//
// The cache's clock follows the trace's time column, so that a replay is the same each time.
#include <algorithm>
#include <optional>

#include "bench/replay/replay.h"
#include "engine/execute.h"
#include "larder/clock.h"
#include "larder/command.h"
#include "stats/counters.h"
#include "store/shard.h"
#include "util/hash.h"

namespace larder::bench {
namespace {

// Fixed, unlike a server's: the same replay twice gives the same hits.
constexpr uint64_t kSecret = 0x1a4de4;
// Items that background work looks at after each window.
constexpr uint32_t kTickItems = 64;

class ShardTarget final : public ReplayTarget {
 public:
  explicit ShardTarget(uint64_t memory_bytes) : memory_bytes_(memory_bytes) {}

  bool Begin(uint32_t trace) override {
    trace_ = trace;
    time_s_ = 0;
    shard_.reset();
    counters_.emplace();
    store::Shard::Options options;
    options.memory_bytes_max = memory_bytes_;
    options.hash = hash_;
    shard_.emplace(options, *counters_);
    return true;
  }

  bool Run(std::span<const Access> window, ReplayCounts& counts) override {
    for (const Access& access : window) {
      if (access.time_s >= time_s_) BeginTurn(access.time_s);
      ++counts.requests;
      if (!Get(access, counts) || !failure().empty()) return false;
    }
    shard_->Tick(kTickItems);
    return true;
  }

  bool End(ReplayCounts&) override { return true; }

  Capacity CapacityNow() override { return {.kind = "memory", .amount = memory_bytes_}; }

 private:
  void BeginTurn(uint32_t time_s) {
    Now now;
    now.ns += uint64_t{time_s} * 1'000'000'000;
    now.unix_ns = static_cast<int64_t>(now.ns);
    shard_->BeginTurn(now);
    time_s_ = time_s + 1;
  }

  bool Get(const Access& access, ReplayCounts& counts) {
    const std::string key = KeyOf(trace_, access.id);
    Command command;
    command.verb = Verb::kGet;
    command.key = key;
    command.hash = hash_(key);
    const Outcome found = engine::Execute({*shard_, *counters_, scratch_}, command);
    if (found.status == Status::kHit) {
      ++counts.hits;
      return IsReplayValue(key, found.value) || Fail("a wrong value came for " + key);
    }
    if (found.status != Status::kMiss) return Fail("a get of " + key + " was no hit and no miss");
    value_.clear();
    AppendReplayValue(key, access.value_size, value_);
    command.verb = Verb::kSet;
    command.value = value_;
    const Outcome stored = engine::Execute({*shard_, *counters_, scratch_}, command);
    if (stored.status == Status::kTooLarge) {
      ++counts.too_large;
      return true;
    }
    if (stored.status != Status::kStored) {
      ++counts.refused;
      counts.last_refusal = "a set was not stored";
    }
    return true;
  }

  const uint64_t memory_bytes_;
  const util::KeyHash hash_{kSecret};
  uint32_t trace_ = 0;
  // Times from here on begin a new turn; what is earlier belongs to the turn that runs.
  uint32_t time_s_ = 0;
  std::string scratch_;
  std::optional<stats::CounterBlock> counters_;
  std::optional<store::Shard> shard_;
  std::string value_;
};

}  // namespace

std::unique_ptr<ReplayTarget> MakeShardTarget(uint64_t memory_bytes) {
  return std::make_unique<ShardTarget>(memory_bytes);
}

}  // namespace larder::bench
