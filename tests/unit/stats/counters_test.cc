// Goal: counters count, and `stats reset` clears what memcached clears and nothing else.
#include "stats/counters.h"

#include <set>
#include <string_view>
#include <thread>

#include "gtest/gtest.h"

namespace larder::stats {
namespace {

TEST(Counters, EachHasItsOwnCell) {
  CounterBlock block;
  for (const CounterInfo& info : AllCounters()) {
    block.Add(info.counter, 1 + static_cast<uint64_t>(info.counter));
    block.Add(info.counter);
  }
  for (const CounterInfo& info : AllCounters()) {
    EXPECT_EQ(block.Get(info.counter), 2 + static_cast<uint64_t>(info.counter));
  }
}

TEST(Counters, TheListIsInTheOrderOfTheEnum) {
  size_t i = 0;
  for (const CounterInfo& info : AllCounters()) EXPECT_EQ(static_cast<size_t>(info.counter), i++);
  EXPECT_EQ(i, kCounterCount);
}

TEST(Counters, NamesAreUniqueAndWhole) {
  std::set<std::string_view> memcached;
  std::set<std::string_view> prometheus;
  for (const CounterInfo& info : AllCounters()) {
    if (!info.memcached_name.empty()) {
      EXPECT_TRUE(memcached.insert(info.memcached_name).second) << info.memcached_name;
    }
    EXPECT_TRUE(prometheus.insert(info.prometheus_name).second) << info.prometheus_name;
    EXPECT_TRUE(info.prometheus_name.starts_with("larder_")) << info.prometheus_name;
    // Prometheus' own rule: what only grows ends in _total.
    EXPECT_EQ(info.prometheus_name.ends_with("_total"), !info.gauge) << info.prometheus_name;
    EXPECT_TRUE(info.help.ends_with('.')) << info.help;
  }
}

TEST(Counters, GaugesFall) {
  CounterBlock block;
  block.Add(Counter::kItemBytes, 100);
  block.Subtract(Counter::kItemBytes, 30);
  EXPECT_EQ(block.Get(Counter::kItemBytes), 70U);
  block.Set(Counter::kItemBytes, 5);
  EXPECT_EQ(block.Get(Counter::kItemBytes), 5U);
}

TEST(Counters, ResetClearsCountersAndKeepsGauges) {
  CounterBlock block;
  for (const CounterInfo& info : AllCounters()) block.Add(info.counter, 7);
  block.ResetCounters();
  for (const CounterInfo& info : AllCounters()) {
    EXPECT_EQ(block.Get(info.counter), info.gauge ? 7U : 0U) << info.prometheus_name;
  }
}

// For ThreadSanitizer too: one writes, another reads.
TEST(Counters, AnyThreadMayReadWhileTheOwnerWrites) {
  constexpr uint64_t kCount = 100'000;
  CounterBlock block;
  std::thread owner([&block] {
    for (uint64_t i = 0; i < kCount; ++i) block.Add(Counter::kGetHits);
  });
  uint64_t last = 0;
  for (uint64_t i = 0; i < kCount && last < kCount; ++i) {
    const uint64_t now = block.Get(Counter::kGetHits);
    EXPECT_GE(now, last);
    last = now;
  }
  owner.join();
  EXPECT_EQ(block.Get(Counter::kGetHits), kCount);
}

// Seen on memcached 1.6.45: of the names that Larder counts, a reset leaves these as they are.
TEST(Counters, ResetKeepsWhatMemcachedKeeps) {
  const std::set<std::string_view> kept = {
      "log_watchers", "curr_connections", "curr_items",        "bytes",
      "hash_bytes",   "read_buf_bytes",   "response_obj_bytes"};
  for (const CounterInfo& info : AllCounters()) {
    if (info.memcached_name.empty()) continue;
    EXPECT_EQ(info.gauge, kept.contains(info.memcached_name)) << info.memcached_name;
  }
}

}  // namespace
}  // namespace larder::stats
