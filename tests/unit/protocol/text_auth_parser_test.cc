// Goal: before a client has said who it is, one kind of line is understood and all others are
// refused, whatever their bytes and however they are cut; and nothing is promised room.
//
// Method: tables of lines; parser_properties.h shows each whole, as every prefix and in cuts.
#include "protocol/text_auth_parser.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "fuzz/parser_properties.h"
#include "protocol/codec.h"

namespace larder::protocol {
namespace {

using testing::CheckPrefix;
using testing::Client;
using testing::OwnedCommand;
using testing::OwnedResult;
using testing::ParseExact;

const Codec& Locked() { return CodecOf(Protocol::kLockedText); }

OwnedResult Parse(std::string_view bytes) { return ParseExact(Locked(), bytes, {}, {}); }

std::vector<OwnedCommand> ParseAll(std::string_view bytes) {
  Client client(Locked(), {});
  client.Receive(bytes);
  EXPECT_EQ(client.unread(), "");
  return client.commands();
}

TEST(TextAuthParser, UserAndPasswordAreTheValueOfASet) {
  for (const std::string_view bytes :
       {"set k 0 0 12\r\nalice secret\r\n", "set k 0 0 12\nalice secret\r\n",
        "  set  k 0 0  12  \r\nalice secret\r\n", "set k x y 12\r\nalice secret\r\n",
        "set k 0 0 12 noreply\r\nalice secret\r\n", "set k 0 0 12 a b c d e f\r\nalice secret\r\n",
        "set k 0 0 13\r\nalice  secret\r\n", "set k 0 0 15\r\n alice secret x\r\n"}) {
    const OwnedResult parsed = Parse(bytes);
    EXPECT_EQ(parsed.state, ParseState::kExecuteFirst) << bytes;
    EXPECT_EQ(parsed.consumed, bytes.size()) << bytes;
    EXPECT_EQ(parsed.command.command.verb, Verb::kAuthenticate) << bytes;
    EXPECT_FALSE(parsed.command.command.noreply);
    EXPECT_EQ(parsed.command.key, "alice") << bytes;
    EXPECT_EQ(parsed.command.value, "secret") << bytes;
    EXPECT_EQ(parsed.resume.at, Resume::At::kLineStart);
  }
}

TEST(TextAuthParser, AnyOtherLineIsRefusedAsALine) {
  using namespace std::string_view_literals;
  for (const std::string_view bytes :
       {"get k\r\n"sv, "version\r\n"sv, "quit\r\n"sv, "\r\n"sv, "\n"sv, "   \r\n"sv, "set\r\n"sv,
        "set k 0 0\r\n"sv, "set k 0 0 x\r\n"sv, "set k 0 0 12x\r\n"sv, "set k 0 0 -1\r\n"sv,
        "set k 0 0 4294967296\r\n"sv, "set k 0 0 18446744073709551615\r\n"sv,
        "set k 0 0 99999999999999999999\r\n"sv, "SET k 0 0 12\r\n"sv, "cas k 0 0 12 1\r\n"sv,
        "ms k 12\r\n"sv, "set\0 k 0 0 12\r\n"sv, "\x80\x0b\0\0\n"sv}) {
    const OwnedResult parsed = Parse(bytes);
    EXPECT_EQ(parsed.state, ParseState::kExecuteFirst) << bytes;
    EXPECT_EQ(parsed.consumed, bytes.size()) << bytes;
    EXPECT_EQ(parsed.command.command.rejection, Status::kUnauthenticated) << bytes;
    EXPECT_FALSE(parsed.close);
  }
}

TEST(TextAuthParser, ABrowsersRequestCloses) {
  for (const std::string_view line :
       {"GET / HTTP/1.1\r\n", "PUT /set HTTP/1.0\n", "POST\r\n", "Host: x\r\n"}) {
    const OwnedResult parsed = Parse(line);
    EXPECT_TRUE(parsed.close) << line;
    EXPECT_EQ(parsed.command.command.rejection, Status::kForeignProtocol) << line;
  }
}

TEST(TextAuthParser, ValuesThatAreNoUsersAreToldApart) {
  using namespace std::string_view_literals;
  for (const std::string_view value : {""sv, "alice"sv, "   "sv, "alice\tsecret"sv, "a\0b"sv}) {
    const std::string bytes =
        "set k 0 0 " + std::to_string(value.size()) + "\r\n" + std::string(value) + "\r\n";
    EXPECT_EQ(Parse(bytes).command.command.rejection, Status::kBadAuthToken) << bytes;
    EXPECT_EQ(Parse(bytes).consumed, bytes.size()) << bytes;
  }
  EXPECT_EQ(Parse("set k 0 0 12\r\nalice secretXX").command.command.rejection,
            Status::kBadTermination);
  EXPECT_EQ(Parse("set k 0 0 12\r\nalice secret\n\n").command.command.rejection,
            Status::kBadTermination);
}

TEST(TextAuthParser, WhatFollowsARefusedLineIsTheNextLine) {
  const std::vector<OwnedCommand> commands =
      ParseAll("set k 0 0\r\nalice secret\r\nget k\r\nset k 0 0 12\r\nalice secret\r\n");
  ASSERT_EQ(commands.size(), 4);
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(commands[i].command.rejection, Status::kUnauthenticated);
  }
  EXPECT_EQ(commands[3].command.verb, Verb::kAuthenticate);
}

TEST(TextAuthParser, TheLongestValueIsWaitedForAndALongerOneSwallowed) {
  const std::string longest = "alice " + std::string(kAuthBytesMax - 6, 'x');
  const std::string line = "set k 0 0 " + std::to_string(longest.size()) + "\r\n";
  EXPECT_EQ(Parse(line).state, ParseState::kNeedBody);
  EXPECT_EQ(Parse(line).body_bytes, longest.size() + 2);
  EXPECT_EQ(Parse(line + longest + "\r\n").command.value, longest.substr(6));

  for (const uint64_t bytes : {uint64_t{kAuthBytesMax} + 1, uint64_t{1} << 20, uint64_t{1} << 31,
                               (uint64_t{1} << 32) - 1}) {
    const OwnedResult parsed = Parse("set k 0 0 " + std::to_string(bytes) + "\r\nalice secret");
    EXPECT_EQ(parsed.state, ParseState::kExecuteFirst);
    EXPECT_EQ(parsed.discard_bytes, bytes + 2);
    EXPECT_EQ(parsed.command.command.rejection, Status::kAuthTokenTooLong);
    EXPECT_FALSE(parsed.close);
  }
  EXPECT_EQ(Parse("set k 0 0 4294967296\r\n").command.command.rejection, Status::kUnauthenticated);
}

TEST(TextAuthParser, ALineWithoutAnEndClosesTheConnection) {
  EXPECT_EQ(Parse(std::string(kLineBytesMax, 'x')).state, ParseState::kNeedMore);
  const OwnedResult parsed = Parse(std::string(kLineBytesMax + 1, 'x'));
  EXPECT_TRUE(parsed.close);
  EXPECT_EQ(parsed.command.command.rejection, Status::kLineTooLong);
  EXPECT_TRUE(Parse(std::string(kLineBytesMax + 1, 'x') + "\r\n").close);
}

TEST(TextAuthParser, PrefixesAndCutsSayTheSame) {
  std::mt19937 random(7);
  const std::string wire =
      "get k\r\nset k 0 0 5\r\nalice\r\nset k 0 0 2000\r\n" + std::string(2000, 'y') +
      "\r\n\r\nset k 0 0 12\r\nalice secreX\r\nset k 0 0 11\r\nbob hunter2\nset k 0 0 12\nalice "
      "secret\r\n";
  Client whole(Locked(), {});
  whole.Receive(wire);
  for (int round = 0; round < 300; ++round) {
    Client cut(Locked(), {});
    for (size_t at = 0; at < wire.size();) {
      const size_t bytes = 1 + random() % (round % 2 == 0 ? 5 : 700);
      cut.Receive(std::string_view(wire).substr(at, bytes));
      at += bytes;
    }
    EXPECT_TRUE(cut == whole);
  }
  for (const std::string_view line :
       {"set k 0 0 12\r\nalice secret\r\n", "get k\r\n", "set k 0 0 5\r\nalice\r\n"}) {
    for (size_t size = 0; size < line.size(); ++size) {
      CheckPrefix(Locked(), line, size, {}, {});
    }
  }
}

}  // namespace
}  // namespace larder::protocol
