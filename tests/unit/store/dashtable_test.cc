// Goal: the table finds what it was given, at a high load, and neither growth nor keys that collide
// break it; a cursor misses nothing. Method: the table alone, with a source of hashes that a test
// makes up, against a std::unordered_map; all checks of CheckInvariants.
#include "store/dashtable.h"

#include <algorithm>
#include <cstdio>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "gtest/gtest.h"
#include "store/cursor.h"
#include "util/prng.h"

namespace larder::store {
namespace {

// Handles are indices into a list of hashes.
class FakeKeys final : public HashSource {
 public:
  uint32_t Add(uint64_t hash) {
    hashes_.push_back(hash);
    return static_cast<uint32_t>(hashes_.size() - 1);
  }
  [[nodiscard]] uint64_t HashOf(uint32_t handle) const override { return hashes_[handle]; }

 private:
  std::vector<uint64_t> hashes_;
};

class DashTableTest : public testing::Test {
 protected:
  Place InsertNew(uint64_t hash) {
    const uint32_t handle = keys_.Add(hash);
    const Place place = table_.Insert(hash, handle, keys_);
    if (place) {
      EXPECT_EQ(place.handle(), handle);
      all_.push_back(handle);
    }
    return place;
  }
  bool Has(uint32_t handle) const {
    const Place place = table_.FindHandle(keys_.HashOf(handle), handle);
    return place && place.handle() == handle;
  }
  void ExpectAll() const {
    table_.CheckInvariants(keys_);
    ASSERT_EQ(table_.Count(), all_.size());
    for (const uint32_t handle : all_) ASSERT_TRUE(Has(handle)) << handle;
  }
  double Load() const {
    return static_cast<double>(table_.Count()) / static_cast<double>(table_.SlotCount());
  }

  util::Prng prng_{7};
  FakeKeys keys_;
  DashTable table_;
  std::vector<uint32_t> all_;
};

TEST_F(DashTableTest, RandomInsertsAndErasesAgreeWithAMap) {
  std::unordered_set<uint32_t> model;
  for (int step = 0; step < 60'000; ++step) {
    if (all_.empty() || prng_.Below(100) < 60) {
      ASSERT_TRUE(static_cast<bool>(InsertNew(prng_.Next())));
      model.insert(all_.back());
    } else {
      std::swap(all_[prng_.Below(all_.size())], all_.back());
      const uint32_t handle = all_.back();
      all_.pop_back();
      table_.Erase(table_.FindHandle(keys_.HashOf(handle), handle));
      model.erase(handle);
      ASSERT_FALSE(Has(handle));
    }
    if (step % 4096 == 0) ExpectAll();
  }
  ASSERT_EQ(table_.Count(), model.size());
  ExpectAll();
}

TEST_F(DashTableTest, FrequencyGoesAlongWithItsEntry) {
  for (int i = 0; i < 5000; ++i) {
    const Place place = InsertNew(prng_.Next());
    place.bucket->SetFrequency(place.slot, place.handle() % 4);
  }
  for (const uint32_t handle : all_) {
    const Place place = table_.FindHandle(keys_.HashOf(handle), handle);
    ASSERT_EQ(place.bucket->Frequency(place.slot), handle % 4);
  }
}

TEST_F(DashTableTest, StaysWellLoadedWhileItGrows) {
  constexpr uint64_t kFirst = 10'000;
  constexpr uint64_t kLast = 1'000'000;
  double worst = 1;
  double sum = 0;
  uint64_t samples = 0;
  uint64_t alone = 0;
  // Sampled evenly on a logarithmic axis: each size of table counts the same.
  for (uint64_t next = kFirst; table_.Count() < kLast;) {
    ASSERT_TRUE(static_cast<bool>(InsertNew(prng_.Next())));
    if (table_.Count() < next) continue;
    next += next / 64;
    worst = std::min(worst, Load());
    sum += Load();
    ++samples;
  }
  for (const uint32_t handle : all_) {
    const Place place = table_.FindHandle(keys_.HashOf(handle), handle);
    alone += place.home == place.bucket ? 1 : 0;
  }
  const double average = sum / static_cast<double>(samples);
  const double bytes = static_cast<double>(table_.Bytes()) / static_cast<double>(table_.Count());
  std::printf(
      "load from 1e4 to 1e6: average %.3f, worst %.3f; at 1e6: %.2f bytes an entry,\n"
      "%.1f %% of the entries at home\n",
      average, worst, bytes, 100.0 * static_cast<double>(alone) / kLast);
  EXPECT_GE(average, 0.88);
  EXPECT_GE(worst, 0.85);
}

TEST_F(DashTableTest, OneLineTellsAMissWhenNothingIsElsewhere) {
  const Place place = InsertNew(prng_.Next());
  EXPECT_TRUE(place.home->NothingElsewhere());
  EXPECT_EQ(place.home, place.bucket);
}

// All with the same tag: only the keys tell entries apart.
TEST_F(DashTableTest, EqualTagsAreToldApart) {
  for (int i = 0; i < 20'000; ++i) {
    ASSERT_TRUE(static_cast<bool>(InsertNew((prng_.Next() & ~uint64_t{0xff}) | 0x5a)));
  }
  ExpectAll();
}

// Everything but the tag is the same: one home, which no split can part.
TEST_F(DashTableTest, KeysOfOneBucketAreRefusedNotSplitForEver) {
  const uint64_t hash = prng_.Next() & ~uint64_t{0xff};
  int refused = 0;
  for (uint64_t i = 0; i < 2000; ++i) {
    if (!InsertNew(hash | (i & 0xff))) ++refused;
  }
  EXPECT_EQ(table_.Count(), 2U * Bucket::kSlots + Bucket::kStashedMax);
  EXPECT_EQ(table_.Count() + static_cast<uint64_t>(refused), 2000U);
  EXPECT_LT(table_.Bytes(), 64U << 10);
  ExpectAll();
  // Others suffer only where they share the home.
  refused = 0;
  for (int i = 0; i < 5000; ++i) refused += InsertNew(prng_.Next()) ? 0 : 1;
  EXPECT_LT(refused, 25);
  ExpectAll();
}

TEST_F(DashTableTest, ARivalMakesRoomWhereInsertFoundNone) {
  const uint64_t hash = prng_.Next();
  for (int i = 0; i < 1000; ++i) {
    if (InsertNew(hash)) continue;
    const Place rival = table_.Rival(hash);
    ASSERT_TRUE(static_cast<bool>(rival));
    all_.erase(std::find(all_.begin(), all_.end(), rival.handle()));
    table_.Erase(rival);
    ASSERT_TRUE(static_cast<bool>(InsertNew(hash)));
    table_.CheckInvariants(keys_);
  }
  ExpectAll();
}

// The same segment bits, as many as the directory ever looks at: its growth stays in proportion.
TEST_F(DashTableTest, KeysOfOneSegmentDoNotBlowUpTheDirectory) {
  const uint64_t segment = prng_.Next() & 0x0000'ffff'fff0'0000;
  for (int i = 0; i < 20'000; ++i) {
    (void)InsertNew(segment | (prng_.Next() & 0xffff'0000'000f'ffff));
  }
  EXPECT_LT(table_.Bytes(), 1U << 20);
  ExpectAll();
}

TEST_F(DashTableTest, ShrinksToWhatIsLeft) {
  for (int i = 0; i < 200'000; ++i) InsertNew(prng_.Next());
  while (all_.size() > 3000) {
    table_.Erase(table_.FindHandle(keys_.HashOf(all_.back()), all_.back()));
    all_.pop_back();
  }
  for (int i = 0; i < 100'000 && !table_.Shrink(3, keys_); ++i) {
    if (i % 64 == 0) table_.CheckInvariants(keys_);
  }
  for (int i = 0; i < 20; ++i) (void)table_.Shrink(UINT32_MAX, keys_);
  EXPECT_GE(Load(), 0.4);
  EXPECT_LT(table_.Bytes(), 100U << 10);
  ExpectAll();
}

TEST_F(DashTableTest, DismantlesInSteps) {
  for (int i = 0; i < 50'000; ++i) InsertNew(prng_.Next());
  uint64_t found = all_.size();
  for (int steps = 0; !table_.Dismantle(5); ++steps) {
    ASSERT_LT(steps, 100);
    uint64_t still = 0;
    for (const uint32_t handle : all_) {
      if (table_.Holds(keys_.HashOf(handle)) && Has(handle)) ++still;
    }
    ASSERT_LT(still, found);
    ASSERT_EQ(still, table_.Count());
    found = still;
  }
  EXPECT_EQ(table_.Count(), 0U);
}

// Every step of the scan is followed by changes: inserts that split, erases, and merges.
TEST_F(DashTableTest, ACursorFindsAllThatStaysOnce) {
  for (uint64_t round = 0; round < 6; ++round) {
    DashTable table;
    std::vector<uint32_t> staying;
    std::vector<uint32_t> leaving;
    const auto insert = [&](std::vector<uint32_t>& list) {
      const uint64_t hash = prng_.Next();
      const uint32_t handle = keys_.Add(hash);
      ASSERT_TRUE(static_cast<bool>(table.Insert(hash, handle, keys_)));
      list.push_back(handle);
    };
    for (int i = 0; i < 3000; ++i) insert(staying);
    for (int i = 0; i < 30'000; ++i) insert(leaving);
    std::unordered_map<uint32_t, int> found;
    Scanned scanned;
    Cursor cursor;
    uint64_t steps = 0;
    do {
      ScanSegment(table, cursor, keys_, scanned);
      while (prng_.OneIn(2) && scanned.Halve()) {
      }
      for (uint32_t i = 0; i < scanned.count; ++i) ++found[scanned.entries[i].handle];
      cursor = scanned.Next();
      ++steps;
      if (round % 2 == 0) {
        for (int i = 0; i < 200 && steps < 1000; ++i) insert(leaving);
      } else {
        for (int i = 0; i < 200 && !leaving.empty(); ++i) {
          table.Erase(table.FindHandle(keys_.HashOf(leaving.back()), leaving.back()));
          leaving.pop_back();
        }
        if (round > 1) (void)table.Shrink(2, keys_);
      }
      ASSERT_LT(steps, 100'000U);
    } while (!cursor.AtEnd());
    for (const uint32_t handle : staying) ASSERT_EQ(found[handle], 1);
    for (const auto& [handle, times] : found) ASSERT_EQ(times, 1) << handle;
    table.CheckInvariants(keys_);
  }
}

TEST_F(DashTableTest, ACursorOverAQuietTableFindsEachOnce) {
  for (int i = 0; i < 20'000; ++i) InsertNew(prng_.Next());
  std::unordered_map<uint32_t, int> found;
  Scanned scanned;
  Cursor cursor;
  do {
    ScanSegment(table_, cursor, keys_, scanned);
    for (uint32_t i = 0; i < scanned.count; ++i) ++found[scanned.entries[i].handle];
    cursor = scanned.Next();
  } while (!cursor.AtEnd());
  EXPECT_EQ(found.size(), all_.size());
  for (const auto& [handle, times] : found) ASSERT_EQ(times, 1) << handle;
}

}  // namespace
}  // namespace larder::store
