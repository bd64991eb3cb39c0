// Goal: each promise of shard.h, one by one: time, flush, budget, eviction, holding, counting.
// Method: a fake clock; budgets so small that a few hundred items fill them.
#include "store/shard.h"

#include <optional>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "larder/command.h"
#include "util/prng.h"
#include "util/units.h"

namespace larder::store {
namespace {

using stats::ClassCounter;
using stats::Counter;

using util::kMiB;

class ShardTest : public testing::Test {
 protected:
  Shard& Start(const Shard::Options& options) {
    Shard::Options with_hash = options;
    with_hash.hash = hash_;
    shard_.emplace(with_hash, counters_);
    SetSeconds(100);
    return *shard_;
  }
  Shard& Start() { return Start({.memory_bytes_max = 8 * kMiB}); }

  void SetSeconds(double seconds) {
    shard_->BeginTurn({.ns = static_cast<uint64_t>(seconds * 1e9), .unix_ns = 0});
  }
  Shard::Stored Put(const std::string& key, std::string_view value, CacheSeconds at = kNever) {
    return shard_->Put({.key = key, .hash = hash_(key), .expire_at = at, .value = value});
  }
  Item* Get(const std::string& key, Shard::Access access = Shard::Access::kRead) {
    return shard_->Find(key, hash_(key), access);
  }
  bool Has(const std::string& key) { return Get(key, Shard::Access::kPeek) != nullptr; }
  uint64_t Count(Counter counter) const { return counters_.Get(counter); }
  void TickUntilDone() {
    for (int i = 0; shard_->Tick(1000); ++i) ASSERT_LT(i, 10'000);
  }

  util::KeyHash hash_{0x1234};
  stats::CounterBlock counters_;
  std::optional<Shard> shard_;
};

TEST_F(ShardTest, StoresAndFinds) {
  Start();
  const auto stored = shard_->Put({.key = "k",
                                   .hash = hash_("k"),
                                   .client_flags = 7,
                                   .expire_at = 200,
                                   .value = "ab",
                                   .value_tail = "cd"});
  ASSERT_EQ(stored.result, PutResult::kStored);
  const Item* item = Get("k");
  ASSERT_EQ(item, stored.item);
  EXPECT_EQ(item->Key(), "k");
  EXPECT_EQ(item->Value(), "abcd");
  EXPECT_EQ(item->client_flags(), 7U);
  EXPECT_EQ(item->expire_at(), 200U);
  EXPECT_EQ(Get("l"), nullptr);
  EXPECT_EQ(shard_->missed(), Shard::Missed::kAbsent);
}

TEST_F(ShardTest, EmptyValuesAndLongestKeys) {
  Start();
  const std::string key(250, 'k');
  ASSERT_EQ(Put(key, "").result, PutResult::kStored);
  EXPECT_EQ(Get(key)->Value(), "");
}

TEST_F(ShardTest, AnItemLivesToItsSecondAndNotLonger) {
  Start();
  Put("k", "v", 110);
  SetSeconds(109.999);
  EXPECT_TRUE(Has("k"));
  SetSeconds(110);
  EXPECT_FALSE(Has("k"));
  EXPECT_EQ(shard_->missed(), Shard::Missed::kExpired);
  EXPECT_FALSE(Has("k"));
  EXPECT_EQ(shard_->missed(), Shard::Missed::kAbsent);
  EXPECT_EQ(Count(Counter::kReclaimed), 1U);
  EXPECT_EQ(Count(Counter::kExpiredUnfetched), 1U);
  EXPECT_EQ(Count(Counter::kEvictions), 0U);
}

TEST_F(ShardTest, StoredAsExpiredErases) {
  Start();
  Put("k", "v");
  const auto stored = Put("k", "w", 100);
  EXPECT_EQ(stored.result, PutResult::kStored);
  EXPECT_EQ(stored.item, nullptr);
  EXPECT_FALSE(Has("k"));
}

TEST_F(ShardTest, TheSweepFindsAllThatHasExpired) {
  Start();
  for (int i = 0; i < 20'000; ++i) {
    Put("k" + std::to_string(i), "value", static_cast<CacheSeconds>(i % 2 == 0 ? 110 + i % 7 : 0));
  }
  SetSeconds(109.9);
  TickUntilDone();
  EXPECT_EQ(shard_->ItemCount(), 20'000U);
  EXPECT_FALSE(shard_->Tick(100));
  SetSeconds(113);
  TickUntilDone();
  shard_->CheckInvariants();
  for (int i = 0; i < 20'000; ++i) {
    const bool gone = i % 2 == 0 && 110 + i % 7 <= 113;
    ASSERT_EQ(Has("k" + std::to_string(i)), !gone);
    if (!gone) continue;
    ASSERT_EQ(shard_->missed(), Shard::Missed::kAbsent) << "left by the sweep";
  }
  SetSeconds(117);
  TickUntilDone();
  EXPECT_EQ(shard_->ItemCount(), 10'000U);
}

// Whether a few of them have expired or all, and however many there are.
TEST_F(ShardTest, TheSweepTakesTenSecondsAtMost) {
  constexpr uint64_t kItems = 2'000'000;
  for (const int every : {1, 500}) {
    SCOPED_TRACE(every);
    Start({.memory_bytes_max = 256 * kMiB});
    for (uint64_t i = 0; i < kItems; ++i) {
      Put("k" + std::to_string(i), "", static_cast<CacheSeconds>(i % every == 0 ? 110 : 1000));
    }
    const double end = 119.9;
    for (double at = 110; at < end; at += Shard::kBusyTickNs / 1e9) {
      SetSeconds(at);
      (void)shard_->Tick(Shard::kTickItems);
    }
    EXPECT_EQ(shard_->ItemCount(), kItems - kItems / every);
  }
}

TEST_F(ShardTest, ASweptLargeItemLeavesItsMemoryToOthers) {
  Start();
  Put("small", "v");
  const uint64_t before = shard_->heap().BytesInUse();
  Put("large", std::string(500'000, 'x'), 110);
  const uint64_t most = shard_->MemoryBytes();
  EXPECT_GE(shard_->heap().BytesInUse(), before + 500'000);
  SetSeconds(110);
  TickUntilDone();
  EXPECT_EQ(shard_->heap().BytesInUse(), before);
  Put("other", std::string(490'000, 'x'));
  EXPECT_LE(shard_->MemoryBytes(), most);
}

TEST_F(ShardTest, TouchMovesTheExpiryBothWays) {
  Start();
  Item* item = Put("k", "value", 110).item;
  const uint64_t cas = item->cas();
  item = shard_->Touch(item, hash_("k"), 120);
  SetSeconds(119);
  ASSERT_TRUE(Has("k"));
  item = shard_->Touch(item, hash_("k"), kNever);
  SetSeconds(1000);
  TickUntilDone();
  ASSERT_EQ(Get("k"), item);
  EXPECT_EQ(item->cas(), cas);
  shard_->Touch(item, hash_("k"), 1001);
  SetSeconds(1001);
  EXPECT_TRUE(shard_->Tick(1) || shard_->ItemCount() == 0) << "the sweep knows of the new time";
  EXPECT_FALSE(Has("k"));
}

TEST_F(ShardTest, TouchGivesAnExpiryToAnItemWithoutOne) {
  Start();
  Item* item = Put("k", "value").item;
  const uint64_t cas = item->cas();
  item = shard_->Touch(item, hash_("k"), 120);
  EXPECT_EQ(Get("k"), item);
  EXPECT_EQ(item->Value(), "value");
  EXPECT_EQ(item->cas(), cas);
  EXPECT_EQ(item->expire_at(), 120U);
  EXPECT_EQ(shard_->ItemCount(), 1U);
  EXPECT_EQ(Count(Counter::kTotalItems), 1U);
  SetSeconds(120);
  EXPECT_FALSE(Has("k"));
}

TEST_F(ShardTest, OverwriteChangesValueAndCas) {
  Start();
  Item* item = Put("n", "41").item;
  const uint64_t cas = item->cas();
  shard_->Overwrite(item, "42");
  EXPECT_EQ(Get("n")->Value(), "42");
  EXPECT_NE(Get("n")->cas(), cas);
}

TEST_F(ShardTest, FlushIsAtOnceAndSparesWhatFollows) {
  Start();
  for (int i = 0; i < 5000; ++i) Put("k" + std::to_string(i), "v");
  Put("large", std::string(100'000, 'x'));
  shard_->Flush();
  EXPECT_EQ(shard_->ItemCount(), 0U);
  EXPECT_EQ(Count(Counter::kCurrItems), 0U);
  Put("k1", "new");
  EXPECT_EQ(Get("k1")->Value(), "new");
  EXPECT_FALSE(Has("k2"));
  EXPECT_EQ(shard_->missed(), Shard::Missed::kFlushed);
  EXPECT_FALSE(Has("k2"));
  EXPECT_EQ(shard_->missed(), Shard::Missed::kAbsent);
  EXPECT_FALSE(Has("large"));
  shard_->CheckInvariants();
  TickUntilDone();
  shard_->CheckInvariants();
  EXPECT_EQ(Get("k1")->Value(), "new");
  EXPECT_EQ(shard_->heap().BytesInUse(), kHeapSegmentBytes);
  EXPECT_LT(shard_->table().Bytes(), 4096U);
}

TEST_F(ShardTest, ADelayedFlushTakesWhatIsStoredUntilThen) {
  Start();
  Put("before", "v");
  shard_->FlushAt(105);
  SetSeconds(104.9);
  Put("between", "v");
  EXPECT_TRUE(Has("before"));
  SetSeconds(105);
  EXPECT_FALSE(Has("before"));
  EXPECT_FALSE(Has("between"));
  Put("after", "v");
  SetSeconds(106);
  EXPECT_TRUE(Has("after"));
}

TEST_F(ShardTest, ManyFlushesDoNotPileUp) {
  Start();
  for (int i = 0; i < 20'000; ++i) {
    Put("k", "v");
    shard_->Flush();
    ASSERT_LE(shard_->MemoryBytes(), 9 * kMiB);
  }
  TickUntilDone();
  shard_->CheckInvariants();
  EXPECT_LE(shard_->heap().BytesInUse(), kHeapSegmentBytes);
}

TEST_F(ShardTest, TheBudgetHoldsWhateverTheSizes) {
  Start({.memory_bytes_max = 4 * kMiB});
  util::Prng prng(3);
  for (const uint64_t size : {100, 1000, 50, 60'000, 10}) {
    for (uint64_t bytes = 0; bytes < 12 * kMiB; bytes += size + 60) {
      const std::string key = std::to_string(prng.Next());
      ASSERT_EQ(Put(key, std::string(size, 'x')).result, PutResult::kStored);
      ASSERT_TRUE(Has(key));
      ASSERT_LE(shard_->MemoryBytes(), shard_->MemoryBytesMax() + kHeapSegmentBytes);
    }
    shard_->CheckInvariants();
  }
  EXPECT_GT(Count(Counter::kEvictions), 0U);
}

TEST_F(ShardTest, LargeItemsFitASmallBudget) {
  Start({.memory_bytes_max = kMiB, .item_bytes_max = CountedBytes(1, kMiB, 0)});
  for (int i = 0; i < 50; ++i) {
    Put("small" + std::to_string(i), std::string(3000, 's'));
    ASSERT_EQ(Put("k" + std::to_string(i), std::string(512 << 10, 'x')).result, PutResult::kStored);
    ASSERT_TRUE(Has("k" + std::to_string(i)));
    ASSERT_LE(shard_->MemoryBytes(), kMiB + kHeapSegmentBytes);
    shard_->CheckInvariants();
  }
  EXPECT_EQ(Put("k", std::string(kMiB, 'x')).result, PutResult::kNoMemory);
  EXPECT_EQ(Put("k", std::string(kMiB + 1, 'x')).result, PutResult::kTooLarge);
  EXPECT_TRUE(Has("k49")) << "what cannot fit at all evicts nothing";
}

TEST_F(ShardTest, WhatIsReadSurvivesWhatIsNot) {
  Start({.memory_bytes_max = 2 * kMiB});
  for (int i = 0; i < 50; ++i) Put("hot" + std::to_string(i), std::string(500, 'h'));
  for (int i = 0; i < 30'000; ++i) {
    Put("cold" + std::to_string(i), std::string(500, 'c'));
    if (i % 500 == 0) {
      for (int hot = 0; hot < 50; ++hot) (void)Get("hot" + std::to_string(hot));
    }
  }
  for (int i = 0; i < 50; ++i) EXPECT_TRUE(Has("hot" + std::to_string(i))) << i;
  EXPECT_FALSE(Has("cold0"));
}

TEST_F(ShardTest, ExpiredItemsGoBeforeLiveOnes) {
  Start({.memory_bytes_max = 4 * kMiB});
  int live = 0;
  for (; live < 1500; ++live) Put("live" + std::to_string(live), std::string(1000, 'l'));
  for (int i = 0; i < 1500; ++i) Put("short" + std::to_string(i), std::string(1000, 's'), 110);
  ASSERT_EQ(Count(Counter::kEvictions), 0U);
  SetSeconds(110);
  for (int i = 0; i < 1200; ++i) Put("new" + std::to_string(i), std::string(1000, 'n'));
  EXPECT_EQ(Count(Counter::kEvictions), 0U);
  for (int i = 0; i < live; ++i) ASSERT_TRUE(Has("live" + std::to_string(i)));
}

TEST_F(ShardTest, DeadSpaceIsUsedBeforeLiveItemsGo) {
  Start({.memory_bytes_max = 4 * kMiB});
  for (int i = 0; i < 3000; ++i) Put("k" + std::to_string(i), std::string(1000, 'v'));
  ASSERT_EQ(Count(Counter::kEvictions), 0U);
  for (int i = 0; i < 3000; ++i) {
    const std::string key = "k" + std::to_string(i);
    ASSERT_TRUE(i % 3 == 0 || shard_->Erase(key, hash_(key)));
  }
  for (int i = 0; i < 1500; ++i) Put("n" + std::to_string(i), std::string(1000, 'v'));
  EXPECT_EQ(Count(Counter::kEvictions), 0U);
  EXPECT_GT(Count(Counter::kCleanedBytes), 0U);
  for (int i = 0; i < 3000; i += 3) ASSERT_TRUE(Has("k" + std::to_string(i)));
  shard_->CheckInvariants();
}

TEST_F(ShardTest, RefusesWhenFullAndKeepsWhatItHas) {
  Start({.memory_bytes_max = 2 * kMiB, .when_full = WhenFull::kRefuse});
  int stored = 0;
  while (Put("k" + std::to_string(stored), std::string(400, 'v')).result == PutResult::kStored) {
    ASSERT_LT(++stored, 10'000);
  }
  EXPECT_GT(stored, 3500);
  EXPECT_EQ(Put("k0", std::string(20'000, 'w')).result, PutResult::kNoMemory);
  for (int i = 0; i < stored; ++i) ASSERT_EQ(Get("k" + std::to_string(i))->Value()[0], 'v');
  EXPECT_EQ(Count(Counter::kEvictions), 0U);
  // What is erased can be used again.
  for (int i = 0; i < stored; i += 2) {
    shard_->Erase("k" + std::to_string(i), hash_("k" + std::to_string(i)));
  }
  int again = 0;
  while (Put("n" + std::to_string(again), std::string(400, 'v')).result == PutResult::kStored) {
    ASSERT_LT(++again, 10'000);
  }
  EXPECT_GT(again, stored * 3 / 10);
  shard_->CheckInvariants();
}

TEST_F(ShardTest, TheBudgetShrinksAndGrows) {
  Start({.memory_bytes_max = 16 * kMiB});
  for (int i = 0; i < 300'000; ++i) Put("k" + std::to_string(i), "a value of some bytes");
  ASSERT_GT(shard_->MemoryBytes(), 14 * kMiB);
  shard_->SetMemoryBytesMax(3 * kMiB);
  uint64_t before = shard_->MemoryBytes();
  for (int i = 0; shard_->MemoryBytes() > 3 * kMiB + kHeapSegmentBytes; ++i) {
    ASSERT_LT(i, 1000);
    (void)shard_->Tick(2000);
    ASSERT_LE(before, shard_->MemoryBytes() + 2 * kMiB) << "in steps";
    before = shard_->MemoryBytes();
  }
  shard_->CheckInvariants();
  EXPECT_TRUE(Has("k299999"));
  shard_->SetMemoryBytesMax(16 * kMiB);
  for (int i = 0; i < 300'000; ++i) Put("k" + std::to_string(i), "a value of some bytes");
  EXPECT_GT(shard_->MemoryBytes(), 14 * kMiB);
  shard_->CheckInvariants();
}

TEST_F(ShardTest, ASmallerBudgetIsReachedByPutsAlone) {
  Start({.memory_bytes_max = 16 * kMiB});
  for (int i = 0; i < 30'000; ++i) Put("k" + std::to_string(i), std::string(500, 'v'));
  shard_->SetMemoryBytesMax(4 * kMiB);
  for (int i = 0; i < 30'000; ++i) Put("n" + std::to_string(i), std::string(500, 'v'));
  EXPECT_LE(shard_->MemoryBytes(), 4 * kMiB + kHeapSegmentBytes);
}

TEST_F(ShardTest, HeldBytesStayWhateverBecomesOfTheItem) {
  Start({.memory_bytes_max = 2 * kMiB});
  std::vector<const Item*> held;
  std::vector<std::string_view> values;
  for (const uint64_t size : {100, 20'000, 200'000}) {
    const std::string key = "held" + std::to_string(size);
    const Item* item = Put(key, std::string(size, static_cast<char>('a' + held.size()))).item;
    shard_->Hold(item);
    held.push_back(item);
    values.push_back(item->Value());
  }
  const auto expect_same = [&] {
    for (size_t i = 0; i < held.size(); ++i) {
      ASSERT_EQ(values[i].find_first_not_of(static_cast<char>('a' + i)), std::string_view::npos);
    }
  };
  shard_->Erase("held100", hash_("held100"));
  Put("held20000", "other");
  for (int i = 0; i < 20'000; ++i) Put("k" + std::to_string(i), std::string(400, 'v'));
  expect_same();
  shard_->Erase("held200000", hash_("held200000"));
  shard_->Flush();
  TickUntilDone();
  for (int i = 0; i < 20'000; ++i) Put("k" + std::to_string(i), std::string(400, 'v'));
  expect_same();
  shard_->CheckInvariants();
  const uint64_t before = shard_->heap().BytesInUse();
  for (const Item* item : held) shard_->Release(item);
  EXPECT_LE(shard_->heap().BytesInUse(), before - 200'000 - kHeapSegmentBytes);
  shard_->CheckInvariants();
}

TEST_F(ShardTest, AValueOfTheSameSizeIsStoredInPlaceUnlessItIsHeld) {
  Start();
  Put("other", "value");
  const Item* item = Put("k", "first").item;
  const uint64_t cas = item->cas();
  const uint64_t used = shard_->heap().LiveBytes() + shard_->heap().DeadBytes();
  for (int i = 0; i < 1000; ++i) ASSERT_EQ(Put("k", std::to_string(10'000 + i)).item, item);
  EXPECT_EQ(item->Value(), "10999");
  EXPECT_GT(item->cas(), cas);
  EXPECT_FALSE(item->fetched());
  EXPECT_EQ(shard_->heap().LiveBytes() + shard_->heap().DeadBytes(), used);
  EXPECT_EQ(shard_->ItemCount(), 2U);
  EXPECT_EQ(Count(Counter::kTotalItems), 1002U);
  // Anybody may be reading the segment.
  shard_->Hold(Get("other"));
  const Item* moved = Put("k", "third").item;
  EXPECT_NE(moved, item);
  EXPECT_EQ(item->Value(), "10999");
  shard_->Release(Get("other"));
  // Neither what expires nor what carries flags takes as much.
  EXPECT_NE(Put("k", "forth", 200).item, moved);
  shard_->CheckInvariants();
}

TEST_F(ShardTest, AValueInPlaceExpiresWhenItSays) {
  Start();
  const Item* item = Put("k", "first", 300).item;
  ASSERT_EQ(Put("k", "later", 120).item, item);
  SetSeconds(119);
  ASSERT_TRUE(Has("k"));
  TickUntilDone();
  SetSeconds(120);
  TickUntilDone();
  EXPECT_EQ(shard_->ItemCount(), 0U) << "the sweep knows";
  // What has expired is replaced as if it were not there.
  Put("k", "again", 130);
  SetSeconds(130);
  ASSERT_EQ(Put("k", "fresh", 140).result, PutResult::kStored);
  EXPECT_TRUE(Has("k"));
  EXPECT_EQ(Count(Counter::kReclaimed), 2U);
  shard_->CheckInvariants();
}

TEST_F(ShardTest, AnItemCanBeMadeOfItselfInPlaceOfItself) {
  Start();
  // 16 + 1 + 2 bytes: three more fit into the same multiple of eight.
  Put("k", "ab");
  for (const std::string_view expected : {"abx", "abxx", "abxxx"}) {
    const Item* old = Get("k");
    shard_->Put({.key = "k", .hash = hash_("k"), .value = old->Value(), .value_tail = "x"});
    ASSERT_EQ(Get("k")->Value(), expected);
  }
  const Item* old = Get("k");
  shard_->Put({.key = "k", .hash = hash_("k"), .value = "y", .value_tail = old->Value()});
  EXPECT_EQ(Get("k")->Value(), "yabxxx");
  shard_->CheckInvariants();
}

TEST_F(ShardTest, AnItemCanBeMadeOfItselfWhileMemoryIsShort) {
  Start({.memory_bytes_max = kMiB});
  std::string expected = "seed";
  Put("k", expected);
  for (int i = 0; i < 3000; ++i) {
    Put("fill" + std::to_string(i), std::string(900, 'f'));
    const Item* old = Get("k");
    ASSERT_NE(old, nullptr);
    ASSERT_EQ(old->Value(), expected);
    const std::string more = std::to_string(i);
    const auto stored =
        shard_->Put({.key = "k", .hash = hash_("k"), .value = old->Value(), .value_tail = more});
    ASSERT_EQ(stored.result, PutResult::kStored);
    expected += more;
  }
  EXPECT_EQ(Get("k")->Value(), expected);
}

TEST_F(ShardTest, CountersAndSizeClassesAgreeWithWhatIsThere) {
  Start({.memory_bytes_max = 2 * kMiB});
  for (int i = 0; i < 20'000; ++i) {
    Put("k" + std::to_string(i), std::string(static_cast<size_t>(i % 2000), 'v'));
  }
  uint64_t items = 0;
  uint64_t bytes = 0;
  uint64_t evicted = 0;
  uint64_t counted = 0;
  store::Cursor cursor;
  do {
    cursor =
        shard_->Scan(cursor, 1 << 20, [&](const Item& item) { counted += item.CountedBytes(); });
  } while (cursor.position != 0);
  for (size_t c = 1; c < stats::kSizeClassCount; ++c) {
    items += shard_->size_classes().Get(c, ClassCounter::kItems);
    bytes += shard_->size_classes().Get(c, ClassCounter::kBytes);
    evicted += shard_->size_classes().Get(c, ClassCounter::kEvicted);
  }
  EXPECT_EQ(items, shard_->ItemCount());
  EXPECT_EQ(items, Count(Counter::kCurrItems));
  EXPECT_EQ(bytes, counted);
  EXPECT_EQ(evicted, Count(Counter::kEvictions));
  EXPECT_EQ(evicted, 20'000 - items);
  EXPECT_EQ(Count(Counter::kEvictedUnfetched), evicted);
  EXPECT_EQ(Count(Counter::kTotalItems), 20'000U);
  EXPECT_EQ(Count(Counter::kHeapBytes) + Count(Counter::kTableBytes), shard_->MemoryBytes());
}

}  // namespace
}  // namespace larder::store
