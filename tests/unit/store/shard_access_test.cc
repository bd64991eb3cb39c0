// Goal: a shard can tell of each item, for days, how long ago it was stored or read, in no more
// memory than before, and a hot item's line stays clean.
// Method: items that are stored, read and moved while the clock goes on, in steps of seconds, with
// a Tick at each; what is told is held against what the test remembers.
#include <gtest/gtest.h>

#include <cstring>
#include <map>
#include <string>

#include "store/shard.h"
#include "util/prng.h"

namespace larder::store {
namespace {

constexpr uint64_t kSecond = 1'000'000'000;

class ShardAccessTest : public testing::Test {
 protected:
  ShardAccessTest() { shard_.BeginTurn(now_); }

  void Advance(CacheSeconds seconds) {
    now_.ns += seconds * kSecond;
    shard_.BeginTurn(now_);
    (void)shard_.Tick(8192);
  }
  Item* Put(const std::string& key, CacheSeconds expire_at = kNever) {
    return shard_.Put({.key = key, .hash = hash_(key), .expire_at = expire_at, .value = "value"})
        .item;
  }
  Item* Find(const std::string& key, Shard::Access access) {
    return shard_.Find(key, hash_(key), access);
  }
  Shard::Before Peek(const std::string& key) {
    Shard::Before before;
    EXPECT_NE(shard_.Find(key, hash_(key), Shard::Access::kPeek, before), nullptr);
    return before;
  }

  stats::CounterBlock counters_;
  util::KeyHash hash_{1};
  Now now_{.ns = 1000 * kSecond};
  Shard shard_{{.memory_bytes_max = 16 << 20, .forced_cleaning = 2, .hash = hash_}, counters_};
};

TEST_F(ShardAccessTest, AHotItemsLineStaysClean) {
  const Item* item = Put("k");
  (void)Find("k", Shard::Access::kRead);
  char before[sizeof(Item)];
  std::memcpy(before, static_cast<const void*>(item), sizeof(before));
  for (int i = 0; i < 59; ++i) {
    Advance(1);
    (void)Find("k", Shard::Access::kRead);
    EXPECT_EQ(std::memcmp(before, static_cast<const void*>(item), sizeof(before)), 0);
  }
  Advance(1);
  (void)Find("k", Shard::Access::kRead);
  EXPECT_EQ(Peek("k").idle_s, 0U);
}

TEST_F(ShardAccessTest, PeekingLeavesNoTrace) {
  Put("k");
  Advance(100);
  EXPECT_EQ(Peek("k").idle_s, 100U);
  EXPECT_FALSE(Peek("k").fetched);
  (void)Find("k", Shard::Access::kRead);
  EXPECT_EQ(Peek("k").idle_s, 0U);
  EXPECT_TRUE(Peek("k").fetched);
}

// Reads and stores, at random, of items that the cleaner moves all the time.
TEST_F(ShardAccessTest, AgesAreNeverLessThanTheTruthAndNotMuchMore) {
  util::Prng prng(3);
  std::map<std::string, uint64_t> touched;  // when, in seconds
  for (int i = 0; i < 400; ++i) {
    const std::string key = "key" + std::to_string(i);
    Put(key);
    touched[key] = now_.FloorSeconds();
  }
  for (int step = 0; step < 40'000; ++step) {
    Advance(static_cast<CacheSeconds>(1 + prng.Below(30)));
    // Most are read once in a while, and some never again.
    const std::string key = "key" + std::to_string(prng.Below(prng.OneIn(4) ? 300 : 5));
    if (prng.OneIn(2)) {
      Put(key);
    } else {
      (void)Find(key, Shard::Access::kRead);
    }
    touched[key] = now_.FloorSeconds();
    if (step % 16 != 0) continue;
    const std::string asked = "key" + std::to_string(prng.Below(400));
    const uint64_t truth = now_.FloorSeconds() - touched[asked];
    const uint64_t told = Peek(asked).idle_s;
    ASSERT_GE(told, std::min<uint64_t>(truth, AccessStamp::kAgeMax));
    ASSERT_LE(told, truth + AccessStamp::kRenewedAfter + AccessStamp::kCoarseSeconds);
  }
  shard_.CheckInvariants();
}

}  // namespace
}  // namespace larder::store
