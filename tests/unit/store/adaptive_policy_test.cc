// Goal: each rule of the eviction policy does what docs/policy.md says: who goes where, what a
// ghost does, which way the share moves, what sizes cost. Method: the policy alone, on buckets of a
// table segment, with the calls that a shard would make.
#include "store/adaptive_policy.h"

#include <memory>
#include <vector>

#include "gtest/gtest.h"
#include "store/segment.h"
#include "util/hash.h"
#include "util/prng.h"

namespace larder::store {
namespace {

constexpr uint64_t kBytes = 100;

struct DeleteSegment {
  void operator()(TableSegment* segment) const { (void)arena.Return(segment, segment->Bytes()); }
  TableArena& arena;
};

class AdaptivePolicyTest : public testing::Test {
 protected:
  // A hash with that home and that ghost.
  static uint64_t HashOf(uint64_t home, uint64_t ghost) {
    return (home * 4096 / TableSegment::kHomeMin + 1) << 8 | ghost << 20;
  }
  Log New(uint64_t hash, uint64_t bytes = kBytes) {
    return policy_.LogForNew({.home = *segment_->Home(hash), .hash = hash, .item_bytes = bytes});
  }
  Place Insert(uint64_t hash) {
    const Place place = segment_->Insert(hash, 1);
    policy_.OnInsert(place, hash, Log::kProbation);
    return place;
  }
  void Read(const Place& place, uint64_t hash, int times) {
    for (int i = 0; i < times; ++i) policy_.OnHit(place, hash);
  }
  Verdict Judge(const Place& place, uint64_t hash, Log log, uint64_t bytes = kBytes,
                bool must_go = false) {
    return policy_.Judge(
        {.place = place, .hash = hash, .item_bytes = bytes, .log = log, .must_go = must_go});
  }
  // As the shard would say before a hand moves: so much of 1000 items is probation's.
  Log HandToMove(uint64_t probation_items) {
    return policy_.HandToMove({LogFill{probation_items, probation_items * kBytes},
                               LogFill{1000 - probation_items, (1000 - probation_items) * kBytes}});
  }
  // A key is evicted from the log, unread.
  void Lose(uint64_t hash, Log log) {
    const Place place = Insert(hash);
    ASSERT_EQ(Judge(place, hash, log), Verdict::kDrop);
    segment_->Erase(place);
  }

  TableArena arena_{TableArena::Pages::kSmall};
  const std::unique_ptr<TableSegment, DeleteSegment> segment_{
      TableSegment::New(arena_, TableSegment::kHomeMin, 0), DeleteSegment{arena_}};
  AdaptivePolicy policy_;
};

TEST_F(AdaptivePolicyTest, UnreadItemsGoFromProbationAndFromMain) {
  for (const Log log : {Log::kProbation, Log::kMain}) {
    const uint64_t hash = HashOf(0, static_cast<uint64_t>(log));
    (void)New(hash);
    EXPECT_EQ(Judge(Insert(hash), hash, log), Verdict::kDrop);
  }
}

TEST_F(AdaptivePolicyTest, OneReadTakesAnItemToMainOnce) {
  const uint64_t hash = HashOf(0, 1);
  (void)New(hash);
  const Place place = Insert(hash);
  Read(place, hash, 3);
  EXPECT_EQ(Judge(place, hash, Log::kProbation), Verdict::kToMain);
  EXPECT_EQ(Judge(place, hash, Log::kMain), Verdict::kDrop) << "main wants reads of its own";
}

TEST_F(AdaptivePolicyTest, InMainAnItemGoesRoundAsOftenAsItWasRead) {
  const uint64_t hash = HashOf(0, 1);
  (void)New(hash);
  const Place place = Insert(hash);
  Read(place, hash, 10);  // 3 are counted
  for (int round = 0; round < 3; ++round) {
    EXPECT_EQ(Judge(place, hash, Log::kMain), Verdict::kToMain) << round;
  }
  EXPECT_EQ(Judge(place, hash, Log::kMain), Verdict::kDrop);
}

TEST_F(AdaptivePolicyTest, WhileNobodyReadsMainAges) {
  for (const bool reads : {false, true}) {
    SCOPED_TRACE(reads);
    policy_ = AdaptivePolicy();
    (void)HandToMove(500);
    const uint64_t hash = HashOf(0, 1);
    // More than one period.
    for (uint64_t i = 0; i < 17'000; ++i) (void)New(HashOf(i % 8, i % 200));
    const Place place = Insert(hash);
    for (int i = 0; i < 3 && reads; ++i) Read(place, hash, 100);
    for (uint64_t i = 0; i < 8500; ++i) (void)New(HashOf(i % 8, i % 200));
    EXPECT_EQ(HandToMove(500), Log::kProbation);
    for (int i = 0; i < 60; ++i) Lose(HashOf(0, 2), Log::kProbation);
    EXPECT_EQ(HandToMove(500), reads ? Log::kProbation : Log::kMain);
    segment_->Erase(place);
    if (reads) continue;
    // However small, it has to have been read.
    const Place small = Insert(hash);
    EXPECT_EQ(Judge(small, hash, Log::kMain, 8), Verdict::kDrop);
    segment_->Erase(small);
    // As far as probation's hand, and no farther.
    for (int i = 0; i < 60; ++i) Lose(HashOf(0, 2), Log::kMain);
    EXPECT_EQ(HandToMove(500), Log::kProbation);
  }
}

TEST_F(AdaptivePolicyTest, StoringAKeyAnewIsLikeARead) {
  const uint64_t hash = HashOf(0, 1);
  (void)New(hash);
  const Place place = Insert(hash);
  EXPECT_EQ(policy_.LogForOverwrite(place, hash, Log::kProbation), Log::kProbation);
  EXPECT_EQ(policy_.LogForOverwrite(place, hash, Log::kMain), Log::kMain);
  policy_.OnOverwrite(place, hash);
  EXPECT_EQ(place.bucket->Frequency(place.slot), 1U);
}

TEST_F(AdaptivePolicyTest, WhatMustGoGoesHoweverOftenItWasRead) {
  const uint64_t hash = HashOf(0, 1);
  EXPECT_EQ(New(hash), Log::kProbation);
  const Place place = Insert(hash);
  Read(place, hash, 3);
  EXPECT_EQ(Judge(place, hash, Log::kProbation, kBytes, true), Verdict::kDrop);
  EXPECT_EQ(New(hash), Log::kMain) << "its ghost stays";
}

TEST_F(AdaptivePolicyTest, AKeyThatComesBackToItsGhostGoesToMainOnce) {
  const uint64_t hash = HashOf(3, 77);
  EXPECT_EQ(New(hash), Log::kProbation);
  Lose(hash, Log::kProbation);
  EXPECT_EQ(New(HashOf(3, 78)), Log::kProbation) << "another key of the same home";
  EXPECT_EQ(New(HashOf(4, 77)), Log::kProbation) << "another home";
  EXPECT_EQ(New(hash), Log::kMain);
  EXPECT_EQ(New(hash), Log::kProbation) << "the ghost is gone";
}

TEST_F(AdaptivePolicyTest, AHomeRemembersItsLastSixGhosts) {
  for (uint64_t i = 0; i < 10; ++i) Lose(HashOf(5, 10 * i), Log::kProbation);
  for (uint64_t i = 0; i < 10; ++i) {
    EXPECT_EQ(New(HashOf(5, 10 * i)), i < 4 ? Log::kProbation : Log::kMain) << i;
  }
}

TEST_F(AdaptivePolicyTest, GhostsOfMainSteerButDoNotLetIn) {
  Lose(HashOf(5, 10), Log::kMain);
  HandToMove(100);
  const double before = policy_.ProbationShare();
  EXPECT_EQ(New(HashOf(5, 10)), Log::kProbation);
  EXPECT_LT(policy_.ProbationShare(), before);
}

TEST_F(AdaptivePolicyTest, TheNewestGhostOfProbationMakesItLarger) {
  HandToMove(100);
  const double before = policy_.ProbationShare();
  Lose(HashOf(5, 10), Log::kProbation);
  Lose(HashOf(5, 20), Log::kProbation);
  EXPECT_EQ(New(HashOf(5, 10)), Log::kMain);
  EXPECT_EQ(policy_.ProbationShare(), before) << "an older one says nothing";
  EXPECT_EQ(New(HashOf(5, 20)), Log::kMain);
  EXPECT_GT(policy_.ProbationShare(), before);
}

TEST_F(AdaptivePolicyTest, NothingIsLearntWhileProbationHasMoreThanItsShare) {
  HandToMove(500);
  const double before = policy_.ProbationShare();
  Lose(HashOf(5, 10), Log::kProbation);
  EXPECT_EQ(New(HashOf(5, 10)), Log::kMain);
  EXPECT_EQ(policy_.ProbationShare(), before);
}

TEST_F(AdaptivePolicyTest, TheShareStaysWithinItsBounds) {
  for (const Log log : {Log::kProbation, Log::kMain}) {
    for (int i = 0; i < 3000; ++i) {
      HandToMove(1);
      Lose(HashOf(5, 10), log);
      (void)New(HashOf(5, 10));
    }
    EXPECT_NEAR(policy_.ProbationShare(), log == Log::kMain ? 0.01 : 0.9, 1e-9);
  }
}

TEST_F(AdaptivePolicyTest, TheHandOfWhatHasMoreThanItsShareMoves) {
  EXPECT_EQ(HandToMove(1000), Log::kProbation);
  EXPECT_EQ(HandToMove(101), Log::kProbation);
  EXPECT_EQ(HandToMove(100), Log::kMain);
  EXPECT_EQ(HandToMove(0), Log::kMain);
}

TEST_F(AdaptivePolicyTest, SizesThatAreNearlyEqualCostTheSame) {
  for (int i = 0; i < 5000; ++i) (void)New(HashOf(9, 200));
  for (const uint64_t bytes : {kBytes * 8 / 10, kBytes, kBytes * 12 / 10}) {
    for (int i = 0; i < 100; ++i) {
      const uint64_t hash = HashOf(0, 1);
      const Place place = Insert(hash);
      ASSERT_EQ(Judge(place, hash, Log::kMain, bytes), Verdict::kDrop);
      Read(place, hash, 1);
      ASSERT_EQ(Judge(place, hash, Log::kProbation, bytes), Verdict::kToMain);
      segment_->Erase(place);
    }
  }
}

// Of 800 unread items, how many go round.
class AdaptivePolicySizes : public AdaptivePolicyTest {
 protected:
  int GoRound(Log log, uint64_t bytes) {
    int round = 0;
    const uint64_t hash = HashOf(0, 1);
    const Place place = Insert(hash);
    for (int i = 0; i < 800; ++i) {
      if (Judge(place, hash, log, bytes) != Verdict::kDrop) ++round;
    }
    segment_->Erase(place);
    return round;
  }
};

TEST_F(AdaptivePolicySizes, SmallOnesGoRoundUnreadAsTheirSizeSays) {
  (void)New(HashOf(9, 200), 1000);
  HandToMove(10);
  EXPECT_EQ(GoRound(Log::kMain, 500), 400) << "half the size: every second time";
  EXPECT_EQ(GoRound(Log::kMain, 250), 600);
  EXPECT_EQ(GoRound(Log::kMain, 1), 700) << "nobody goes round for ever";
  EXPECT_EQ(GoRound(Log::kProbation, 500), 600) << "by the square in probation";
  EXPECT_EQ(GoRound(Log::kProbation, 1), 700);
  EXPECT_EQ(GoRound(Log::kProbation, 4000), 0);
}

TEST_F(AdaptivePolicySizes, SmallOnesWaitInMainWhileItHasRoom) {
  (void)New(HashOf(9, 200), 1000);
  const uint64_t hash = HashOf(0, 1);
  const Place place = Insert(hash);
  HandToMove(500);
  EXPECT_EQ(Judge(place, hash, Log::kProbation, 100), Verdict::kToMain);
  HandToMove(10);
  EXPECT_EQ(Judge(place, hash, Log::kProbation, 100), Verdict::kToProbation);
}

TEST_F(AdaptivePolicySizes, LargeOnesNeedMoreReadsButNeverMoreThanAreCounted) {
  (void)New(HashOf(9, 200), 1000);
  const uint64_t hash = HashOf(0, 1);
  const Place place = Insert(hash);
  Read(place, hash, 1);
  EXPECT_EQ(Judge(place, hash, Log::kMain, 2000), Verdict::kDrop);
  Read(place, hash, 1);
  EXPECT_EQ(Judge(place, hash, Log::kMain, 2000), Verdict::kToMain);
  EXPECT_EQ(place.bucket->Frequency(place.slot), 0U) << "paid";
  Read(place, hash, 3);
  EXPECT_EQ(Judge(place, hash, Log::kMain, 1'000'000'000), Verdict::kToMain);
  Read(place, hash, 3);
  EXPECT_EQ(Judge(place, hash, Log::kProbation, 1'000'000'000), Verdict::kToMain);
}

TEST_F(AdaptivePolicySizes, TheMeanFollowsWhatIsStored) {
  for (int i = 0; i < 10'000; ++i) (void)New(HashOf(9, 200), 100);
  EXPECT_EQ(policy_.MeanBytes(), 100U);
  util::Prng prng(5);
  for (int i = 0; i < 20'000; ++i) (void)New(HashOf(9, 200), 500 + prng.Below(1001));
  EXPECT_NEAR(static_cast<double>(policy_.MeanBytes()), 1000, 50);
}

}  // namespace
}  // namespace larder::store
