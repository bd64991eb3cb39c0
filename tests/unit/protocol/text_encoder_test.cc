// Goal: every outcome of every verb is spelled as memcached spells it, within the announced bound,
// and nothing is said to who does not want to hear it.
#include "protocol/text_encoder.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "fuzz/parser_properties.h"
#include "larder/version.h"
#include "protocol/codec.h"
#include "util/bytes.h"

namespace larder::protocol {
namespace {

constexpr uint64_t kMax = std::numeric_limits<uint64_t>::max();

// Encodes into a block of exactly the announced size, where AddressSanitizer watches its end.
std::string Encode(const Command& command, const Outcome& outcome) {
  const Codec& codec = CodecOf(Protocol::kText);
  const size_t bytes_max = codec.encoded_bytes_max(command, outcome);
  const auto block = std::make_unique<char[]>(bytes_max);
  const char* end = codec.encode(command, outcome, block.get());
  const auto size = static_cast<size_t>(end - block.get());
  if (outcome.status == Status::kHit && !command.noreply) {
    // In parts, it is the same.
    const auto around = std::make_unique<char[]>(bytes_max - outcome.value.size());
    char* middle = codec.encode_head(command, outcome, around.get());
    char* last = codec.encode_tail(command, outcome, middle);
    const std::string joined =
        std::string(around.get(), middle) + std::string(outcome.value) + std::string(middle, last);
    EXPECT_EQ(joined, std::string(block.get(), size));
  }
  EXPECT_LE(size, bytes_max);
  EXPECT_LE(bytes_max, command.key.size() + outcome.value.size() + kTextFrameBytesMax);
  return {block.get(), size};
}

std::string Encode(Verb verb, const Outcome& outcome) {
  return Encode(Command{.verb = verb, .key = "key"}, outcome);
}

std::string EncodeStatus(Verb verb, Status status) { return Encode(verb, {.status = status}); }

std::string EncodeRejection(Status why) {
  return Encode(Command{.verb = Verb::kRejected, .rejection = why}, {});
}

TEST(TextEncoder, AHitIsAValueWithFlagsAndLength) {
  const Outcome hit = {.status = Status::kHit, .client_flags = 7, .cas = 9, .value = "value"};
  for (const Verb verb : {Verb::kGet, Verb::kGat}) {
    EXPECT_EQ(Encode(verb, hit), "VALUE key 7 5\r\nvalue\r\nEND\r\n");
  }
  for (const Verb verb : {Verb::kGets, Verb::kGats}) {
    EXPECT_EQ(Encode(verb, hit), "VALUE key 7 5 9\r\nvalue\r\nEND\r\n");
  }
}

TEST(TextEncoder, TheLargestNumbersFit) {
  const Outcome hit = {
      .status = Status::kHit, .client_flags = 0xffffffff, .cas = kMax, .value = ""};
  EXPECT_EQ(Encode(Verb::kGets, hit), "VALUE key 4294967295 0 18446744073709551615\r\n\r\nEND\r\n");
  const std::string key(kKeyBytesMax, 'k');
  const std::string value(1 << 20, 'v');
  EXPECT_EQ(
      Encode(Command{.verb = Verb::kGet, .key = key}, {.status = Status::kHit, .value = value}),
      "VALUE " + key + " 0 1048576\r\n" + value + "\r\nEND\r\n");
}

TEST(TextEncoder, ValuesAreCopiedAsTheyAre) {
  using namespace std::string_view_literals;
  EXPECT_EQ(Encode(Verb::kGet, {.status = Status::kHit, .value = "\0\r\n\xff"sv}),
            "VALUE key 0 4\r\n\0\r\n\xff\r\nEND\r\n"sv);
}

TEST(TextEncoder, OnlyTheLastKeyClosesTheList) {
  for (const Verb verb : {Verb::kGet, Verb::kGets, Verb::kGat, Verb::kGats}) {
    const Command inner = {.verb = verb, .last_key = false, .key = "k"};
    const Command last = {.verb = verb, .last_key = true, .key = "k"};
    EXPECT_EQ(Encode(inner, {.status = Status::kMiss}), "");
    EXPECT_EQ(Encode(last, {.status = Status::kMiss}), "END\r\n");
    EXPECT_EQ(Encode(inner, {.status = Status::kHit, .value = "v"}).find("END"), std::string::npos);
  }
}

TEST(TextEncoder, WritesAnswerWithAWord) {
  EXPECT_EQ(EncodeStatus(Verb::kSet, Status::kStored), "STORED\r\n");
  EXPECT_EQ(EncodeStatus(Verb::kAdd, Status::kNotStored), "NOT_STORED\r\n");
  EXPECT_EQ(EncodeStatus(Verb::kCas, Status::kExists), "EXISTS\r\n");
  EXPECT_EQ(EncodeStatus(Verb::kCas, Status::kNotFound), "NOT_FOUND\r\n");
  EXPECT_EQ(EncodeStatus(Verb::kDelete, Status::kDeleted), "DELETED\r\n");
  EXPECT_EQ(EncodeStatus(Verb::kTouch, Status::kTouched), "TOUCHED\r\n");
  EXPECT_EQ(EncodeStatus(Verb::kIncr, Status::kNotFound), "NOT_FOUND\r\n");
  EXPECT_EQ(Encode(Verb::kIncr, {.status = Status::kNumber, .number = 0}), "0\r\n");
  EXPECT_EQ(Encode(Verb::kDecr, {.status = Status::kNumber, .number = kMax}),
            "18446744073709551615\r\n");
}

TEST(TextEncoder, ServerVerbsAreDone) {
  EXPECT_EQ(EncodeStatus(Verb::kFlushAll, Status::kOk), "OK\r\n");
  EXPECT_EQ(EncodeStatus(Verb::kVerbosity, Status::kOk), "OK\r\n");
  EXPECT_EQ(EncodeStatus(Verb::kCacheMemlimit, Status::kOk), "OK\r\n");
  EXPECT_EQ(EncodeStatus(Verb::kVersion, Status::kOk),
            std::string("VERSION ") + kMemcachedVersion + "\r\n");
  EXPECT_EQ(EncodeStatus(Verb::kQuit, Status::kOk), "");
  EXPECT_EQ(Encode(Verb::kStats, {.status = Status::kOk, .value = "STAT a 1\r\nEND\r\n"}),
            "STAT a 1\r\nEND\r\n");
}

TEST(TextEncoder, FailuresSayWhy) {
  EXPECT_EQ(EncodeStatus(Verb::kIncr, Status::kNonNumeric),
            "CLIENT_ERROR cannot increment or decrement non-numeric value\r\n");
  EXPECT_EQ(EncodeStatus(Verb::kAppend, Status::kTooLarge),
            "SERVER_ERROR object too large for cache\r\n");
  EXPECT_EQ(EncodeStatus(Verb::kSet, Status::kNoMemory),
            "SERVER_ERROR out of memory storing object\r\n");
  EXPECT_EQ(EncodeStatus(Verb::kIncr, Status::kNoMemory), "SERVER_ERROR out of memory in incr\r\n");
  EXPECT_EQ(EncodeStatus(Verb::kDecr, Status::kNoMemory), "SERVER_ERROR out of memory in decr\r\n");
  EXPECT_EQ(EncodeStatus(Verb::kCacheMemlimit, Status::kNoMemory),
            "MEMLIMIT_ADJUST_FAILED out of bounds or unable to adjust\r\n");
  EXPECT_EQ(EncodeStatus(Verb::kCacheMemlimit, Status::kLimitTooSmall),
            "MEMLIMIT_TOO_SMALL cannot set maxbytes to less than 8m\r\n");
  EXPECT_EQ(EncodeStatus(Verb::kFlushAll, Status::kNotAllowed),
            "CLIENT_ERROR flush_all not allowed\r\n");
  EXPECT_EQ(EncodeStatus(Verb::kVerbosity, Status::kNotAllowed),
            "CLIENT_ERROR command not allowed\r\n");
  EXPECT_EQ(EncodeStatus(Verb::kStats, Status::kUnknownCommand), "ERROR\r\n");
}

TEST(TextEncoder, RejectionsSayWhatWasWrong) {
  EXPECT_EQ(EncodeRejection(Status::kUnknownCommand), "ERROR\r\n");
  EXPECT_EQ(EncodeRejection(Status::kBadFormat), "CLIENT_ERROR bad command line format\r\n");
  EXPECT_EQ(EncodeRejection(Status::kBadDataChunk), "CLIENT_ERROR bad data chunk\r\n");
  EXPECT_EQ(EncodeRejection(Status::kTooLarge), "SERVER_ERROR object too large for cache\r\n");
  EXPECT_EQ(EncodeRejection(Status::kNoMemory), "SERVER_ERROR out of memory storing object\r\n");
  EXPECT_EQ(EncodeRejection(Status::kInvalidExptime), "CLIENT_ERROR invalid exptime argument\r\n");
  EXPECT_EQ(EncodeRejection(Status::kInvalidDelta),
            "CLIENT_ERROR invalid numeric delta argument\r\n");
  EXPECT_EQ(EncodeRejection(Status::kDeleteUsage),
            "CLIENT_ERROR bad command line format.  Usage: delete <key> [noreply]\r\n");
  EXPECT_EQ(EncodeRejection(Status::kMiss), "END\r\n");
  EXPECT_EQ(EncodeRejection(Status::kLineTooLong), "");
  EXPECT_EQ(EncodeRejection(Status::kForeignProtocol), "");
}

// Any verb with any status, sensible or not: one line, or VALUE and its data, or nothing; never
// more than was announced, and nothing at all with noreply.
TEST(TextEncoder, EveryVerbWithEveryStatusStaysInBounds) {
  for (size_t v = 0; v <= kVerbCount; ++v) {
    for (int s = 0; s <= static_cast<int>(Status::kForeignProtocol); ++s) {
      Command command = {.verb = static_cast<Verb>(v), .rejection = static_cast<Status>(s)};
      const std::string key(kKeyBytesMax, 'k');
      command.key = key;
      const Outcome outcome = {.status = static_cast<Status>(s),
                               .client_flags = 0xffffffff,
                               .cas = kMax,
                               .number = kMax,
                               .value = "line\r\n"};
      const std::string reply = Encode(command, outcome);
      EXPECT_TRUE(reply.empty() || reply.ends_with("\r\n")) << v << " " << s;
      command.noreply = true;
      EXPECT_EQ(Encode(command, outcome), "");
    }
  }
}

// What a client stores comes back as it was: parse, pretend to store, encode, read the reply.
TEST(TextEncoder, WhatWasStoredIsWhatIsRead) {
  for (const size_t size : {0U, 1U, 15U, 16U, 17U, 1000U, 100'000U}) {
    const std::string value(size, '\n');
    const std::string wire =
        "set some_key 12345 0 " + std::to_string(size) + "\r\n" + value + "\r\n";
    ParserSpace space;
    const Parsed parsed = CodecOf(Protocol::kText)
                              .parse(wire, {Resume::At::kLineStart, Verb::kRejected, 0}, {}, space);
    const Outcome hit = {.status = Status::kHit,
                         .client_flags = parsed.command.client_flags,
                         .value = parsed.command.value};
    EXPECT_EQ(Encode(Command{.verb = Verb::kGet, .key = parsed.command.key}, hit),
              "VALUE some_key 12345 " + std::to_string(size) + "\r\n" + value + "\r\nEND\r\n");
  }
}

}  // namespace
}  // namespace larder::protocol
