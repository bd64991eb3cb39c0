// Goal: every outcome of every command of one item is spelled as Redis 7.0 spells it, in RESP2 and
// in RESP3, within the announced bound; and errors have Redis' texts, for clients match on them.
#include "protocol/resp_encoder.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "protocol/codec.h"
#include "protocol/resp_commands.h"
#include "protocol/resp_errors.h"

namespace larder::protocol {
namespace {

using namespace std::string_view_literals;

// Encodes into a block of exactly the announced size, where AddressSanitizer watches its end.
std::string Encode(Protocol protocol, const Command& command, const Outcome& outcome) {
  const Codec& codec = CodecOf(protocol);
  const size_t bytes_max = codec.encoded_bytes_max(command, outcome);
  const auto block = std::make_unique<char[]>(bytes_max);
  const char* end = codec.encode(command, outcome, block.get());
  const auto size = static_cast<size_t>(end - block.get());
  EXPECT_LE(size, bytes_max);
  return {block.get(), size};
}

// The same of both, where they do not differ.
std::string EncodeBoth(const Command& command, const Outcome& outcome) {
  std::string reply = Encode(Protocol::kResp2, command, outcome);
  EXPECT_EQ(Encode(Protocol::kResp3, command, outcome), reply);
  return reply;
}

// A command of one item, as the parser leaves it; it points to `extras`.
Command CommandOf(std::string_view name, Extras& extras) {
  const RespCommand id = RespCommandOf(name);
  EXPECT_NE(id, RespCommand::kUnknown) << name;
  extras = {.spelling = Spelling::kResp, .opcode = static_cast<uint8_t>(id)};
  return {.verb = Verb::kDescribe, .key = "k", .extras = &extras};
}

std::string EncodeOf(std::string_view name, const Outcome& outcome) {
  Extras extras;
  const Command command = CommandOf(name, extras);
  return EncodeBoth(command, outcome);
}

constexpr Outcome kHitOfValue = {.status = Status::kHit, .value = "value"};

TEST(RespEncoder, AValueIsABulkString) {
  EXPECT_EQ(EncodeBoth({.verb = Verb::kGet}, kHitOfValue), "$5\r\nvalue\r\n");
  EXPECT_EQ(EncodeBoth({.verb = Verb::kGet}, {.status = Status::kHit}), "$0\r\n\r\n");
  const Outcome bytes = {.status = Status::kHit, .value = "\r\n\0\xff"sv};
  EXPECT_EQ(EncodeBoth({.verb = Verb::kGet}, bytes), "$4\r\n\r\n\0\xff\r\n"sv);
  for (const std::string_view name :
       {"get", "set", "getset", "getdel", "getex", "getrange", "substr", "incrbyfloat"}) {
    EXPECT_EQ(EncodeOf(name, kHitOfValue), "$5\r\nvalue\r\n") << name;
  }
}

TEST(RespEncoder, AValueInPartsIsTheSame) {
  const Command command = {.verb = Verb::kGet};
  char head[64];
  char tail[64];
  char* head_end = EncodeRespHead(command, kHitOfValue, head);
  char* tail_end = EncodeRespTail(command, kHitOfValue, tail);
  EXPECT_EQ(std::string(head, head_end) + "value" + std::string(tail, tail_end),
            EncodeBoth(command, kHitOfValue));
}

TEST(RespEncoder, NothingIsSpelledByVersion) {
  for (const std::string_view name : {"get", "getset", "getdel", "getex", "set"}) {
    for (const Status nothing : {Status::kMiss, Status::kNotFound, Status::kNotStored}) {
      Extras extras;
      const Command command = CommandOf(name, extras);
      EXPECT_EQ(Encode(Protocol::kResp2, command, {.status = nothing}), "$-1\r\n") << name;
      EXPECT_EQ(Encode(Protocol::kLockedResp2, command, {.status = nothing}), "$-1\r\n") << name;
      EXPECT_EQ(Encode(Protocol::kResp3, command, {.status = nothing}), "_\r\n") << name;
    }
  }
  EXPECT_EQ(Encode(Protocol::kResp2, {.verb = Verb::kGet}, {.status = Status::kMiss}), "$-1\r\n");
  EXPECT_EQ(EncodeOf("getrange", {.status = Status::kMiss}), "$0\r\n\r\n");
  EXPECT_EQ(EncodeOf("substr", {.status = Status::kMiss}), "$0\r\n\r\n");
}

TEST(RespEncoder, WordsOfThatItWasDone) {
  EXPECT_EQ(EncodeBoth({.verb = Verb::kSet}, {.status = Status::kStored}), "+OK\r\n");
  for (const std::string_view name : {"set", "setex", "psetex"}) {
    EXPECT_EQ(EncodeOf(name, {.status = Status::kStored}), "+OK\r\n") << name;
  }
  EXPECT_EQ(EncodeBoth({.verb = Verb::kFlushAll}, {.status = Status::kOk}), "+OK\r\n");
  EXPECT_EQ(EncodeOf("type", kHitOfValue), "+string\r\n");
  EXPECT_EQ(EncodeOf("type", {.status = Status::kMiss}), "+none\r\n");
}

TEST(RespEncoder, YesIsOneAndNoIsZero) {
  struct Answer {
    std::string_view name;
    Status yes;
    Status no;
  };
  const Answer answers[] = {{"setnx", Status::kStored, Status::kNotStored},
                            {"del", Status::kDeleted, Status::kNotFound},
                            {"unlink", Status::kDeleted, Status::kNotFound},
                            {"exists", Status::kHit, Status::kMiss},
                            {"touch", Status::kHit, Status::kMiss},
                            {"expire", Status::kTouched, Status::kNotFound},
                            {"pexpire", Status::kDeleted, Status::kNotStored},
                            {"expireat", Status::kTouched, Status::kNotStored},
                            {"pexpireat", Status::kTouched, Status::kNotFound},
                            {"persist", Status::kTouched, Status::kNotStored}};
  for (const auto& [name, yes, no] : answers) {
    EXPECT_EQ(EncodeOf(name, {.status = yes}), ":1\r\n") << name;
    EXPECT_EQ(EncodeOf(name, {.status = no}), ":0\r\n") << name;
  }
}

TEST(RespEncoder, LengthsAndSumsAreIntegers) {
  EXPECT_EQ(EncodeOf("strlen", kHitOfValue), ":5\r\n");
  EXPECT_EQ(EncodeOf("strlen", {.status = Status::kMiss}), ":0\r\n");
  EXPECT_EQ(EncodeOf("append", {.status = Status::kStored, .number = 7}), ":7\r\n");
  EXPECT_EQ(EncodeOf("setrange", {.status = Status::kStored, .number = 9}), ":9\r\n");
  const std::pair<int64_t, std::string_view> sums[] = {
      {0, ":0\r\n"},
      {-1, ":-1\r\n"},
      {std::numeric_limits<int64_t>::max(), ":9223372036854775807\r\n"},
      {std::numeric_limits<int64_t>::min(), ":-9223372036854775808\r\n"}};
  for (const auto& [sum, reply] : sums) {
    for (const std::string_view name : {"incr", "incrby", "decr", "decrby"}) {
      const auto number = static_cast<uint64_t>(sum);
      EXPECT_EQ(EncodeOf(name, {.status = Status::kNumber, .number = number}), reply) << name;
    }
  }
}

TEST(RespEncoder, TimesThatRemainAndTimesOfDay) {
  const Outcome in_ten = {.status = Status::kHit, .number = 1'700'000'000, .ttl_s = 10};
  const Outcome forever = {.status = Status::kHit};
  const std::pair<std::string_view, std::string_view> times[] = {
      {"ttl", ":10\r\n"},
      {"pttl", ":10000\r\n"},
      {"expiretime", ":1700000000\r\n"},
      {"pexpiretime", ":1700000000000\r\n"}};
  for (const auto& [name, reply] : times) {
    EXPECT_EQ(EncodeOf(name, in_ten), reply) << name;
    EXPECT_EQ(EncodeOf(name, forever), ":-1\r\n") << name;
    EXPECT_EQ(EncodeOf(name, {.status = Status::kMiss}), ":-2\r\n") << name;
  }
}

TEST(RespEncoder, ACallIsAnsweredAsItSays) {
  EXPECT_EQ(EncodeBoth({.verb = Verb::kCall}, {.value = "*1\r\n:1\r\n"}), "*1\r\n:1\r\n");
}

TEST(RespEncoder, WhatCannotBeDoneIsAnError) {
  const std::pair<Status, std::string_view> errors[] = {
      {Status::kNonNumeric, "-ERR value is not an integer or out of range\r\n"},
      {Status::kNonFloat, "-ERR value is not a valid float\r\n"},
      {Status::kNotFinite, "-ERR increment would produce NaN or Infinity\r\n"},
      {Status::kOverflow, "-ERR increment or decrement would overflow\r\n"},
      {Status::kTooLarge, "-ERR string exceeds maximum allowed size (proto-max-bulk-len)\r\n"},
      {Status::kNoMemory, "-OOM command not allowed when used memory > 'maxmemory'.\r\n"}};
  for (const auto& [status, text] : errors) {
    EXPECT_EQ(EncodeBoth({.verb = Verb::kSet}, {.status = status}), text);
    EXPECT_EQ(EncodeOf("incr", {.status = status}), text);
    EXPECT_EQ(EncodeBoth({.verb = Verb::kRejected, .rejection = status}, {}), text);
  }
}

TEST(RespEncoder, NothingIsSaidToWhoDoesNotWantToHearIt) {
  EXPECT_EQ(EncodeBoth({.verb = Verb::kGet, .noreply = true}, kHitOfValue), "");
  EXPECT_EQ(EncodeBoth({.verb = Verb::kSet, .noreply = true}, {.status = Status::kNoMemory}), "");
  EXPECT_EQ(EncodeBoth({.verb = Verb::kRejected, .rejection = Status::kForeignProtocol}, {}), "");
}

// --- refusals ------------------------------------------------------------------------------------

std::string EncodeRefusal(const RespRefusal& refusal, std::string_view word = {}) {
  const RespRefusal unpacked = RespRefusal::Unpack(refusal.Pack());
  EXPECT_EQ(unpacked.error, refusal.error);
  EXPECT_EQ(unpacked.command, refusal.command);
  EXPECT_EQ(unpacked.byte, refusal.byte);
  return EncodeBoth({.verb = Verb::kRejected,
                     .rejection = Status::kRefused,
                     .number = refusal.Pack(),
                     .value = word},
                    {});
}

TEST(RespEncoder, RefusalsHaveTheTextsOfRedis) {
  const std::pair<RespError, std::string_view> texts[] = {
      {RespError::kMultibulkLength, "-ERR Protocol error: invalid multibulk length\r\n"},
      {RespError::kBulkLength, "-ERR Protocol error: invalid bulk length\r\n"},
      {RespError::kLongLine, "-ERR Protocol error: too big inline request\r\n"},
      {RespError::kQuotes, "-ERR Protocol error: unbalanced quotes in request\r\n"},
      {RespError::kStrangerMultibulk, "-ERR Protocol error: unauthenticated multibulk length\r\n"},
      {RespError::kStrangerBulk, "-ERR Protocol error: unauthenticated bulk length\r\n"},
      {RespError::kSyntax, "-ERR syntax error\r\n"},
      {RespError::kNotInteger, "-ERR value is not an integer or out of range\r\n"},
      {RespError::kOffset, "-ERR offset is out of range\r\n"},
      {RespError::kDecrement, "-ERR decrement would overflow\r\n"},
      {RespError::kLongKey, "-ERR key is longer than 65535 bytes\r\n"},
      {RespError::kNxAndOthers,
       "-ERR NX and XX, GT or LT options at the same time are not compatible\r\n"},
      {RespError::kGtAndLt, "-ERR GT and LT options at the same time are not compatible\r\n"},
      {RespError::kNoAuth, "-NOAUTH Authentication required.\r\n"}};
  for (const auto& [error, text] : texts) {
    EXPECT_EQ(EncodeRefusal({.error = error}), text);
  }
}

TEST(RespEncoder, RefusalsNameTheCommand) {
  for (const RespCommandInfo& info : RespCommands()) {
    const RespCommand id = RespCommandOf(info.name);
    const std::string code =
        id == RespCommand::kExec ? "-EXECABORT Transaction discarded because of: " : "-ERR ";
    EXPECT_EQ(EncodeRefusal({.error = RespError::kArity, .command = id}),
              code + "wrong number of arguments for '" + std::string(info.name) + "' command\r\n");
    EXPECT_EQ(EncodeRefusal({.error = RespError::kExpireTime, .command = id}),
              "-ERR invalid expire time in '" + std::string(info.name) + "' command\r\n");
  }
}

TEST(RespEncoder, ARefusalIsOneLineWhateverItIsAbout) {
  const auto no_bulk = [](uint8_t byte) {
    return EncodeRefusal({.error = RespError::kNoBulk, .byte = byte});
  };
  const std::string expected = "-ERR Protocol error: expected '$', got '";
  EXPECT_EQ(no_bulk(':'), expected + ":'\r\n");
  EXPECT_EQ(no_bulk(0xff), expected + "\xff'\r\n");
  EXPECT_EQ(no_bulk('\r'), expected + " '\r\n");
  EXPECT_EQ(no_bulk('\n'), expected + " '\r\n");
  const RespRefusal option = {.error = RespError::kOption};
  EXPECT_EQ(EncodeRefusal(option, "BAD"), "-ERR Unsupported option BAD\r\n");
  EXPECT_EQ(EncodeRefusal(option, "a\r\n+OK"), "-ERR Unsupported option a  +OK\r\n");
  EXPECT_EQ(EncodeRefusal(option, std::string(1000, 'x')),
            "-ERR Unsupported option " + std::string(128, 'x') + "\r\n");
}

}  // namespace
}  // namespace larder::protocol
