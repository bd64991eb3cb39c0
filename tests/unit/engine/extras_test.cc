// Goal: what a command asks for beyond the classic ones is done, alone and together.
// Method: one command after the other on a shard, each answer and the item's state compared.
#include <gtest/gtest.h>

#include <string>

#include "engine_fixture.h"

namespace larder::engine {
namespace {

using stats::Counter;

class ExtrasTest : public EngineTest {
 protected:
  // A command with the given asks, and what goes with them.
  Outcome Ask(Verb verb, const Extras& extras, Command command = {}) {
    command.verb = verb;
    if (command.key.empty()) command.key = "k";
    command.extras = &extras;
    return Do(command);
  }
  // What a read that leaves no trace is told.
  Outcome Look() { return Ask(Verb::kGet, {.asks = Extras::kNoBump}); }
  uint64_t Unique() { return Look().cas; }
  std::string Value() { return std::string(Look().value); }
};

// --- reads ---------------------------------------------------------------------------------------

TEST_F(ExtrasTest, AReadTellsWhatTheItemWasBeforeIt) {
  Do({.verb = Verb::kSet, .client_flags = 7, .exptime = 100, .key = "k", .value = "abc"});
  Advance(3 * kSecond);
  Outcome outcome = Ask(Verb::kGet, {});
  EXPECT_EQ(outcome.status, Status::kHit);
  EXPECT_EQ(outcome.value, "abc");
  EXPECT_EQ(outcome.client_flags, 7U);
  EXPECT_EQ(outcome.ttl_s, 97U);
  EXPECT_EQ(outcome.idle_s, 3U);
  EXPECT_FALSE(outcome.marks.fetched);
  Advance(2 * kSecond);
  outcome = Ask(Verb::kGet, {});
  EXPECT_TRUE(outcome.marks.fetched);
  EXPECT_EQ(outcome.idle_s, 2U);
  EXPECT_NE(outcome.item, nullptr);
}

TEST_F(ExtrasTest, ATtlThatHasJustBeenSetIsWhole) {
  for (uint64_t fraction = 0; fraction < kSecond; fraction += kSecond / 8) {
    SetClock(5000 * kSecond + fraction);
    Set("k", "v", 30);
    EXPECT_EQ(Look().ttl_s, 30U);
  }
  Set("k", "v");
  EXPECT_EQ(Look().ttl_s, Outcome::kForever);
}

TEST_F(ExtrasTest, AReadMayLeaveNoTrace) {
  Set("k", "v");
  Advance(5 * kSecond);
  EXPECT_FALSE(Look().marks.fetched);
  EXPECT_FALSE(Look().marks.fetched);
  EXPECT_EQ(Look().idle_s, 5U);
}

TEST_F(ExtrasTest, WithoutTheValueNothingIsToBeHeld) {
  Set("k", "abc");
  const Outcome outcome = Ask(Verb::kGet, {.asks = Extras::kNoValue});
  EXPECT_EQ(outcome.value.size(), 3U);
  EXPECT_EQ(outcome.item, nullptr);
}

TEST_F(ExtrasTest, AReadMayTouch) {
  Set("k", "v", 10);
  Outcome outcome = Ask(Verb::kGet, {.asks = Extras::kTouch}, {.exptime = 500});
  EXPECT_EQ(outcome.ttl_s, 500U);
  EXPECT_EQ(Count(Counter::kTouchHits), 1U);
  outcome = Ask(Verb::kGet, {.asks = Extras::kTouch}, {.exptime = -1});
  EXPECT_EQ(outcome.status, Status::kHit);
  EXPECT_EQ(Look().status, Status::kMiss);
  EXPECT_EQ(Ask(Verb::kGet, {.asks = Extras::kTouch}, {.exptime = 5}).status, Status::kMiss);
  EXPECT_EQ(Count(Counter::kTouchMisses), 0U) << "as memcached counts";
  EXPECT_EQ(Count(Counter::kGetHits), 0U);
  EXPECT_EQ(Ask(Verb::kGat, {}, {.exptime = 5}).status, Status::kMiss);
  EXPECT_EQ(Count(Counter::kTouchMisses), 1U);
  Set("k", "v");
  Ask(Verb::kGet, {.asks = Extras::kTouch, .spelling = Spelling::kResp}, {.exptime = 5});
  EXPECT_EQ(Count(Counter::kGetHits), 1U) << "as Redis does";
}

TEST_F(ExtrasTest, AMissMayCreateAnEmptyItemAndTheFirstWins) {
  const Extras extras{.asks = Extras::kCreate, .create_exptime = 30};
  Outcome outcome = Ask(Verb::kGet, extras);
  EXPECT_EQ(outcome.status, Status::kHit);
  EXPECT_TRUE(outcome.marks.won);
  EXPECT_FALSE(outcome.marks.won_before);
  EXPECT_EQ(outcome.value, "");
  EXPECT_EQ(outcome.ttl_s, 30U);
  const uint64_t unique = outcome.cas;
  outcome = Ask(Verb::kGet, extras);
  EXPECT_FALSE(outcome.marks.won);
  EXPECT_TRUE(outcome.marks.won_before);
  EXPECT_EQ(outcome.cas, unique);
  Set("k", "v");
  EXPECT_FALSE(Look().marks.won_before);
}

TEST_F(ExtrasTest, ACreatedItemMayHaveAUniqueOfItsAskers) {
  const Outcome outcome =
      Ask(Verb::kGet, {.asks = Extras::kCreate | Extras::kGiveCas, .give_cas = 12345});
  EXPECT_EQ(outcome.cas, 12345U);
  EXPECT_EQ(Unique(), 12345U);
  // Only what is modified is given one.
  Ask(Verb::kGet, {.asks = Extras::kCreate | Extras::kGiveCas, .give_cas = 6});
  EXPECT_EQ(Unique(), 12345U);
}

TEST_F(ExtrasTest, WhatWouldBeExpiredIsNotCreated) {
  EXPECT_EQ(Ask(Verb::kGet, {.asks = Extras::kCreate, .create_exptime = -1}).status, Status::kMiss);
}

TEST_F(ExtrasTest, TheFirstReaderOfAnItemThatExpiresSoonWins) {
  const Extras soon{.asks = Extras::kRecache, .recache_exptime = 30};
  Set("k", "v", 31);
  EXPECT_FALSE(Ask(Verb::kGet, soon).marks.won);
  Advance(kSecond);
  EXPECT_FALSE(Ask(Verb::kGet, soon).marks.won) << "30 s are not less than 30 s";
  Advance(kSecond);
  EXPECT_TRUE(Ask(Verb::kGet, soon).marks.won);
  const Outcome later = Ask(Verb::kGet, soon);
  EXPECT_FALSE(later.marks.won);
  EXPECT_TRUE(later.marks.won_before);
  EXPECT_FALSE(later.marks.stale);
}

TEST_F(ExtrasTest, WhatNeverExpiresIsNeverRecached) {
  Set("k", "v");
  EXPECT_FALSE(Ask(Verb::kGet, {.asks = Extras::kRecache, .recache_exptime = 1000}).marks.won);
  Set("k", "v", 1);
  EXPECT_FALSE(Ask(Verb::kGet, {.asks = Extras::kRecache, .recache_exptime = 0}).marks.won);
}

// --- stale items ---------------------------------------------------------------------------------

TEST_F(ExtrasTest, TheFirstReaderOfAStaleItemWins) {
  Set("k", "v", 100);
  const uint64_t unique = Unique();
  EXPECT_EQ(Ask(Verb::kDelete, {.asks = Extras::kInvalidate}).status, Status::kDeleted);
  Outcome outcome = Ask(Verb::kGet, {});
  EXPECT_EQ(outcome.value, "v");
  EXPECT_TRUE(outcome.marks.stale);
  EXPECT_TRUE(outcome.marks.won);
  EXPECT_FALSE(outcome.marks.won_before);
  EXPECT_NE(outcome.cas, unique);
  EXPECT_EQ(outcome.ttl_s, 100U);
  outcome = Ask(Verb::kGet, {});
  EXPECT_TRUE(outcome.marks.stale);
  EXPECT_FALSE(outcome.marks.won);
  EXPECT_TRUE(outcome.marks.won_before);
  EXPECT_EQ(Get("k"), Status::kHit) << "a classic get takes what there is";
  EXPECT_EQ(Count(Counter::kDeleteHits), 0U);
}

TEST_F(ExtrasTest, InvalidatedAgainSomebodyElseMayWin) {
  Set("k", "v");
  Ask(Verb::kDelete, {.asks = Extras::kInvalidate});
  Ask(Verb::kGet, {});
  Ask(Verb::kDelete, {.asks = Extras::kInvalidate | Extras::kTouch}, {.exptime = 20});
  const Outcome outcome = Ask(Verb::kGet, {});
  EXPECT_TRUE(outcome.marks.won);
  EXPECT_EQ(outcome.ttl_s, 20U);
}

TEST_F(ExtrasTest, AStoredItemIsFresh) {
  Set("k", "v");
  Ask(Verb::kDelete, {.asks = Extras::kInvalidate});
  Ask(Verb::kGet, {});
  Set("k", "w");
  const Outcome outcome = Ask(Verb::kGet, {});
  EXPECT_FALSE(outcome.marks.stale);
  EXPECT_FALSE(outcome.marks.won_before);
  EXPECT_FALSE(outcome.marks.fetched);
}

TEST_F(ExtrasTest, TheOneWhoseUniqueIsOlderStoresAsStale) {
  Set("k", "v", 100);
  const uint64_t unique = Unique();
  Ask(Verb::kDelete, {.asks = Extras::kInvalidate});
  Ask(Verb::kGet, {});
  const Extras older{.asks = Extras::kMatchCas | Extras::kInvalidate, .match_cas = unique};
  EXPECT_EQ(Ask(Verb::kSet, older, {.client_flags = 3, .exptime = 5, .value = "new"}).status,
            Status::kStored);
  const Outcome outcome = Ask(Verb::kGet, {});
  EXPECT_EQ(outcome.value, "new");
  EXPECT_EQ(outcome.client_flags, 3U);
  EXPECT_EQ(outcome.ttl_s, 100U) << "the expiry stays";
  EXPECT_TRUE(outcome.marks.stale);
  EXPECT_TRUE(outcome.marks.won_before);
}

TEST_F(ExtrasTest, ANewerUniqueStoresNothing) {
  Set("k", "v");
  const Extras newer{.asks = Extras::kMatchCas | Extras::kInvalidate, .match_cas = Unique() + 1};
  EXPECT_EQ(Ask(Verb::kSet, newer, {.value = "new"}).status, Status::kExists);
  EXPECT_EQ(Value(), "v");
}

TEST_F(ExtrasTest, MarksStayThroughATouchThatMovesTheItem) {
  Set("k", "v");  // no room for an expiry
  Ask(Verb::kDelete, {.asks = Extras::kInvalidate});
  Ask(Verb::kGet, {});
  Advance(9 * kSecond);
  Do({.verb = Verb::kTouch, .exptime = 100, .key = "k"});
  const Outcome outcome = Look();
  EXPECT_TRUE(outcome.marks.stale);
  EXPECT_TRUE(outcome.marks.won_before);
  EXPECT_TRUE(outcome.marks.fetched);
  EXPECT_EQ(outcome.idle_s, 9U);
}

TEST_F(ExtrasTest, ANumberThatChangesStaysStale) {
  for (const std::string value : {"5", "9"}) {  // in place, and longer
    Set("k", value);
    Ask(Verb::kDelete, {.asks = Extras::kInvalidate});
    Ask(Verb::kIncr, {}, {.number = 1});
    EXPECT_TRUE(Look().marks.stale);
  }
}

// --- CAS uniques ---------------------------------------------------------------------------------

TEST_F(ExtrasTest, EveryWriteMayNameTheUniqueThatItReplaces) {
  for (const Verb verb : {Verb::kSet, Verb::kAdd, Verb::kReplace, Verb::kAppend, Verb::kPrepend,
                          Verb::kIncr, Verb::kDecr, Verb::kDelete}) {
    SCOPED_TRACE(VerbText(verb));
    Set("k", "10");
    const uint64_t unique = Unique();
    const Command command{.number = 1, .value = "20"};
    const Extras other{.asks = Extras::kMatchCas, .match_cas = unique + 1};
    EXPECT_EQ(Ask(verb, other, command).status, Status::kExists);
    EXPECT_EQ(Value(), "10");
    EXPECT_EQ(Unique(), unique);
    const Extras same{.asks = Extras::kMatchCas, .match_cas = unique};
    const Status status = Ask(verb, same, command).status;
    EXPECT_TRUE(status == Status::kStored || status == Status::kNumber ||
                status == Status::kDeleted);
    EXPECT_NE(Unique(), unique);
  }
}

TEST_F(ExtrasTest, NoItemHasNoUnique) {
  const Extras extras{.asks = Extras::kMatchCas, .match_cas = 1};
  EXPECT_EQ(Ask(Verb::kSet, extras).status, Status::kNotFound);
  EXPECT_EQ(Ask(Verb::kAdd, extras).status, Status::kNotFound);
  EXPECT_EQ(Ask(Verb::kReplace, extras).status, Status::kNotFound);
  EXPECT_EQ(Ask(Verb::kAppend, extras).status, Status::kNotStored);
  EXPECT_EQ(Ask(Verb::kPrepend, extras).status, Status::kNotStored);
  EXPECT_EQ(Ask(Verb::kIncr, extras).status, Status::kNotFound);
  EXPECT_EQ(Ask(Verb::kDecr, extras).status, Status::kNotFound);
  EXPECT_EQ(Ask(Verb::kDelete, extras).status, Status::kNotFound);
  EXPECT_EQ(Count(Counter::kCasMisses), 3U);
}

TEST_F(ExtrasTest, EveryWriteMayNameItsUnique) {
  uint64_t unique = 1'000'000;
  for (const Verb verb : {Verb::kSet, Verb::kReplace, Verb::kAppend, Verb::kPrepend, Verb::kIncr,
                          Verb::kDecr, Verb::kCas}) {
    SCOPED_TRACE(VerbText(verb));
    Set("k", "10");
    const uint64_t before = Unique();
    const Outcome outcome = Ask(verb, {.asks = Extras::kGiveCas, .give_cas = ++unique},
                                {.number = verb == Verb::kCas ? before : 1, .value = "1"});
    EXPECT_EQ(outcome.cas, unique);
    EXPECT_EQ(Unique(), unique);
  }
  Ask(Verb::kDelete, {.asks = Extras::kInvalidate | Extras::kGiveCas, .give_cas = 99});
  EXPECT_EQ(Unique(), 99U);
  // Others go on from where they were.
  Set("k", "v");
  EXPECT_LT(Unique(), 1'000'000U);
}

// --- writes that create, and deletes that do not -------------------------------------------------

TEST_F(ExtrasTest, AppendAndPrependMayCreate) {
  const Extras extras{.asks = Extras::kCreate, .create_exptime = 60};
  for (const Verb verb : {Verb::kAppend, Verb::kPrepend}) {
    const Command command{.client_flags = 5, .exptime = 9, .value = "ab"};
    Outcome outcome = Ask(verb, extras, command);
    EXPECT_EQ(outcome.status, Status::kStored);
    EXPECT_EQ(outcome.number, 2U);
    EXPECT_EQ(Look().ttl_s, 60U);
    EXPECT_EQ(Look().client_flags, 5U);
    outcome = Ask(verb, extras, command);
    EXPECT_EQ(outcome.number, 4U);
    EXPECT_EQ(Value(), "abab");
    Do({.verb = Verb::kDelete, .key = "k"});
  }
}

TEST_F(ExtrasTest, NumbersMayBeCreated) {
  const Extras extras{.asks = Extras::kCreate, .initial = 13, .create_exptime = 60};
  Outcome outcome = Ask(Verb::kIncr, extras, {.number = 5});
  EXPECT_EQ(outcome.status, Status::kNumber);
  EXPECT_EQ(outcome.number, 13U);
  EXPECT_EQ(outcome.ttl_s, 60U);
  EXPECT_EQ(outcome.cas, Unique());
  EXPECT_EQ(Value(), "13");
  outcome = Ask(Verb::kIncr, extras, {.number = 5});
  EXPECT_EQ(outcome.number, 18U);
  outcome = Ask(Verb::kDecr, {.asks = Extras::kTouch}, {.exptime = 7, .number = 20});
  EXPECT_EQ(outcome.number, 0U);
  EXPECT_EQ(outcome.ttl_s, 7U);
  const Extras gone{.asks = Extras::kCreate, .initial = 3, .create_exptime = -1};
  EXPECT_EQ(Ask(Verb::kDecr, gone, {.key = "other"}).number, 3U);
  EXPECT_EQ(Get("other"), Status::kMiss);
}

TEST_F(ExtrasTest, ADeleteMayLeaveTheItemWithoutItsValue) {
  Do({.verb = Verb::kSet, .client_flags = 7, .exptime = 100, .key = "k", .value = "abc"});
  const uint64_t unique = Unique();
  EXPECT_EQ(Ask(Verb::kDelete, {.asks = Extras::kDropValue}).status, Status::kDeleted);
  Outcome outcome = Look();
  EXPECT_EQ(outcome.status, Status::kHit);
  EXPECT_EQ(outcome.value, "");
  EXPECT_EQ(outcome.client_flags, 0U);
  EXPECT_EQ(outcome.cas, unique);
  EXPECT_EQ(outcome.ttl_s, 100U);
  EXPECT_FALSE(outcome.marks.stale);
  Ask(Verb::kDelete, {.asks = Extras::kDropValue | Extras::kInvalidate | Extras::kTouch},
      {.exptime = 30});
  outcome = Look();
  EXPECT_TRUE(outcome.marks.stale);
  EXPECT_NE(outcome.cas, unique);
  EXPECT_EQ(outcome.ttl_s, 30U);
}

TEST_F(ExtrasTest, AnExpiryThatHasPassedEndsTheItem) {
  for (const uint16_t asks : {Extras::kInvalidate, Extras::kDropValue}) {
    Set("k", "v");
    Ask(Verb::kDelete, {.asks = static_cast<uint16_t>(asks | Extras::kTouch)}, {.exptime = -1});
    EXPECT_EQ(Look().status, Status::kMiss);
  }
}

TEST_F(ExtrasTest, DescribeTellsWhatMemcachedTells) {
  EXPECT_EQ(Do({.verb = Verb::kDescribe, .key = "foo"}).status, Status::kMiss);
  Set("foo", "hi", 50);
  Advance(4 * kSecond);
  const Outcome outcome = Do({.verb = Verb::kDescribe, .key = "foo"});
  EXPECT_EQ(outcome.status, Status::kHit);
  EXPECT_EQ(outcome.number, 64U);
  EXPECT_EQ(outcome.size_class, 1U);
  EXPECT_EQ(outcome.ttl_s, 46U);
  EXPECT_EQ(outcome.idle_s, 4U);
  EXPECT_FALSE(outcome.marks.fetched);
  EXPECT_EQ(Count(Counter::kCmdMeta), 2U);
  EXPECT_EQ(Count(Counter::kCmdGet), 0U);
}

}  // namespace
}  // namespace larder::engine
