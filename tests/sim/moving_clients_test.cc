// Goal: a client that moves to another core notices nothing, whatever it has said and however it
// speaks, and moves only where it is better off. Method: conversations on simulated loops whose
// sockets say on which core their packets arrive.
#include <gtest/gtest.h>

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "server/placement.h"
#include "sim_server.h"

namespace larder::sim {
namespace {

using server::Placement;
using stats::Counter;

class MovingClients : public testing::Test {
 protected:
  MovingClients() {
    server_.cluster().homes.of = [this](int) { return home_; };
    // Each core asks once a second.
    server_.cluster().homes.busy_ns = [this](uint32_t core) {
      return cpu_ns_[core] += used_ns_[core];
    };
  }
  // Some seconds in which the client talks.
  void Talk(SimSocket& client, int seconds = 4) {
    for (int i = 0; i < 2 * seconds; ++i) {
      EXPECT_EQ(server_.Ask(client, "mn\r\n"), "MN\r\n");
    }
  }
  uint64_t ClientsOf(uint32_t core) {
    return server_.workers()[core]->counters().Get(Counter::kCurrConnections);
  }
  uint64_t Moved() { return server_.Count(Counter::kClientsMoved); }

  SimServer server_{2, {.memory_bytes_max = 32 << 20}};
  std::optional<uint32_t> home_ = 0;
  std::array<uint64_t, 2> used_ns_ = {};  // of the core, in a second
  std::array<uint64_t, 2> cpu_ns_ = {};
};

TEST_F(MovingClients, GoWhereTheirPacketsArrive) {
  const auto client = server_.Connect();
  Talk(*client);
  EXPECT_EQ(Moved(), 0U);
  home_ = 1;
  Talk(*client);
  EXPECT_EQ(Moved(), 1U);
  EXPECT_EQ(ClientsOf(0), 0U);
  EXPECT_EQ(ClientsOf(1), 1U);
  EXPECT_EQ(server_.cluster().connections.load(), 1U);
  home_ = std::nullopt;
  Talk(*client);
  EXPECT_EQ(Moved(), 1U);
  home_ = 0;
  Talk(*client);
  EXPECT_EQ(Moved(), 2U);
  EXPECT_EQ(ClientsOf(0), 1U);
  client->FinishWriting();
  server_.Run();
  EXPECT_TRUE(client->at_end());
  EXPECT_EQ(server_.cluster().connections.load(), 0U);
}

TEST_F(MovingClients, WhoIsSilentStays) {
  const auto client = server_.Connect();
  EXPECT_EQ(server_.Ask(*client, "mn\r\n"), "MN\r\n");
  for (int i = 0; i < 8; ++i) server_.Run();
  home_ = 1;
  for (int i = 0; i < 8; ++i) server_.Run();
  EXPECT_EQ(Moved(), 0U);
}

// What is said on the way, cut anywhere, is answered once and in order.
TEST_F(MovingClients, LoseNothingOnTheWay) {
  const auto client = server_.Connect();
  std::string expected;
  std::string answer;
  int number = 0;
  std::string words;
  for (int turn = 0; turn < 40'000; ++turn) {
    if (turn % 4000 == 0) home_ = 1 - *home_;
    if (words.empty()) {
      const std::string text = std::to_string(++number);
      words = "set k" + text + " 0 0 " + std::to_string(text.size()) + "\r\n" + text + "\r\nget k" +
              text + "\r\n";
      expected += "STORED\r\nVALUE k" + text + " 0 " + std::to_string(text.size()) + "\r\n" + text +
                  "\r\nEND\r\n";
    }
    const size_t piece = 1 + static_cast<size_t>(turn % 7);
    client->Write(std::string_view(words).substr(0, piece));
    words.erase(0, piece);
    server_.RunOnce();
    answer += client->Read(SIZE_MAX);
  }
  server_.Ask(*client, words);
  EXPECT_GT(Moved(), 3U);
  EXPECT_TRUE(expected.starts_with(answer));
  EXPECT_GT(answer.size(), expected.size() * 9 / 10);
}

TEST_F(MovingClients, KeepWhatTheyHaveChosen) {
  const auto client = server_.Connect();
  const auto ask = [&](const std::string& words) { return server_.Ask(*client, words); };
  EXPECT_EQ(ask("*2\r\n$6\r\nSELECT\r\n$1\r\n3\r\n"), "+OK\r\n");
  EXPECT_EQ(ask("*3\r\n$6\r\nCLIENT\r\n$7\r\nSETNAME\r\n$3\r\nbob\r\n"), "+OK\r\n");
  const std::string id = ask("*2\r\n$6\r\nCLIENT\r\n$2\r\nID\r\n");
  EXPECT_EQ(ask("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\nv\r\n"), "+OK\r\n");
  home_ = 1;
  for (int i = 0; i < 8; ++i) EXPECT_EQ(ask("*1\r\n$4\r\nPING\r\n"), "+PONG\r\n");
  EXPECT_EQ(Moved(), 1U);
  EXPECT_EQ(ask("*2\r\n$3\r\nGET\r\n$1\r\nk\r\n"), "$1\r\nv\r\n");
  EXPECT_EQ(ask("*2\r\n$6\r\nCLIENT\r\n$7\r\nGETNAME\r\n"), "$3\r\nbob\r\n");
  EXPECT_EQ(ask("*2\r\n$6\r\nCLIENT\r\n$2\r\nID\r\n"), id);
  // Who watches keys, or has begun to queue, stays until that is over.
  EXPECT_EQ(ask("*2\r\n$5\r\nWATCH\r\n$1\r\nk\r\n"), "+OK\r\n");
  home_ = 0;
  for (int i = 0; i < 8; ++i) EXPECT_EQ(ask("*1\r\n$4\r\nPING\r\n"), "+PONG\r\n");
  EXPECT_EQ(Moved(), 1U);
  EXPECT_EQ(ask("*1\r\n$7\r\nUNWATCH\r\n"), "+OK\r\n");
  for (int i = 0; i < 8; ++i) EXPECT_EQ(ask("*1\r\n$4\r\nPING\r\n"), "+PONG\r\n");
  EXPECT_EQ(Moved(), 2U);
}

TEST_F(MovingClients, LeaveAFullCoreAndSettle) {
  std::vector<std::shared_ptr<SimSocket>> clients;
  for (int i = 0; i < 4; ++i) clients.push_back(server_.Connect());
  const auto all_talk = [&](int seconds) {
    for (int i = 0; i < 2 * seconds; ++i) {
      for (const auto& client : clients) client->Write("mn\r\n");
      server_.Run();
      for (const auto& client : clients) EXPECT_EQ(client->Read(SIZE_MAX), "MN\r\n");
    }
  };
  all_talk(3);
  EXPECT_EQ(Moved(), 0U);
  // All packets arrive on a core that has no time left. One after the other goes; the last stays.
  used_ns_ = {990'000'000, 100'000'000};
  all_talk(2);
  EXPECT_GT(ClientsOf(0), 1U);
  all_talk(6);
  EXPECT_EQ(ClientsOf(0), 1U);
  EXPECT_EQ(ClientsOf(1), 3U);
  // They do not go back as soon as there is time.
  used_ns_ = {100'000'000, 100'000'000};
  all_talk(10);
  EXPECT_EQ(ClientsOf(1), 3U);
  all_talk(60);
  EXPECT_EQ(ClientsOf(0), 4U);
  // Nobody goes to a core that has no time, and nobody leaves one where others have little more.
  home_ = 1;
  used_ns_ = {800'000'000, 950'000'000};
  all_talk(6);
  EXPECT_EQ(ClientsOf(0), 4U);
}

// However full its core is: it would fill any other, too.
TEST_F(MovingClients, TheOnlyOneThatTalksStays) {
  const auto client = server_.Connect();
  const auto silent = server_.Connect();
  Talk(*client);
  used_ns_ = {990'000'000, 100'000'000};
  Talk(*client, 8);
  EXPECT_EQ(Moved(), 0U);
  EXPECT_EQ(ClientsOf(0), 2U);
}

// Many that belong elsewhere do not go all at once.
TEST_F(MovingClients, GoByAndBy) {
  std::vector<std::shared_ptr<SimSocket>> clients;
  for (int i = 0; i < 24; ++i) clients.push_back(server_.Connect());
  home_ = 1;
  uint64_t before = 0;
  for (int second = 0; second < 20; ++second) {
    for (int half = 0; half < 2; ++half) {
      for (const auto& client : clients) client->Write("mn\r\n");
      server_.Run();
      for (const auto& client : clients) EXPECT_EQ(client->Read(SIZE_MAX), "MN\r\n");
    }
    EXPECT_LE(Moved() - before, 4U);
    before = Moved();
  }
  EXPECT_EQ(ClientsOf(1), 24U);
}

}  // namespace
}  // namespace larder::sim
