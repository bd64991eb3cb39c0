// Goal: items are counted in the classes that memcached would put them in.
// Method: the borders are pinned to what memcached 1.6.18 of Debian prints at its start; every size
// up to a page is compared with a search through them.
#include "stats/size_classes.h"

#include <algorithm>
#include <array>
#include <thread>

#include "gtest/gtest.h"

namespace larder::stats {
namespace {

constexpr std::array<uint64_t, 39> kOfMemcached = {
    96,    120,    152,    192,    240,    304,    384,    480,    600,   752,
    944,   1184,   1480,   1856,   2320,   2904,   3632,   4544,   5680,  7104,
    8880,  11104,  13880,  17352,  21696,  27120,  33904,  42384,  52984, 66232,
    82792, 103496, 129376, 161720, 202152, 252696, 315872, 394840, 524288};

TEST(SizeClasses, BordersAreThoseOfMemcached) {
  for (size_t i = 0; i < kOfMemcached.size(); ++i) EXPECT_EQ(kChunkBytes[i + 1], kOfMemcached[i]);
}

TEST(SizeClasses, EverySizeIsInTheFirstClassThatHoldsIt) {
  for (uint64_t bytes = 0; bytes <= kPageBytes + 1; ++bytes) {
    const auto* found = std::lower_bound(kOfMemcached.begin(), kOfMemcached.end(), bytes);
    const size_t expected =
        found == kOfMemcached.end() ? 39 : static_cast<size_t>(found - kOfMemcached.begin()) + 1;
    ASSERT_EQ(ClassOf(bytes), expected) << bytes;
  }
  EXPECT_EQ(ClassOf(~uint64_t{0}), 39U);
}

TEST(SizeClasses, StoreAndRemoveKeepWhatIsThere) {
  SizeClasses classes;
  classes.Store(100);
  classes.Store(120);
  classes.Store(121);
  classes.Remove(100);
  EXPECT_EQ(classes.Get(2, ClassCounter::kItems), 1U);
  EXPECT_EQ(classes.Get(2, ClassCounter::kBytes), 120U);
  EXPECT_EQ(classes.Get(2, ClassCounter::kStored), 2U);
  EXPECT_EQ(classes.Get(3, ClassCounter::kItems), 1U);
  EXPECT_EQ(classes.Get(3, ClassCounter::kBytes), 121U);
}

TEST(SizeClasses, TotalsAreSumsOverShards) {
  SizeClasses one;
  SizeClasses two;
  one.Store(96);
  two.Store(50);
  two.Store(600000);
  two.Count(ClassCounter::kEvicted, 600001);
  SizeTotals totals;
  one.AddTo(totals);
  two.AddTo(totals);
  EXPECT_EQ(totals.Get(1, ClassCounter::kItems), 2U);
  EXPECT_EQ(totals.Get(1, ClassCounter::kBytes), 146U);
  EXPECT_EQ(totals.Get(39, ClassCounter::kBytes), 600000U);
  EXPECT_EQ(totals.Get(39, ClassCounter::kEvicted), 1U);
  EXPECT_EQ(totals.Get(2, ClassCounter::kItems), 0U);
}

// For ThreadSanitizer too: one writes, another sums.
TEST(SizeClasses, AnyThreadMaySumWhileTheOwnerWrites) {
  SizeClasses classes;
  std::thread owner([&classes] {
    for (int i = 0; i < 50'000; ++i) {
      classes.Store(300);
      if (i % 2 == 0) classes.Remove(300);
    }
  });
  for (int i = 0; i < 100; ++i) {
    SizeTotals totals;
    classes.AddTo(totals);
    EXPECT_LE(totals.Get(6, ClassCounter::kItems), 25'001U);
    EXPECT_LE(totals.Get(6, ClassCounter::kStored), 50'000U);
  }
  owner.join();
  EXPECT_EQ(classes.Get(6, ClassCounter::kItems), 25'000U);
  EXPECT_EQ(classes.Get(6, ClassCounter::kBytes), 25'000U * 300);
}

TEST(SizeClasses, ResetKeepsWhatTheCacheHolds) {
  SizeClasses classes;
  classes.Store(100);
  for (size_t i = static_cast<size_t>(ClassCounter::kStored); i < kClassCounterCount; ++i) {
    classes.Count(static_cast<ClassCounter>(i), 100);
  }
  classes.Reset();
  EXPECT_EQ(classes.Get(2, ClassCounter::kItems), 1U);
  EXPECT_EQ(classes.Get(2, ClassCounter::kBytes), 100U);
  for (size_t i = static_cast<size_t>(ClassCounter::kStored); i < kClassCounterCount; ++i) {
    EXPECT_EQ(classes.Get(2, static_cast<ClassCounter>(i)), 0U) << i;
  }
}

}  // namespace
}  // namespace larder::stats
