// Goal: every line of the classic protocol, right or wrong, becomes the command that memcached
// would have made of it (text_parser.h and the named cases say where Larder means to differ).
//
// Method: tables of lines. What holds for all lines is checked by parser_properties.h: each is
// shown whole, as every prefix, and in cuts.
#include "protocol/text_parser.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <limits>
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

const Codec& Text() { return CodecOf(Protocol::kText); }

constexpr Resume kLineStart = {Resume::At::kLineStart, Verb::kRejected, 0};

// One line in the middle of a connection.
OwnedResult Parse(std::string_view bytes, const ParserLimits& limits = {}) {
  return ParseExact(Text(), bytes, kLineStart, limits);
}

// The only command in `bytes`, all of which it takes up.
Command ParseOne(const std::string& bytes) {
  const OwnedResult parsed = Parse(bytes);
  EXPECT_EQ(parsed.state, ParseState::kReady) << bytes;
  EXPECT_EQ(parsed.consumed, bytes.size()) << bytes;
  return parsed.command.command;
}

std::vector<OwnedCommand> ParseAll(std::string_view bytes) {
  Client client(Text(), {});
  client.Receive(bytes);
  EXPECT_EQ(client.unread(), "");
  return client.commands();
}

// --- what is understood --------------------------------------------------------------------------

TEST(TextParser, StoringVerbsHaveFlagsExptimeAndValue) {
  const std::pair<std::string_view, Verb> verbs[] = {{"set", Verb::kSet},
                                                     {"add", Verb::kAdd},
                                                     {"replace", Verb::kReplace},
                                                     {"append", Verb::kAppend},
                                                     {"prepend", Verb::kPrepend}};
  for (const auto& [text, verb] : verbs) {
    const OwnedResult parsed = Parse(std::string(text) + " key 7 60 5\r\nvalue\r\nget");
    EXPECT_EQ(parsed.state, ParseState::kReady);
    EXPECT_EQ(parsed.consumed, text.size() + 13 + 2 + 5);
    EXPECT_EQ(parsed.resume, kLineStart);
    EXPECT_EQ(parsed.command.command.verb, verb);
    EXPECT_EQ(parsed.command.command.client_flags, 7U);
    EXPECT_EQ(parsed.command.command.exptime, 60);
    EXPECT_FALSE(parsed.command.command.noreply);
    EXPECT_EQ(parsed.command.key, "key");
    EXPECT_EQ(parsed.command.value, "value");
  }
}

TEST(TextParser, CasHasAUnique) {
  const OwnedResult parsed = Parse("cas k 1 2 0 18446744073709551615 noreply\r\n\r\n");
  EXPECT_EQ(parsed.command.command.verb, Verb::kCas);
  EXPECT_EQ(parsed.command.command.number, std::numeric_limits<uint64_t>::max());
  EXPECT_TRUE(parsed.command.command.noreply);
  EXPECT_EQ(parsed.command.value, "");
}

TEST(TextParser, ValuesMayHoldAnyBytes) {
  using namespace std::string_view_literals;
  const OwnedResult parsed = Parse("set k 0 0 8\r\n\r\n\0\xff\nEND\r\n"sv);
  EXPECT_EQ(parsed.command.value, "\r\n\0\xff\nEND"sv);
}

TEST(TextParser, NumbersAtTheirBorders) {
  EXPECT_EQ(ParseOne("set k 4294967295 0 0\r\n\r\n").client_flags, 0xffffffff);
  // Memcached keeps the low half of longer flags.
  EXPECT_EQ(ParseOne("set k 4294967296 0 0\r\n\r\n").client_flags, 0U);
  EXPECT_EQ(ParseOne("set k 18446744073709551615 0 0\r\n\r\n").client_flags, 0xffffffff);
  EXPECT_EQ(ParseOne("set k 0 -1 0\r\n\r\n").exptime, -1);
  // Not cut to 32 bits: 2038 is not far.
  EXPECT_EQ(ParseOne("set k 0 2147483648 0\r\n\r\n").exptime, 2147483648);
  EXPECT_EQ(ParseOne("set k 0 9223372036854775807 0\r\n\r\n").exptime,
            std::numeric_limits<int64_t>::max());
  EXPECT_EQ(ParseOne("set k 0 -9223372036854775808 0\r\n\r\n").exptime,
            std::numeric_limits<int64_t>::min());
  EXPECT_EQ(ParseOne("set k 007 0060 00\r\n\r\n").client_flags, 7U);
}

TEST(TextParser, KeyVerbs) {
  EXPECT_EQ(ParseOne("delete k\r\n").verb, Verb::kDelete);
  EXPECT_EQ(ParseOne("delete k 0\r\n").verb, Verb::kDelete);
  EXPECT_TRUE(ParseOne("delete k noreply\r\n").noreply);
  EXPECT_TRUE(ParseOne("delete k 0 noreply\r\n").noreply);
  EXPECT_EQ(ParseOne("touch k 60\r\n").exptime, 60);
  EXPECT_TRUE(ParseOne("touch k 60 noreply\r\n").noreply);
  EXPECT_EQ(ParseOne("incr k 5\r\n").number, 5U);
  EXPECT_EQ(ParseOne("decr k 18446744073709551615\r\n").number,
            std::numeric_limits<uint64_t>::max());
  EXPECT_TRUE(ParseOne("incr k 5 noreply\r\n").noreply);
  EXPECT_EQ(Parse("incr key 5\r\n").command.key, "key");
}

// As memcached: the place of noreply takes any word.
TEST(TextParser, AWordInThePlaceOfNoreplyMeansNothing) {
  for (const std::string line :
       {"set k 0 0 0 nothing\r\n\r\n", "cas k 0 0 0 1 2\r\n\r\n", "touch k 0 NOREPLY\r\n",
        "incr k 1 2\r\n", "flush_all 0 x\r\n", "verbosity 1 x\r\n", "cache_memlimit 64 x\r\n"}) {
    const Command command = ParseOne(line);
    EXPECT_NE(command.verb, Verb::kRejected) << line;
    EXPECT_FALSE(command.noreply) << line;
  }
}

TEST(TextParser, ServerVerbs) {
  EXPECT_EQ(ParseOne("flush_all\r\n").verb, Verb::kFlushAll);
  EXPECT_EQ(ParseOne("flush_all 10\r\n").exptime, 10);
  EXPECT_EQ(ParseOne("flush_all -1\r\n").exptime, -1);
  EXPECT_TRUE(ParseOne("flush_all noreply\r\n").noreply);
  EXPECT_TRUE(ParseOne("flush_all 10 noreply\r\n").noreply);
  EXPECT_EQ(ParseOne("version\r\n").verb, Verb::kVersion);
  EXPECT_EQ(ParseOne("version and more 1 2 3 4 5 6 7\r\n").verb, Verb::kVersion);
  EXPECT_EQ(ParseOne("verbosity 1\r\n").number, 1U);
  EXPECT_TRUE(ParseOne("verbosity 1 noreply\r\n").noreply);
  EXPECT_EQ(ParseOne("cache_memlimit 64\r\n").number, 64U);
  EXPECT_TRUE(ParseOne("cache_memlimit 64 noreply\r\n").noreply);
}

TEST(TextParser, QuitCloses) {
  for (const std::string_view line : {"quit\r\n", "quit noreply\r\n", "quit a b c\r\n"}) {
    const OwnedResult parsed = Parse(line);
    EXPECT_EQ(parsed.command.command.verb, Verb::kQuit);
    EXPECT_TRUE(parsed.close);
  }
}

TEST(TextParser, StatsHasTheRestOfItsLine) {
  EXPECT_EQ(Parse("stats\r\n").command.key, "");
  EXPECT_EQ(Parse("stats  \r\n").command.key, "");
  EXPECT_EQ(Parse("stats items\r\n").command.key, "items");
  EXPECT_EQ(Parse("  stats   detail  on  \n").command.key, "detail  on");
  EXPECT_EQ(Parse("stats a b c d e f g h i j k l\r\n").command.key, "a b c d e f g h i j k l");
}

TEST(TextParser, BlanksAroundTokensMeanNothing) {
  EXPECT_EQ(ParseOne("  set   k  0 0  0  \r\n\r\n").verb, Verb::kSet);
  EXPECT_EQ(ParseOne("  get   k  \r\n").verb, Verb::kGet);
  EXPECT_EQ(ParseOne("  gat  0  k  \r\n").verb, Verb::kGat);
  EXPECT_EQ(ParseOne(" delete k noreply \r\n").noreply, true);
}

TEST(TextParser, LinesMayEndInABareNewline) {
  EXPECT_EQ(ParseOne("get k\n").verb, Verb::kGet);
  EXPECT_EQ(ParseOne("delete k\n").verb, Verb::kDelete);
  EXPECT_EQ(ParseOne("set k 0 0 1\n5\r\n").verb, Verb::kSet);
}

// --- key lists -----------------------------------------------------------------------------------

TEST(TextParser, AGetOfManyKeysIsManyCommands) {
  for (const std::string verb : {"get", "gets"}) {
    const auto commands = ParseAll(verb + " a  bb ccc \r\n");
    ASSERT_EQ(commands.size(), 3U);
    EXPECT_EQ(commands[0].key, "a");
    EXPECT_EQ(commands[1].key, "bb");
    EXPECT_EQ(commands[2].key, "ccc");
    for (size_t i = 0; i < 3; ++i) {
      EXPECT_EQ(VerbText(commands[i].command.verb), verb);
      EXPECT_EQ(commands[i].command.last_key, i == 2);
    }
  }
}

TEST(TextParser, AGatKeepsItsExptimeForEveryKey) {
  for (const std::string verb : {"gat", "gats"}) {
    const auto commands = ParseAll(verb + " -7 a b\n");
    ASSERT_EQ(commands.size(), 2U);
    for (const OwnedCommand& command : commands) {
      EXPECT_EQ(VerbText(command.command.verb), verb);
      EXPECT_EQ(command.command.exptime, -7);
    }
  }
}

TEST(TextParser, NoreplyIsAKeyOfAGet) {
  const auto commands = ParseAll("get k noreply\r\n");
  ASSERT_EQ(commands.size(), 2U);
  EXPECT_EQ(commands[1].key, "noreply");
  EXPECT_FALSE(commands[0].command.noreply);
}

TEST(TextParser, AGetMayBeLongerThanALine) {
  std::string line = "get";
  for (int i = 0; i < 3'000; ++i) {
    line += " key_" + std::to_string(i);
  }
  const auto commands = ParseAll(line + "\r\n");
  ASSERT_EQ(commands.size(), 3'000U);
  EXPECT_EQ(commands.front().key, "key_0");
  EXPECT_EQ(commands.back().key, "key_2999");
  EXPECT_TRUE(commands.back().command.last_key);
}

// A blank more than the parser looks ahead: the last key is not known to be the last.
TEST(TextParser, EndlessBlanksInAKeyListAreSwallowed) {
  for (const size_t blanks : {2040U, 2043U, 2044U, 2045U, 2046U, 2047U, 2048U, 2049U, 5000U}) {
    const std::string gap(blanks, ' ');
    for (const std::string_view end : {"\n", "\r\n"}) {
      auto commands = ParseAll("get k" + gap + "j" + gap + std::string(end) + "version\r\n");
      ASSERT_GE(commands.size(), 3U) << blanks;
      EXPECT_EQ(commands[0].key, "k");
      EXPECT_EQ(commands[1].key, "j");
      EXPECT_EQ(commands.back().command.verb, Verb::kVersion);
      if (commands.size() == 4) {  // the end of the list comes by itself
        EXPECT_FALSE(commands[1].command.last_key);
        EXPECT_EQ(commands[2].command.rejection, Status::kMiss);
        EXPECT_TRUE(commands[2].command.last_key);
      } else {
        EXPECT_TRUE(commands[1].command.last_key);
      }
    }
  }
}

TEST(TextParser, AWrongKeyEndsTheListAfterTheKeysBeforeIt) {
  for (const std::string& wrong :
       {std::string(251, 'k'), std::string(5000, 'k'), std::string("a\tb"), std::string("\x7f"),
        std::string("\rx"), std::string("x\r"), std::string(1, '\0')}) {
    const auto commands = ParseAll("get a " + wrong + " b c\r\nversion\r\n");
    ASSERT_EQ(commands.size(), 3U) << wrong;
    EXPECT_EQ(commands[0].key, "a");
    EXPECT_FALSE(commands[0].command.last_key);
    EXPECT_EQ(commands[1].command.verb, Verb::kRejected);
    EXPECT_EQ(commands[1].command.rejection, Status::kBadFormat);
    EXPECT_EQ(commands[2].command.verb, Verb::kVersion);
  }
}

// --- what is refused -----------------------------------------------------------------------------

struct Refusal {
  std::string line;
  Status why;
  bool noreply = false;
};

void ExpectRefused(const std::vector<Refusal>& refusals) {
  for (const Refusal& refusal : refusals) {
    SCOPED_TRACE(refusal.line);
    const auto commands = ParseAll(refusal.line + "\r\nversion\r\n");
    ASSERT_EQ(commands.size(), 2U);
    EXPECT_EQ(commands[0].command.verb, Verb::kRejected);
    EXPECT_EQ(commands[0].command.rejection, refusal.why);
    EXPECT_EQ(commands[0].command.noreply, refusal.noreply);
    EXPECT_EQ(commands[1].command.verb, Verb::kVersion);
  }
}

TEST(TextParser, RefusesUnknownWords) {
  ExpectRefused({{"foo", Status::kUnknownCommand},
                 {"foo bar", Status::kUnknownCommand},
                 {"gett k", Status::kUnknownCommand},
                 {"GET k", Status::kUnknownCommand},
                 {"Set k 0 0 0", Status::kUnknownCommand},
                 {"get\tk", Status::kUnknownCommand},
                 {"\tget k", Status::kUnknownCommand},
                 {"quitx", Status::kUnknownCommand},
                 {"HTTP", Status::kUnknownCommand},
                 {"host: x", Status::kUnknownCommand}});
}

TEST(TextParser, RefusesBlankLines) {
  ExpectRefused(
      {{"", Status::kBadFormat}, {" ", Status::kBadFormat}, {"    ", Status::kBadFormat}});
}

TEST(TextParser, RefusesWrongNumbersOfTokens) {
  ExpectRefused({{"get", Status::kUnknownCommand},
                 {"get ", Status::kUnknownCommand},
                 {"gets  ", Status::kUnknownCommand},
                 {"gat", Status::kUnknownCommand},
                 {"gat ", Status::kUnknownCommand},
                 {"gats", Status::kUnknownCommand},
                 {"set", Status::kUnknownCommand},
                 {"set k", Status::kUnknownCommand},
                 {"set k 0 0", Status::kUnknownCommand},
                 {"set k 0 0 3 4 noreply", Status::kUnknownCommand},
                 {"set k 0 0 3 4 5 6 7 8 9", Status::kUnknownCommand},
                 {"cas", Status::kBadFormat},
                 {"cas k", Status::kUnknownCommand},
                 {"cas k 0 0 3", Status::kUnknownCommand},
                 {"cas k 0 0 3 1 2 3", Status::kUnknownCommand},
                 {"delete", Status::kUnknownCommand},
                 {"delete k 0 0 noreply", Status::kUnknownCommand},
                 {"touch", Status::kUnknownCommand},
                 {"touch k", Status::kUnknownCommand},
                 {"touch k 0 1 2", Status::kUnknownCommand},
                 {"incr", Status::kUnknownCommand},
                 {"incr k", Status::kUnknownCommand},
                 {"decr k 1 noreply x", Status::kUnknownCommand},
                 {"flush_all 0 1 2", Status::kUnknownCommand},
                 {"flush_all 0 0 noreply", Status::kUnknownCommand},
                 {"verbosity", Status::kUnknownCommand},
                 {"verbosity 0 1 2", Status::kUnknownCommand},
                 {"cache_memlimit", Status::kUnknownCommand},
                 {"cache_memlimit 64 x y", Status::kUnknownCommand}});
}

TEST(TextParser, RefusesWrongLengths) {
  for (const std::string length :
       {"-1", "-0x1", "-2147483648", "2147483646", "2147483647", "2147483648", "4294967295",
        "4294967296", "4294967299", "9223372036854775807", "9223372036854775808",
        "18446744073709551616", "+5", "0x10", "5x", "abc", "5\t", "\v5"}) {
    ExpectRefused({{"set k 0 0 " + length, Status::kBadFormat},
                   {"append k 0 0 " + length + " noreply", Status::kBadFormat, true},
                   {"cas k 0 0 " + length + " 1", Status::kBadFormat}});
  }
}

TEST(TextParser, RefusesWrongNumbers) {
  ExpectRefused({{"set k -1 0 0", Status::kBadFormat},
                 {"set k x 0 0", Status::kBadFormat},
                 {"set k 18446744073709551616 0 0", Status::kBadFormat},
                 {"set k 0 x 0", Status::kBadFormat},
                 {"set k 0 1x 0", Status::kBadFormat},
                 {"set k 0 9223372036854775808 0", Status::kBadFormat},
                 {"set k 0 -9223372036854775809 0", Status::kBadFormat},
                 {"set k 0 0 noreply", Status::kBadFormat, true},
                 {"cas k 0 0 0 x", Status::kBadFormat},
                 {"cas k 0 0 0 -1", Status::kBadFormat},
                 {"cas k 0 0 0 18446744073709551616", Status::kBadFormat},
                 {"cas k 0 0 0 noreply", Status::kBadFormat, true},
                 {"touch k x", Status::kInvalidExptime},
                 {"touch k noreply", Status::kInvalidExptime, true},
                 {"gat x k", Status::kInvalidExptime},
                 {"gat k", Status::kInvalidExptime},
                 {"gat 1\t k", Status::kInvalidExptime},
                 {"gats 99999999999999999999 k j", Status::kInvalidExptime},
                 {"gat x k noreply", Status::kInvalidExptime},
                 {"incr k abc", Status::kInvalidDelta},
                 {"incr k -1", Status::kInvalidDelta},
                 {"incr k 18446744073709551616", Status::kInvalidDelta},
                 {"decr k 0x1", Status::kInvalidDelta},
                 {"decr k noreply", Status::kInvalidDelta, true},
                 {"flush_all abc", Status::kInvalidExptime},
                 {"flush_all 1x", Status::kInvalidExptime},
                 {"flush_all noreply 0", Status::kInvalidExptime},
                 {"flush_all noreply noreply", Status::kInvalidExptime, true},
                 {"flush_all abc noreply", Status::kInvalidExptime, true},
                 {"verbosity x", Status::kBadFormat},
                 {"verbosity -1", Status::kBadFormat},
                 {"verbosity noreply", Status::kBadFormat, true},
                 {"verbosity x noreply", Status::kBadFormat, true},
                 {"cache_memlimit x", Status::kUnknownCommand},
                 {"cache_memlimit -1", Status::kUnknownCommand},
                 {"cache_memlimit noreply", Status::kUnknownCommand, true}});
}

TEST(TextParser, RefusesWrongKeys) {
  for (const std::string& key :
       {std::string(251, 'k'), std::string(1000, 'k'), std::string("a\x01"), std::string("a\x7f"),
        std::string("\ta"), std::string("a\0b", 3), std::string("a\rb")}) {
    ExpectRefused({{"set " + key + " 0 0 3", Status::kBadFormat},
                   {"set " + key + " 0 0 3 noreply", Status::kBadFormat, true},
                   {"cas " + key + " 0 0 3 1", Status::kBadFormat},
                   {"get " + key, Status::kBadFormat},
                   {"gets " + key, Status::kBadFormat},
                   {"gat 0 " + key, Status::kBadFormat},
                   {"delete " + key, Status::kBadFormat},
                   {"touch " + key + " x", Status::kBadFormat},
                   {"incr " + key + " x", Status::kBadFormat},
                   {"decr " + key + " 1 noreply", Status::kBadFormat, true}});
  }
}

TEST(TextParser, RefusesWordsThatDeleteDoesNotKnow) {
  ExpectRefused({{"delete k 1", Status::kDeleteUsage},
                 {"delete k 00", Status::kDeleteUsage},
                 {"delete k x", Status::kDeleteUsage},
                 {"delete k 0 x", Status::kDeleteUsage},
                 {"delete k noreply x", Status::kDeleteUsage},
                 {"delete k 0 0", Status::kDeleteUsage},
                 {"delete k a noreply", Status::kDeleteUsage, true},
                 {"delete k noreply noreply", Status::kDeleteUsage, true},
                 {"delete " + std::string(251, 'k') + " x", Status::kDeleteUsage}});
}

TEST(TextParser, AGatWithoutKeysIsAnEmptyList) {
  ExpectRefused(
      {{"gat 10", Status::kMiss}, {"gat 10 ", Status::kMiss}, {"gats -1", Status::kMiss}});
}

// --- values --------------------------------------------------------------------------------------

TEST(TextParser, DataThatDoesNotEndWhereDeclaredIsDroppedAsFarAsDeclared) {
  const auto commands = ParseAll("set k 0 0 2\r\nabc\r\nset k 0 0 3 noreply\nabcde\nversion\r\n");
  ASSERT_EQ(commands.size(), 5U);
  EXPECT_EQ(commands[0].command.rejection, Status::kBadDataChunk);
  EXPECT_FALSE(commands[0].command.noreply);
  EXPECT_EQ(commands[1].command.rejection, Status::kBadFormat);  // the blank line that is left
  EXPECT_EQ(commands[2].command.rejection, Status::kBadDataChunk);
  EXPECT_TRUE(commands[2].command.noreply);
  EXPECT_EQ(commands[3].command.rejection, Status::kBadFormat);
  EXPECT_EQ(commands[4].command.verb, Verb::kVersion);
}

TEST(TextParser, AValueMustEndInCarriageReturnAndNewline) {
  const auto commands = ParseAll("set k 0 0 1\n5\n\nget k\n");
  ASSERT_EQ(commands.size(), 2U);
  EXPECT_EQ(commands[0].command.rejection, Status::kBadDataChunk);
  EXPECT_EQ(commands[1].key, "k");
}

TEST(TextParser, ATooLargeValueIsRefusedBeforeItArrivesAndSwallowed) {
  const ParserLimits limits = {.item_bytes_max = 59 + 1 + 100};
  EXPECT_EQ(Parse("set k 0 0 100\r\n", limits).state, ParseState::kNeedBody);
  const OwnedResult parsed = Parse("set k 0 0 101 noreply\r\n", limits);
  EXPECT_EQ(parsed.state, ParseState::kReady);
  EXPECT_EQ(parsed.consumed, 23U);
  EXPECT_EQ(parsed.discard_bytes, 103U);
  EXPECT_EQ(parsed.command.command.verb, Verb::kRejected);
  EXPECT_EQ(parsed.command.command.rejection, Status::kTooLarge);
  EXPECT_TRUE(parsed.command.command.noreply);

  Client client(Text(), limits);
  client.Receive("add k 0 0 2147483645\r\n" + std::string(1000, 'x'));
  ASSERT_EQ(client.commands().size(), 1U);
  EXPECT_EQ(client.unread(), "");
  EXPECT_EQ(client.discard_bytes(), 2147483647U - 1000U);
}

// What memcached 1.6.18 and 1.6.45 take and refuse, started with -I 1m.
TEST(TextParser, TheItemLimitCountsWhatMemcachedCounts) {
  const auto largest = [](std::string_view key, std::string_view flags) {
    size_t taken = 0;
    for (size_t bytes = (1 << 20) - 1000; bytes < (1 << 20) + 10; ++bytes) {
      const std::string line = "set " + std::string(key) + " " + std::string(flags) + " 0 " +
                               std::to_string(bytes) + "\r\n";
      if (Parse(line).state == ParseState::kNeedBody) taken = bytes;
    }
    return taken;
  };
  EXPECT_EQ(largest("k", "0"), 1048516U);
  EXPECT_EQ(largest("kkkkkkkkkk", "0"), 1048507U);
  EXPECT_EQ(largest("kkkkkkkkkk", "5"), 1048503U);
  EXPECT_EQ(largest(std::string(100, 'k'), "5"), 1048413U);
}

TEST(TextParser, ARefusedSetNamesTheKeyWhoseOldValueMustGo) {
  const ParserLimits limits = {.item_bytes_max = 59 + 1 + 100};
  EXPECT_EQ(Parse("set k 0 0 101\r\n", limits).command.key, "k");
  for (const std::string verb : {"add", "replace", "append", "prepend"}) {
    EXPECT_EQ(Parse(verb + " k 0 0 101\r\n", limits).command.key, "") << verb;
  }
  EXPECT_EQ(Parse("cas k 0 0 101 1\r\n", limits).command.key, "");
}

TEST(TextParser, TheValueOfAKnownLineIsWaitedFor) {
  const std::string line = "set k 0 0 5\r\n";
  for (const std::string_view part : {"", "v", "value", "value\r"}) {
    const OwnedResult parsed = Parse(line + std::string(part));
    EXPECT_EQ(parsed.state, ParseState::kNeedBody);
    EXPECT_EQ(parsed.consumed, line.size());
    EXPECT_EQ(parsed.body_bytes, 7U);
    EXPECT_EQ(parsed.command.key, "k");
  }
}

// --- long lines ----------------------------------------------------------------------------------

TEST(TextParser, ALineOfMoreThan2048BytesCloses) {
  for (const std::string start : {"", "set k 0 0 ", "version ", "stats ", "get", "gat ", "   "}) {
    const std::string longest = start + std::string(kLineBytesMax - start.size(), 'x');
    EXPECT_EQ(Parse(longest).state, ParseState::kNeedMore) << start;
    EXPECT_FALSE(Parse(longest + "\n").close) << start;
    const OwnedResult parsed = Parse(longest + "x");
    EXPECT_EQ(parsed.state, ParseState::kReady);
    EXPECT_TRUE(parsed.close);
    EXPECT_EQ(parsed.command.command.rejection, Status::kLineTooLong) << start;
    EXPECT_EQ(Parse(longest + "x\r\nversion\r\n"), parsed);
  }
}

TEST(TextParser, BlanksBeforeTheFirstKeyAreBounded) {
  for (const std::string start : {"", "get ", "gats ", "gat 0 "}) {
    const OwnedResult parsed = Parse(start + std::string(kLineBytesMax, ' ') + "\r\n");
    EXPECT_TRUE(parsed.close) << start;
    EXPECT_EQ(parsed.command.command.rejection, Status::kLineTooLong) << start;
  }
}

// --- browsers ------------------------------------------------------------------------------------

TEST(TextParser, ABrowsersRequestCloses) {
  for (const std::string_view line :
       {"GET / HTTP/1.1\r\n", "get / HTTP/1.1\r\n", "set k 0 HTTP/1.0\n", "PUT /x HTTP/2 \r\n",
        "delete HTTP/1.1\r\n", "POST\r\n", "POST /\r\n", "Host: x\r\n", "Host:\n",
        "foo HTTP/\r\n"}) {
    const OwnedResult parsed = ParseExact(Text(), line, Resume{}, {});
    EXPECT_EQ(parsed.state, ParseState::kReady) << line;
    EXPECT_TRUE(parsed.close) << line;
    EXPECT_EQ(parsed.command.command.rejection, Status::kForeignProtocol) << line;
  }
}

TEST(TextParser, LaterLinesAreTakenForABrowsersOnlyIfTheyAreNoCommand) {
  for (const std::string_view line : {"PUT / HTTP/1.1\r\n", "POST\r\n", "Host: x\r\n"}) {
    EXPECT_TRUE(Parse(line).close) << line;
  }
  for (const std::string_view line :
       {"get / HTTP/1.1\r\n", "delete HTTP/1.1\r\n", "version HTTP/1.1\r\n"}) {
    EXPECT_FALSE(Parse(line).close) << line;
    EXPECT_NE(Parse(line).command.command.verb, Verb::kRejected) << line;
  }
}

TEST(TextParser, OtherFirstLinesAreCommands) {
  for (const std::string_view line :
       {"get HTTP/1.1 k\r\n", "get k\r\n", "version\r\n", "Hostx\r\n", "POSTx y\r\n", "\r\n"}) {
    const OwnedResult parsed = ParseExact(Text(), line, Resume{}, {});
    EXPECT_FALSE(parsed.close) << line;
    EXPECT_EQ(parsed.state, ParseState::kReady) << line;
  }
}

TEST(TextParser, ALongFirstLineMayBeAGet) {
  Client client(Text(), {});
  std::string line = "get";
  for (int i = 0; i < 1000; ++i) {
    line += " key_" + std::to_string(i);
  }
  client.Receive(line + "\r\n");
  EXPECT_EQ(client.commands().size(), 1000U);
}

// --- any bytes -----------------------------------------------------------------------------------

// Pieces of which random lines are made, some of them wrong.
std::string RandomStream(std::mt19937_64& random) {
  static const std::vector<std::string> kPieces = {"get ",
                                                   "gets ",
                                                   "gat ",
                                                   "set ",
                                                   "cas ",
                                                   "delete ",
                                                   "incr ",
                                                   "touch ",
                                                   "flush_all ",
                                                   "stats ",
                                                   "version",
                                                   "quit",
                                                   "k ",
                                                   "key ",
                                                   "0 ",
                                                   "0 0 5\r\n",
                                                   "0 0 5\r\nvalue\r\n",
                                                   "0 0 3000\r\n",
                                                   "-1 ",
                                                   "noreply",
                                                   "noreply ",
                                                   " ",
                                                   "  ",
                                                   "\r\n",
                                                   "\n",
                                                   "\r",
                                                   "\t",
                                                   "x",
                                                   "HTTP/1.1",
                                                   "POST ",
                                                   std::string(250, 'k'),
                                                   std::string(251, 'k'),
                                                   std::string(1000, ' '),
                                                   std::string(1000, 'v'),
                                                   std::string(1, '\0')};
  std::string stream;
  for (size_t i = 0, pieces = 1 + random() % 12; i < pieces; ++i) {
    stream += kPieces[random() % kPieces.size()];
  }
  return stream;
}

TEST(TextParser, EveryPrefixOfRandomLinesWaitsOrSaysTheSame) {
  std::mt19937_64 random(2);
  const ParserLimits limits = {.item_bytes_max = 2000};
  for (int round = 0; round < 100; ++round) {
    const std::string stream = RandomStream(random);
    for (const Resume& resume : {Resume{}, kLineStart, Resume{Resume::At::kKeys, Verb::kGats, 7},
                                 Resume{Resume::At::kSkipLine, Verb::kRejected, 0}}) {
      for (size_t size = 1; size < stream.size(); size += 1 + size / 200) {
        CheckPrefix(Text(), stream, size, resume, limits);
      }
    }
  }
}

TEST(TextParser, RandomCutsGiveTheSameCommands) {
  std::mt19937_64 random(3);
  const ParserLimits limits = {.item_bytes_max = 2000};
  for (int round = 0; round < 1000; ++round) {
    std::string stream;
    for (int line = 0; line < 5; ++line) {
      stream += RandomStream(random);
    }
    Client whole(Text(), limits);
    whole.Receive(stream);
    Client cut(Text(), limits);
    for (size_t at = 0; at < stream.size();) {
      const size_t size = 1 + random() % (random() % 4 == 0 ? 2000 : 20);
      cut.Receive(std::string_view(stream).substr(at, size));
      at += size;
    }
    ASSERT_TRUE(whole == cut) << "round " << round;
  }
}

}  // namespace
}  // namespace larder::protocol
