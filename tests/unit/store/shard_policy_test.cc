// Goal: the shard with its policy misses clearly less than LRU where there is something to gain,
// and hardly more where LRU is right. Floors, so that no change to table, heap or policy costs hits
// unnoticed.
// Method: seeded request streams, each a pattern that real ones consist of, against a shard whose
// capacity is counted in items or bytes and an LRU list of the same capacity.
#include <algorithm>
#include <cmath>
#include <list>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "gtest/gtest.h"
#include "store/shard.h"
#include "util/prng.h"

namespace larder::store {
namespace {

class Lru {
 public:
  explicit Lru(uint64_t capacity) : capacity_(capacity) {}
  // True if it was there.
  bool Ask(uint64_t key, uint64_t size) {
    const auto found = where_.find(key);
    if (found != where_.end()) {
      order_.splice(order_.begin(), order_, found->second);
      return true;
    }
    order_.push_front({key, size});
    where_[key] = order_.begin();
    used_ += size;
    while (used_ > capacity_) {
      used_ -= order_.back().size;
      where_.erase(order_.back().key);
      order_.pop_back();
    }
    return false;
  }

 private:
  struct Entry {
    uint64_t key;
    uint64_t size;
  };
  uint64_t capacity_;
  uint64_t used_ = 0;
  std::list<Entry> order_;
  std::unordered_map<uint64_t, std::list<Entry>::iterator> where_;
};

class ShardPolicy : public testing::Test {
 protected:
  void Start(Capacity capacity, uint64_t most) {
    capacity_ = capacity;
    shard_.emplace(Shard::Options{.memory_bytes_max = 1ULL << 30,
                                  .capacity = capacity,
                                  .capacity_max = most,
                                  .hash = hash_},
                   counters_);
    shard_->BeginTurn({.ns = 100'000'000'000, .unix_ns = 0});
    lru_.emplace(most);
  }
  // Of keys and values.
  void Ask(uint64_t key, uint64_t bytes = 100) {
    std::string text = std::to_string(key);
    text.insert(0, 12 - text.size(), '0');
    const uint64_t hash = hash_(text);
    ++asked_;
    if (!lru_->Ask(key, capacity_ == Capacity::kItems ? 1 : bytes)) ++lru_missed_;
    if (shard_->Find(text, hash, Shard::Access::kRead) != nullptr) return;
    ++missed_;
    const std::string value(bytes - text.size(), 'v');
    ASSERT_EQ(shard_->Put({.key = text, .hash = hash, .value = value}).result, PutResult::kStored);
  }
  // By how much misses are fewer than LRU's, of 1.
  double Gain() {
    shard_->CheckInvariants();
    const auto lru = static_cast<double>(lru_missed_);
    const auto mine = static_cast<double>(missed_);
    const double gain = (lru - mine) / std::max(lru, mine);
    RecordProperty("gain", std::to_string(gain));
    return gain;
  }
  // Ranks of 0…count-1, the first ones the most frequent (a Zipf law with exponent 1, nearly).
  uint64_t Popular(uint64_t count) {
    const double u = static_cast<double>(prng_.Below(1U << 30)) / (1U << 30);
    return static_cast<uint64_t>(std::pow(static_cast<double>(count), u)) - 1;
  }

  const util::KeyHash hash_{0x1234};
  util::Prng prng_{17};
  Capacity capacity_ = Capacity::kItems;
  stats::CounterBlock counters_;
  std::optional<Shard> shard_;
  std::optional<Lru> lru_;
  uint64_t asked_ = 0;
  uint64_t missed_ = 0;
  uint64_t lru_missed_ = 0;
};

TEST_F(ShardPolicy, ALoopThatIsALittleTooLong) {
  Start(Capacity::kItems, 1000);
  for (int round = 0; round < 100; ++round) {
    for (uint64_t key = 0; key < 1100; ++key) Ask(key);
  }
  EXPECT_EQ(lru_missed_, asked_);
  EXPECT_GT(Gain(), 0.72);
}

TEST_F(ShardPolicy, KeysThatNeverComeAgain) {
  Start(Capacity::kItems, 2000);
  for (uint64_t i = 0; i < 400'000; ++i) {
    Ask(prng_.OneIn(4) ? 1'000'000 + i : Popular(50'000));
  }
  EXPECT_GT(Gain(), 0.13);
}

TEST_F(ShardPolicy, ScansNowAndThen) {
  Start(Capacity::kItems, 5000);
  for (uint64_t i = 0; i < 300'000; ++i) {
    Ask(Popular(50'000));
    if (i % 50'000 != 0) continue;
    for (uint64_t key = 0; key < 10'000; ++key) Ask(1'000'000 + i + key);
  }
  EXPECT_GT(Gain(), 0.10);
}

// What LRU is made for: a key is the more probable the more recently it was asked for.
TEST_F(ShardPolicy, WhatWasAskedForLatelyComesAgain) {
  Start(Capacity::kItems, 1000);
  std::vector<uint64_t> recent;
  for (uint64_t i = 0; i < 300'000; ++i) {
    const uint64_t back = Popular(50'000);
    uint64_t key = i;
    if (back < recent.size() && !prng_.OneIn(10)) key = recent[recent.size() - 1 - back];
    recent.push_back(key);
    Ask(key);
  }
  EXPECT_GT(Gain(), -0.02);
}

// The worst that is known, as of all policies that count reads (docs/policy.md): what has left the
// working set stays for as many rounds as it was read.
TEST_F(ShardPolicy, AWorkingSetThatMovesOn) {
  Start(Capacity::kItems, 3000);
  for (uint64_t i = 0; i < 400'000; ++i) Ask(i / 20 + prng_.Below(1500));
  EXPECT_GT(Gain(), -0.15);
}

TEST_F(ShardPolicy, AWorkingSetThatMovesOnAndHardlyFits) {
  Start(Capacity::kItems, 3000);
  for (uint64_t i = 0; i < 400'000; ++i) Ask(i / 20 + prng_.Below(2500));
  EXPECT_GT(Gain(), -0.33);
}

// Popularity says nothing about size, so small items are worth more for their bytes.
TEST_F(ShardPolicy, SizesThatDiffer) {
  Start(Capacity::kPayloadBytes, 1'000'000);
  for (uint64_t i = 0; i < 400'000; ++i) {
    const uint64_t key = Popular(30'000);
    const uint64_t eighths = key * 0x9e3779b97f4a7c15ULL >> 61;
    Ask(key, 50 + (25ULL << eighths));
  }
  EXPECT_GT(Gain(), 0.25);
}

}  // namespace
}  // namespace larder::store
