// Goal: an item is never gone before its time and never returned a second after it, whatever the
// protocol's exptime and wherever in a second it arrives; a delayed flush likewise.
// Method: a shard on a clock of the test's own; ExpiryOf at the edges of its arguments.
#include <gtest/gtest.h>

#include <limits>

#include "engine_fixture.h"
#include "util/prng.h"

namespace larder::engine {
namespace {

using stats::Counter;
using util::Prng;

class TimeTest : public EngineTest {
 protected:
  // The item of `key` was stored to live until `end_ns`, in nanoseconds of the cache's clock.
  void ExpectLivesUntil(std::string_view key, uint64_t end_ns) {
    SetClock(end_ns - 1);
    EXPECT_EQ(Get(key), Status::kHit) << "gone before its time";
    SetClock(end_ns + kSecond);
    EXPECT_EQ(Get(key), Status::kMiss) << "returned a second after its time";
  }
};

TEST_F(TimeTest, RelativeTimesAtAnyFractionOfASecond) {
  Prng prng(1);
  for (int i = 0; i < 300; ++i) {
    SCOPED_TRACE(i);
    // The borders of a second, and anything between.
    const uint64_t fraction =
        i < 3 ? std::array<uint64_t, 3>{0, 1, 999'999'999}[i] : prng.Below(kSecond);
    SetClock((now_.ns / kSecond + 5) * kSecond + fraction);
    const int64_t exptime = static_cast<int64_t>(prng.Below(20)) + 1;
    ASSERT_EQ(Set("k", "v", exptime), Status::kStored);
    ExpectLivesUntil("k", now_.ns + static_cast<uint64_t>(exptime) * kSecond);
  }
}

TEST_F(TimeTest, AbsoluteTimesAtAnyFractionOfASecond) {
  Prng prng(2);
  for (int i = 0; i < 300; ++i) {
    SCOPED_TRACE(i);
    SetClock(now_.ns + prng.Below(3 * kSecond) + 1);
    now_.unix_ns += static_cast<int64_t>(prng.Below(kSecond));  // the clocks do not tick together
    shard_->BeginTurn(now_);
    const int64_t exptime = now_.unix_ns / 1'000'000'000 + 2 + static_cast<int64_t>(prng.Below(20));
    ASSERT_EQ(Set("k", "v", exptime), Status::kStored);
    const int64_t left_ns = exptime * 1'000'000'000 - now_.unix_ns;
    ExpectLivesUntil("k", now_.ns + static_cast<uint64_t>(left_ns));
  }
}

TEST_F(TimeTest, StepsOfTheWallClockExpireNothing) {
  Set("relative", "v", 100);
  Set("absolute", "v", now_.unix_ns / 1'000'000'000 + 100);
  now_.unix_ns += 86'400LL * 1'000'000'000;
  shard_->BeginTurn(now_);
  EXPECT_EQ(Get("relative"), Status::kHit);
  EXPECT_EQ(Get("absolute"), Status::kHit);
  now_.unix_ns -= 2 * 86'400LL * 1'000'000'000;
  Advance(101 * kSecond);
  EXPECT_EQ(Get("relative"), Status::kMiss);
  EXPECT_EQ(Get("absolute"), Status::kMiss);
}

TEST_F(TimeTest, ThirtyDaysAreRelativeAndOneMoreSecondIsLongAgo) {
  EXPECT_EQ(Set("relative", "v", kRelativeExptimeMax), Status::kStored);
  EXPECT_EQ(Set("absolute", "v", kRelativeExptimeMax + 1), Status::kStored);
  EXPECT_EQ(Get("relative"), Status::kHit);
  EXPECT_EQ(Get("absolute"), Status::kMiss);
}

TEST_F(TimeTest, NegativeAndPastTimesReplaceTheOldValueAndExpireAtOnce) {
  for (const int64_t exptime :
       {int64_t{-1}, std::numeric_limits<int64_t>::min(), now_.unix_ns / 1'000'000'000}) {
    SCOPED_TRACE(exptime);
    Set("k", "old");
    EXPECT_EQ(Set("k", "new", exptime), Status::kStored);
    EXPECT_EQ(Get("k"), Status::kMiss);
  }
}

TEST_F(TimeTest, MinusOneOf32BitsIsNegative) {
  Set("k", "old", 0);
  EXPECT_EQ(Set("k", "v", 4294967295), Status::kStored);
  EXPECT_EQ(Get("k"), Status::kMiss);
  for (const int64_t exptime : {4294967294, 4294967296, 2147483648}) {
    EXPECT_EQ(Set("k", "v", exptime), Status::kStored);
    EXPECT_EQ(Get("k"), Status::kHit) << exptime;
  }
}

TEST_F(TimeTest, HugeTimesAreNever) {
  for (const int64_t exptime :
       {std::numeric_limits<int64_t>::max(), std::numeric_limits<int64_t>::max() / 1'000'000'000,
        int64_t{4'294'967'296} * 3}) {
    SCOPED_TRACE(exptime);
    EXPECT_EQ(ExpiryOf(exptime, now_), kNever);
  }
}

// The wall clock may not have been set: then Unix time is small, and sums are at their largest.
TEST_F(TimeTest, HugeTimesDoNotOverflowOnAnUnsetWallClock) {
  const Now unset{.ns = 400 * 365 * 86'400ULL, .unix_ns = 0};
  const int64_t largest = std::numeric_limits<int64_t>::max() / 1'000'000'000;
  EXPECT_EQ(ExpiryOf(largest, {.ns = 1000 * kSecond, .unix_ns = 0}), kNever);
  EXPECT_EQ(ExpiryOf(largest, {.ns = 1000 * kSecond, .unix_ns = -5}), kNever);
  EXPECT_EQ(ExpiryOf(largest - 1, unset), kNever);
}

TEST_F(TimeTest, ZeroIsNever) {
  EXPECT_EQ(ExpiryOf(0, now_), kNever);
  Set("k", "v");
  SetClock(uint64_t{4'000'000'000} * kSecond);
  EXPECT_EQ(Get("k"), Status::kHit);
}

TEST_F(TimeTest, TouchAndGatSetTheTimeAnew) {
  Set("k", "v", 10);
  EXPECT_EQ(Do({.verb = Verb::kTouch, .exptime = 100, .key = "k"}).status, Status::kTouched);
  Advance(50 * kSecond);
  EXPECT_EQ(Do({.verb = Verb::kGat, .exptime = 0, .key = "k"}).status, Status::kHit);
  Advance(5000 * kSecond);
  EXPECT_EQ(Do({.verb = Verb::kGats, .exptime = -1, .key = "k"}).status, Status::kHit);
  EXPECT_EQ(Get("k"), Status::kMiss);
}

TEST_F(TimeTest, AppendAndIncrKeepTheTime) {
  Set("a", "1", 10);
  Set("n", "99", 10);
  const uint64_t stored_ns = now_.ns;
  Advance(3 * kSecond);
  EXPECT_EQ(Do({.verb = Verb::kAppend, .exptime = 1000, .key = "a", .value = "2"}).status,
            Status::kStored);
  EXPECT_EQ(Do({.verb = Verb::kIncr, .number = 1, .key = "n"}).number, 100U);
  SetClock(stored_ns + 10 * kSecond - 1);
  EXPECT_EQ(ValueOf("a"), "12");
  EXPECT_EQ(ValueOf("n"), "100");
  SetClock(stored_ns + 11 * kSecond);
  EXPECT_EQ(Get("a"), Status::kMiss);
  EXPECT_EQ(Get("n"), Status::kMiss);
}

// --- flush_all ----------------------------------------------------------------------------------

TEST_F(TimeTest, FlushTakesWhatWasStoredAndNothingAfter) {
  for (const int64_t delay : {int64_t{0}, int64_t{-1}, std::numeric_limits<int64_t>::min()}) {
    SCOPED_TRACE(delay);
    Set("old", "v");
    Do({.verb = Verb::kFlushAll, .exptime = delay});
    Set("new", "v");  // in the same second
    EXPECT_EQ(Get("old"), Status::kMiss);
    EXPECT_EQ(Get("new"), Status::kHit);
  }
}

TEST_F(TimeTest, ADelayedFlushComesInItsTime) {
  Set("k", "v");
  Do({.verb = Verb::kFlushAll, .exptime = 10});
  const uint64_t asked_ns = now_.ns;
  Set("later", "v");
  SetClock(asked_ns + 10 * kSecond - 1);
  EXPECT_EQ(Get("k"), Status::kHit);
  EXPECT_EQ(Get("later"), Status::kHit);
  SetClock(asked_ns + 11 * kSecond);
  EXPECT_EQ(Get("k"), Status::kMiss);
  EXPECT_EQ(Get("later"), Status::kMiss);
  Set("after", "v");
  Advance(100 * kSecond);
  EXPECT_EQ(Get("after"), Status::kHit);
}

TEST_F(TimeTest, AFlushOfTheFarFutureFlushesNothingNow) {
  Set("k", "v");
  Do({.verb = Verb::kFlushAll, .exptime = std::numeric_limits<int64_t>::max()});
  EXPECT_EQ(Get("k"), Status::kHit);
  Advance(1000 * kSecond);
  EXPECT_EQ(Get("k"), Status::kHit);
}

TEST_F(TimeTest, AnImmediateFlushCancelsADelayedOne) {
  Do({.verb = Verb::kFlushAll, .exptime = 10});
  Set("k", "v");
  Do({.verb = Verb::kFlushAll});
  Set("k", "v");
  Advance(20 * kSecond);
  EXPECT_EQ(Get("k"), Status::kHit);
}

TEST_F(TimeTest, MissesSayWhy) {
  Set("expired", "v", 1);
  Advance(5 * kSecond);
  EXPECT_EQ(Get("expired"), Status::kMiss);
  EXPECT_EQ(Get("never"), Status::kMiss);
  Set("flushed", "v");
  Do({.verb = Verb::kFlushAll});
  EXPECT_EQ(Get("flushed"), Status::kMiss);
  EXPECT_EQ(Count(Counter::kGetMisses), 3U);
  EXPECT_EQ(Count(Counter::kGetExpired), 1U);
  EXPECT_EQ(Count(Counter::kGetFlushed), 1U);
}

}  // namespace
}  // namespace larder::engine
