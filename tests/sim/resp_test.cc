// Goal: the simulator's RESP clients do all that they are for, and what they look for they find.
// Method: some seeds, whose counters are added up; and a server that forgets to keep order.
#include <gtest/gtest.h>

#include "simulation.h"

namespace larder::sim {
namespace {

TEST(SimulatedResp, EverythingHappens) {
  RespTally tally;
  for (uint64_t seed = 7000; seed < 7006; ++seed) {
    tally.Add(Simulation({.seed = seed, .cores = 3, .clients = 6}).Run().resp);
  }
  EXPECT_GT(tally.replies, 0U);
  EXPECT_GT(tally.set_many, 0U);
  EXPECT_GT(tally.renames, 0U);
  EXPECT_GT(tally.execs, 0U);
  EXPECT_GT(tally.aborts, 0U);
  EXPECT_GT(tally.read_together, 0U);
  EXPECT_GT(tally.read_in_order, 0U);
  EXPECT_GT(tally.sums, 0U);
  EXPECT_GT(tally.swaps, 0U);
  EXPECT_GT(tally.swaps_lost, 0U);
}

// Without that order, a pipeline of reads may see the first key after a transaction and the second
// one before it: what looks for this is not blind.
TEST(SimulatedResp, ForgottenOrderIsFound) {
  const auto run = [] {
    for (uint64_t seed = 1; seed < 200; ++seed) {
      (void)Simulation({.seed = seed, .cores = 4, .clients = 8, .forget_order = true}).Run();
    }
  };
  EXPECT_EXIT(run(), testing::ExitedWithCode(1), "an older (pair|sum) comes after a newer one");
}

}  // namespace
}  // namespace larder::sim
