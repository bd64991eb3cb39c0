// Goal: the heap uses all of its addresses, whatever they were used for before, and says so when
// the system gives it none.
// Method: ranges of a few MiB, filled to the end with one size and then with another; random sizes
// with CheckInvariants; the limits of the process lowered for one call.
#include "store/item_heap.h"

#include <sys/resource.h>

#include <memory>
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

TEST(ItemHeap, WithoutAddressesItStoresNothing) {
  const auto made = [] {
    const Without addresses(RLIMIT_AS);
    return std::make_unique<ItemHeap>(ItemHeap::Options{.range_bytes = uint64_t{1} << 40});
  }();
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
