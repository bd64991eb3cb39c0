// Goal: every request in RESP, right or wrong, becomes the command that Redis 7.0 would have made
// of it, and no other (resp_parser.h and the named cases say where Larder means to differ).
//
// Method: tables of requests. What holds for all of them is checked by parser_properties.h: each is
// shown whole, as every prefix, and in cuts.
#include "protocol/resp_parser.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fuzz/parser_properties.h"
#include "protocol/codec.h"
#include "protocol/resp_arguments.h"
#include "protocol/resp_errors.h"
#include "protocol/resp_requests.h"
#include "protocol/stored_key.h"

namespace larder::protocol {
namespace {

using namespace std::string_literals;
using namespace std::string_view_literals;
using testing::CheckConnection;
using testing::CheckPrefix;
using testing::Client;
using testing::OwnedResult;
using testing::ParseExact;
using Ask = Extras::Ask;

constexpr Resume kLineStart = {Resume::At::kLineStart};

const Codec& Resp() { return CodecOf(Protocol::kResp2); }
const Codec& Locked() { return CodecOf(Protocol::kLockedResp2); }

OwnedResult Parse(std::string_view bytes, const Resume& resume = kLineStart,
                  const ParserLimits& limits = {}) {
  return ParseExact(Resp(), bytes, resume, limits);
}

// Words as a request has them.
std::string Spell(const std::vector<std::string>& words) {
  std::string request = "*" + std::to_string(words.size()) + "\r\n";
  for (const std::string& word : words) {
    request.append("$").append(std::to_string(word.size())).append("\r\n");
    request.append(word).append("\r\n");
  }
  return request;
}

// The words of a line with one blank between them.
std::vector<std::string> Split(std::string_view line) {
  std::vector<std::string> words(1);
  for (const char c : line) {
    if (c == ' ') {
      words.emplace_back();
    } else {
      words.back() += c;
    }
  }
  return words;
}

// The request of such a line, all of which must be taken up.
OwnedResult ParseRequest(std::string_view line, const Resume& resume = kLineStart) {
  const std::string request = Spell(Split(line));
  OwnedResult parsed = Parse(request, resume);
  EXPECT_EQ(parsed.consumed, request.size()) << line;
  EXPECT_FALSE(parsed.close) << line;
  EXPECT_EQ(parsed.resume.at, Resume::At::kLineStart) << line;
  return parsed;
}

// How a request was refused; fails if it was not.
RespRefusal RefusalOf(const OwnedResult& parsed) {
  const Command& command = parsed.command.command;
  const bool first = parsed.state == ParseState::kExecuteFirst;
  EXPECT_TRUE(first || parsed.state == ParseState::kReady);
  EXPECT_EQ(command.verb, Verb::kRejected);
  EXPECT_EQ(command.rejection, Status::kRefused);
  return RespRefusal::Unpack(command.number);
}

void ExpectCloses(std::string_view bytes, RespError error, const Codec& codec = Resp()) {
  const OwnedResult parsed = ParseExact(codec, bytes, kLineStart, {});
  EXPECT_TRUE(parsed.close) << bytes;
  EXPECT_EQ(parsed.command.command.rejection, Status::kRefused) << bytes;
  EXPECT_EQ(RespRefusal::Unpack(parsed.command.command.number).error, error) << bytes;
}

// --- requests of one item ------------------------------------------------------------------------

// What a request of the key k becomes.
struct Case {
  std::string_view line;
  Verb verb;
  std::string_view value = {};
  uint32_t asks = 0;
  int64_t exptime = 0;
  TimeIs time = TimeIs::kMemcached;
};

constexpr int64_t kMin = std::numeric_limits<int64_t>::min();
constexpr int64_t kMax = std::numeric_limits<int64_t>::max();

constexpr Case kCases[] = {
    {"GET k", Verb::kGet},
    {"gEt k", Verb::kGet},
    {"SET k v", Verb::kSet, "v"},
    {"SET k EX", Verb::kSet, "EX"},
    {"SET k v EX 10", Verb::kSet, "v", 0, 10'000, TimeIs::kMsFromNow},
    {"set k v ex 10 ex 20", Verb::kSet, "v", 0, 20'000, TimeIs::kMsFromNow},
    {"SET k v PX 10", Verb::kSet, "v", 0, 10, TimeIs::kMsFromNow},
    {"SET k v EXAT 1700000000", Verb::kSet, "v", 0, 1'700'000'000'000, TimeIs::kUnixMs},
    {"SET k v PXAT 1700000000001", Verb::kSet, "v", 0, 1'700'000'000'001, TimeIs::kUnixMs},
    {"SET k v NX", Verb::kExchange, "v", Ask::kIfAbsent},
    {"SET k v XX GET", Verb::kExchange, "v", Ask::kIfPresent | Ask::kGiveOld},
    {"SET k v get nx GET", Verb::kExchange, "v", Ask::kIfAbsent | Ask::kGiveOld},
    {"SET k v KEEPTTL", Verb::kExchange, "v", Ask::kKeepExpiry},
    {"SET k v PX 5 NX", Verb::kExchange, "v", Ask::kIfAbsent, 5, TimeIs::kMsFromNow},
    {"SETEX k 7 v", Verb::kSet, "v", 0, 7000, TimeIs::kMsFromNow},
    {"PSETEX k 7 v", Verb::kSet, "v", 0, 7, TimeIs::kMsFromNow},
    {"SETNX k v", Verb::kExchange, "v", Ask::kIfAbsent},
    {"GETSET k v", Verb::kExchange, "v", Ask::kGiveOld},
    {"GETDEL k", Verb::kTake},
    {"GETEX k", Verb::kGet},
    {"GETEX k PERSIST", Verb::kGet, "", Ask::kTouch},
    {"GETEX k EX 3", Verb::kGet, "", Ask::kTouch, 3000, TimeIs::kMsFromNow},
    {"GETEX k PXAT 3", Verb::kGet, "", Ask::kTouch, 3, TimeIs::kUnixMs},
    {"APPEND k v", Verb::kAppend, "v", Ask::kCreate},
    {"STRLEN k", Verb::kGet, "", Ask::kNoValue},
    {"TOUCH k", Verb::kGet, "", Ask::kNoValue},
    {"INCRBYFLOAT k 1.5e3", Verb::kSumFloat, "1.5e3"},
    {"DEL k", Verb::kDelete},
    {"UNLINK k", Verb::kDelete},
    {"EXISTS k", Verb::kDescribe},
    {"TYPE k", Verb::kDescribe},
    {"TTL k", Verb::kDescribe},
    {"PTTL k", Verb::kDescribe},
    {"EXPIRETIME k", Verb::kDeadline},
    {"PEXPIRETIME k", Verb::kDeadline},
    {"PERSIST k", Verb::kExpire, "", Ask::kIfPresent},
    {"EXPIRE k -1", Verb::kExpire, "", 0, -1000, TimeIs::kMsFromNow},
    {"EXPIRE k 10 NX", Verb::kExpire, "", Ask::kIfAbsent, 10'000, TimeIs::kMsFromNow},
    {"PEXPIRE k 10 xx gt", Verb::kExpire, "", Ask::kIfPresent | Ask::kIfLater, 10,
     TimeIs::kMsFromNow},
    {"EXPIREAT k 10 LT", Verb::kExpire, "", Ask::kIfSooner, 10'000, TimeIs::kUnixMs},
    {"PEXPIREAT k 0", Verb::kExpire, "", 0, 0, TimeIs::kUnixMs},
};

TEST(RespParser, ARequestOfOneItemIsAVerbOfTheEngine) {
  for (const Case& wanted : kCases) {
    SCOPED_TRACE(wanted.line);
    const OwnedResult parsed = ParseRequest(wanted.line);
    EXPECT_EQ(parsed.state, ParseState::kReady);
    EXPECT_EQ(parsed.command.command.verb, wanted.verb);
    EXPECT_EQ(parsed.command.key, "k");
    EXPECT_EQ(parsed.command.value, wanted.value);
    EXPECT_EQ(parsed.command.command.exptime, wanted.exptime);
    EXPECT_EQ(parsed.command.extras.asks, wanted.asks);
    EXPECT_EQ(parsed.command.extras.time, wanted.time);
    EXPECT_FALSE(parsed.command.command.noreply);
  }
}

// GET and SET, which are nearly all there is, say nothing that the classic ones do not.
TEST(RespParser, OnlyPlainGetAndSetHaveNoExtras) {
  for (const Case& wanted : kCases) {
    const std::vector<std::string> words = Split(wanted.line);
    const RespCommand id = RespCommandOf(words.front());
    const bool plain = id == RespCommand::kGet || (id == RespCommand::kSet && words.size() == 3);
    const OwnedResult parsed = ParseRequest(wanted.line);
    EXPECT_EQ(parsed.command.has_extras, !plain) << wanted.line;
    if (plain) continue;

    EXPECT_EQ(parsed.command.extras.spelling, Spelling::kResp) << wanted.line;
    EXPECT_EQ(parsed.command.extras.opcode, static_cast<uint8_t>(id)) << wanted.line;
  }
}

TEST(RespParser, SumsHaveASign) {
  const std::pair<std::string_view, int64_t> sums[] = {{"INCR k", 1},
                                                       {"DECR k", -1},
                                                       {"INCRBY k 0", 0},
                                                       {"INCRBY k -5", -5},
                                                       {"DECRBY k 5", -5},
                                                       {"DECRBY k -5", 5},
                                                       {"INCRBY k 9223372036854775807", kMax},
                                                       {"INCRBY k -9223372036854775808", kMin},
                                                       {"DECRBY k 9223372036854775807", -kMax}};
  for (const auto& [line, delta] : sums) {
    const OwnedResult parsed = ParseRequest(line);
    EXPECT_EQ(parsed.command.command.verb, Verb::kSum) << line;
    EXPECT_EQ(static_cast<int64_t>(parsed.command.command.number), delta) << line;
  }
}

TEST(RespParser, RangesHaveTheirEnds) {
  for (const std::string name : {"GETRANGE", "SUBSTR"}) {
    const OwnedResult parsed = ParseRequest(name + " k -3 9223372036854775807");
    EXPECT_EQ(parsed.command.command.verb, Verb::kRange);
    EXPECT_EQ(parsed.command.extras.first, -3);
    EXPECT_EQ(parsed.command.extras.last, kMax);
  }
  const OwnedResult parsed = ParseRequest("SETRANGE k 5 value");
  EXPECT_EQ(parsed.command.command.verb, Verb::kWriteRange);
  EXPECT_EQ(parsed.command.extras.first, 5);
  EXPECT_EQ(parsed.command.value, "value");
}

TEST(RespParser, KeysAndValuesMayHoldAnyBytes) {
  const std::string key("\r\n \x00*", 5);
  const std::string value("$1\r\n\xff\0", 6);
  const OwnedResult parsed = Parse(Spell({"SET", key, value}));
  EXPECT_EQ(parsed.command.key, key);
  EXPECT_EQ(parsed.command.value, value);
  EXPECT_EQ(Parse(Spell({"SET", "k", ""})).command.value, "");
}

// --- requests of others --------------------------------------------------------------------------

TEST(RespParser, OtherRequestsAreCallsWithAllTheirArguments) {
  const std::pair<std::string_view, ParseState> calls[] = {
      {"MGET k", ParseState::kReady},          {"MSET a 1 b 2", ParseState::kReady},
      {"DEL a b", ParseState::kReady},         {"EXISTS k k", ParseState::kReady},
      {"RENAME a b", ParseState::kReady},      {"PING", ParseState::kReady},
      {"ECHO hello", ParseState::kReady},      {"INFO server", ParseState::kReady},
      {"WATCH a b", ParseState::kReady},       {"SELECT 1", ParseState::kExecuteFirst},
      {"HELLO 3", ParseState::kExecuteFirst},  {"MULTI", ParseState::kExecuteFirst},
      {"EXEC", ParseState::kExecuteFirst},     {"QUIT", ParseState::kExecuteFirst},
      {"CLIENT ID", ParseState::kExecuteFirst}};
  for (const auto& [line, state] : calls) {
    SCOPED_TRACE(line);
    const std::vector<std::string> words = Split(line);
    const OwnedResult parsed = ParseRequest(line);
    EXPECT_EQ(parsed.state, state);
    EXPECT_EQ(parsed.command.command.verb, Verb::kCall);
    EXPECT_EQ(static_cast<RespCommand>(parsed.command.command.number), RespCommandOf(words[0]));
    EXPECT_EQ(parsed.command.command.exptime, static_cast<int64_t>(words.size()));
    RespArguments arguments(parsed.command.key);
    for (const std::string& word : words) {
      ASSERT_FALSE(arguments.empty());
      EXPECT_EQ(arguments.Next(), word);
    }
    EXPECT_TRUE(arguments.empty());
  }
}

TEST(RespParser, UnknownCommandsAreCallsToo) {
  for (const std::string_view line : {"LPUSH k v", "GETX k", "G", ""}) {
    const OwnedResult parsed = ParseRequest(line);
    EXPECT_EQ(parsed.state, ParseState::kReady) << line;
    EXPECT_EQ(parsed.command.command.verb, Verb::kCall) << line;
    EXPECT_EQ(static_cast<RespCommand>(parsed.command.command.number), RespCommand::kUnknown);
  }
}

TEST(RespParser, ARequestMayHaveMoreArgumentsThanAnyOfOneKey) {
  std::vector<std::string> words = {"MGET"};
  for (int i = 0; i < 3000; ++i) words.push_back("key_" + std::to_string(i));
  Client client(Resp(), {});
  client.Receive(Spell(words));
  ASSERT_EQ(client.commands().size(), 1U);
  EXPECT_EQ(client.commands()[0].command.exptime, 3001);
  EXPECT_EQ(client.unread(), "");
}

// --- what is refused -----------------------------------------------------------------------------

TEST(RespParser, RefusesWrongArguments) {
  const std::pair<std::string_view, RespError> lines[] = {
      {"GET", RespError::kArity},
      {"GET a b", RespError::kArity},
      {"SET k", RespError::kArity},
      {"MGET", RespError::kArity},
      {"EXEC now", RespError::kArity},
      {"SET k v NX XX", RespError::kSyntax},
      {"SET k v XX NX", RespError::kSyntax},
      {"SET k v EX", RespError::kSyntax},
      {"SET k v EX 1 PX 1", RespError::kSyntax},
      {"SET k v KEEPTTL EX 1", RespError::kSyntax},
      {"SET k v EX 1 KEEPTTL", RespError::kSyntax},
      {"SET k v PERSIST", RespError::kSyntax},
      {"SET k v GET GET GET GET GET GET GET GET GET GET GET GET GET GET", RespError::kSyntax},
      {"GETEX k NX", RespError::kSyntax},
      {"GETEX k EX 1 PERSIST", RespError::kSyntax},
      {"GETEX k PERSIST EX 1", RespError::kSyntax},
      {"SET k v EX 0", RespError::kExpireTime},
      {"SET k v PXAT -1", RespError::kExpireTime},
      {"SET k v EX 9223372036854775807", RespError::kExpireTime},
      {"SETEX k 0 v", RespError::kExpireTime},
      {"PSETEX k -9223372036854775808 v", RespError::kExpireTime},
      {"EXPIRE k 9223372036854775807", RespError::kExpireTime},
      {"EXPIREAT k -9223372036854775808", RespError::kExpireTime},
      {"SET k v EX 1.5", RespError::kNotInteger},
      {"SET k v EX 9223372036854775808", RespError::kNotInteger},
      {"EXPIRE k 01", RespError::kNotInteger},
      {"EXPIRE k +1", RespError::kNotInteger},
      {"EXPIRE k -0", RespError::kNotInteger},
      {"EXPIRE k 1x", RespError::kNotInteger},
      {"INCRBY k 9223372036854775808", RespError::kNotInteger},
      {"INCRBY k -9223372036854775809", RespError::kNotInteger},
      {"INCRBY k 18446744073709551616", RespError::kNotInteger},
      {"INCRBY k ", RespError::kNotInteger},
      {"GETRANGE k 0 x", RespError::kNotInteger},
      {"GETRANGE k 0x1 1", RespError::kNotInteger},
      {"SETRANGE k x v", RespError::kNotInteger},
      {"SETRANGE k -1 v", RespError::kOffset},
      {"DECRBY k -9223372036854775808", RespError::kDecrement},
      {"EXPIRE k 1 NX XX", RespError::kNxAndOthers},
      {"EXPIRE k 1 GT NX", RespError::kNxAndOthers},
      {"EXPIRE k 1 GT LT", RespError::kGtAndLt},
      {"EXPIRE k x BAD", RespError::kOption},
      {"EXPIRE k 1 GT GT GT GT GT GT GT GT GT GT GT GT GT BAD", RespError::kSyntax}};
  for (const auto& [line, error] : lines) {
    SCOPED_TRACE(line);
    const OwnedResult parsed = ParseRequest(line);
    const RespRefusal refusal = RefusalOf(parsed);
    EXPECT_EQ(refusal.error, error);
    EXPECT_EQ(refusal.command, RespCommandOf(Split(line).front()));
    EXPECT_EQ(parsed.command.key, "");
  }
  EXPECT_EQ(ParseRequest("EXPIRE k 1 BAD").command.value, "BAD");
}

TEST(RespParser, SecondWordsAreCheckedAsCommandsAre) {
  const OwnedResult unknown = ParseRequest("config rewrite now");
  EXPECT_EQ(RefusalOf(unknown).error, RespError::kSubcommand);
  EXPECT_EQ(RefusalOf(unknown).command, RespCommand::kConfig);
  EXPECT_EQ(unknown.command.value, "rewrite");
  for (const char* line : {"CONFIG GET", "OBJECT ENCODING", "MEMORY USAGE", "CLIENT ID now",
                           "SLOWLOG LEN 1", "COMMAND GETKEYS", "CLUSTER KEYSLOT"}) {
    SCOPED_TRACE(line);
    const RespRefusal refusal = RefusalOf(ParseRequest(line));
    EXPECT_EQ(refusal.error, RespError::kSubcommandArity);
    EXPECT_EQ(refusal.subcommand, RespSubcommandOf(refusal.command, Split(line)[1]));
  }
}

TEST(RespParser, AWrongTimeOfGetexIsOfWhoeverFindsTheKey) {
  const OwnedResult parsed = ParseRequest("GETEX k PX 0");
  EXPECT_EQ(parsed.command.command.verb, Verb::kDescribe);
  EXPECT_EQ(parsed.command.key, "k");
}

TEST(RespParser, KeysAreAsLongAsRedisClientsMayHaveThem) {
  const std::string longest(kLongKeyBytesMax, 'k');
  EXPECT_EQ(Parse(Spell({"GET", longest})).command.key, longest);
  EXPECT_EQ(RefusalOf(Parse(Spell({"GET", longest + "k"}))).error, RespError::kLongKey);
  EXPECT_EQ(RefusalOf(Parse(Spell({"SET", longest + "k", "v"}))).error, RespError::kLongKey);
  EXPECT_EQ(RefusalOf(Parse(Spell({"SET", longest + "k", "v", "EX", "1"}))).error,
            RespError::kLongKey);
}

// --- headers -------------------------------------------------------------------------------------

TEST(RespParser, CountsOfArguments) {
  for (const std::string_view none : {"*0\r\n", "*-1\r\n", "*-100000000000000000\r\n"}) {
    const OwnedResult parsed = Parse(none);
    EXPECT_EQ(parsed.state, ParseState::kSkip) << none;
    EXPECT_EQ(parsed.consumed, none.size()) << none;
  }
  for (const std::string_view more : {"*", "*-", "*1", "*1\r", "*1\r\n", "*1048576\r\n",
                                      "*999999999999999999", "*-999999999999999999\r"}) {
    EXPECT_EQ(Parse(more).state, ParseState::kNeedMore) << more;
  }
  for (const std::string_view wrong : {"*1048577\r\n",
                                       "*2147483648\r\n",
                                       "*4294967296\r\n",
                                       "*4294967297\r\n",
                                       "*9223372036854775808\r\n",
                                       "*9223372036854775807",
                                       "*18446744073709551616\r\n",
                                       "*18446744073709551617\r\n",
                                       "*\r\n",
                                       "*-\r\n",
                                       "*+1\r\n",
                                       "* 1\r\n",
                                       "*1 \r\n",
                                       "*1\n",
                                       "*1\rx",
                                       "*1\r\r\n",
                                       "*--1\r\n",
                                       "*0x1\r\n",
                                       "*x",
                                       "*01\r\n",
                                       "*00\r\n",
                                       "*-0\r\n",
                                       "*-01\r\n",
                                       "*0000000000000000001\r\n"}) {
    ExpectCloses(wrong, RespError::kMultibulkLength);
  }
}

TEST(RespParser, LengthsOfArguments) {
  for (const std::string_view more : {"", "$", "$4", "$4\r", "$-", "$999999999999999999"}) {
    EXPECT_EQ(Parse("*1\r\n" + std::string(more)).state, ParseState::kNeedMore) << more;
  }
  for (const std::string_view wrong :
       {"$-1\r\n", "$-0\r\n", "$536870913\r\n", "$2147483648\r\n", "$4294967296\r\n",
        "$4294967300\r\nPING\r\n", "$9223372036854775808\r\n", "$18446744073709551616\r\n",
        "$18446744073709551620\r\nPING\r\n", "$\r\n", "$+4\r\n", "$ 4\r\n", "$4\n", "$4\rPING",
        "$04\r\nPING\r\n", "$00\r\n\r\n", "$x"}) {
    ExpectCloses("*1\r\n" + std::string(wrong), RespError::kBulkLength);
    ExpectCloses("*2\r\n$3\r\nGET\r\n" + std::string(wrong), RespError::kBulkLength);
  }
  for (const std::string_view wrong :
       {":1\r\n"sv, "*1\r\n"sv, "PING\r\n"sv, "\r\n"sv, "\0"sv, "\xff"sv}) {
    const std::string bytes = "*1\r\n" + std::string(wrong);
    ExpectCloses(bytes, RespError::kNoBulk);
    EXPECT_EQ(RespRefusal::Unpack(Parse(bytes).command.command.number).byte,
              static_cast<uint8_t>(wrong.front()));
  }
}

TEST(RespParser, TheLineEndBehindAnArgumentIsNotLookedAt) {
  const OwnedResult parsed = Parse("*2\r\n$3\r\nGETxx$1\r\nkyy*1\r\n");
  EXPECT_EQ(parsed.command.command.verb, Verb::kGet);
  EXPECT_EQ(parsed.command.key, "k");
  EXPECT_EQ(parsed.consumed, 20U);
}

// --- values on their way, and over the limit -----------------------------------------------------

TEST(RespParser, AnArgumentOnItsWayNamesNoCommand) {
  const std::string head = "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$5\r\n";
  for (const std::string_view part : {"", "v", "value", "value\r"}) {
    const OwnedResult parsed = Parse(head + std::string(part));
    EXPECT_EQ(parsed.state, ParseState::kNeedBody);
    EXPECT_EQ(parsed.consumed, head.size());
    EXPECT_EQ(parsed.body_bytes, 7U);
    EXPECT_EQ(parsed.arguments_behind, 0U);
    EXPECT_EQ(parsed.command.command.verb, Verb::kRejected);
    EXPECT_EQ(parsed.command.key, "");
  }
  const OwnedResult first = Parse("*3\r\n$3\r\nSE");
  EXPECT_EQ(first.state, ParseState::kNeedBody);
  EXPECT_EQ(first.consumed, 8U);
  EXPECT_EQ(first.body_bytes, 5U);
  EXPECT_EQ(first.arguments_behind, 2U);
}

TEST(RespParser, AnArgumentOverTheLimitIsRefusedAndSwallowed) {
  const ParserLimits limits = {.item_bytes_max = 100};
  const std::string largest(100, 'v');
  const OwnedResult taken = Parse(Spell({"SET", "k", largest}), kLineStart, limits);
  EXPECT_EQ(taken.command.value, largest);

  const OwnedResult last = Parse("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$101\r\n", kLineStart, limits);
  EXPECT_EQ(last.state, ParseState::kReady);
  EXPECT_EQ(last.command.command.rejection, Status::kTooLarge);
  EXPECT_EQ(last.command.key, "");
  EXPECT_EQ(last.discard_bytes, 103U);
  EXPECT_EQ(last.resume, kLineStart);

  const OwnedResult first = Parse("*3\r\n$536870912\r\n", kLineStart, limits);
  EXPECT_EQ(first.command.command.rejection, Status::kTooLarge);
  EXPECT_EQ(first.discard_bytes, 536870914U);
  EXPECT_EQ(first.resume.at, Resume::At::kSkipArguments);
  EXPECT_EQ(first.resume.arguments_left, 2U);

  Client client(Resp(), limits);
  client.Receive(Spell({"MSET", "a", std::string(200, 'v'), "b", std::string(300, 'v'), "c", ""}) +
                 Spell({"GET", "k"}));
  ASSERT_EQ(client.commands().size(), 2U);
  EXPECT_EQ(client.commands()[0].command.rejection, Status::kTooLarge);
  EXPECT_EQ(client.commands()[1].key, "k");
  EXPECT_EQ(client.unread(), "");
}

// What has been read is spoilt behind the parser's back, but for the first words: it must not look.
TEST(RespParser, ALargeRequestIsReadOnceHoweverManyPiecesItComesIn) {
  std::vector<std::string> words = {"MSET"};
  for (int i = 0; i < 4000; ++i) words.push_back("word" + std::to_string(i));
  const std::string request = Spell(words);
  constexpr size_t kPieceBytes = 1000;
  std::string bytes = request;
  Resume resume = kLineStart;
  ParserSpace space;
  for (size_t size = kPieceBytes; size < request.size(); size += kPieceBytes) {
    const Parsed part = ParseResp(std::string_view(bytes).substr(0, size), resume, {}, space);
    ASSERT_TRUE(part.state == ParseState::kNeedMore || part.state == ParseState::kNeedBody);
    // A length and a word may be unread.
    ASSERT_LE(size - part.resume.read_bytes, 20U);
    resume = part.resume;
    for (size_t at = kPieceBytes; at < resume.read_bytes; ++at) bytes[at] = '?';
  }
  const Parsed last = ParseResp(bytes, resume, {}, space);
  EXPECT_EQ(last.state, ParseState::kReady);
  EXPECT_EQ(last.consumed, request.size());
  EXPECT_EQ(last.command.exptime, 4001);
  EXPECT_EQ(last.resume, kLineStart);
  EXPECT_TRUE(ParseResp(bytes, kLineStart, {}, space).close);
}

TEST(RespParser, WhatIsSkippedMustBeArguments) {
  Resume skipping = kLineStart;
  skipping.at = Resume::At::kSkipArguments;
  skipping.arguments_left = 2;
  const OwnedResult skipped = Parse("$5\r\nvalue\r\n", skipping);
  EXPECT_EQ(skipped.state, ParseState::kSkip);
  EXPECT_EQ(skipped.consumed, 4U);
  EXPECT_EQ(skipped.discard_bytes, 7U);
  EXPECT_EQ(skipped.resume.arguments_left, 1U);
  EXPECT_EQ(Parse("$5\r\n", skipped.resume).resume.at, Resume::At::kLineStart);
  EXPECT_EQ(Parse("$5", skipping).state, ParseState::kNeedMore);
  for (const std::string_view wrong : {"$-1\r\n", "$536870913\r\n", "$x", "$05\r\n"}) {
    EXPECT_TRUE(Parse(wrong, skipping).close) << wrong;
    EXPECT_EQ(RefusalOf(Parse(wrong, skipping)).error, RespError::kBulkLength) << wrong;
  }
  EXPECT_EQ(RefusalOf(Parse("*1\r\n", skipping)).error, RespError::kNoBulk);
}

// --- typed lines ---------------------------------------------------------------------------------

TEST(RespParser, ATypedLineIsTheRequestOfItsWords) {
  const std::pair<std::string_view, std::vector<std::string>> lines[] = {
      {"GET k\r\n", {"GET", "k"}},
      {"GET k\n", {"GET", "k"}},
      {" \t GET \v\f k \r\r\n", {"GET", "k"}},
      {"GET\0k\r\n"sv, {"GET", "k"}},
      {"SET k v EX 10\n", {"SET", "k", "v", "EX", "10"}},
      {"\"SET\" 'k' \"a b\"\n", {"SET", "k", "a b"}},
      {"SET k \"\"\n", {"SET", "k", ""}},
      {"SET '' ''\n", {"SET", "", ""}},
      {R"(SET k "\n\r\t\b\a\"\\\q\x41\xfF\xg")"
       "\n",
       {"SET", "k",
        "\n\r\t\b\a\"\\qA\xff"
        "xg"}},
      {R"(SET k 'it\'s \n "so"')"
       "\n",
       {"SET", "k", R"(it's \n "so")"}},
      {"SET k foo\"bar\"\n", {"SET", "k", "foobar"}},
      {"MGET a b c\n", {"MGET", "a", "b", "c"}},
      {"PING\n", {"PING"}},
      {"get\n", {"get"}},
      {"nothing known\n", {"nothing", "known"}}};
  for (const auto& [line, words] : lines) {
    SCOPED_TRACE(line);
    const OwnedResult typed = Parse(line);
    EXPECT_EQ(typed.consumed, line.size());
    EXPECT_FALSE(typed.close);
    const OwnedResult spelled = Parse(Spell(words));
    EXPECT_EQ(typed.state, spelled.state);
    EXPECT_TRUE(typed.command == spelled.command);
  }
}

TEST(RespParser, ALineOfBlanksIsNothing) {
  for (const std::string_view line : {"\n"sv, "\r\n"sv, " \t\r\n"sv, "\0\n"sv}) {
    EXPECT_EQ(Parse(line).state, ParseState::kSkip) << line;
    EXPECT_EQ(Parse(line).consumed, line.size()) << line;
  }
}

TEST(RespParser, QuotesMustBeClosedAtTheEndOfAWord) {
  for (const std::string_view line :
       {"GET \"k\n", "GET 'k\n", "GET \"k\"x\n", "GET 'k'x\n", "\"\n", "GET \"k\\\n", "GET 'k\\'\n",
        "GET \"a\"\"b\"\n", "GET \"\\x4\n"}) {
    ExpectCloses(line, RespError::kQuotes);
  }
}

TEST(RespParser, ATypedLineHasAtMost64KiB) {
  constexpr size_t kMaxBytes = 64 << 10;
  const std::string longest = "PING " + std::string(kMaxBytes - 5, 'x');
  EXPECT_EQ(Parse(longest).state, ParseState::kNeedMore);
  const OwnedResult parsed = Parse(longest + "\n");
  EXPECT_EQ(parsed.command.command.verb, Verb::kCall);
  EXPECT_EQ(parsed.consumed, kMaxBytes + 1);
  ExpectCloses(longest + "x", RespError::kLongLine);
  ExpectCloses(longest + "x\nPING\n", RespError::kLongLine);
}

TEST(RespParser, ATypedWordOverTheLimitIsRefusedWithItsLine) {
  const ParserLimits limits = {.item_bytes_max = 10};
  const std::string line = "MSET a 0123456789x b c\n";
  const OwnedResult parsed = Parse(line + "PING\n", kLineStart, limits);
  EXPECT_EQ(parsed.state, ParseState::kReady);
  EXPECT_EQ(parsed.command.command.rejection, Status::kTooLarge);
  EXPECT_EQ(parsed.consumed, line.size());
  EXPECT_EQ(parsed.discard_bytes, 0U);
  EXPECT_EQ(parsed.resume.at, Resume::At::kLineStart);
}

TEST(RespParser, ABrowsersRequestCloses) {
  for (const std::string_view line : {"POST / HTTP/1.1\r\n", "post\n", "Host: x\r\n"}) {
    const OwnedResult parsed = Parse(line);
    EXPECT_TRUE(parsed.close) << line;
    EXPECT_EQ(parsed.command.command.rejection, Status::kForeignProtocol) << line;
  }
  EXPECT_FALSE(Parse(Spell({"POST", "/"})).close);
}

TEST(RespParser, ARequestLineOfHttpCloses) {
  for (const std::string_view line :
       {"GET / HTTP/1.1\r\n", "get /k HTTP/1.0\n", "PUT /a/b HTTP/1.1\r\n",
        "OPTIONS * HTTP/1.1\r\n", "SET /k HTTP/1.1\r\n", "DELETE http://x/ HTTP/1.1\r\n"}) {
    const OwnedResult parsed = Parse(line);
    EXPECT_TRUE(parsed.close) << line;
    EXPECT_EQ(parsed.command.command.rejection, Status::kForeignProtocol) << line;
  }
  for (const std::string_view line : {"GET /k\r\n", "SET k HTTP/1.1\r\n", "SET /k v\r\n",
                                      "MGET / HTTP/1.1 HTTP/1.1\r\n", "MGET * HTTP\r\n"}) {
    EXPECT_FALSE(Parse(line).close) << line;
  }
  EXPECT_FALSE(Parse(Spell({"SET", "/", "HTTP/1.1"})).close);
}

// --- what the client has chosen ------------------------------------------------------------------

TEST(RespParser, KeysOfOtherDatabasesAreStoredOtherwise) {
  const auto key_of = [](const std::string& key, uint8_t database) {
    Resume resume = kLineStart;
    resume.database = database;
    const OwnedResult parsed = Parse(Spell({"GET", key}), resume);
    EXPECT_EQ(parsed.resume, resume);
    return parsed.command.key;
  };
  EXPECT_EQ(key_of("k", 0), "k");
  EXPECT_EQ(key_of("k", 1), "\0\x01k"sv);
  EXPECT_EQ(key_of("k", 255), "\0\xffk"sv);
  EXPECT_EQ(key_of("", 0), "\0\0"sv);
  EXPECT_EQ(key_of("", 2), "\0\x02"sv);
  EXPECT_EQ(key_of(std::string("\0k", 2), 0), "\0\0\0k"sv);
  // On both sides of what ParserSpace::key has room for, and of the longest key.
  for (const size_t size : {size_t{248}, size_t{249}, kLongKeyBytesMax - kKeyPrefixBytes}) {
    EXPECT_EQ(key_of(std::string(size, 'k'), 7), "\0\x07"s + std::string(size, 'k'));
  }
  Resume resume = kLineStart;
  resume.database = 7;
  const std::string too_long(kLongKeyBytesMax - kKeyPrefixBytes + 1, 'k');
  EXPECT_EQ(RefusalOf(Parse(Spell({"GET", too_long}), resume)).error, RespError::kLongKey);
}

TEST(RespParser, CollectedCommandsAreCalls) {
  Resume resume = kLineStart;
  resume.queueing = true;
  for (const std::string_view line : {"GET k", "SET k v NX XX", "DEL k", "MGET a b", "UNKNOWN x"}) {
    const OwnedResult parsed = ParseRequest(line, resume);
    EXPECT_EQ(parsed.state, ParseState::kReady) << line;
    EXPECT_EQ(parsed.command.command.verb, Verb::kCall) << line;
    EXPECT_EQ(parsed.resume, resume) << line;
  }
  EXPECT_EQ(RefusalOf(ParseRequest("GET", resume)).error, RespError::kArity);
  EXPECT_EQ(ParseRequest("EXEC", resume).state, ParseState::kExecuteFirst);
}

TEST(RespParser, MutedCommandsWantNoReply) {
  Resume all = kLineStart;
  all.mute = Resume::Mute::kAll;
  Resume next = kLineStart;
  next.mute = Resume::Mute::kNext;
  for (const std::string_view line : {"GET k", "PING", "GET", "EXEC"}) {
    const OwnedResult under_all = ParseRequest(line, all);
    EXPECT_TRUE(under_all.command.command.noreply) << line;
    EXPECT_EQ(under_all.resume, all) << line;
    const OwnedResult under_next = ParseRequest(line, next);
    EXPECT_TRUE(under_next.command.command.noreply) << line;
    EXPECT_EQ(under_next.resume, kLineStart) << line;
  }
  // What is no command is not the next one.
  EXPECT_EQ(Parse("*0\r\n", next).resume, next);
  EXPECT_EQ(Parse("\r\n", next).resume, next);
  // One that is refused while its value is on its way wants none either.
  const OwnedResult waiting = Parse("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$5\r\nva", all);
  EXPECT_EQ(waiting.state, ParseState::kNeedBody);
  EXPECT_TRUE(waiting.command.command.noreply);
}

// --- strangers -----------------------------------------------------------------------------------

TEST(RespParser, StrangersMaySayWhoTheyAre) {
  for (const std::string_view line : {"AUTH secret", "HELLO 3 AUTH u p", "QUIT", "RESET"}) {
    const OwnedResult parsed = ParseExact(Locked(), Spell(Split(line)), Resume{}, {});
    EXPECT_EQ(parsed.state, ParseState::kExecuteFirst) << line;
    EXPECT_EQ(parsed.command.command.verb, Verb::kCall) << line;
  }
  for (const std::string_view line : {"GET k", "SET k v", "PING", "MULTI", "INFO"}) {
    const OwnedResult parsed = ParseExact(Locked(), Spell(Split(line)), Resume{}, {});
    EXPECT_EQ(parsed.command.command.rejection, Status::kRefused) << line;
    EXPECT_EQ(RespRefusal::Unpack(parsed.command.command.number).error, RespError::kNoAuth);
    EXPECT_FALSE(parsed.close) << line;
  }
}

TEST(RespParser, StrangersMaySendLittle) {
  const ParserLimits limits;
  EXPECT_EQ(ParseExact(Locked(), "*10\r\n", Resume{}, limits).state, ParseState::kNeedMore);
  ExpectCloses("*11\r\n", RespError::kStrangerMultibulk, Locked());
  EXPECT_EQ(ParseExact(Locked(), "*1\r\n$16384\r\n", Resume{}, limits).state,
            ParseState::kNeedBody);
  ExpectCloses("*1\r\n$16385\r\n", RespError::kStrangerBulk, Locked());
}

// --- any bytes -----------------------------------------------------------------------------------

std::vector<Resume> Places() {
  std::vector<Resume> places(6, kLineStart);
  places[0] = {};
  places[1].database = 3;
  places[2].queueing = true;
  places[3].mute = Resume::Mute::kNext;
  places[4].mute = Resume::Mute::kAll;
  places[5].at = Resume::At::kSkipArguments;
  places[5].arguments_left = 2;
  return places;
}

// From every place, of one who is in and of one who has to say who it is.
void CheckPrefixes(std::string_view bytes, const ParserLimits& limits) {
  for (const Resume& resume : Places()) {
    for (size_t size = 1; size < bytes.size(); size += 1 + size / 100) {
      CheckPrefix(Resp(), bytes, size, resume, limits);
      CheckPrefix(Locked(), bytes, size, resume, limits);
    }
  }
}

TEST(RespParser, EveryPrefixOfARequestWaitsOrSaysTheSame) {
  for (const Case& request : kCases) {
    SCOPED_TRACE(request.line);
    CheckPrefixes(Spell(Split(request.line)), {});
    CheckPrefixes(std::string(request.line) + "\r\n", {});
  }
}

// Requests, typed lines and pieces of them, some of them wrong.
std::string RandomStream(std::mt19937_64& random) {
  static const std::vector<std::string> kWords = {
      "GET", "SET", "MGET", "EXPIRE", "PING",  "EXEC", "LPUSH",  "k",
      "",    "NX",  "EX",   "10",     "-1",    "01",   "\r\n",   std::string(249, 'k'),
      "'a'", "\"",  "\\x4", "POST",   "HELLO", "AUTH", "INCRBY", std::string(1500, 'v')};
  static const std::vector<std::string> kPieces = {
      "*",   "$",    "\r\n",     "\n",      "\r",         "*1\r\n",         "*3\r\n", "$1\r\n",
      "-1",  "0",    "*0\r\n",   "*-1\r\n", "$3\r\nGET",  "$1001\r\n",      "GET k ", "\"a b\" ",
      "'c'", "PING", "\\\"\x01", ":1\r\n",  "4294967296", "$536870912\r\n", " ",      "x"};
  std::string stream;
  if (random() % 4 == 0) {
    for (size_t i = 0, pieces = 1 + random() % 8; i < pieces; ++i) {
      stream += kPieces[random() % kPieces.size()];
    }
    return stream;
  }
  std::vector<std::string> words(1 + random() % 6);
  for (std::string& word : words) word = kWords[random() % kWords.size()];
  if (random() % 4 != 0) return Spell(words);
  for (const std::string& word : words) stream.append(word).append(" ");
  return stream + "\r\n";
}

TEST(RespParser, EveryPrefixOfRandomStreamsWaitsOrSaysTheSame) {
  std::mt19937_64 random(4);
  for (int round = 0; round < 100; ++round) {
    CheckPrefixes(RandomStream(random) + RandomStream(random), {.item_bytes_max = 1000});
  }
}

TEST(RespParser, RandomCutsGiveTheSameCommands) {
  std::mt19937_64 random(5);
  const ParserLimits limits = {.item_bytes_max = 1000};
  size_t requests = 0;
  for (int round = 0; round < 400; ++round) {
    std::string stream;
    for (int piece = 0; piece < 6; ++piece) stream += RandomStream(random);
    const std::vector<Resume> places = Places();
    CheckConnection(Resp(), stream, limits, random, places[random() % places.size()]);
    CheckConnection(CodecOf(Protocol::kResp3), stream, limits, random);
    CheckConnection(Locked(), stream, limits, random);
    Client client(Resp(), limits);
    client.Receive(stream);
    requests += client.commands().size();
  }
  EXPECT_GT(requests, 800U);  // the streams are not all wrong from the start
}

}  // namespace
}  // namespace larder::protocol
