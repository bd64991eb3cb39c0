// Goal: the simulator's RESP clients do all that they are for, and what they look for they find.
// Method: some seeds, whose counters are added up; and a server that forgets to keep order.
#include <gtest/gtest.h>

#include <string>

#include "sim_server.h"
#include "simulation.h"

namespace larder::sim {
namespace {

TEST(SimulatedResp, EverythingHappens) {
  RespTally tally;
  uint64_t orders_begun = 0;
  uint64_t orders_ended = 0;
  for (uint64_t seed = 7000; seed < 7006; ++seed) {
    const SimReport report = Simulation({.seed = seed, .cores = 3, .clients = 6}).Run();
    tally.Add(report.resp);
    orders_begun += report.orders_begun;
    orders_ended += report.orders_ended;
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
  EXPECT_GT(orders_begun, 0U);
  EXPECT_GT(orders_ended, 0U);
}

int CoresInOrder(SimServer& server) {
  int cores = 0;
  for (const auto& worker : server.workers()) cores += worker->keeper().keeps_order() ? 1 : 0;
  return cores;
}

// Once a client had written over several cores, all kept order for ever.
TEST(RespOrder, EndsSomeSecondsAfterTheLastWhoNeedsIt) {
  SimServer server(3);
  const std::string first = server.KeyOf(1);
  const std::string second = server.KeyOf(2);
  const std::string mset = RespOf({"MSET", first, "1", second, "2"});
  const std::string reads = RespOf({"GET", first}) + RespOf({"GET", second});
  const auto client = server.Connect();
  EXPECT_EQ(CoresInOrder(server), 0);
  for (int round = 0; round < 3; ++round) {
    SCOPED_TRACE(round);
    ASSERT_EQ(server.Ask(*client, mset), "+OK\r\n");
    EXPECT_EQ(CoresInOrder(server), 3);
    EXPECT_EQ(server.Ask(*client, reads), "$1\r\n1\r\n$1\r\n2\r\n");
    // A turn is a millisecond; reading needs no order.
    for (int i = 0; i < 10; ++i) {
      EXPECT_EQ(server.Ask(*client, reads), "$1\r\n1\r\n$1\r\n2\r\n");
    }
    EXPECT_EQ(CoresInOrder(server), 0);
  }
}

TEST(RespOrder, LastsAsLongAsATransactionThatNeedsIt) {
  SimServer server(3);
  const auto writer = server.Connect();
  const auto other = server.Connect();
  const std::string mset = RespOf({"MSET", server.KeyOf(1), "1", server.KeyOf(2), "2"});
  ASSERT_EQ(server.Ask(*writer, mset), "+OK\r\n");
  writer->Write(mset);
  // The last core does not answer for a long time.
  for (int turn = 0; turn < 10'000; ++turn) {
    for (uint32_t core = 0; core < 2; ++core) server.workers()[core]->RunTurn(0);
    server.Wait(1'000'000);
  }
  EXPECT_EQ(writer->readable(), 0U);
  EXPECT_EQ(CoresInOrder(server), 3);
  server.Run();
  EXPECT_EQ(writer->Read(SIZE_MAX), "+OK\r\n");
  EXPECT_EQ(server.Ask(*other, mset), "+OK\r\n");
}

// Without that order, a pipeline of reads may see the first key after a transaction and the second
// one before it: what looks for this is not blind.
TEST(SimulatedResp, ForgottenOrderIsFound) {
  const auto run = [] {
    for (uint64_t seed = 1; seed < 200; ++seed) {
      (void)Simulation({.seed = seed, .cores = 4, .clients = 8, .forget_order = true}).Run();
    }
  };
  EXPECT_EXIT(run(), testing::ExitedWithCode(1),
              "an older (pair|sum) comes after a newer one|a pair is gone");
}

}  // namespace
}  // namespace larder::sim
