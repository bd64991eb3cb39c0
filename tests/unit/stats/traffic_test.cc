// Goal: figures of the last second are those of the last second.
// Method: looks at made-up totals, at made-up times.
#include "stats/traffic.h"

#include <gtest/gtest.h>

#include <cstdint>

namespace larder::stats {
namespace {

constexpr uint64_t kSecond = 1'000'000'000;

TEST(RecentTraffic, IsWhatCameBetweenTheLastTwoLooks) {
  RecentTraffic recent;
  EXPECT_EQ(recent.PerSecond().requests, 0U);
  // What was before the first look is of no known time.
  recent.Look(5 * kSecond, {.requests = 1000, .received_bytes = 50'000, .sent_bytes = 7});
  EXPECT_EQ(recent.PerSecond().requests, 0U);
  recent.Look(7 * kSecond, {.requests = 1500, .received_bytes = 51'000, .sent_bytes = 7});
  EXPECT_EQ(recent.PerSecond().requests, 250U);
  EXPECT_EQ(recent.PerSecond().received_bytes, 500U);
  EXPECT_EQ(recent.PerSecond().sent_bytes, 0U);
  recent.Look(8 * kSecond, {.requests = 1500, .received_bytes = 51'000, .sent_bytes = 107});
  EXPECT_EQ(recent.PerSecond().requests, 0U);
  EXPECT_EQ(recent.PerSecond().sent_bytes, 100U);
}

TEST(RecentTraffic, KnowsNothingOfASecondInWhichTotalsWereReset) {
  RecentTraffic recent;
  recent.Look(1 * kSecond, {.requests = 1000});
  recent.Look(2 * kSecond, {.requests = 2000});
  recent.Look(3 * kSecond, {.requests = 10});
  EXPECT_EQ(recent.PerSecond().requests, 0U);
  recent.Look(4 * kSecond, {.requests = 30});
  EXPECT_EQ(recent.PerSecond().requests, 20U);
}

TEST(RecentTraffic, TwoLooksAtOnceAreOne) {
  RecentTraffic recent;
  recent.Look(1 * kSecond, {.requests = 0});
  recent.Look(2 * kSecond, {.requests = 5});
  recent.Look(2 * kSecond, {.requests = 9});
  EXPECT_EQ(recent.PerSecond().requests, 5U);
}

}  // namespace
}  // namespace larder::stats
