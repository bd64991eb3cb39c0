// Goal: a read of a longer value than allowed says how long it is, and has not happened otherwise.
#include <gtest/gtest.h>

#include "engine_fixture.h"

namespace larder::engine {
namespace {

using stats::Counter;

class DeferredTest : public EngineTest {
 protected:
  Outcome Read(Verb verb, uint64_t value_bytes_max, int64_t exptime = 0) {
    const Command command = {.verb = verb, .exptime = exptime, .hash = hash_("k"), .key = "k"};
    return Execute({*shard_, *counters_, value_bytes_max}, command);
  }
};

TEST_F(DeferredTest, NothingIsDoneAndNothingCounted) {
  Set("k", "12345");
  for (const Verb verb : {Verb::kGet, Verb::kGets, Verb::kGat, Verb::kGats}) {
    const Outcome outcome = Read(verb, 4, -1);
    EXPECT_EQ(outcome.progress, Progress::kDeferred);
    EXPECT_EQ(outcome.number, 5U);
  }
  for (const Counter counter : {Counter::kCmdGet, Counter::kGetHits, Counter::kGetMisses,
                                Counter::kCmdTouch, Counter::kTouchHits}) {
    EXPECT_EQ(Count(counter), 0U);
  }
  EXPECT_EQ(ValueOf("k"), "12345") << "a deferred gat does not touch";
}

TEST_F(DeferredTest, AValueAsLongAsAllowedIsRead) {
  Set("k", "12345");
  const Outcome outcome = Read(Verb::kGet, 5);
  EXPECT_EQ(outcome.progress, Progress::kDone);
  EXPECT_EQ(outcome.value, "12345");
  EXPECT_EQ(outcome.item->Key(), "k");
}

TEST_F(DeferredTest, AMissIsAMiss) {
  EXPECT_EQ(Read(Verb::kGet, 0).status, Status::kMiss);
  EXPECT_EQ(Count(Counter::kCmdGet), 1U);
}

}  // namespace
}  // namespace larder::engine
