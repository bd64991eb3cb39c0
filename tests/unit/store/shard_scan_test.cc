// Goal: a scan visits every item that lives while it runs exactly once, and no key twice, whatever
// happens to the shard between two of its steps.
// Method: random changes between steps, seeded, in waves that make the table grow and shrink, with
// and without eviction, cleaning, expiry and flushes. What must be visited is known from the shard
// itself: the keys that are there before and after the scan, and were never found absent meanwhile,
// which is looked at whenever one could come back.
#include <algorithm>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "gtest/gtest.h"
#include "store/shard.h"
#include "util/prng.h"

namespace larder::store {
namespace {

constexpr uint64_t kAll = UINT64_MAX;

struct ScanCase {
  const char* name;
  uint64_t memory_bytes_max;
  uint32_t forced_cleaning;
  bool flushes;
};

void PrintTo(const ScanCase& scenario, std::ostream* out) { *out << scenario.name; }

class ShardScan : public testing::TestWithParam<std::tuple<ScanCase, uint64_t>> {
 protected:
  static constexpr uint64_t kKeys = 40'000;

  ShardScan()
      : scenario_(std::get<0>(GetParam())),
        prng_(std::get<1>(GetParam())),
        hash_(prng_.Next()),
        shard_({.memory_bytes_max = scenario_.memory_bytes_max,
                .forced_cleaning = scenario_.forced_cleaning,
                .hash = hash_},
               counters_) {
    shard_.BeginTurn(now_);
  }

  static std::string KeyText(uint64_t n) {
    return "key:" + std::string(n % 60, 'x') + "-" + std::to_string(n);
  }

  const Item* Find(uint64_t n) {
    const std::string key = KeyText(n);
    return shard_.Find(key, hash_(key), Shard::Access::kPeek);
  }

  // A wave: mostly stores while the table shall grow, mostly deletes while it shall shrink.
  void Change() {
    const uint64_t n = prng_.Below(kKeys);
    const std::string key = KeyText(n);
    if (prng_.OneIn(8) == grows_) {
      if (shard_.Erase(key, hash_(key))) absent_.insert(n);
    } else {
      const CacheSeconds expiry = prng_.OneIn(50) ? now_.FloorSeconds() + 2 : kNever;
      if (Find(n) == nullptr) absent_.insert(n);
      (void)shard_.Put({.key = key,
                        .hash = hash_(key),
                        .expire_at = expiry,
                        .value = std::string(prng_.Below(200), 'v')});
    }
    if (prng_.OneIn(20)) shard_.Tick(200);
    if (prng_.OneIn(2000)) now_.ns += 1'000'000'000;
    if (scenario_.flushes && prng_.OneIn(60'000)) shard_.Flush();
    shard_.BeginTurn(now_);
  }

  std::unordered_set<uint64_t> Present() {
    std::unordered_set<uint64_t> present;
    for (uint64_t n = 0; n < kKeys; ++n) {
      if (Find(n) != nullptr) present.insert(n);
    }
    return present;
  }

  // A scan with `changes` between two steps.
  std::unordered_map<std::string, int> ScanAmid(uint64_t changes) {
    std::unordered_map<std::string, int> seen;
    Cursor cursor;
    do {
      const uint64_t key_bytes_max = prng_.OneIn(2) ? kAll : prng_.Below(5000);
      cursor = shard_.Scan(cursor, key_bytes_max, [&](const Item& item) {
        ++seen[std::string(item.Key())];
        EXPECT_FALSE(item.ExpiredAt(now_.FloorSeconds()));
      });
      depth_min_ = std::min(depth_min_, shard_.table().depth());
      depth_max_ = std::max(depth_max_, shard_.table().depth());
      for (uint64_t i = 0; i < changes; ++i) Change();
      if (prng_.OneIn(200)) grows_ = !grows_;
    } while (!cursor.AtEnd());
    return seen;
  }

  const ScanCase scenario_;
  util::Prng prng_;
  const util::KeyHash hash_;
  stats::CounterBlock counters_;
  Shard shard_;
  Now now_;
  bool grows_ = true;
  std::unordered_set<uint64_t> absent_;  // now and then, since the scan began
  uint32_t depth_min_ = UINT32_MAX;
  uint32_t depth_max_ = 0;
};

TEST_P(ShardScan, VisitsWhatLivesExactlyOnceWhateverHappensBetween) {
  uint64_t visits = 0;
  for (int round = 0; round < 6; ++round) {
    grows_ = round % 2 == 0;
    const std::unordered_set<uint64_t> before = Present();
    absent_.clear();
    const auto seen = ScanAmid(200 + prng_.Below(600));
    const std::unordered_set<uint64_t> after = Present();
    for (const auto& [key, times] : seen) ASSERT_EQ(times, 1) << key;
    for (const uint64_t n : before) {
      if (!after.contains(n) || absent_.contains(n)) continue;
      ASSERT_TRUE(seen.contains(KeyText(n))) << KeyText(n);
      ++visits;
    }
    shard_.CheckInvariants();
  }
  EXPECT_GT(visits, 3000U);
  // Segments have split and merged meanwhile, or this shows nothing.
  EXPECT_GE(depth_max_, depth_min_ + 2);
}

INSTANTIATE_TEST_SUITE_P(Scenarios, ShardScan,
                         testing::Combine(testing::Values(ScanCase{"ample", 64 << 20, 0, false},
                                                          ScanCase{"cleaned", 64 << 20, 2, false},
                                                          ScanCase{"tight", 3 << 20, 0, false},
                                                          ScanCase{"flushed", 8 << 20, 1, true}),
                                          testing::Values(1, 2)),
                         [](const auto& param) {
                           return std::string(std::get<0>(param.param).name) +
                                  std::to_string(std::get<1>(param.param));
                         });

TEST(ShardScanStep, TakesNoMoreKeysThanAskedForUnlessOneIsLonger) {
  stats::CounterBlock counters;
  const util::KeyHash hash(7);
  Shard shard({.hash = hash}, counters);
  shard.BeginTurn(Now{});
  constexpr uint64_t kItems = 6000;
  for (uint64_t n = 0; n < kItems; ++n) {
    const std::string key = std::string(n % 200, 'k') + std::to_string(n);
    shard.Put({.key = key, .hash = hash(key), .value = "v"});
  }
  for (const uint64_t key_bytes_max : {uint64_t{300}, uint64_t{1000}, uint64_t{8000}, kAll}) {
    uint64_t items = 0;
    uint64_t steps = 0;
    Cursor cursor;
    do {
      uint64_t in_step = 0;
      uint64_t key_bytes = 0;
      cursor = shard.Scan(cursor, key_bytes_max, [&](const Item& item) {
        ++in_step;
        key_bytes += item.Key().size();
      });
      EXPECT_LE(in_step, TableSegment::kEntriesMax);
      if (in_step > 1) {
        EXPECT_LE(key_bytes, key_bytes_max);
      }
      items += in_step;
      ++steps;
    } while (!cursor.AtEnd());
    EXPECT_EQ(items, kItems);
    EXPECT_LT(steps, key_bytes_max < 1000 ? 4 * kItems : kItems / 3);
  }
}

}  // namespace
}  // namespace larder::store
