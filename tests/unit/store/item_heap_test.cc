// Goal: the heap uses all of its addresses, whatever they were used for before, and says so when
// the system gives it none.
// Method: ranges of a few MiB, filled to the end with one size and then with another; random sizes
// with CheckInvariants; the limits of the process lowered for one call.
#include "store/item_heap.h"

#include <sys/resource.h>

#include <optional>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "util/prng.h"

namespace larder::store {
namespace {

constexpr uint64_t kRange = 8 << 20;
constexpr uint64_t kSmall = 20'000;
constexpr uint64_t kLarge = 500'000;

Item* AppendOne(ItemHeap& heap, uint64_t value_bytes) {
  return heap.Append({.key_bytes = 1, .value_bytes = value_bytes}, Log::kMain);
}

// Appends until the heap has no place for one more.
std::vector<Item*> Fill(ItemHeap& heap, uint64_t value_bytes) {
  std::vector<Item*> items;
  for (Item* item = AppendOne(heap, value_bytes); item != nullptr;
       item = AppendOne(heap, value_bytes)) {
    items.push_back(item);
  }
  heap.CheckInvariants();
  return items;
}

void KillAll(ItemHeap& heap, const std::vector<Item*>& items) {
  for (Item* item : items) heap.Kill(item);
  heap.CheckInvariants();
}

// Lowers a limit of the process to nothing while it lives.
class Without {
 public:
  explicit Without(int resource) : resource_(resource) {
    getrlimit(static_cast<__rlimit_resource_t>(resource_), &before_);
    const rlimit none{.rlim_cur = 1, .rlim_max = before_.rlim_max};
    setrlimit(static_cast<__rlimit_resource_t>(resource_), &none);
  }
  ~Without() { setrlimit(static_cast<__rlimit_resource_t>(resource_), &before_); }
  Without(const Without&) = delete;
  Without& operator=(const Without&) = delete;

 private:
  int resource_;
  rlimit before_{};
};

TEST(ItemHeap, AddressesGoFromLargeItemsToSmallOnesAndBack) {
  ItemHeap heap({.range_bytes = kRange});
  const std::vector<Item*> first = Fill(heap, kSmall);
  KillAll(heap, first);
  const size_t small_count = first.size();
  EXPECT_GT(small_count, kRange / kSmall * 9 / 10);
  size_t large_count = 0;
  for (int round = 0; round < 3; ++round) {
    const std::vector<Item*> large = Fill(heap, kLarge);
    if (round == 0) large_count = large.size();
    EXPECT_EQ(large.size(), large_count);
    KillAll(heap, large);
    const std::vector<Item*> small = Fill(heap, kSmall);
    EXPECT_EQ(small.size(), small_count);
    KillAll(heap, small);
  }
  EXPECT_GE(large_count, kRange / kLarge - 1);
}

// The pages of a large item that has gone serve the next one of its size, as they are.
TEST(ItemHeap, ALargeItemTakesThePagesOfTheLast) {
  ItemHeap heap({.range_bytes = kRange});
  Item* first = AppendOne(heap, kLarge);
  Item* lowest = AppendOne(heap, kLarge);
  const uint64_t bytes = heap.Bytes();
  const auto solo_bytes = ItemHeap::SoloBytes(first->TotalBytes());
  heap.Kill(first);
  EXPECT_EQ(heap.Bytes(), bytes);
  EXPECT_EQ(heap.BytesInUse(), bytes - solo_bytes);
  EXPECT_EQ(heap.ReusedFor(kLarge, Log::kMain), solo_bytes);
  EXPECT_EQ(AppendOne(heap, kLarge), first);
  EXPECT_EQ(heap.BytesFree(), 0U);
  // A shorter one leaves the rest; what is of no use goes back to the system.
  heap.Kill(first);
  EXPECT_EQ(AppendOne(heap, kLarge / 2), first);
  EXPECT_GT(heap.BytesFree(), 0U);
  EXPECT_TRUE(heap.GiveBack());
  EXPECT_EQ(heap.BytesFree(), 0U);
  EXPECT_FALSE(heap.GiveBack());
  heap.CheckInvariants();
  heap.Kill(first);
  EXPECT_EQ(heap.LowestSolo(), heap.SegmentOf(lowest));
  heap.Kill(lowest);
  EXPECT_EQ(heap.LowestSolo(), nullptr);
  while (heap.GiveBack()) heap.CheckInvariants();
  EXPECT_EQ(heap.Bytes(), 0U);
}

// A step for whoever waits: a megabyte, however large the item was.
TEST(ItemHeap, TheMemoryOfAVeryLargeItemGoesBackInSteps) {
  constexpr uint64_t kMegabytes = 40;
  ItemHeap heap({.range_bytes = 64 << 20});
  Item* item = AppendOne(heap, kMegabytes << 20);
  (void)AppendOne(heap, kLarge);
  heap.Kill(item);
  uint64_t steps = 0;
  for (uint64_t before = heap.BytesFree(); heap.GiveBack(); ++steps) {
    ASSERT_LE(before - heap.BytesFree(), uint64_t{1} << 20);
    before = heap.BytesFree();
    heap.CheckInvariants();
  }
  EXPECT_GE(steps, kMegabytes);
  EXPECT_EQ(heap.BytesFree(), 0U);
}

TEST(ItemHeap, AFlushGivesAllAddressesBack) {
  ItemHeap fresh({.range_bytes = kRange});
  const size_t small_count = Fill(fresh, kSmall).size();
  ItemHeap heap({.range_bytes = kRange});
  ASSERT_FALSE(Fill(heap, kLarge).empty());
  heap.BeginGeneration();
  while (heap.FreeFlushed(3) > 0) heap.CheckInvariants();
  EXPECT_EQ(heap.BytesInUse(), 0U);
  EXPECT_EQ(Fill(heap, kSmall).size(), small_count);
}

TEST(ItemHeap, RandomSizesKeepItInOrder) {
  ItemHeap heap({.range_bytes = kRange});
  util::Prng prng(7);
  std::vector<std::pair<Item*, uint64_t>> items;  // and what their values are made of
  for (int step = 0; step < 20'000; ++step) {
    // Now mostly large, now mostly small.
    const bool large = prng.Below(10) < (step / 2500 % 2 == 0 ? 9U : 1U);
    const uint64_t bytes = 1 + prng.Below(large ? 600'000 : 3'000);
    Item* item = AppendOne(heap, bytes);
    if (item != nullptr) {
      const uint64_t mark = prng.Next();
      item->ValueBytes()[0] = static_cast<char>(mark);
      item->ValueBytes()[bytes - 1] = static_cast<char>(mark);
      items.emplace_back(item, mark);
    }
    while (!items.empty() && (item == nullptr || prng.OneIn(2))) {
      const size_t which = prng.Below(items.size());
      const auto [gone, mark] = items[which];
      ASSERT_EQ(gone->Value().front(), static_cast<char>(mark));
      ASSERT_EQ(gone->Value().back(), static_cast<char>(mark));
      heap.Kill(gone);
      items[which] = items.back();
      items.pop_back();
      if (item != nullptr || prng.OneIn(4)) break;
    }
    if (prng.OneIn(50)) (void)heap.GiveBack();
    if (step % 256 == 0) heap.CheckInvariants();
  }
}

// All that a heap can do, in both logs, against a list of what is there.
class HeapModel {
 public:
  explicit HeapModel(uint64_t seed) : prng_(seed) {}

  void Run(int steps) {
    for (int step = 0; step < steps; ++step) {
      Step();
      if (step % 128 == 0) Check();
    }
    Check();
  }

 private:
  struct Known {
    Item* item;
    uint64_t mark;  // what its value is made of
    Log log;
  };

  Log RandomLog() { return prng_.OneIn(3) ? Log::kProbation : Log::kMain; }

  void Step() {
    const uint64_t choice = prng_.Below(100);
    if (choice < 50) return AppendOrKill();
    if (choice < 60) return MoveAtHand(RandomLog());
    if (choice < 80) return CleanOne();
    if (choice < 84 && !held_.empty()) return ReleaseOne();
    if (choice < 85) return HoldOne();
    if (choice < 86) (void)heap_.GiveBack();
    if (choice == 99 && prng_.OneIn(40)) {
      known_.clear();
      heap_.BeginGeneration();
      while (heap_.FreeFlushed(1) > 0) {
      }
    }
  }
  void AppendOrKill() {
    if (prng_.OneIn(200)) most_ = 1 + prng_.Below(40'000);
    const Log log = RandomLog();
    const uint64_t bytes = 1 + prng_.Below(prng_.OneIn(30) ? 200'000 : most_);
    Item* item = heap_.Append({.key_bytes = 1, .value_bytes = bytes}, log);
    if (item == nullptr || prng_.OneIn(2)) {
      for (int i = 0; i < 8 && !known_.empty(); ++i) KillOne();
    }
    if (item == nullptr) return;
    const uint64_t mark = prng_.Next();
    item->ValueBytes()[0] = static_cast<char>(mark);
    item->ValueBytes()[bytes - 1] = static_cast<char>(mark >> 8);
    known_.push_back({item, mark, log});
    ExpectSame(known_.back());
  }
  static void ExpectSame(const Known& known) {
    if (known.item->Value().size() == 1) return;
    ASSERT_EQ(known.item->Value().front(), static_cast<char>(known.mark));
    ASSERT_EQ(known.item->Value().back(), static_cast<char>(known.mark >> 8));
  }
  void KillOne() {
    const size_t which = prng_.Below(known_.size());
    ExpectSame(known_[which]);
    heap_.Kill(known_[which].item);
    known_[which] = known_.back();
    known_.pop_back();
  }
  Known* Find(const Item* item) {
    for (Known& known : known_) {
      if (known.item == item) return &known;
    }
    return nullptr;
  }
  // As a policy would: the oldest goes, or moves.
  void MoveAtHand(Log log) {
    HeapSegment* segment = heap_.PointHand(log);
    if (segment == nullptr) return;
    ASSERT_EQ(segment->holds, 0U);
    Item* item = heap_.Read(HandOf(log));
    if (item == nullptr) return heap_.Point(HandOf(log), segment);
    Known* known = Find(item);
    ASSERT_NE(known, nullptr);
    ASSERT_EQ(known->log, log);
    const Log to = RandomLog();
    if (segment->solo()) {
      heap_.Renew(segment, to);
      known->log = to;
      return;
    }
    Replace(*known, heap_.Copy(item, to), to);
  }
  void CleanOne() {
    if (heap_.At(Reader::kCleaner) == nullptr) {
      HeapSegment* emptiest = heap_.Emptiest(kHeapSegmentBytes);
      if (emptiest == nullptr) return;
      heap_.Point(Reader::kCleaner, emptiest);
    }
    Item* item = heap_.Read(Reader::kCleaner);
    if (item == nullptr) return heap_.Point(Reader::kCleaner, nullptr);
    Known* known = Find(item);
    ASSERT_NE(known, nullptr);
    Replace(*known, heap_.CopyInPlace(item), known->log);
  }
  void Replace(Known& known, Item* copy, Log log) {
    if (copy == nullptr) return;
    heap_.Kill(known.item);
    known.item = copy;
    known.log = log;
    ExpectSame(known);
  }
  void HoldOne() {
    if (known_.empty() || held_.size() > 4) return;
    const Known& known = known_[prng_.Below(known_.size())];
    heap_.Hold(heap_.SegmentOf(known.item));
    held_.push_back(known);
  }
  // What was held is as it was, whatever became of the item.
  void ReleaseOne() {
    ExpectSame(held_.back());
    heap_.Release(heap_.SegmentOf(held_.back().item));
    held_.pop_back();
  }
  void Check() {
    heap_.CheckInvariants();
    LogFill fills[kLogCount];
    for (const Known& known : known_) {
      ExpectSame(known);
      ASSERT_EQ(heap_.LogOf(known.item), known.log);
      LogFill& fill = fills[static_cast<size_t>(known.log)];
      ++fill.items;
      fill.bytes += known.item->TotalBytes();
    }
    for (const Log log : {Log::kProbation, Log::kMain}) {
      ASSERT_EQ(heap_.Fill(log).items, fills[static_cast<size_t>(log)].items);
      ASSERT_EQ(heap_.Fill(log).bytes, fills[static_cast<size_t>(log)].bytes);
    }
    ASSERT_LE(heap_.LiveBytes() + heap_.DeadBytes(), heap_.BytesInUse());
  }

  util::Prng prng_;
  // More than the least at which cleaned items have segments of their own.
  ItemHeap heap_{{.range_bytes = 3 * kRange}};
  uint64_t most_ = 20'000;
  std::vector<Known> known_;
  std::vector<Known> held_;
};

TEST(ItemHeap, EveryCallAgreesWithAModel) {
  for (const uint64_t seed : {1, 2, 3, 4}) {
    SCOPED_TRACE(seed);
    HeapModel(seed).Run(30'000);
    if (testing::Test::HasFailure()) break;
  }
}

TEST(ItemHeap, TheHandGoesFromTheOldestOnPastWhatIsHeld) {
  ItemHeap heap({.range_bytes = kRange});
  const std::vector<Item*> items = Fill(heap, kSmall);
  HeapSegment* first = heap.SegmentOf(items[0]);
  heap.Hold(first);
  ASSERT_NE(heap.PointHand(Log::kMain), first);
  size_t in_first = 0;
  while (heap.SegmentOf(items[in_first]) == first) ++in_first;
  for (size_t i = in_first; i < in_first + 5; ++i) {
    ASSERT_EQ(heap.Read(Reader::kMainHand), items[i]);
    heap.Kill(items[i]);
    (void)heap.PointHand(Log::kMain);
  }
  heap.Release(first);
  ASSERT_EQ(heap.PointHand(Log::kMain), first);
  ASSERT_EQ(heap.Read(Reader::kMainHand), items[0]);
  heap.CheckInvariants();
  EXPECT_EQ(heap.PointHand(Log::kProbation), nullptr);
}

// What is held is passed once, not at every step of the hand.
TEST(ItemHeap, TheHandComesBackToWhatWasLetGo) {
  ItemHeap heap({.range_bytes = 4 * kRange});
  std::vector<Item*> items;
  for (int i = 0; i < 20; ++i) items.push_back(AppendOne(heap, 100'000));
  for (int i = 0; i < 10; ++i) heap.Hold(heap.SegmentOf(items[static_cast<size_t>(i)]));
  ASSERT_EQ(heap.PointHand(Log::kMain), heap.SegmentOf(items[10]));
  heap.Kill(items[10]);
  ASSERT_EQ(heap.PointHand(Log::kMain), heap.SegmentOf(items[11]));
  heap.CheckInvariants();
  heap.Release(heap.SegmentOf(items[3]));
  ASSERT_EQ(heap.PointHand(Log::kMain), heap.SegmentOf(items[3]));
  heap.CheckInvariants();
  heap.Renew(heap.SegmentOf(items[3]), Log::kMain);
  ASSERT_EQ(heap.PointHand(Log::kMain), heap.SegmentOf(items[11]));
  heap.CheckInvariants();
  for (const size_t i : {0, 1, 2, 4, 5, 6, 7, 8, 9}) heap.Release(heap.SegmentOf(items[i]));
  ASSERT_EQ(heap.PointHand(Log::kMain), heap.SegmentOf(items[0]));
  heap.CheckInvariants();
}

TEST(ItemHeap, WhatIsCleanedKeepsItsPlaceInTheLog) {
  ItemHeap heap({.range_bytes = 4 * kRange});
  const std::vector<Item*> items = Fill(heap, kSmall);
  ASSERT_GT(heap.BytesInUse(), 64 * kHeapSegmentBytes);
  KillAll(heap, {items.begin() + 500, items.begin() + 520});  // a segment and a half
  for (size_t i = 520; i < items.size(); i += 400) heap.Kill(items[i]);
  HeapSegment* emptiest = heap.Emptiest(kHeapSegmentBytes / 2);
  ASSERT_NE(emptiest, nullptr);
  HeapSegment* older = emptiest->older;
  HeapSegment* younger = emptiest->younger;
  heap.Point(Reader::kCleaner, emptiest);
  Item* copy = nullptr;
  for (Item* item = heap.Read(Reader::kCleaner); item != nullptr;
       item = heap.Read(Reader::kCleaner)) {
    copy = heap.CopyInPlace(item);
    ASSERT_NE(copy, nullptr);
    heap.Kill(item);
  }
  ASSERT_NE(copy, nullptr);
  EXPECT_EQ(heap.SegmentOf(copy)->older, older);
  EXPECT_EQ(heap.SegmentOf(copy)->younger, younger);
  heap.CheckInvariants();
}

TEST(ItemHeap, WithoutAddressesItStoresNothing) {
  std::optional<ItemHeap> made;
  {
    const Without addresses(RLIMIT_AS);
    made.emplace(ItemHeap::Options{.range_bytes = uint64_t{1} << 40});
  }
  EXPECT_EQ(made->RangeBytes(), 0U);
  EXPECT_EQ(AppendOne(*made, kSmall), nullptr);
  EXPECT_EQ(AppendOne(*made, kLarge), nullptr);
  EXPECT_FALSE(made->GiveBack());
  made->CheckInvariants();
}

TEST(ItemHeap, WhatTheSystemRefusesIsNoPlace) {
  ItemHeap heap({.range_bytes = kRange});
  Item* small = AppendOne(heap, kSmall);
  Item* large = AppendOne(heap, kLarge);
  {
    const Without memory(RLIMIT_DATA);
    EXPECT_EQ(AppendOne(heap, kLarge), nullptr);
    // What was accessible once can be used again.
    heap.Kill(large);
    large = AppendOne(heap, kLarge);
    ASSERT_NE(large, nullptr);
    while (AppendOne(heap, kSmall) != nullptr) ASSERT_LT(heap.BytesInUse(), kRange / 2);
  }
  heap.CheckInvariants();
  EXPECT_NE(AppendOne(heap, kLarge), nullptr);
  EXPECT_NE(AppendOne(heap, kSmall), nullptr);
  heap.Kill(small);
  heap.CheckInvariants();
}

}  // namespace
}  // namespace larder::store
