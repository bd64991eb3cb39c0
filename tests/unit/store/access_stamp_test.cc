// Goal: an age told by a stamp is never less than the truth, and never more than is said, for as
// long as somebody passes all stamps now and then.
// Method: moments of writing and of reading, tabled and random, with the passes in between.
#include "store/access_stamp.h"

#include <gtest/gtest.h>

#include "util/prng.h"

namespace larder::store {
namespace {

TEST(AccessStampTest, AFineStampIsExact) {
  for (const CacheSeconds written : {1U, 2047U, 2048U, 1'000'000U, 4'294'960'000U}) {
    for (const CacheSeconds age : {0U, 1U, 59U, 60U, 511U, 2047U}) {
      EXPECT_EQ(AccessStamp::At(written).AgeOf(written + age), age) << written;
    }
  }
}

TEST(AccessStampTest, IsRenewedAfterAMinute) {
  const AccessStamp stamp = AccessStamp::At(5000);
  EXPECT_FALSE(stamp.MustBeRenewed(5000));
  EXPECT_FALSE(stamp.MustBeRenewed(5059));
  EXPECT_TRUE(stamp.MustBeRenewed(5060));
  EXPECT_TRUE(stamp.Aged(5600).MustBeRenewed(5600));
}

TEST(AccessStampTest, StaysFineWhileItIsYoung) {
  const AccessStamp stamp = AccessStamp::At(5000);
  EXPECT_EQ(stamp.Aged(5511), stamp);
  EXPECT_NE(stamp.Aged(5512), stamp);
}

TEST(AccessStampTest, PassedNowAndThenItTellsTheAgeForDays) {
  util::Prng prng(7);
  for (int round = 0; round < 200; ++round) {
    const auto written = static_cast<CacheSeconds>(1 + prng.Below(3'000'000'000));
    AccessStamp stamp = AccessStamp::At(written);
    CacheSeconds now = written;
    while (now - written < 2 * AccessStamp::kAgeMax) {
      now += 1 + static_cast<CacheSeconds>(prng.Below(2 * AccessStamp::kPassSeconds));
      const CacheSeconds truth = now - written;
      const CacheSeconds told = stamp.AgeOf(now);
      if (truth < AccessStamp::kAgedAfter) {
        ASSERT_EQ(told, truth);
      } else if (truth < AccessStamp::kAgeMax) {
        ASSERT_GE(told, truth);
        ASSERT_LT(told, truth + AccessStamp::kCoarseSeconds);
      } else {
        ASSERT_GE(told, AccessStamp::kAgeMax);
      }
      stamp = stamp.Aged(now);
    }
  }
}

TEST(AccessStampTest, TheBitsAreTheStamp) {
  for (uint32_t bits = 0; bits < 1U << AccessStamp::kBits; ++bits) {
    ASSERT_EQ(AccessStamp::FromBits(bits).bits(), bits);
    ASSERT_LT(AccessStamp::FromBits(bits).Aged(123'456'789).bits(), 1U << AccessStamp::kBits);
  }
}

}  // namespace
}  // namespace larder::store
