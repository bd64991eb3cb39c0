// Goal: every answer to a meta command is spelled as memcached spells it, flag by flag, within the
// announced bound, and q takes away what is expected and nothing else.
// Method: commands as they are parsed, with outcomes as the engine gives them.
#include "protocol/meta_encoder.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "fuzz/parser_properties.h"
#include "protocol/codec.h"
#include "protocol/meta_parser.h"

namespace larder::protocol {
namespace {

constexpr Resume kLineStart = {Resume::At::kLineStart, Verb::kRejected, 0};

// The reply to the command `line` with the given outcome, in a block of exactly the announced size.
std::string Reply(const std::string& line, const Outcome& outcome) {
  const Codec& codec = CodecOf(Protocol::kText);
  const std::string wire = line + "\r\n";
  ParserSpace space;
  const Parsed parsed = codec.parse(wire, kLineStart, {}, space);
  EXPECT_EQ(parsed.state, ParseState::kReady) << line;
  EXPECT_NE(parsed.command.verb, Verb::kRejected) << line;
  const Command& command = parsed.command;
  const size_t bytes_max = codec.encoded_bytes_max(command, outcome);
  const auto block = std::make_unique<char[]>(bytes_max);
  char* end = codec.encode(command, outcome, block.get());
  const std::string reply(block.get(), end);
  EXPECT_LE(reply.size(), bytes_max);
  const bool valued = outcome.status == Status::kHit && command.verb == Verb::kGet &&
                      !command.extras->Asks(Extras::kNoValue);
  if (valued) {
    // In parts, it is the same.
    const auto around = std::make_unique<char[]>(bytes_max - outcome.value.size());
    char* middle = codec.encode_head(command, outcome, around.get());
    char* last = codec.encode_tail(command, outcome, middle);
    EXPECT_EQ(
        std::string(around.get(), middle) + std::string(outcome.value) + std::string(middle, last),
        reply);
  }
  return reply;
}

std::string Reply(const std::string& line, Status status) {
  return Reply(line, Outcome{.status = status});
}

const Outcome kHit = {.status = Status::kHit,
                      .client_flags = 7,
                      .cas = 12,
                      .ttl_s = 30,
                      .idle_s = 5,
                      .value = "value"};

TEST(MetaEncoder, AHitReturnsWhatWasAskedForInOrder) {
  EXPECT_EQ(Reply("mg foo", kHit), "HD\r\n");
  EXPECT_EQ(Reply("mg foo v", kHit), "VA 5\r\nvalue\r\n");
  EXPECT_EQ(Reply("mg foo s t c f l h k Oabc v", kHit),
            "VA 5 s5 t30 c12 f7 l5 h0 kfoo Oabc\r\nvalue\r\n");
  EXPECT_EQ(Reply("mg foo Oabc k h l f c t s", kHit), "HD Oabc kfoo h0 l5 f7 c12 t30 s5\r\n");
  EXPECT_EQ(Reply("mg foo v  t   k ", kHit), "VA 5 t30 kfoo\r\nvalue\r\n");
}

TEST(MetaEncoder, FlagsThatAskForNothingBackAreNotReturned) {
  EXPECT_EQ(Reply("mg foo q u N30 R30 T30 E5 C5 P1 L2 t", kHit), "HD t30\r\n");
}

TEST(MetaEncoder, WhatNeverExpiresHasATtlOfMinusOne) {
  Outcome hit = kHit;
  hit.ttl_s = Outcome::kForever;
  EXPECT_EQ(Reply("mg foo t", hit), "HD t-1\r\n");
  hit.ttl_s = 0;
  EXPECT_EQ(Reply("mg foo t", hit), "HD t0\r\n");
}

TEST(MetaEncoder, MarksFollowTheFlags) {
  Outcome hit = kHit;
  hit.marks = {.fetched = true};
  EXPECT_EQ(Reply("mg foo h", hit), "HD h1\r\n");
  hit.marks = {.won = true};
  EXPECT_EQ(Reply("mg foo h v", hit), "VA 5 h0 W\r\nvalue\r\n");
  hit.marks = {.won_before = true};
  EXPECT_EQ(Reply("mg foo", hit), "HD Z\r\n");
  hit.marks = {.stale = true, .won = true};
  EXPECT_EQ(Reply("mg foo k", hit), "HD kfoo X W\r\n");
  hit.marks = {.stale = true, .won_before = true};
  EXPECT_EQ(Reply("mg foo k", hit), "HD kfoo Z X\r\n");
}

TEST(MetaEncoder, WithoutAnItemTheKeyAndTheOpaqueComeBack) {
  EXPECT_EQ(Reply("mg foo s k t O1 v", Status::kMiss), "EN kfoo O1\r\n");
  EXPECT_EQ(Reply("mg foo", Status::kMiss), "EN\r\n");
  EXPECT_EQ(Reply("md foo k O1", Status::kNotFound), "NF kfoo O1\r\n");
  EXPECT_EQ(Reply("md foo O1 k C5", Status::kExists), "EX O1 kfoo\r\n");
  EXPECT_EQ(Reply("ma foo v t c k", Status::kNotFound), "NF kfoo\r\n");
  EXPECT_EQ(Reply("ma foo v C5 O1", Status::kExists), "EX O1\r\n");
}

TEST(MetaEncoder, AKeyComesBackAsItWasSpelled) {
  EXPECT_EQ(Reply("mg Zm9v b k v", kHit), "VA 5 kZm9v b\r\nvalue\r\n");
  EXPECT_EQ(Reply("mg Zm9v k b O1", Status::kMiss), "EN kZm9v b O1\r\n");
  EXPECT_EQ(Reply("mg Zm9v b", kHit), "HD\r\n");
  EXPECT_EQ(Reply("md AAEC/w== b k", Status::kDeleted), "HD kAAEC/w== b\r\n");
  EXPECT_EQ(Reply("ma Zg== b k", Outcome{.status = Status::kNumber}), "HD kZg== b\r\n");
  EXPECT_EQ(Reply("mg Zm9v k", kHit), "HD kZm9v\r\n");
}

TEST(MetaEncoder, AStoreReturnsSizeAndUnique) {
  const std::string data = "\r\nab";
  const Outcome stored = {.status = Status::kStored, .cas = 9, .number = 2};
  EXPECT_EQ(Reply("ms foo 2" + data, stored), "HD\r\n");
  EXPECT_EQ(Reply("ms Zm9v 2 c s k O1 b T0 F5" + data, stored), "HD c9 s2 kZm9v b O1\r\n");
  const Outcome refused = {.status = Status::kNotStored, .number = 2};
  EXPECT_EQ(Reply("ms foo 2 ME k O2 c s" + data, refused), "NS kfoo O2 c0 s2\r\n");
  EXPECT_EQ(Reply("ms foo 2 C1" + data, Status::kExists), "EX\r\n");
  EXPECT_EQ(Reply("ms foo 2 C1" + data, Status::kNotFound), "NF\r\n");
}

TEST(MetaEncoder, ANumberIsAValue) {
  const Outcome number = {.status = Status::kNumber, .cas = 9, .number = 1234, .ttl_s = 60};
  EXPECT_EQ(Reply("ma n", number), "HD\r\n");
  EXPECT_EQ(Reply("ma n v", number), "VA 4\r\n1234\r\n");
  EXPECT_EQ(Reply("ma n t c k O1 v MD N0 J13", number), "VA 4 t60 c9 kn O1\r\n1234\r\n");
  EXPECT_EQ(Reply("ma n s f h l v", number), "VA 4\r\n1234\r\n") << "as memcached";
  const Outcome largest = {.status = Status::kNumber, .number = UINT64_MAX};
  EXPECT_EQ(Reply("ma n v", largest), "VA 20\r\n18446744073709551615\r\n");
}

TEST(MetaEncoder, QTakesAwayWhatIsExpected) {
  const struct {
    std::string line;
    Status status;
    std::string reply;
  } kAnswers[] = {{"mg k q O1", Status::kMiss, ""},
                  {"mg k q O1", Status::kHit, "HD O1\r\n"},
                  {"ms k 0 q\r\n", Status::kStored, ""},
                  {"ms k 0 q O1\r\n", Status::kNotStored, "NS O1\r\n"},
                  {"ms k 0 q O1 C1\r\n", Status::kExists, "EX O1\r\n"},
                  {"ms k 0 q O1 C1\r\n", Status::kNotFound, "NF O1\r\n"},
                  {"md k q O1", Status::kDeleted, ""},
                  {"md k q O1", Status::kNotFound, ""},
                  {"md k q O1 C1", Status::kExists, "EX O1\r\n"},
                  {"ma k q O1", Status::kNumber, ""},
                  {"ma k q O1 v", Status::kNumber, ""},
                  {"ma k q O1", Status::kNotFound, ""},
                  {"ma k q O1 C1", Status::kExists, "EX O1\r\n"}};
  for (const auto& [line, status, reply] : kAnswers) {
    EXPECT_EQ(Reply(line, status), reply) << line;
  }
}

TEST(MetaEncoder, WhatGoesWrongIsToldInSpiteOfQ) {
  EXPECT_EQ(Reply("ma k q", Status::kNonNumeric),
            "CLIENT_ERROR cannot increment or decrement non-numeric value\r\n");
  EXPECT_EQ(Reply("ms k 0 q\r\n", Status::kNoMemory),
            "SERVER_ERROR out of memory storing object\r\n");
  EXPECT_EQ(Reply("ms k 0 q MA\r\n", Status::kTooLarge),
            "SERVER_ERROR object too large for cache\r\n");
}

TEST(MetaEncoder, RejectedLinesAreToldInMemcachedsWords) {
  const struct {
    Status why;
    std::string words;
  } kWords[] = {{Status::kInvalidFlag, "invalid flag"},
                {Status::kDuplicateFlag, "duplicate flag"},
                {Status::kOpaqueTooLong, "opaque token too long"},
                {Status::kInvalidStoreMode, "invalid mode for ms M token"},
                {Status::kInvalidNumberMode, "invalid mode for ma M token"},
                {Status::kBadToken, "bad token in command line format"},
                {Status::kInvalidInitial, "invalid numeric initial value"},
                {Status::kInvalidNumericDelta, "invalid numeric delta value"},
                {Status::kBadKeyEncoding, "error decoding key"}};
  const Codec& codec = CodecOf(Protocol::kText);
  const Extras quiet = {.spelling = Spelling::kMeta, .quiet = true};
  for (const auto& [why, words] : kWords) {
    const Command command = {.verb = Verb::kRejected, .rejection = why, .extras = &quiet};
    std::string reply(codec.encoded_bytes_max(command, {}), '\0');
    reply.resize(static_cast<size_t>(codec.encode(command, {}, reply.data()) - reply.data()));
    EXPECT_EQ(reply, "CLIENT_ERROR " + words + "\r\n");
  }
}

TEST(MetaEncoder, ADescriptionAndANoop) {
  Outcome item = {.status = Status::kHit, .size_class = 1, .cas = 6, .number = 64, .idle_s = 5};
  EXPECT_EQ(Reply("me foo", item), "ME foo exp=-1 la=5 cas=6 fetch=no cls=1 size=64\r\n");
  item.marks.fetched = true;
  item.ttl_s = 30;
  EXPECT_EQ(Reply("me Zm9v b", item), "ME Zm9v exp=30 la=5 cas=6 fetch=yes cls=1 size=64\r\n");
  EXPECT_EQ(Reply("me foo", Status::kMiss), "EN\r\n");
  EXPECT_EQ(Reply("mn", Status::kOk), "MN\r\n");
}

// The longest key, all flags and the largest numbers.
TEST(MetaEncoder, StaysWithinWhatItAnnounces) {
  const std::string flags = " c f h k l s t v O" + std::string(kOpaqueBytesMax, 'o');
  const std::string value(1000, 'v');
  const Outcome largest = {
      .status = Status::kHit,
      .marks = {.fetched = true, .stale = true, .won = true, .won_before = true},
      .size_class = 255,
      .client_flags = UINT32_MAX,
      .cas = UINT64_MAX,
      .number = UINT64_MAX,
      .ttl_s = UINT32_MAX - 1,
      .idle_s = UINT32_MAX,
      .value = value};
  for (const std::string& key : {std::string(250, 'k'), std::string(248, 'A') + " b"}) {
    for (Outcome outcome : {largest, Outcome{}}) {
      for (const Status status : {Status::kHit, Status::kMiss, Status::kNumber, Status::kStored,
                                  Status::kNotFound, Status::kExists, Status::kNonNumeric}) {
        outcome.status = status;
        for (const std::string& line :
             {"mg " + key + flags, "md " + key + flags, "ma " + key + flags, "me " + key}) {
          EXPECT_TRUE(Reply(line, outcome).ends_with("\r\n")) << line;
        }
      }
    }
  }
}

}  // namespace
}  // namespace larder::protocol
