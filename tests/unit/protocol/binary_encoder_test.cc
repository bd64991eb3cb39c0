// Goal: every outcome of every opcode becomes the packet that memcached 1.6 would send.
//
// Method: a table of (opcode, outcome) to packets, encoded into heap blocks of exactly the
// announced size; hits are encoded in parts too.
#include "protocol/binary_encoder.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "larder/version.h"
#include "protocol/binary_header.h"
#include "protocol/binary_opcodes.h"
#include "protocol/codec.h"
#include "unit/protocol/binary_packets.h"
#include "util/bytes.h"

namespace larder::protocol {
namespace {

using testing::Network;

constexpr uint32_t kOpaque = 0x01020304;
constexpr uint64_t kUnique = 0x1122334455667788;

std::string Encode(const Command& command, const Outcome& outcome) {
  const Codec& codec = CodecOf(Protocol::kBinary);
  const size_t bytes_max = codec.encoded_bytes_max(command, outcome);
  const auto block = std::make_unique<char[]>(bytes_max);
  const char* end = codec.encode(command, outcome, block.get());
  const auto size = static_cast<size_t>(end - block.get());
  EXPECT_LE(size, bytes_max);
  if (outcome.status == Status::kHit) {
    const auto around = std::make_unique<char[]>(bytes_max - outcome.value.size());
    char* middle = codec.encode_head(command, outcome, around.get());
    char* last = codec.encode_tail(command, outcome, middle);
    EXPECT_EQ(
        std::string(around.get(), middle) + std::string(outcome.value) + std::string(middle, last),
        std::string(block.get(), size));
  }
  return {block.get(), size};
}

std::string EncodeFor(uint8_t number, const Outcome& outcome, std::string_view key = "key") {
  const BinaryOpcode& opcode = kBinaryOpcodes[number];
  const Extras extras = {
      .spelling = Spelling::kBinary, .quiet = opcode.quiet, .opcode = number, .opaque = kOpaque};
  Command command = {.verb = opcode.verb, .key = key, .extras = &extras};
  if (opcode.verb == Verb::kRejected) command.rejection = outcome.status;
  return Encode(command, outcome);
}

std::string EncodeRejected(uint8_t number, Status why) {
  const Extras extras = {.spelling = Spelling::kBinary,
                         .quiet = kBinaryOpcodes[number].quiet,
                         .opcode = number,
                         .opaque = kOpaque};
  return Encode({.verb = Verb::kRejected, .rejection = why, .extras = &extras}, {.status = why});
}

struct Packet {
  uint8_t opcode = 0;
  BinaryStatus status = BinaryStatus::kOk;
  std::string extras = {};
  std::string key = {};
  std::string value = {};
  uint64_t unique = 0;

  // Written out, not by the code under test.
  [[nodiscard]] std::string Bytes() const {
    const auto body = static_cast<uint32_t>(extras.size() + key.size() + value.size());
    return Network(uint8_t{0x81}, opcode, static_cast<uint16_t>(key.size()),
                   static_cast<uint8_t>(extras.size()), uint8_t{0}, static_cast<uint16_t>(status),
                   body, kOpaque, unique) +
           extras + key + value;
  }
};

std::string Failure(uint8_t opcode, BinaryStatus status, const std::string& words) {
  return Packet{.opcode = opcode, .status = status, .value = words}.Bytes();
}

TEST(BinaryEncoderTest, HeaderIsAsDrawn) {
  const BinaryHeader header = {.magic = 0x81,
                               .opcode = 0x0c,
                               .key_bytes = 0x0102,
                               .extras_bytes = 4,
                               .data_type = 5,
                               .status = 0x0607,
                               .body_bytes = 0x08090a0b,
                               .opaque = 0x0c0d0e0f,
                               .unique = 0x1011121314151617};
  char bytes[kBinaryHeaderBytes];
  EXPECT_EQ(header.Store(bytes), bytes + kBinaryHeaderBytes);
  EXPECT_EQ(std::string(bytes, sizeof(bytes)),
            std::string("\x81\x0c\x01\x02\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f"
                        "\x10\x11\x12\x13\x14\x15\x16\x17"));
  const BinaryHeader read = BinaryHeader::Load(bytes);
  EXPECT_EQ(read.key_bytes, 0x0102);
  EXPECT_EQ(read.status, 0x0607);
  EXPECT_EQ(read.body_bytes, 0x08090a0bU);
  EXPECT_EQ(read.opaque, 0x0c0d0e0fU);
  EXPECT_EQ(read.unique, 0x1011121314151617U);
}

TEST(BinaryEncoderTest, HitsHaveFlagsAndTheKeyWhereItIsAskedFor) {
  const Outcome hit = {
      .status = Status::kHit, .client_flags = 0xcafef00d, .cas = kUnique, .value = "value"};
  for (const int opcode : {0x00, 0x09, 0x0c, 0x0d, 0x1d, 0x1e, 0x23, 0x24}) {
    SCOPED_TRACE(opcode);
    const bool shows = opcode == 0x0c || opcode == 0x0d || opcode == 0x23 || opcode == 0x24;
    const auto number = static_cast<uint8_t>(opcode);
    EXPECT_EQ(EncodeFor(number, hit), (Packet{.opcode = number,
                                              .extras = Network(0xcafef00dU),
                                              .key = shows ? "key" : "",
                                              .value = "value",
                                              .unique = kUnique}
                                           .Bytes()));
  }
}

TEST(BinaryEncoderTest, MissesAreWordsOrTheKeyAndQuietOnesNothing) {
  const Outcome miss = {.status = Status::kMiss};
  EXPECT_EQ(EncodeFor(0x00, miss), Failure(0x00, BinaryStatus::kNotFound, "Not found"));
  EXPECT_EQ(EncodeFor(0x1d, miss), Failure(0x1d, BinaryStatus::kNotFound, "Not found"));
  for (const uint8_t opcode : std::vector<uint8_t>{0x0c, 0x23}) {
    EXPECT_EQ(EncodeFor(opcode, miss),
              (Packet{.opcode = opcode, .status = BinaryStatus::kNotFound, .key = "key"}.Bytes()));
  }
  for (const uint8_t opcode : std::vector<uint8_t>{0x09, 0x0d, 0x1e, 0x24}) {
    EXPECT_EQ(EncodeFor(opcode, miss), "");
  }
}

TEST(BinaryEncoderTest, SuccessOfWritesBringsTheUniqueAndQuietOnesNothing) {
  const Outcome stored = {.status = Status::kStored, .cas = kUnique};
  for (const uint8_t opcode : std::vector<uint8_t>{0x01, 0x02, 0x03, 0x0e, 0x0f}) {
    EXPECT_EQ(EncodeFor(opcode, stored), (Packet{.opcode = opcode, .unique = kUnique}.Bytes()));
  }
  for (const uint8_t opcode : std::vector<uint8_t>{0x11, 0x12, 0x13, 0x19, 0x1a}) {
    EXPECT_EQ(EncodeFor(opcode, stored), "");
  }
  EXPECT_EQ(EncodeFor(0x04, {.status = Status::kDeleted}), Packet{.opcode = 0x04}.Bytes());
  EXPECT_EQ(EncodeFor(0x14, {.status = Status::kDeleted}), "");
  const Outcome number = {.status = Status::kNumber, .cas = kUnique, .number = ~0ULL - 1};
  for (const uint8_t opcode : std::vector<uint8_t>{0x05, 0x06}) {
    EXPECT_EQ(EncodeFor(opcode, number),
              (Packet{.opcode = opcode, .value = Network(~0ULL - 1), .unique = kUnique}.Bytes()));
  }
  EXPECT_EQ(EncodeFor(0x15, number), "");
  EXPECT_EQ(EncodeFor(0x16, number), "");
  const Outcome touched = {.status = Status::kTouched, .client_flags = 7, .cas = kUnique};
  EXPECT_EQ(EncodeFor(0x1c, touched),
            (Packet{.opcode = 0x1c, .extras = Network(7U), .unique = kUnique}.Bytes()));
}

TEST(BinaryEncoderTest, FailuresAreToldEvenByQuietOpcodes) {
  struct Row {
    std::vector<uint8_t> opcodes;
    Status status;
    BinaryStatus expected;
    std::string words;
  };
  const std::vector<Row> rows = {
      {{0x02, 0x12}, Status::kNotStored, BinaryStatus::kExists, "Data exists for key."},
      {{0x03, 0x13}, Status::kNotStored, BinaryStatus::kNotFound, "Not found"},
      {{0x0e, 0x0f, 0x19, 0x1a}, Status::kNotStored, BinaryStatus::kNotStored, "Not stored."},
      {{0x0e, 0x0f, 0x19, 0x1a}, Status::kNotFound, BinaryStatus::kNotStored, "Not stored."},
      {{0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x1c},
       Status::kNotFound,
       BinaryStatus::kNotFound,
       "Not found"},
      {{0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x0e, 0x0f, 0x11, 0x19},
       Status::kExists,
       BinaryStatus::kExists,
       "Data exists for key."},
      {{0x01, 0x0e, 0x11}, Status::kTooLarge, BinaryStatus::kTooLarge, "Too large."},
      {{0x01, 0x05, 0x1d, 0x11, 0x15, 0x1e},
       Status::kNoMemory,
       BinaryStatus::kNoMemory,
       "Out of memory"},
      {{0x05, 0x06, 0x15, 0x16},
       Status::kNonNumeric,
       BinaryStatus::kNonNumeric,
       "Non-numeric server-side value for incr or decr"},
      {{0x08, 0x18}, Status::kNotAllowed, BinaryStatus::kAuthFailed, "Auth failure."},
      {{0x10}, Status::kUnknownCommand, BinaryStatus::kNotFound, "Not found"},
      {{0x21, 0x22}, Status::kAuthFailed, BinaryStatus::kAuthFailed, "Auth failure."},
      {{0x21}, Status::kAuthContinue, BinaryStatus::kAuthContinue, ""},
      {{0x20, 0x21, 0x22, 0x60},
       Status::kUnknownCommand,
       BinaryStatus::kUnknownCommand,
       "Unknown command"},
  };
  for (const Row& row : rows) {
    for (const uint8_t opcode : row.opcodes) {
      SCOPED_TRACE(::testing::Message() << int{opcode} << ' ' << row.words);
      EXPECT_EQ(EncodeFor(opcode, {.status = row.status}),
                Failure(opcode, row.expected, row.words));
    }
  }
}

TEST(BinaryEncoderTest, RejectedRequests) {
  EXPECT_EQ(EncodeRejected(0x09, Status::kBadFormat),
            Failure(0x09, BinaryStatus::kInvalid, "Invalid arguments"));
  EXPECT_EQ(EncodeRejected(0x10, Status::kUnknownCommand),
            Failure(0x10, BinaryStatus::kUnknownCommand, "Unknown command"));
  EXPECT_EQ(EncodeRejected(0x11, Status::kTooLarge),
            Failure(0x11, BinaryStatus::kTooLarge, "Too large."));
  EXPECT_EQ(EncodeRejected(0x21, Status::kAuthFailed),
            Failure(0x21, BinaryStatus::kAuthFailed, "Auth failure."));
  EXPECT_EQ(EncodeRejected(0x09, Status::kUnauthenticated),
            Failure(0x09, BinaryStatus::kAuthFailed, "Auth failure."));
}

TEST(BinaryEncoderTest, OtherMagicIsNotAnswered) {
  const Command command = {.verb = Verb::kRejected, .rejection = Status::kForeignProtocol};
  EXPECT_EQ(Encode(command, {.status = Status::kForeignProtocol}), "");
}

TEST(BinaryEncoderTest, ServerVerbs) {
  const Outcome ok = {.status = Status::kOk};
  EXPECT_EQ(EncodeFor(0x0b, ok),
            (Packet{.opcode = 0x0b, .value = std::string(kMemcachedVersion)}.Bytes()));
  EXPECT_EQ(EncodeFor(0x0a, ok), Packet{.opcode = 0x0a}.Bytes());
  EXPECT_EQ(EncodeFor(0x07, ok), Packet{.opcode = 0x07}.Bytes());
  EXPECT_EQ(EncodeFor(0x17, ok), "");
  EXPECT_EQ(EncodeFor(0x08, ok), Packet{.opcode = 0x08}.Bytes());
  EXPECT_EQ(EncodeFor(0x18, ok), "");
  EXPECT_EQ(EncodeFor(0x20, ok), (Packet{.opcode = 0x20, .value = "PLAIN"}.Bytes()));
  EXPECT_EQ(EncodeFor(0x21, ok), (Packet{.opcode = 0x21, .value = "Authenticated"}.Bytes()));
}

TEST(BinaryEncoderTest, StatsAreAPacketEachAndAnEmptyOne) {
  const auto stats = [](std::string_view lines) {
    return EncodeFor(0x10, {.status = Status::kOk, .value = lines});
  };
  const auto stat = [](const std::string& name, const std::string& value) {
    return Packet{.opcode = 0x10, .key = name, .value = value}.Bytes();
  };
  const std::string end = stat("", "");
  EXPECT_EQ(stats("STAT pid 1\r\nSTAT inter a b\r\nSTAT empty \r\nEND\r\n"),
            stat("pid", "1") + stat("inter", "a b") + stat("empty", "") + end);
  EXPECT_EQ(stats("END\r\n"), end);
  EXPECT_EQ(stats("RESET\r\n"), end);
  EXPECT_EQ(stats("OK\r\n"), end);
  EXPECT_EQ(stats(""), end);
  const std::string dump = "PREFIX a get 1\r\nPREFIX b get 2\r\nEND\r\n";
  EXPECT_EQ(stats(dump), stat("detailed", dump) + end);
  std::string many;
  for (int i = 0; i < 200; ++i) many += "STAT a 1\r\n";
  EXPECT_EQ(stats(many + "END\r\n").size(), 200 * (24U + 2) + 24);
}

}  // namespace
}  // namespace larder::protocol
