// What an operation costs in the store: nanoseconds per find and put, one after the other and with
// the two stages of prefetch that the server uses for what it has received.
//
//   bin/store_bench --items=1000000 --items=10000000 [--benchmark_filter=REGEX]
//
// Keys have 20 bytes, values 64. A benchmark's first argument is the count of items, its second the
// size of the group that is prefetched together (1: none).
#include <benchmark/benchmark.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>

#include "store/shard.h"
#include "util/check.h"
#include "util/prng.h"

namespace larder::store {
namespace {

constexpr size_t kGroupMax = 32;
constexpr std::string_view kValue =
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

struct Key {
  std::array<char, 21> text;
  uint64_t hash;
  [[nodiscard]] std::string_view view() const { return {text.data(), 20}; }
};

class Filled {
 public:
  Filled(uint64_t items, uint64_t bytes_max)
      : items_(items), shard_({.memory_bytes_max = bytes_max, .hash = hash_}, counters_) {
    for (uint64_t i = 0; i < items; ++i) Put(MakeKey(i));
  }

  [[nodiscard]] Key MakeKey(uint64_t number) const {
    Key key;
    std::snprintf(key.text.data(), key.text.size(), "key:%016llx",
                  static_cast<unsigned long long>(number));
    key.hash = hash_(key.view());
    return key;
  }
  void Put(const Key& key) {
    const auto stored = shard_.Put({.key = key.view(), .hash = key.hash, .value = kValue});
    CHECK(stored.result == PutResult::kStored);
  }
  void Prefetch(const Key* keys, size_t count) const {
    if (count == 1) return;
    for (size_t i = 0; i < count; ++i) shard_.PrefetchBucket(keys[i].hash);
    for (size_t i = 0; i < count; ++i) shard_.PrefetchItem(keys[i].hash);
    for (size_t i = 0; i < count; ++i) shard_.PrefetchItemElsewhere(keys[i].hash);
  }
  Shard& shard() { return shard_; }
  [[nodiscard]] uint64_t items() const { return items_; }
  [[nodiscard]] uint64_t evictions() const { return counters_.Get(stats::Counter::kEvictions); }

 private:
  uint64_t items_;
  util::KeyHash hash_{99};
  stats::CounterBlock counters_;
  Shard shard_;
};

// One shard at a time: ten million items take a while to fill, and a gigabyte.
Filled& FilledWith(uint64_t items) {
  static std::unique_ptr<Filled> filled;
  if (filled == nullptr || filled->items() != items) {
    filled.reset();
    filled = std::make_unique<Filled>(items, 4ULL << 30);
  }
  return *filled;
}

// Runs `act(key)` on random keys, in groups. The keys lie ready, in the order of their use.
template <typename Act>
void RunGroups(benchmark::State& state, Filled& filled, uint64_t first, const Act& act) {
  const auto group = static_cast<size_t>(state.range(1));
  util::Prng prng(17);
  // Fewer for a run that only proves that it runs: making them takes longest.
  const size_t key_count = filled.items() < 100'000 ? 1 << 12 : 1 << 20;
  const auto keys = std::make_unique<Key[]>(key_count);
  for (size_t i = 0; i < key_count; ++i)
    keys[i] = filled.MakeKey(first + prng.Below(filled.items()));
  size_t next = 0;
  uint64_t checksum = 0;
  for (auto _ : state) {
    const Key* batch = &keys[next];
    filled.Prefetch(batch, group);
    for (size_t i = 0; i < group; ++i) checksum += act(batch[i]);
    next = (next + group) % key_count;
  }
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations() * group));
  state.counters["ns_each"] =
      benchmark::Counter(static_cast<double>(state.iterations() * group) / 1e9,
                         benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
  state.SetLabel("checksum " + std::to_string(checksum));
}

void BM_FindHit(benchmark::State& state) {
  Filled& filled = FilledWith(static_cast<uint64_t>(state.range(0)));
  RunGroups(state, filled, 0, [&](const Key& key) {
    const Item* item = filled.shard().Find(key.view(), key.hash, Shard::Access::kRead);
    CHECK(item != nullptr);
    return static_cast<uint64_t>(item->Value()[5]);
  });
}

void BM_FindMiss(benchmark::State& state) {
  Filled& filled = FilledWith(static_cast<uint64_t>(state.range(0)));
  RunGroups(state, filled, 1ULL << 40, [&](const Key& key) {
    const Item* item = filled.shard().Find(key.view(), key.hash, Shard::Access::kRead);
    CHECK(item == nullptr);
    return static_cast<uint64_t>(filled.shard().missed());
  });
}

void BM_PutOverwrite(benchmark::State& state) {
  Filled& filled = FilledWith(static_cast<uint64_t>(state.range(0)));
  RunGroups(state, filled, 0, [&](const Key& key) {
    filled.Put(key);
    return uint64_t{1};
  });
}

// The budget is what the items took: each new one drives out an old one.
void BM_PutEvict(benchmark::State& state) {
  Filled& filled = FilledWith(static_cast<uint64_t>(state.range(0)));
  Shard& shard = filled.shard();
  const uint64_t budget = shard.MemoryBytesMax();
  shard.SetMemoryBytesMax(shard.MemoryBytes());
  // The room that earlier benchmarks left dead is used up first.
  uint64_t number = (1ULL << 41) + filled.evictions();  // keys that were never there
  for (uint64_t i = 0; i < 2 * filled.items(); ++i) filled.Put(filled.MakeKey(number++));
  const uint64_t evictions = filled.evictions();
  const auto group = static_cast<size_t>(state.range(1));
  std::array<Key, kGroupMax> keys;
  for (auto _ : state) {
    for (size_t i = 0; i < group; ++i) keys[i] = filled.MakeKey(number++);
    filled.Prefetch(keys.data(), group);
    for (size_t i = 0; i < group; ++i) filled.Put(keys[i]);
  }
  state.counters["ns_each"] =
      benchmark::Counter(static_cast<double>(state.iterations() * group) / 1e9,
                         benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
  state.SetLabel("evictions " + std::to_string(filled.evictions() - evictions));
  shard.SetMemoryBytesMax(budget);
}

void Register(int64_t items) {
  for (const int64_t group : {1, 16, 32}) {
    benchmark::RegisterBenchmark("FindHit", BM_FindHit)->Args({items, group});
    benchmark::RegisterBenchmark("FindMiss", BM_FindMiss)->Args({items, group});
    benchmark::RegisterBenchmark("PutOverwrite", BM_PutOverwrite)->Args({items, group});
  }
  // Last: it changes what is there.
  for (const int64_t group : {1, 16, 32}) {
    benchmark::RegisterBenchmark("PutEvict", BM_PutEvict)->Args({items, group});
  }
}

}  // namespace
}  // namespace larder::store

int main(int argc, char** argv) {
  constexpr std::string_view kItems = "--items=";
  int kept = 1;
  bool registered = false;
  for (int i = 1; i < argc; ++i) {
    const std::string_view arg = argv[i];
    if (arg.starts_with(kItems)) {
      larder::store::Register(std::strtoll(argv[i] + kItems.size(), nullptr, 10));
      registered = true;
    } else {
      argv[kept++] = argv[i];
    }
  }
  if (!registered) larder::store::Register(20'000);
  benchmark::Initialize(&kept, argv);
  if (benchmark::ReportUnrecognizedArguments(kept, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
