// The server's own shard, with its table, its heap, its policy and its way of expiring, behind a
// clock that follows the trace.
#include <algorithm>
#include <optional>
#include <string>
#include <string_view>

#include "bench/replay/lab_cache.h"
#include "larder/clock.h"
#include "larder/command.h"
#include "stats/counters.h"
#include "store/shard.h"
#include "util/hash.h"

namespace larder::bench {
namespace {

using store::Shard;

// How often the server ticks in a second with nothing to do, and with more to do.
constexpr int kTicksPerSecond = 1'000'000'000 / Shard::kIdleTickNs;
constexpr int kBusyTicksPerSecond = 1'000'000'000 / Shard::kBusyTickNs;

// Values that nobody counts are short: the replay is faster for it.
constexpr uint64_t kUncountedValueBytes = 8;

class ShardCache final : public LabCache {
 public:
  explicit ShardCache(const LabCacheOptions& options);

  bool Serve(const Request& request) override;
  [[nodiscard]] uint64_t Used() const override;
  [[nodiscard]] std::string Failure() const override { return failure_; }

 private:
  void BeginSecond(uint32_t time_s);
  void MakeKey(const Request& request);
  void Store(const Request& request, uint64_t hash);

  const LabCacheOptions options_;
  const util::KeyHash hash_;
  stats::CounterBlock counters_;
  std::optional<store::Shard> shard_;
  bool begun_ = false;
  uint32_t time_s_ = 0;
  std::string key_;
  std::string value_;
  std::string failure_;
};

Now ClockAt(uint32_t time_s) {
  Now now;
  now.ns += uint64_t{time_s} * 1'000'000'000;
  now.unix_ns = static_cast<int64_t>(now.ns);
  return now;
}

// The memory is never what is short: the largest item takes far less than this, and so does all of
// what a capacity admits.
uint64_t MemoryFor(const LabCacheOptions& options) {
  constexpr uint64_t kMemoryBytesMin = 64 << 20;
  // What the heap, the table and the cleaner take beyond keys and values, generously.
  constexpr uint64_t kBytesPerItem = 128;
  const uint64_t objects = options.kind == CapacityKind::kObjects
                               ? options.capacity
                               : std::min(options.capacity, options.workload.peak.objects);
  const uint64_t payload = options.kind == CapacityKind::kBytes ? options.capacity : 0;
  return kMemoryBytesMin + objects * (kBytesPerItem + kKeyBytesMax) + 4 * payload;
}

ShardCache::ShardCache(const LabCacheOptions& options) : options_(options), hash_(options.seed) {
  const bool objects = options.kind == CapacityKind::kObjects;
  store::Shard::Options shard;
  shard.memory_bytes_max = MemoryFor(options);
  shard.item_bytes_max = store::kValueBytesMax;
  shard.capacity = objects ? store::Capacity::kItems : store::Capacity::kPayloadBytes;
  shard.capacity_max = options.capacity;
  shard.hash = hash_;
  shard_.emplace(shard, counters_);
}

// Every second passes by itself, however long nothing was asked: the server's clock goes on, too.
void ShardCache::BeginSecond(uint32_t time_s) {
  if (begun_ && time_s == time_s_) return;
  for (uint32_t second = begun_ ? time_s_ + 1 : time_s; second <= time_s; ++second) {
    shard_->BeginTurn(ClockAt(second));
    bool more = true;
    for (int i = 0; i < kBusyTicksPerSecond && (more || i < kTicksPerSecond); ++i) {
      more = shard_->Tick(Shard::kTickItems);
    }
  }
  begun_ = true;
  time_s_ = time_s;
}

// The digits of the id, to the length that the trace gives the key; longer where that is too short.
void ShardCache::MakeKey(const Request& request) {
  constexpr std::string_view kDigits =
      "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_";
  key_.clear();
  for (uint32_t rest = request.id; rest > 0 || key_.empty(); rest /= 64) {
    key_.push_back(kDigits[rest % 64]);
  }
  if (key_.size() < request.key_size) key_.append(request.key_size - key_.size(), '.');
}

bool ShardCache::Serve(const Request& request) {
  BeginSecond(request.time_s);
  MakeKey(request);
  const uint64_t hash = hash_(key_);
  switch (request.op) {
    case TraceOp::kGet:
      if (shard_->Find(key_, hash, store::Shard::Access::kRead) != nullptr) return true;
      Store(request, hash);
      return false;
    case TraceOp::kSet:
      Store(request, hash);
      return false;
    case TraceOp::kDelete:
      shard_->Erase(key_, hash);
      return false;
  }
  return false;
}

void ShardCache::Store(const Request& request, uint64_t hash) {
  const bool counted = options_.kind == CapacityKind::kBytes;
  const uint64_t value_bytes =
      counted ? std::max<uint64_t>(request.bytes, key_.size()) - key_.size() : kUncountedValueBytes;
  // What is larger than the whole cache is not stored, here as elsewhere.
  if (counted && key_.size() + value_bytes > options_.capacity) {
    shard_->Erase(key_, hash);
    return;
  }
  value_.resize(value_bytes, 'v');
  store::NewItem item;
  item.key = key_;
  item.hash = hash;
  item.value = value_;
  if (request.ttl_s > 0) item.expire_at = shard_->now().CeilSeconds() + request.ttl_s;
  if (shard_->Put(item).result != store::PutResult::kStored && failure_.empty()) {
    failure_ =
        "the shard refused an item of " + std::to_string(key_.size() + value_bytes) + " bytes";
  }
}

uint64_t ShardCache::Used() const {
  const bool objects = options_.kind == CapacityKind::kObjects;
  return objects ? shard_->ItemCount() : shard_->PayloadBytes();
}

}  // namespace

std::unique_ptr<LabCache> MakeShardCache(const LabCacheOptions& options) {
  return std::make_unique<ShardCache>(options);
}

}  // namespace larder::bench
