// Goal: a capacity in items, or in bytes of keys and values, is kept exactly, whatever the sizes,
// and what goes is what the policy's hands come to, item by item: a laboratory for policies needs
// no less. Method: runs at capacities from a few items up, where many share one heap segment;
// seeded.
#include <algorithm>
#include <optional>
#include <string>

#include "gtest/gtest.h"
#include "store/shard.h"
#include "util/prng.h"

namespace larder::store {
namespace {

using stats::Counter;

class ShardCapacity : public testing::Test {
 protected:
  void Start(Capacity capacity, uint64_t most) {
    shard_.reset();
    counters_.emplace();
    shard_.emplace(Shard::Options{.memory_bytes_max = 1ULL << 30,
                                  .capacity = capacity,
                                  .capacity_max = most,
                                  .hash = hash_},
                   *counters_);
    shard_->BeginTurn({.ns = 100'000'000'000, .unix_ns = 0});
  }
  void Put(const std::string& key, uint64_t value_bytes) {
    const std::string value(value_bytes, 'v');
    ASSERT_EQ(shard_->Put({.key = key, .hash = hash_(key), .value = value}).result,
              PutResult::kStored);
  }
  bool Has(const std::string& key, Shard::Access access = Shard::Access::kPeek) {
    return shard_->Find(key, hash_(key), access) != nullptr;
  }

  const util::KeyHash hash_{0x1234};
  util::Prng prng_{11};
  std::optional<stats::CounterBlock> counters_;
  std::optional<Shard> shard_;
};

TEST_F(ShardCapacity, ItemsAreCountedExactly) {
  for (const uint64_t most : {1, 7, 840, 5000}) {
    Start(Capacity::kItems, most);
    for (uint64_t i = 0; i < 4 * most + 2000; ++i) {
      const std::string key = "k" + std::to_string(i);
      Put(key, prng_.Below(200));
      ASSERT_EQ(shard_->ItemCount(), std::min(i + 1, most));
      ASSERT_TRUE(Has(key));
    }
    shard_->CheckInvariants();
  }
}

TEST_F(ShardCapacity, TheOldestGoItemByItem) {
  constexpr uint64_t kMost = 1000;
  constexpr uint64_t kMore = 300;
  Start(Capacity::kItems, kMost);
  for (uint64_t i = 0; i < kMost + kMore; ++i) {
    Put("k" + std::to_string(i), 100);
    for (uint64_t gone = 0; gone + kMost <= i; ++gone) {
      ASSERT_FALSE(Has("k" + std::to_string(gone))) << i;
    }
  }
  EXPECT_EQ(shard_->ItemCount(), kMost) << "and nobody else";
}

TEST_F(ShardCapacity, WhatWasReadGoesRoundOnceMore) {
  constexpr uint64_t kMost = 1000;
  Start(Capacity::kItems, kMost);
  for (uint64_t i = 0; i < kMost; ++i) Put("k" + std::to_string(i), 10);
  for (uint64_t i = 0; i < kMost; i += 2) {
    ASSERT_TRUE(Has("k" + std::to_string(i), Shard::Access::kRead));
  }
  // Half of them goes, and none of those that were read.
  for (uint64_t i = 0; i < kMost / 2; ++i) Put("new" + std::to_string(i), 10);
  for (uint64_t i = 0; i < kMost; ++i) {
    ASSERT_EQ(Has("k" + std::to_string(i)), i % 2 == 0) << i;
  }
  EXPECT_EQ(counters_->Get(Counter::kEvictions), kMost / 2);
}

TEST_F(ShardCapacity, AllMayBeReadAndOneGoesNevertheless) {
  constexpr uint64_t kMost = 4000;
  Start(Capacity::kItems, kMost);
  for (uint64_t i = 0; i < kMost; ++i) Put("k" + std::to_string(i), 10);
  for (int round = 0; round < 3; ++round) {
    for (uint64_t i = 0; i < kMost; ++i) (void)Has("k" + std::to_string(i), Shard::Access::kRead);
  }
  Put("new", 10);
  EXPECT_EQ(shard_->ItemCount(), kMost);
  EXPECT_FALSE(Has("k0")) << "three times round, and still the oldest";
  shard_->CheckInvariants();
}

TEST_F(ShardCapacity, BytesOfKeysAndValuesAreKept) {
  constexpr uint64_t kMost = 3'000'000;
  Start(Capacity::kPayloadBytes, kMost);
  uint64_t payload = 0;
  for (uint64_t i = 0; i < 20'000; ++i) {
    const std::string key = "k" + std::to_string(prng_.Below(5000));
    const uint64_t bytes = prng_.OneIn(50) ? prng_.Below(300'000) : prng_.Below(1000);
    Put(key, bytes);
    ASSERT_TRUE(Has(key));
    ASSERT_LE(shard_->PayloadBytes(), kMost);
    if (i > 10'000) payload += shard_->PayloadBytes();
  }
  EXPECT_GT(payload / 9999, kMost * 9 / 10) << "and not much less than it may be";
  shard_->CheckInvariants();
}

}  // namespace
}  // namespace larder::store
