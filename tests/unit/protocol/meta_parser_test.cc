// Goal: every meta command, with every flag, right or wrong, becomes the command that memcached
// would have made of it (meta_parser.h and the named cases say where Larder means to differ).
//
// Method: tables of lines. What holds for all lines is checked by parser_properties.h: each is
// shown whole, as every prefix, and in cuts.
#include "protocol/meta_parser.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "fuzz/parser_properties.h"
#include "protocol/codec.h"
#include "protocol/stored_key.h"

namespace larder::protocol {
namespace {

using testing::CheckPrefix;
using testing::Client;
using testing::OwnedCommand;
using testing::OwnedResult;
using testing::ParseExact;

const Codec& Lines() { return CodecOf(Protocol::kText); }

constexpr Resume kLineStart = {Resume::At::kLineStart, Verb::kRejected, 0};

OwnedResult Parse(std::string_view bytes, const ParserLimits& limits = {}) {
  return ParseExact(Lines(), bytes, kLineStart, limits);
}

// The only command in `bytes`, all of which it takes up.
OwnedCommand ParseOne(const std::string& bytes) {
  const OwnedResult parsed = Parse(bytes);
  EXPECT_EQ(parsed.state, ParseState::kReady) << bytes;
  EXPECT_EQ(parsed.consumed, bytes.size()) << bytes;
  EXPECT_TRUE(parsed.command.has_extras) << bytes;
  return parsed.command;
}

// What is asked for with some flags, in a line without a value.
Extras ExtrasOf(const std::string& line) { return ParseOne(line + "\r\n").extras; }
uint32_t AsksOf(const std::string& line) { return ExtrasOf(line).asks; }

Status RejectionOf(const std::string& line) {
  const OwnedResult parsed = Parse(line + "\r\n");
  EXPECT_EQ(parsed.state, ParseState::kReady) << line;
  EXPECT_EQ(parsed.command.command.verb, Verb::kRejected) << line;
  EXPECT_FALSE(parsed.close) << line;
  return parsed.command.command.rejection;
}

constexpr uint16_t kNone = Extras::kNoValue;

// --- verbs ---------------------------------------------------------------------------------------

TEST(MetaParser, EveryCommandIsAVerbThatOthersHaveToo) {
  const struct {
    std::string line;
    Verb verb;
  } kLines[] = {{"mg k", Verb::kGet},
                {"mg k v", Verb::kGet},
                {"mg k T30", Verb::kGet},
                {"ms k 2\r\nab", Verb::kSet},
                {"ms k 2 MS\r\nab", Verb::kSet},
                {"ms k 2 ME\r\nab", Verb::kAdd},
                {"ms k 2 MA\r\nab", Verb::kAppend},
                {"ms k 2 MP\r\nab", Verb::kPrepend},
                {"ms k 2 MR\r\nab", Verb::kReplace},
                {"md k", Verb::kDelete},
                {"ma k", Verb::kIncr},
                {"ma k MI", Verb::kIncr},
                {"ma k M+", Verb::kIncr},
                {"ma k MD", Verb::kDecr},
                {"ma k M-", Verb::kDecr},
                {"me k", Verb::kDescribe}};
  for (const auto& [line, verb] : kLines) {
    const OwnedCommand parsed = ParseOne(line + "\r\n");
    EXPECT_EQ(parsed.command.verb, verb) << line;
    EXPECT_EQ(parsed.key, "k") << line;
    EXPECT_EQ(parsed.extras.spelling, Spelling::kMeta) << line;
    EXPECT_FALSE(parsed.extras.quiet) << line;
    EXPECT_EQ(parsed.value, line.starts_with("ms") ? "ab" : "") << line;
  }
}

TEST(MetaParser, ANoopHasNothingBehindIt) {
  for (const std::string_view line : {"mn\r\n", "mn\n", "mn q k O1\r\n", " mn \r\n"}) {
    EXPECT_EQ(Parse(line).command.command.verb, Verb::kNoop) << line;
    EXPECT_EQ(Parse(line).consumed, line.size()) << line;
  }
}

TEST(MetaParser, LinesMayEndInNewlineAndHaveBlanksAnywhere) {
  for (const std::string line : {"mg k v t\n", "mg k v t\r\n", "  mg  k   v t  \r\n"}) {
    const OwnedCommand parsed = ParseOne(line);
    EXPECT_EQ(parsed.key, "k") << line;
    EXPECT_EQ(parsed.extras.asks, 0) << line;
  }
}

TEST(MetaParser, OtherWordsThatBeginWithAnMAreNoCommands) {
  for (const std::string line :
       {"m", "mx k", "mget k", "Mg k", "mG k", "ms2 k", "mg\tk", "m g k"}) {
    EXPECT_EQ(RejectionOf(line), Status::kUnknownCommand) << line;
  }
}

TEST(MetaParser, TextAndMetaComeMixed) {
  Client client(Lines(), {});
  client.Receive(
      "ms a 1\r\nxget a\r\nget a b\r\nmg a v\r\nset m 0 0 3\r\nmg \r\nmn\r\nversion\r\n");
  const auto& commands = client.commands();
  ASSERT_EQ(commands.size(), 8U);
  EXPECT_EQ(commands[0].command.rejection, Status::kBadDataChunk);
  EXPECT_EQ(commands[1].command.verb, Verb::kRejected);  // "t a"
  EXPECT_EQ(commands[2].key, "a");
  EXPECT_EQ(commands[3].key, "b");
  EXPECT_EQ(commands[4].command.verb, Verb::kGet);
  EXPECT_EQ(commands[5].value, "mg ");
  EXPECT_EQ(commands[6].command.verb, Verb::kNoop);
  EXPECT_EQ(commands[7].command.verb, Verb::kVersion);
}

// --- flags ---------------------------------------------------------------------------------------

TEST(MetaParser, EachFlagAsksForOneThing) {
  EXPECT_EQ(AsksOf("mg k"), Extras::kNoValue);
  EXPECT_EQ(AsksOf("mg k v"), 0);
  EXPECT_EQ(AsksOf("mg k u"), kNone | Extras::kNoBump);
  EXPECT_EQ(AsksOf("md k I"), kNone | Extras::kInvalidate);
  EXPECT_EQ(AsksOf("md k x"), kNone | Extras::kDropValue);
  EXPECT_EQ(AsksOf("mg k T5"), kNone | Extras::kTouch);
  EXPECT_EQ(AsksOf("mg k N5"), kNone | Extras::kCreate);
  EXPECT_EQ(AsksOf("mg k R5"), kNone | Extras::kRecache);
  EXPECT_EQ(AsksOf("md k C5"), kNone | Extras::kMatchCas);
  EXPECT_EQ(AsksOf("md k E5"), kNone | Extras::kGiveCas);
  EXPECT_EQ(AsksOf("mg k c f h k l s t"), kNone);
  EXPECT_EQ(AsksOf("mg k Lany Pthing O"), kNone);
  EXPECT_TRUE(ExtrasOf("mg k q").quiet);
  EXPECT_FALSE(ExtrasOf("mg k v").quiet);
}

TEST(MetaParser, ArgumentsAreNumbers) {
  EXPECT_EQ(ParseOne("mg k T-1\r\n").command.exptime, -1);
  EXPECT_EQ(ParseOne("ms k 0 T2147483648\r\n\r\n").command.exptime, 2147483648);
  EXPECT_EQ(ParseOne("ms k 0 F4294967295\r\n\r\n").command.client_flags, 0xffffffff);
  EXPECT_EQ(ExtrasOf("mg k N60").create_exptime, 60);
  EXPECT_EQ(ExtrasOf("mg k R30").recache_exptime, 30);
  EXPECT_EQ(ExtrasOf("md k C18446744073709551615").match_cas, UINT64_MAX);
  EXPECT_EQ(ExtrasOf("md k E7").give_cas, 7U);
  EXPECT_EQ(ExtrasOf("ma k J13 N0").initial, 13U);
  EXPECT_EQ(ParseOne("ma k D5\r\n").command.number, 5U);
  EXPECT_EQ(ParseOne("ma k\r\n").command.number, 1U);
}

TEST(MetaParser, TheFlagsAreKeptForTheReply) {
  EXPECT_EQ(ParseOne("mg k  t O123  v \r\n").flags, "t O123  v ");
  EXPECT_EQ(ParseOne("ms k 2 c k\r\nab\r\n").flags, "c k");
  EXPECT_EQ(ParseOne("mg k\r\n").flags, "");
}

// As memcached: what a command does with a flag that is another's is nothing.
TEST(MetaParser, EveryCommandTakesEveryFlag) {
  const std::string flags = " b c f h k l q s t u v x C1 D1 E1 F1 I J1 L M+ N1 O1 P1 R1 T1";
  EXPECT_EQ(ParseOne("mg aw==" + flags + "\r\n").command.verb, Verb::kGet);
  EXPECT_EQ(ParseOne("md aw==" + flags + "\r\n").command.verb, Verb::kDelete);
  EXPECT_EQ(ParseOne("ma aw==" + flags + "\r\n").command.verb, Verb::kIncr);
  std::string set = "ms aw== 0" + flags + "\r\n\r\n";
  set.replace(set.find("M+"), 2, "MS");
  EXPECT_EQ(ParseOne(set).command.verb, Verb::kSet);
}

TEST(MetaParser, AUniqueOf0IsNoneWhereMemcachedTakesItForNone) {
  for (const std::string line :
       {"ma k C0\r\n", "ms k 0 MA C0\r\n\r\n", "ms k 0 MP C0\r\n\r\n", "ms k 0 ME C5\r\n\r\n"}) {
    EXPECT_FALSE(ParseOne(line).extras.Asks(Extras::kMatchCas)) << line;
  }
  for (const std::string line : {"md k C0\r\n", "ms k 0 C0\r\n\r\n", "ms k 0 MR C0\r\n\r\n"}) {
    EXPECT_TRUE(ParseOne(line).extras.Asks(Extras::kMatchCas)) << line;
  }
  EXPECT_FALSE(ParseOne("ms k 0 C0 I\r\n\r\n").extras.Asks(Extras::kInvalidate));
  EXPECT_TRUE(ParseOne("ms k 0 C1 I\r\n\r\n").extras.Asks(Extras::kInvalidate));
}

TEST(MetaParser, AnOpaqueHasUpTo32Bytes) {
  EXPECT_EQ(AsksOf("mg k O" + std::string(32, 'x')), kNone);
  EXPECT_EQ(RejectionOf("mg k O" + std::string(33, 'x')), Status::kOpaqueTooLong);
  EXPECT_EQ(RejectionOf("ma k q O" + std::string(33, 'x')), Status::kOpaqueTooLong);
}

TEST(MetaParser, WhatIsWrongWithAFlag) {
  const struct {
    std::string flags;
    Status why;
  } kWrong[] = {{"v v", Status::kDuplicateFlag},
                {"T1 T2", Status::kDuplicateFlag},
                {"O1 v O2", Status::kDuplicateFlag},
                {"q k q", Status::kDuplicateFlag},
                {"!", Status::kInvalidFlag},
                {"j", Status::kInvalidFlag},
                {"S100", Status::kInvalidFlag},
                {"noreply", Status::kInvalidFlag},
                {"0", Status::kInvalidFlag},
                {"\xff", Status::kInvalidFlag},
                {"\x01", Status::kInvalidFlag},
                {"[", Status::kInvalidFlag},
                {"T", Status::kBadToken},
                {"Tx", Status::kBadToken},
                {"T1x", Status::kBadToken},
                {"N", Status::kBadToken},
                {"R-", Status::kBadToken},
                {"C-1", Status::kBadToken},
                {"E18446744073709551616", Status::kBadToken},
                {"D", Status::kInvalidNumericDelta},
                {"D-1", Status::kInvalidNumericDelta},
                {"J", Status::kInvalidInitial},
                {"Jx", Status::kInvalidInitial},
                {"F", Status::kBadFormat},
                {"F4294967296", Status::kBadFormat},
                {"Fx", Status::kBadFormat},
                {"Tx v v", Status::kBadToken},
                {"v v Tx", Status::kDuplicateFlag}};
  for (const auto& [flags, why] : kWrong) {
    SCOPED_TRACE(flags);
    for (const std::string verb : {"mg", "md", "ma"}) {
      EXPECT_EQ(RejectionOf(verb + " k " + flags), why) << verb;
    }
    // The value is swallowed.
    const OwnedResult parsed = Parse("ms k 5 " + flags + "\r\nvalue\r\n");
    EXPECT_EQ(parsed.command.command.rejection, why);
    EXPECT_EQ(parsed.discard_bytes, 7U);
  }
}

TEST(MetaParser, ModesAreOneLetter) {
  for (const std::string mode : {"M", "MX", "MAA", "Ms", "MI"}) {
    EXPECT_EQ(Parse("ms k 2 " + mode + "\r\nab\r\n").command.command.rejection,
              Status::kInvalidStoreMode);
  }
  for (const std::string mode : {"M", "MX", "MII", "MS", "Mi"}) {
    EXPECT_EQ(RejectionOf("ma k " + mode), Status::kInvalidNumberMode);
  }
}

// --- keys ----------------------------------------------------------------------------------------

TEST(MetaParser, KeysAreWords) {
  const std::string longest(kKeyBytesMax, 'k');
  EXPECT_EQ(ParseOne("mg " + longest + "\r\n").key, longest);
  for (const std::string& key : {longest + "k", std::string("a\tb"), std::string("\x7f")}) {
    for (const std::string verb : {"mg ", "md ", "ma ", "me "}) {
      EXPECT_EQ(RejectionOf(verb + key), Status::kBadFormat) << verb;
    }
    const OwnedResult parsed = Parse("ms " + key + " 2\r\nab\r\n");
    EXPECT_EQ(parsed.command.command.rejection, Status::kBadFormat);
    EXPECT_EQ(parsed.discard_bytes, 4U);
  }
}

TEST(MetaParser, WithoutAKeyThereIsNoCommand) {
  for (const std::string line : {"mg", "ms", "md", "ma", "me", "mg ", "ms k", "ms  k "}) {
    EXPECT_EQ(RejectionOf(line), Status::kBadFormat) << line;
  }
}

TEST(MetaParser, KeysInBase64MayHaveAnyBytes) {
  using namespace std::string_literals;
  const struct {
    std::string text;
    std::string key;
  } kKeys[] = {{"Zm9v", "foo"}, {"Zm8=", "fo"},
               {"Zg==", "f"},   {"AAEC/w==", "\0\1\2\xff"s},
               {"ICAg", "   "}, {"+/+/", "\xfb\xff\xbf"s}};
  for (const auto& [text, key] : kKeys) {
    for (const std::string& line :
         {"mg " + text + " b\r\n", "mg " + text + " v b k\r\n", "me " + text + " b\r\n",
          "ms " + text + " 1 b\r\nx\r\n", "md " + text + " b\r\n", "ma " + text + " b\r\n"}) {
      const OwnedCommand parsed = ParseOne(line);
      EXPECT_EQ(ToldKey(parsed.key), key) << line;
      EXPECT_TRUE(IsStoredAsItIs(key, 0) || parsed.key == "\0\0"s + key) << line;
      EXPECT_TRUE(parsed.extras.encoded_key) << line;
    }
    EXPECT_EQ(ParseOne("mg " + text + "\r\n").key, text);
  }
}

TEST(MetaParser, WhatIsNoBase64) {
  for (const std::string text : {"Zm9", "Zm9vY", "Z===", "====", "Zm=v", "Zm9v====", "Zm9!", "Zm_v",
                                 "Zm-v", "\xff\xff\xff\xff"}) {
    EXPECT_EQ(RejectionOf("mg " + text + " b"), Status::kBadKeyEncoding) << text;
    EXPECT_EQ(RejectionOf("me " + text + " b"), Status::kBadKeyEncoding) << text;
  }
  EXPECT_EQ(RejectionOf("mg " + std::string(252, 'a') + " b"), Status::kBadFormat);
  EXPECT_EQ(ParseOne("mg " + std::string(248, 'a') + " b\r\n").key.size(), 186U);
}

// --- values --------------------------------------------------------------------------------------

TEST(MetaParser, SizesThatAreNone) {
  for (const std::string size : {"x", "-1", "2147483646", "1.5", "S2", "99999999999999999999"}) {
    const OwnedResult parsed = Parse("ms k " + size + "\r\nab\r\n");
    EXPECT_EQ(parsed.command.command.rejection, Status::kBadFormat) << size;
    EXPECT_EQ(parsed.discard_bytes, 0U) << size;
  }
  EXPECT_EQ(Parse("ms k 2147483645 q q\r\n").discard_bytes, 2147483647U);
}

TEST(MetaParser, TheValueOfAKnownLineIsWaitedFor) {
  for (const std::string_view part : {"", "v", "value", "value\r"}) {
    const OwnedResult parsed = Parse("ms aw== 5 b C7 O1\r\n" + std::string(part));
    EXPECT_EQ(parsed.state, ParseState::kNeedBody);
    EXPECT_EQ(parsed.body_bytes, 7U);
    EXPECT_EQ(parsed.command.key, "k");
    EXPECT_EQ(parsed.command.extras.match_cas, 7U);
  }
  EXPECT_EQ(Parse("ms k 5\r\nvalue!\n").command.command.rejection, Status::kBadDataChunk);
}

TEST(MetaParser, ATooLargeValueIsRefusedBeforeItArrivesAndSwallowed) {
  const ParserLimits limits = {.item_bytes_max = 59 + 1 + 100};
  EXPECT_EQ(Parse("ms k 100\r\n", limits).state, ParseState::kNeedBody);
  const OwnedResult parsed = Parse("ms k 101 q k\r\n", limits);
  EXPECT_EQ(parsed.command.command.rejection, Status::kTooLarge);
  EXPECT_EQ(parsed.discard_bytes, 103U);
  EXPECT_EQ(parsed.command.key, "k") << "its old value must go";
  for (const std::string flags : {"ME", "MA", "MP", "MR", "C5"}) {
    EXPECT_EQ(Parse("ms k 101 " + flags + "\r\n", limits).command.key, "") << flags;
  }
  EXPECT_EQ(Parse("ms k 97 F1\r\n", limits).command.command.rejection, Status::kTooLarge);
}

// --- any bytes -----------------------------------------------------------------------------------

TEST(MetaParser, ALineOfMoreThan2048BytesCloses) {
  const std::string longest = "mg k " + std::string(kLineBytesMax - 5, ' ');
  EXPECT_EQ(Parse(longest).state, ParseState::kNeedMore);
  EXPECT_FALSE(Parse(longest + "\n").close);
  const OwnedResult parsed = Parse(longest + " ");
  EXPECT_TRUE(parsed.close);
  EXPECT_EQ(parsed.command.command.rejection, Status::kLineTooLong);
  EXPECT_EQ(Parse(longest + " \r\nmn\r\n"), parsed);
}

TEST(MetaParser, ABrowsersRequestCloses) {
  for (const std::string_view line :
       {"mg / HTTP/1.1\r\n", "ms /x 5 HTTP/1.0\r\n", "ma /y v HTTP/1.1 \n"}) {
    const OwnedResult parsed = ParseExact(Lines(), line, Resume{}, {});
    EXPECT_TRUE(parsed.close) << line;
    EXPECT_EQ(parsed.command.command.rejection, Status::kForeignProtocol) << line;
  }
}

std::string RandomStream(std::mt19937_64& random) {
  static const std::vector<std::string> kPieces = {"mg ",
                                                   "ms ",
                                                   "md ",
                                                   "ma ",
                                                   "me ",
                                                   "mn",
                                                   "mn\r\n",
                                                   "mx ",
                                                   "k ",
                                                   "key ",
                                                   "Zm9v ",
                                                   "Zm9 ",
                                                   "b ",
                                                   "v ",
                                                   "q ",
                                                   "t ",
                                                   "k",
                                                   "c ",
                                                   "T30 ",
                                                   "N0 ",
                                                   "R5 ",
                                                   "C1 ",
                                                   "E2 ",
                                                   "F3 ",
                                                   "I ",
                                                   "M",
                                                   "MA ",
                                                   "MS ",
                                                   "ME ",
                                                   "M+ ",
                                                   "D5 ",
                                                   "J1 ",
                                                   "O1234 ",
                                                   "Oxyz\r\n",
                                                   "5 ",
                                                   "5\r\n",
                                                   "5 v\r\nvalue\r\n",
                                                   "3000 ",
                                                   "-1 ",
                                                   "\r\n",
                                                   "\n",
                                                   "\r",
                                                   " ",
                                                   "get k",
                                                   "set k 0 0 5\r\nvalue\r\n",
                                                   "HTTP/1.1",
                                                   "\xff",
                                                   "value",
                                                   "\r\nvalue\r\n",
                                                   std::string(250, 'k'),
                                                   std::string(251, 'k'),
                                                   std::string(1000, ' '),
                                                   std::string(1, '\0')};
  std::string stream;
  for (size_t i = 0, pieces = 1 + random() % 12; i < pieces; ++i) {
    stream += kPieces[random() % kPieces.size()];
  }
  return stream;
}

TEST(MetaParser, EveryPrefixOfRandomLinesWaitsOrSaysTheSame) {
  std::mt19937_64 random(2);
  const ParserLimits limits = {.item_bytes_max = 2000};
  for (int round = 0; round < 300; ++round) {
    const std::string stream = RandomStream(random);
    for (const Resume& resume : {Resume{}, kLineStart}) {
      for (size_t size = 1; size < stream.size(); size += 1 + size / 200) {
        CheckPrefix(Lines(), stream, size, resume, limits);
      }
    }
  }
}

TEST(MetaParser, RandomCutsGiveTheSameCommands) {
  std::mt19937_64 random(3);
  const ParserLimits limits = {.item_bytes_max = 2000};
  for (int round = 0; round < 1000; ++round) {
    std::string stream;
    for (int line = 0; line < 5; ++line) stream += RandomStream(random);
    Client whole(Lines(), limits);
    whole.Receive(stream);
    Client cut(Lines(), limits);
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
