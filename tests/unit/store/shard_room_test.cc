// Goal: a SET never fails for lack of memory while anything can be evicted, whatever sizes came
// before, and the budget holds all the while.
// Method: storms of several times the budget, in mixes of sizes that follow each other; ranges of
// addresses so small that the holes between large items matter; seeded random sizes with flushes,
// expiry, held items and changing budgets.
#include <optional>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "larder/options.h"
#include "store/shard.h"
#include "util/prng.h"
#include "util/units.h"

namespace larder::store {
namespace {

using stats::Counter;

using util::kMiB;

class ShardRoom : public testing::Test {
 protected:
  void Start(const Shard::Options& options) {
    Shard::Options with_hash = options;
    with_hash.hash = hash_;
    shard_.reset();
    counters_.emplace();
    shard_.emplace(with_hash, *counters_);
    SetSeconds(100);
  }
  void SetSeconds(uint64_t seconds) {
    shard_->BeginTurn({.ns = seconds * 1'000'000'000, .unix_ns = 0});
  }
  PutResult Put(std::string_view key, uint64_t value_bytes, CacheSeconds at = kNever) {
    const std::string_view value = std::string_view(bytes_).substr(0, value_bytes);
    return shard_->Put({.key = key, .hash = hash_(key), .expire_at = at, .value = value}).result;
  }
  Item* Find(std::string_view key) { return shard_->Find(key, hash_(key), Shard::Access::kRead); }
  // Stores a new key; the key is readable at once, and the budget holds.
  void PutAndCheck(uint64_t value_bytes, CacheSeconds at = kNever) {
    const std::string key = "k" + std::to_string(next_key_++);
    ASSERT_EQ(Put(key, value_bytes, at), PutResult::kStored) << key << " of " << value_bytes;
    const Item* item = Find(key);
    ASSERT_NE(item, nullptr) << key;
    ASSERT_EQ(item->Value().size(), value_bytes);
    ASSERT_LE(shard_->MemoryBytes(), shard_->MemoryBytesMax() + kHeapSegmentBytes);
  }
  // Keys of sizes from `least` to `most` until `bytes` were stored.
  void Storm(uint64_t bytes, uint64_t least, uint64_t most) {
    for (uint64_t stored = 0; stored < bytes && !HasFatalFailure();) {
      const uint64_t size = least + prng_.Below(most - least + 1);
      PutAndCheck(size);
      stored += size;
    }
    shard_->CheckInvariants();
  }

  const util::KeyHash hash_{0x1234};
  const std::string bytes_ = std::string(kMiB, 'x');
  util::Prng prng_{5};
  uint64_t next_key_ = 0;
  std::optional<stats::CounterBlock> counters_;
  std::optional<Shard> shard_;
};

TEST_F(ShardRoom, MixesOfSizesFollowEachOther) {
  constexpr uint64_t kBudget = 16 * kMiB;
  Start({.memory_bytes_max = kBudget});
  struct Mix {
    uint64_t least;
    uint64_t most;
  };
  for (const Mix& mix :
       {Mix{20, 100}, Mix{100, 1000}, Mix{1000, 10'000}, Mix{10'000, 400'000}, Mix{20, 100}}) {
    Storm(6 * kBudget, mix.least, mix.most);
    ASSERT_FALSE(HasFatalFailure()) << mix.least << " to " << mix.most;
    EXPECT_GT(shard_->MemoryBytes(), kBudget * 9 / 10) << mix.least << " to " << mix.most;
  }
}

// All addresses once belonged to large items.
TEST_F(ShardRoom, SmallItemsFollowAFlushOfLargeOnes) {
  constexpr uint64_t kBudget = 32 * kMiB;
  Start({.memory_bytes_max = kBudget, .address_bytes = kBudget});
  Storm(2 * kBudget, 500'000, 500'000);
  shard_->Flush();
  Storm(2 * kBudget, 20'000, 20'000);
  EXPECT_GT(shard_->MemoryBytes(), kBudget * 9 / 10);
  shard_->Flush();
  Storm(2 * kBudget, 500'000, 500'000);
  EXPECT_GT(shard_->MemoryBytes(), kBudget * 8 / 10);
}

TEST_F(ShardRoom, HolesBetweenLargeItemsEndInEviction) {
  constexpr uint64_t kBudget = 16 * kMiB;
  Start({.memory_bytes_max = kBudget, .address_bytes = 2 * kBudget});
  ASSERT_EQ(shard_->BudgetBytesMax(), kBudget);
  for (int round = 0; round < 6; ++round) {
    Storm(2 * kBudget, 33'000, 50'000);
    // Every second one goes: the holes take no larger item.
    for (uint64_t key = round % 2; key < next_key_; key += 2) {
      const std::string name = "k" + std::to_string(key);
      (void)shard_->Erase(name, hash_(name));
    }
    Storm(2 * kBudget, 100'000, 500'000);
    Storm(2 * kBudget, 10, 3000);
    ASSERT_FALSE(HasFatalFailure()) << round;
  }
}

// Addresses for the budget alone, or for less: then large items cannot use all of it, but are
// never refused.
TEST_F(ShardRoom, ScarceAddressesEndInEviction) {
  constexpr uint64_t kBudget = 16 * kMiB;
  for (const uint64_t addresses : {kBudget, kBudget / 2, uint64_t{2 * kMiB}}) {
    Start({.memory_bytes_max = kBudget, .address_bytes = addresses});
    for (int i = 0; i < 6000; ++i) {
      const bool large = prng_.Below(2000) < static_cast<uint64_t>(i % 2000);
      PutAndCheck(prng_.Below(large ? 512 << 10 : 5000));
      ASSERT_FALSE(HasFatalFailure()) << addresses << ", item " << i;
    }
    shard_->CheckInvariants();
  }
}

TEST_F(ShardRoom, RefusingNeverEvictsForAddresses) {
  constexpr uint64_t kBudget = 8 * kMiB;
  Start(
      {.memory_bytes_max = kBudget, .when_full = WhenFull::kRefuse, .address_bytes = kBudget / 2});
  std::vector<std::string> stored;
  for (int i = 0; i < 3000; ++i) {
    const std::string key = "k" + std::to_string(i);
    if (Put(key, prng_.Below(i % 3 == 0 ? 200'000 : 3000)) == PutResult::kStored) {
      stored.push_back(key);
    }
    if (i % 7 == 0 && !stored.empty()) {
      const size_t which = prng_.Below(stored.size());
      ASSERT_TRUE(shard_->Erase(stored[which], hash_(stored[which])));
      stored[which] = stored.back();
      stored.pop_back();
    }
  }
  for (const std::string& key : stored) ASSERT_NE(Find(key), nullptr) << key;
  EXPECT_EQ(counters_->Get(Counter::kEvictions), 0U);
  shard_->CheckInvariants();
}

// One round of Ticks, made one after the other as long as they ask for it: what large items that
// follow small ones find is not the table of these.
TEST_F(ShardRoom, ASparseTableShrinksAtOnce) {
  Start({.memory_bytes_max = 64 * kMiB});
  constexpr int kItems = 200'000;
  for (int i = 0; i < kItems; ++i) {
    ASSERT_EQ(Put("k" + std::to_string(i), 20), PutResult::kStored);
  }
  const uint64_t before = shard_->table().Bytes();
  for (int i = 0; i < kItems; ++i) {
    const std::string key = "k" + std::to_string(i);
    if (i % 8 != 0) (void)shard_->Erase(key, hash_(key));
  }
  int ticks = 0;
  while (shard_->Tick(8192) && ticks < 10'000) ++ticks;
  EXPECT_LT(shard_->table().Bytes(), before / 5) << "after " << ticks << " ticks";
  for (int i = 0; i < kItems; ++i) {
    ASSERT_EQ(Find("k" + std::to_string(i)) != nullptr, i % 8 == 0) << i;
  }
  shard_->CheckInvariants();
}

// A new expiry takes four bytes that an item without one does not have. Where there are none, the
// item goes: it must not outlive its time.
TEST_F(ShardRoom, WhoFindsNoRoomForAnExpiryIsGone) {
  Start({.memory_bytes_max = 8 * kMiB, .address_bytes = kHeapSegmentBytes * 8});
  std::vector<std::string> stored;
  std::vector<Item*> held;
  for (int i = 0; i < 100'000; ++i) {
    const std::string key = "k" + std::to_string(i);
    if (Put(key, 1000) != PutResult::kStored) break;
    stored.push_back(key);
    held.push_back(Find(key));
    shard_->Hold(held.back());
  }
  ASSERT_LT(stored.size(), 100'000U);
  uint64_t gone = 0;
  for (const std::string& key : stored) {
    Item* item = shard_->Touch(Find(key), hash_(key), 200);
    ASSERT_EQ(Find(key), item);
    if (item == nullptr) {
      ++gone;
    } else {
      EXPECT_EQ(item->expire_at(), 200U);
      EXPECT_EQ(item->Value().size(), 1000U);
    }
  }
  EXPECT_GT(gone, 0U);
  for (const Item* item : held) shard_->Release(item);
  shard_->CheckInvariants();
}

// Where nothing may go, a touch needs no room; and who is refused does not pay for looking.
TEST_F(ShardRoom, TouchKeepsTheBudgetWhenNothingMayGo) {
  Start({.memory_bytes_max = 16 * kMiB, .when_full = WhenFull::kRefuse});
  uint64_t count = 0;
  while (Put("k" + std::to_string(count), 100) == PutResult::kStored) ++count;
  for (uint64_t i = 0, k = 0; i < count; ++i, k = (k + 7919) % count) {
    const std::string key = "k" + std::to_string(k);
    Item* item = Find(key);
    ASSERT_NE(item, nullptr);
    ASSERT_EQ(shard_->Touch(item, hash_(key), 5000), item);
    ASSERT_LE(shard_->MemoryBytes(), shard_->MemoryBytesMax() + kHeapSegmentBytes) << i;
  }
  shard_->CheckInvariants();
}

// A smaller budget that cannot be reached is no reason to tick for ever.
TEST_F(ShardRoom, ABudgetThatCannotBeReachedIsWaitedFor) {
  Start({.memory_bytes_max = 16 * kMiB, .when_full = WhenFull::kRefuse});
  for (int i = 0; Put("k" + std::to_string(i), 100) == PutResult::kStored; ++i) {
  }
  shard_->SetMemoryBytesMax(8 * kMiB);
  int ticks = 0;
  while (shard_->Tick(8192)) ASSERT_LT(++ticks, 100);
  const uint64_t items = shard_->ItemCount();
  EXPECT_FALSE(shard_->Tick(8192));
  EXPECT_EQ(shard_->ItemCount(), items);
  shard_->CheckInvariants();
}

// However much becomes free at once, a tick gives back a few megabytes.
class ShardGivesBack : public ShardRoom {
 protected:
  static constexpr uint64_t kBudget = 256 * kMiB;
  void FillWithLarge() {
    Start({.memory_bytes_max = kBudget});
    for (int i = 0; i < 200; ++i) (void)Put("k" + std::to_string(i), kMiB - 100, 110);
  }
  void TickInSteps(uint64_t down_to) {
    int ticks = 0;
    for (uint64_t before = shard_->MemoryBytes(); shard_->MemoryBytes() > down_to;
         before = shard_->MemoryBytes()) {
      (void)shard_->Tick(8192);
      ASSERT_LE(before - std::min(before, shard_->MemoryBytes()), 9 * kMiB);
      ASSERT_LT(++ticks, 1000);
    }
    shard_->CheckInvariants();
  }
};

TEST_F(ShardGivesBack, WhatHasExpired) {
  FillWithLarge();
  SetSeconds(120);
  while (shard_->ItemCount() > 0) (void)shard_->Tick(8192), SetSeconds(121);
  shard_->SetMemoryBytesMax(kBudget / 8);
  TickInSteps(kBudget / 8 + kHeapSegmentBytes);
}

TEST_F(ShardGivesBack, WhatASmallerBudgetDrivesOut) {
  FillWithLarge();
  shard_->SetMemoryBytesMax(kBudget / 8);
  TickInSteps(kBudget / 8 + kHeapSegmentBytes);
}

TEST_F(ShardGivesBack, WhatWasFlushed) {
  FillWithLarge();
  shard_->Flush();
  shard_->SetMemoryBytesMax(kBudget / 8);
  TickInSteps(kBudget / 8 + kHeapSegmentBytes);
}

// And of small items, whose segments are freed long before.
TEST_F(ShardGivesBack, SegmentsThatWereFlushed) {
  Start({.memory_bytes_max = kBudget});
  for (int i = 0; i < 200'000; ++i) (void)Put("k" + std::to_string(i), 1000);
  shard_->Flush();
  for (int ticks = 0; shard_->Tick(8192); ++ticks) ASSERT_LT(ticks, 1000);
  shard_->SetMemoryBytesMax(kBudget / 8);
  TickInSteps(kBudget / 8 + kHeapSegmentBytes);
}

// What a table of many small items takes must not stand in the way of one large item.
TEST_F(ShardRoom, ALargeItemFollowsTheSmallestOnes) {
  Start({.memory_bytes_max = kMiB});
  for (int i = 0; i < 100'000; ++i) (void)Put("k" + std::to_string(i), 0);
  const uint64_t most = kMiB - ItemHeap::SoloBytes(0) - (64 << 10);
  ASSERT_GT(shard_->table().Bytes(), kMiB - most) << "otherwise this shows nothing";
  EXPECT_EQ(Put("large", most), PutResult::kStored);
  shard_->CheckInvariants();
}

class ShardRoomModel : public ShardRoom, public testing::WithParamInterface<uint64_t> {};

// Hours of a cache whose sizes, lifetimes and budget change.
TEST_P(ShardRoomModel, NothingThatFitsIsEverRefused) {
  constexpr uint64_t kBudget = 8 * kMiB;
  prng_ = util::Prng(GetParam());
  Start({.memory_bytes_max = kBudget, .address_bytes = 2 * kBudget});
  uint64_t now_s = 100;
  uint64_t size_bits = 4;
  std::vector<const Item*> held;
  for (int step = 0; step < 60'000; ++step) {
    if (prng_.OneIn(1000)) size_bits = prng_.Below(20);
    const uint64_t size = 1 + prng_.Below(prng_.OneIn(20) ? 512 << 10 : uint64_t{1} << size_bits);
    const auto at = static_cast<CacheSeconds>(now_s + 1 + prng_.Below(100));
    PutAndCheck(size, prng_.OneIn(3) ? at : kNever);
    ASSERT_FALSE(HasFatalFailure()) << "step " << step;
    if (prng_.OneIn(10)) {
      const std::string key = "k" + std::to_string(prng_.Below(next_key_));
      (void)shard_->Erase(key, hash_(key));
    }
    if (prng_.OneIn(100)) {
      for (const Item* item : held) shard_->Release(item);
      held.clear();
    } else if (prng_.OneIn(50) && held.size() < 3) {
      const Item* item = Find("k" + std::to_string(next_key_ - 1));
      if (item->Value().size() < 100'000) shard_->Hold(held.emplace_back(item));
    }
    if (prng_.OneIn(10)) SetSeconds(++now_s);
    if (prng_.OneIn(20)) (void)shard_->Tick(static_cast<uint32_t>(prng_.Below(500)));
    if (prng_.OneIn(4000)) shard_->Flush();
    if (prng_.OneIn(4000)) {
      shard_->SetMemoryBytesMax(kBudget / 4 * (2 + prng_.Below(3)));
      for (int i = 0; i < 10'000 && shard_->Tick(1000); ++i) {
      }
    }
    if (step % 1024 == 0) shard_->CheckInvariants();
  }
  for (const Item* item : held) shard_->Release(item);
  shard_->CheckInvariants();
}

INSTANTIATE_TEST_SUITE_P(Seeds, ShardRoomModel, testing::Values(1, 2, 3));

// A shard of the largest budget that a thread may have has addresses for all of it.
TEST_F(ShardRoom, TheLargestBudgetFitsAndNoneAboveIt) {
  Start({.memory_bytes_max = kShardMemoryBytesMax});
  EXPECT_EQ(shard_->BudgetBytesMax(), kShardMemoryBytesMax);
  Start({.memory_bytes_max = 2 * kShardMemoryBytesMax});
  EXPECT_LT(shard_->BudgetBytesMax(), shard_->MemoryBytesMax());
  Start({.memory_bytes_max = 64 * kMiB});
  EXPECT_GE(shard_->BudgetBytesMax(), 1024 * kMiB) << "it may grow";
}

}  // namespace
}  // namespace larder::store
