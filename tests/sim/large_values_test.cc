// Goal: a value that is received into its item is the same to every client as one that is not.
// Method: the same conversation about a key of the core that the client is on, and about one of the
// other core, whose values take the other way: in pieces of every kind, in each protocol, with
// mistakes, hang-ups and everything else in between. What is answered must be equal.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "sim_server.h"
#include "util/prng.h"

namespace larder::sim {
namespace {

using stats::Counter;

constexpr size_t kValueBytes = 150'000;

std::string Replaced(std::string text, const std::string& from, const std::string& to) {
  for (size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) {
    text.replace(at, from.size(), to);
  }
  return text;
}

class LargeValues : public testing::Test {
 protected:
  // Sends `bytes` in pieces of at most `piece`, a turn each; everything that is answered.
  std::string Say(SimSocket& client, std::string_view bytes, size_t piece) {
    std::string answer;
    while (!bytes.empty()) {
      client.Write(bytes.substr(0, piece));
      bytes.remove_prefix(std::min(piece, bytes.size()));
      for (int turn = 0; turn < 3; ++turn) server_.RunOnce();
      answer += client.Read(SIZE_MAX);
    }
    server_.Run();
    return answer + client.Read(SIZE_MAX);
  }
  // The same words, "KEY" being a key of one core and of the other; the answers, which are equal.
  std::string SayBoth(const std::string& words, size_t piece) {
    std::string answers[2];
    for (const uint32_t core : {0U, 1U}) {
      const std::string key = server_.KeyOf(core, "key");
      const auto client = server_.Connect();
      answers[core] = Replaced(Say(*client, Replaced(words, "KEY", key), piece), key, "KEY");
    }
    EXPECT_TRUE(answers[0] == answers[1]) << answers[0].substr(0, 200) << "\n and \n"
                                          << answers[1].substr(0, 200);
    return answers[0];
  }
  uint64_t InPlace() { return server_.Count(Counter::kValuesInPlace); }
  uint64_t HeldByDrafts() {
    return server_.workers()[0]->shard().heap().BytesInUse() -
           server_.workers()[0]->shard().heap().LiveBytes();
  }

  SimServer server_{2, {.memory_bytes_max = 32 << 20}};
  const std::string value_ = std::string(kValueBytes - 3, 'v') + "end";
};

TEST_F(LargeValues, OfEveryVerbAndPiece) {
  const std::string size = std::to_string(kValueBytes);
  for (const size_t piece : {1000UL, 1448UL, 8192UL, 40'000UL, 149'999UL, 150'001UL, 1'000'000UL}) {
    SCOPED_TRACE(piece);
    const uint64_t before = InPlace();
    const std::string answer =
        SayBoth("set KEY 5 0 " + size + "\r\n" + value_ + "\r\n" + "get KEY\r\n" + "add KEY 0 0 " +
                    size + "\r\n" + value_ + "\r\n" + "replace KEY 0 100 " + size + " noreply\r\n" +
                    value_ + "\r\n" + "ms KEY " + size + " T90 k O77\r\n" + value_ + "\r\n" +
                    "append KEY 0 0 " + size + "\r\n" + value_ + "\r\nmg KEY s f\r\ndelete KEY\r\n",
                piece);
    EXPECT_EQ(answer, "STORED\r\nVALUE KEY 5 " + size + "\r\n" + value_ +
                          "\r\nEND\r\nNOT_STORED\r\nHD kKEY O77\r\nSTORED\r\nHD s300000 f0\r\n"
                          "DELETED\r\n");
    // What comes in one piece is parsed where it lies.
    if (piece < 100'000) {
      EXPECT_GE(InPlace(), before + 3);
    }
  }
}

TEST_F(LargeValues, Binary) {
  const auto frame = [](char opcode, std::string_view extras, const std::string& key,
                        std::string_view value) {
    std::string head(24, '\0');
    head[0] = '\x80';
    head[1] = opcode;
    head[3] = static_cast<char>(key.size());
    head[4] = static_cast<char>(extras.size());
    const auto body = static_cast<uint32_t>(extras.size() + key.size() + value.size());
    for (int i = 0; i < 4; ++i) head[8 + i] = static_cast<char>(body >> (24 - 8 * i));
    return head + std::string(extras) + key + std::string(value);
  };
  const std::string key = server_.KeyOf(0);
  const auto client = server_.Connect();
  const std::string eight(8, '\0');
  for (const size_t piece : {1000UL, 8192UL, 50'000UL}) {
    const std::string answer =
        Say(*client, frame('\x01', eight, key, value_) + frame('\x00', "", key, ""), piece);
    ASSERT_EQ(answer.size(), 24 + 24 + 4 + value_.size());
    EXPECT_EQ(answer.substr(6, 2), std::string(2, '\0'));
    EXPECT_TRUE(answer.ends_with(value_));
  }
  EXPECT_EQ(InPlace(), 3U);
}

TEST_F(LargeValues, NotFollowedByALineEnd) {
  const std::string answer =
      SayBoth("set KEY 0 0 3\r\nold\r\nset KEY 0 0 150000\r\n" + value_ + "xxget KEY\r\n", 8192);
  EXPECT_EQ(answer, "STORED\r\nCLIENT_ERROR bad data chunk\r\nVALUE KEY 0 3\r\nold\r\nEND\r\n");
  EXPECT_EQ(InPlace(), 0U);
}

TEST_F(LargeValues, ClientsThatHangUpLeaveNothing) {
  const std::string words =
      "set " + server_.KeyOf(0) + " 0 0 150000\r\n" + value_.substr(0, 100'000);
  for (int i = 0; i < 3; ++i) {
    const auto client = server_.Connect();
    (void)Say(*client, words, 8192);
    EXPECT_GE(HeldByDrafts(), kValueBytes);
    i == 0 ? client->FinishWriting() : client->Reset();
    server_.Run();
    EXPECT_LT(HeldByDrafts(), kValueBytes);
  }
  EXPECT_EQ(server_.Count(Counter::kCurrItems), 0U);
}

// The replies that are owed before it keep the value waiting, and what comes after it.
TEST_F(LargeValues, OfAClientThatTakesNoReplies) {
  for (const uint32_t core : {0U, 1U}) {
    const std::string key = server_.KeyOf(core, "key");
    const auto client = server_.Connect();
    (void)Say(*client, SetOf(key, value_), 8192);
    client->SetWindow(0);
    std::string words;
    for (int i = 0; i < 40; ++i) words += "get " + key + "\r\n";
    words += SetOf(key, std::string(kValueBytes, 'w')) + "get " + key + "\r\n";
    for (int i = 0; i < 20; ++i) words += "mn\r\n";
    EXPECT_EQ(Say(*client, words, 8192), "");
    client->SetWindow(1 << 20);
    std::string answer;
    for (int i = 0; i < 100; ++i) {
      server_.RunOnce();
      answer += client->Read(SIZE_MAX);
    }
    const std::string head = "VALUE " + key + " 0 150000\r\n";
    std::string expected;
    for (int i = 0; i < 40; ++i) expected += head + value_ + "\r\nEND\r\n";
    expected += "STORED\r\n" + head + std::string(kValueBytes, 'w') + "\r\nEND\r\n";
    for (int i = 0; i < 20; ++i) expected += "MN\r\n";
    EXPECT_TRUE(answer == expected) << answer.size() << " " << expected.size();
  }
  EXPECT_GT(InPlace(), 0U);
}

// A value that is whole while its client may not be answered, which has said more by then: the
// value's line was read with what had come behind it as its value.
TEST_F(LargeValues, ThatWaitWithMoreBehindThem) {
  const std::string value(40'000, 'w');
  uint64_t waited = 0;
  for (int i = 0; i < 20; ++i) {
    // A server that has not yet seen how long the replies are, and lets all of them be asked for.
    SimServer server(2, {.memory_bytes_max = 32 << 20});
    const std::string near = server.KeyOf(0);
    const std::string far = server.KeyOf(1);
    const auto client = server.Connect();
    EXPECT_EQ(server.Ask(*client, SetOf(far, value_)), "STORED\r\n");
    for (int j = 0; j < i; ++j) server.Ask(*client, "mn\r\n");  // other pieces each time
    std::string words;
    std::string expected;
    for (int j = 0; j < 20; ++j) {
      words += "get " + far + "\r\n";
      expected += "VALUE " + far + " 0 150000\r\n" + value_ + "\r\nEND\r\n";
    }
    const size_t begun = words.size() + 30'000;
    words += SetOf(near, value) + SetOf(near, value) + "get " + near + "\r\n";
    expected += "STORED\r\nSTORED\r\nVALUE " + near + " 0 40000\r\n" + value + "\r\nEND\r\n";
    client->SetWindow(0);
    EXPECT_EQ(server.Ask(*client, std::string_view(words).substr(0, begun)), "");
    EXPECT_EQ(server.Ask(*client, std::string_view(words).substr(begun)), "");
    waited += server.Count(Counter::kRepliesPaused);
    client->SetWindow(expected.size());
    EXPECT_TRUE(server.Ask(*client, "") == expected);
  }
  EXPECT_GT(waited, 0U);
}

TEST_F(LargeValues, AFlushMeanwhile) {
  const std::string key = server_.KeyOf(0);
  const auto writer = server_.Connect();
  const auto other = server_.Connect();
  const std::string words = SetOf(key, value_);
  EXPECT_EQ(server_.Ask(*other, SetOf(key, "old")), "STORED\r\n");
  (void)Say(*writer, words.substr(0, 100'000), 8192);
  EXPECT_EQ(server_.Ask(*other, "flush_all\r\nget " + key + "\r\n"), "OK\r\nEND\r\n");
  EXPECT_EQ(Say(*writer, words.substr(100'000) + "get " + key + "\r\n", 8192),
            "STORED\r\nVALUE " + key + " 0 150000\r\n" + value_ + "\r\nEND\r\n");
}

// More than may be on their way at once, all of them cut anywhere.
TEST_F(LargeValues, ManyAtOnce) {
  util::Prng prng(7);
  struct Writer {
    std::shared_ptr<SimSocket> client;
    std::string key;
    std::string words;
    size_t said = 0;
  };
  std::vector<Writer> writers;
  for (int i = 0; i < 60; ++i) {
    const std::string key = server_.KeyOf(0, "k" + std::to_string(i));
    writers.push_back({server_.Connect(), key, SetOf(key, value_ + std::to_string(i))});
  }
  for (size_t left = writers.size(); left > 0;) {
    for (Writer& writer : writers) {
      if (writer.said == writer.words.size()) continue;
      const size_t piece = 1 + prng.Below(30'000);
      writer.client->Write(std::string_view(writer.words).substr(writer.said, piece));
      writer.said = std::min(writer.said + piece, writer.words.size());
      if (writer.said == writer.words.size()) --left;
    }
    server_.RunOnce();
    EXPECT_LE(HeldByDrafts(), server_.workers()[0]->shard().MemoryBytesMax() / 8 + (2 << 20));
  }
  server_.Run();
  for (int i = 0; i < 60; ++i) {
    EXPECT_EQ(writers[i].client->Read(SIZE_MAX), "STORED\r\n");
    const std::string answer = server_.Ask(*writers[i].client, "get " + writers[i].key + "\r\n");
    EXPECT_TRUE(answer.ends_with(value_ + std::to_string(i) + "\r\nEND\r\n")) << i;
  }
  EXPECT_GT(InPlace(), 5U);
}

// Values of the other core are kept with their commands until they are whole: all of these together
// are more than may be kept, and yet none is refused.
TEST_F(LargeValues, MoreAtOnceThanMayBeKept) {
  struct Writer {
    std::shared_ptr<SimSocket> client;
    std::string key;
  };
  const std::string value(250'000, 'v');
  std::vector<Writer> writers;
  for (int i = 0; i < 40; ++i) {
    writers.push_back({server_.Connect(), server_.KeyOf(1, "k" + std::to_string(i))});
    writers.back().client->Write(SetOf(writers.back().key, value));
  }
  uint64_t held_max = 0;
  for (int turn = 0; turn < 20'000; ++turn) {
    server_.RunOnce();
    held_max = std::max(held_max, server_.workers()[0]->counters().Get(Counter::kReadBufferBytes));
  }
  for (const Writer& writer : writers) EXPECT_EQ(writer.client->Read(SIZE_MAX), "STORED\r\n");
  EXPECT_EQ(server_.Count(Counter::kStoreNoMemory), 0U);
  EXPECT_LE(held_max, 2 * (4U << 20) + (1 << 20));
}

// Clients that send half of a value and no more take the room of all, for some seconds.
TEST_F(LargeValues, OfClientsThatFallSilent) {
  const auto words = [&](int i) {
    return SetOf(server_.KeyOf(1, "k" + std::to_string(i)), std::string(1'000'000, 'v'));
  };
  std::vector<std::shared_ptr<SimSocket>> silent;
  for (int i = 0; i < 20; ++i) {
    silent.push_back(server_.Connect());
    silent.back()->Write(words(i).substr(0, 700'000));
  }
  for (int turn = 0; turn < 5000; ++turn) server_.RunOnce();
  EXPECT_GT(silent.front()->readable(), 0U);  // told at once, not when it goes on
  const auto healthy = server_.Connect();
  EXPECT_EQ(server_.Ask(*healthy, words(20)), "STORED\r\n");
  // Whoever was refused is in step nevertheless.
  size_t refused = 0;
  for (int i = 0; i < 20; ++i) {
    const auto& client = silent[static_cast<size_t>(i)];
    const std::string answer = server_.Ask(*client, words(i).substr(700'000) + "mn\r\n");
    const bool stored = answer == "STORED\r\nMN\r\n";
    EXPECT_TRUE(stored || answer == "SERVER_ERROR out of memory storing object\r\nMN\r\n")
        << answer;
    refused += stored ? 0 : 1;
  }
  EXPECT_GE(refused, 20U - 5);
  EXPECT_LT(refused, 20U);
}

// Whoever waits for room is let go without having to say anything, and is not refused.
TEST_F(LargeValues, WhoWaitsForRoomMayLeave) {
  std::vector<std::shared_ptr<SimSocket>> clients;
  for (int i = 0; i < 12; ++i) {
    clients.push_back(server_.Connect());
    const std::string key = server_.KeyOf(1, "k" + std::to_string(i));
    clients.back()->Write(SetOf(key, std::string(1'000'000, 'v')).substr(0, 700'000));
  }
  server_.Run();
  for (const auto& worker : server_.workers()) worker->Signal(server::Worker::Phase::kDrain);
  for (int turn = 0; turn < 5000; ++turn) server_.RunOnce();
  for (const auto& client : clients) {
    EXPECT_EQ(client->Read(SIZE_MAX), "");
    EXPECT_TRUE(client->at_end());
    EXPECT_FALSE(client->reset_by_server());
  }
}

}  // namespace
}  // namespace larder::sim
