// Goal: what the simulator has found does not come back. Each test is the shortest conversation
// that showed it.
// Method: a server of some cores on simulated loops, and clients that say fixed words.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "sim_server.h"

namespace larder::sim {
namespace {

// The request for a page of the list took the size of its key from the message that had been in
// the same place of the ring before, and died.
TEST(Regressions, StatsConnsAfterCommandsToEveryCore) {
  SimServer server(3);
  const auto client = server.Connect();
  std::string gets;
  for (int i = 0; i < 1500; ++i) gets += "get a_key_with_a_name" + std::to_string(i) + "\r\n";
  server.Ask(*client, gets);
  const std::string list = server.Ask(*client, "stats conns\r\n");
  EXPECT_TRUE(list.starts_with("STAT ")) << list;
  EXPECT_TRUE(list.ends_with("\r\nEND\r\n")) << list;
}

// A rejected line that names a key was taken for a refused value, and the key's value erased.
TEST(Regressions, ARejectedLineLeavesTheValueOfItsKey) {
  SimServer server(2);
  const auto client = server.Connect();
  for (const std::string key : {"k1", "k2", "k3", "k4"}) {
    SCOPED_TRACE(key);
    server.Ask(*client, "set " + key + " 0 0 1\r\n5\r\n");
    EXPECT_EQ(server.Ask(*client, "incr " + key + " x\r\n"),
              "CLIENT_ERROR invalid numeric delta argument\r\n");
    EXPECT_EQ(server.Ask(*client, "touch " + key + " x\r\n"),
              "CLIENT_ERROR invalid exptime argument\r\n");
    EXPECT_EQ(server.Ask(*client, "set " + key + " 0 0 1\r\nxyz"),
              "CLIENT_ERROR bad data chunk\r\n");
    EXPECT_EQ(server.Ask(*client, "get " + key + "\r\n"), "VALUE " + key + " 0 1\r\n5\r\nEND\r\n");
  }
}

TEST(Regressions, AValueOverTheLimitRemovesTheOldOne) {
  SimServer server(2);
  const auto client = server.Connect();
  for (const std::string key : {"k1", "k2", "k3", "k4"}) {
    server.Ask(*client, "set " + key + " 0 0 1\r\n5\r\n");
    EXPECT_EQ(server.Ask(*client, "set " + key + " 0 0 1048577\r\n" + std::string(1048577, 'x') +
                                      "\r\nget " + key + "\r\n"),
              "SERVER_ERROR object too large for cache\r\nEND\r\n");
  }
}

// It was answered ERROR.
TEST(Regressions, QuitIsSilent) {
  SimServer server(1);
  const auto client = server.Connect();
  EXPECT_EQ(server.Ask(*client, "quit\r\nget x\r\n"), "");
  EXPECT_TRUE(client->at_end());
  EXPECT_FALSE(client->reset_by_server());
}

// The key of a verb of all cores is empty, and memcpy does not like an empty view.
TEST(Regressions, FlushOverAllCores) {
  SimServer server(4);
  const auto client = server.Connect();
  server.Ask(*client, "set a 0 0 1\r\n1\r\nset b 0 0 1\r\n2\r\nset c 0 0 1\r\n3\r\n");
  EXPECT_EQ(server.Ask(*client, "flush_all\r\nget a b c\r\nset a 0 0 1\r\n1\r\nget a\r\n"),
            "OK\r\nEND\r\nSTORED\r\nVALUE a 0 1\r\n1\r\nEND\r\n");
}

// A connection that is cut off between turns is in the list of the next one, and was destroyed by
// the last reply to it while it was there.
TEST(Regressions, CutOffWhileRepliesAreOnTheirWay) {
  for (int turns = 1; turns < 40; ++turns) {
    SCOPED_TRACE(turns);
    SimServer server(3);
    const auto client = server.Connect();
    std::string gets;
    for (int i = 0; i < 100; ++i) gets += "get key" + std::to_string(i) + "\r\n";
    client->Write(gets);
    for (int i = 0; i < turns; ++i) server.RunOnce();
    // Twice: the client may be accepted late.
    for (int i = 0; i < 2; ++i) {
      for (const auto& worker : server.workers()) worker->CloseAll();
      server.Run();
    }
    for (const auto& worker : server.workers()) EXPECT_FALSE(worker->HasConnections());
  }
}

std::string HitOf(const std::string& key, const std::string& value) {
  return "VALUE " + key + " 0 " + std::to_string(value.size()) + "\r\n" + value + "\r\nEND\r\n";
}

// Replies of other cores were sent whether or not there was room for them: a crowd that did not
// read cost as much memory as it asked for.
TEST(Regressions, WhatFindsNoRoomIsLentAndKeepsItsPlace) {
  // Room for three replies that are copied.
  SimServer server(2, {.memory_bytes_max = 1 << 20, .buffer_pool_bytes_min = 0});
  const std::string old_value(30'000, 'o');
  const std::string here = server.KeyOf(0);
  const std::string there = server.KeyOf(1);
  const auto reader = server.Connect();
  server.Ask(*reader, SetOf(here, old_value) + SetOf(there, old_value));
  std::vector<std::shared_ptr<SimSocket>> deaf;
  for (int i = 0; i < 20; ++i) {
    deaf.push_back(server.Connect());
    deaf.back()->SetWindow(0);
    deaf.back()->Write("get " + (i % 2 == 0 ? here : there) + "\r\n");
    server.Run();
  }
  EXPECT_GE(server.workers()[0]->held().lent, 10 * old_value.size());
  EXPECT_LE(server.workers()[0]->held().output, (128U << 10) + 20 * 4096);
  EXPECT_TRUE(server.Ask(*reader, "get " + there + "\r\n" + SetOf(there, "new") + "get " + there +
                                      "\r\nget " + here + "\r\n") ==
              HitOf(there, old_value) + "STORED\r\n" + HitOf(there, "new") +
                  HitOf(here, old_value));
  // What was lent stays as it was.
  for (size_t i = 0; i < deaf.size(); ++i) {
    deaf[i]->SetWindow(1 << 20);
    server.Run();
    EXPECT_TRUE(deaf[i]->Read(SIZE_MAX) == HitOf(i % 2 == 0 ? here : there, old_value));
  }
  server.Run();
  EXPECT_EQ(server.workers()[0]->held().lent, 0U);
}

// A value that is being sent cannot be evicted. Whoever does not take it gives way.
TEST(Regressions, AClientThatTakesNothingDoesNotKeepOthersFromStoring) {
  SimServer server(1, {.memory_bytes_max = 2 << 20});
  const auto writer = server.Connect();
  const auto store = [&](const std::string& key) {
    return server.Ask(*writer, SetOf(key, std::string(800'000, 'v')));
  };
  const auto deaf = server.Connect();
  deaf->SetWindow(0);
  ASSERT_EQ(store("a"), "STORED\r\n");
  deaf->Write("get a\r\n");
  server.Run();
  ASSERT_EQ(store("b"), "SERVER_ERROR out of memory storing object\r\n");
  std::string answer;
  for (int i = 0; i < 30 && answer != "STORED\r\n"; ++i) answer = store("b");
  EXPECT_EQ(answer, "STORED\r\n");
  EXPECT_TRUE(deaf->closed());
  EXPECT_EQ(server.Count(stats::Counter::kDeafClosed), 1U);
}

// CLIENT REPLY SKIP was forgotten by a request that was refused while its value was on its way: it
// was answered, and the one behind it was not.
TEST(Regressions, ARequestThatIsRefusedHalfwayIsTheOneToSkip) {
  SimServer server(1, {.memory_bytes_max = 8 << 20, .buffer_pool_bytes_min = 0});
  const std::string half = "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1000000\r\n" + std::string(900'000, 'v');
  const auto client = server.Connect();
  EXPECT_EQ(server.Ask(*client, "*3\r\n$6\r\nCLIENT\r\n$5\r\nREPLY\r\n$4\r\nSKIP\r\n" + half), "");
  // Others want the room, and for some seconds nothing comes of the value.
  std::vector<std::shared_ptr<SimSocket>> others;
  for (int i = 0; i < 5; ++i) {
    others.push_back(server.Connect());
    others.back()->Write(half);
  }
  for (int i = 0; i < 10; ++i) server.Run();
  const std::string answer =
      server.Ask(*client, std::string(100'000, 'v') +
                              "\r\n*2\r\n$3\r\nGET\r\n$1\r\nk\r\n*1\r\n$4\r\nPING\r\n");
  EXPECT_EQ(answer.substr(0, 100), "$-1\r\n+PONG\r\n");
}

// Commands that waited for the keys of a transaction filled the mailbox, and the transaction could
// not say any more that it was done with the keys.
TEST(Regressions, AFullMailboxDoesNotKeepATransactionFromItsEnd) {
  SimServer server(3);
  const std::string key = server.KeyOf(1);
  const std::string mset = RespOf({"MSET", key, "1", server.KeyOf(2), "2"});
  const auto writer = server.Connect();
  std::vector<std::shared_ptr<SimSocket>> readers;
  for (int i = 0; i < 8; ++i) readers.push_back(server.Connect());
  ASSERT_EQ(server.Ask(*writer, mset), "+OK\r\n");
  std::string gets = "get";
  std::string values;
  for (int i = 0; i < 100; ++i) {
    gets += " " + key;
    values += "VALUE " + key + " 0 1\r\n1\r\n";
  }
  // The last core does not answer yet: the first one keeps its key.
  const auto run_two = [&] {
    for (int turn = 0; turn < 100; ++turn) {
      for (uint32_t core = 0; core < 2; ++core) server.workers()[core]->RunTurn(0);
    }
  };
  writer->Write(mset);
  run_two();
  EXPECT_FALSE(server.workers()[1]->keeper().empty());
  for (const auto& reader : readers) reader->Write(gets + "\r\n");
  run_two();
  server.Run();
  EXPECT_EQ(writer->Read(SIZE_MAX), "+OK\r\n");
  for (const auto& reader : readers) EXPECT_EQ(reader->Read(SIZE_MAX), values + "END\r\n");
}

// A gat whose new expiry found no room answered an error in the middle of its list, and the values
// behind it were taken for replies to other commands.
TEST(Regressions, AGatThatFindsNoRoomMisses) {
  SimServer server(1, {.memory_bytes_max = 1 << 20});
  const auto client = server.Connect();
  ASSERT_EQ(server.Ask(*client, SetOf("a", "1") + SetOf("b", "2")), "STORED\r\nSTORED\r\n");
  server.workers()[0]->shard().SetMemoryBytesMax(1);
  const std::string values = server.Ask(*client, "gat 100 a b\r\n");
  EXPECT_TRUE(values == "END\r\n" || values == HitOf("b", "2")) << values;
}

// Who says nothing for the idle timeout is closed, and counted.
TEST(Regressions, AnIdleClientIsKickedAndCounted) {
  SimServer server(1);
  server.cluster().idle_timeout_s = 2;
  const auto idle = server.Connect();
  EXPECT_EQ(server.Ask(*idle, "mn\r\n"), "MN\r\n");
  for (int i = 0; i < 20 && !idle->at_end(); ++i) server.Run();
  EXPECT_TRUE(idle->at_end());
  EXPECT_EQ(server.Count(stats::Counter::kIdleKicks), 1U);
}

}  // namespace
}  // namespace larder::sim
