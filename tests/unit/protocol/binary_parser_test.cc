// Goal: every opcode of the binary protocol means what it says, whatever the header declares and
// however the bytes are cut.
//
// Method: requests are built by hand, and parsed from heap blocks of exactly their size
// (parser_properties.h), whole and in every prefix. All 256 opcodes are tried with every
// combination of missing and superfluous parts.
#include "protocol/binary_parser.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "fuzz/parser_properties.h"
#include "protocol/binary_opcodes.h"
#include "protocol/codec.h"
#include "protocol/stored_key.h"
#include "unit/protocol/binary_packets.h"

namespace larder::protocol {
namespace {

using testing::Client;
using testing::Network;
using testing::OwnedCommand;
using testing::OwnedResult;
using testing::Request;

constexpr ParserLimits kLimits = {.item_bytes_max = 1000};
using Opcodes = std::vector<uint8_t>;

constexpr uint32_t kOpaque = 0xdeadbeef;

const Codec& Binary() { return CodecOf(Protocol::kBinary); }

// One request, which must be complete; every prefix of it must wait or say the same.
OwnedResult ParseWhole(const std::string& bytes) {
  for (size_t size = 1; size < bytes.size(); ++size) {
    testing::CheckPrefix(Binary(), bytes, size, Resume{}, kLimits);
  }
  return testing::ParseExact(Binary(), bytes, Resume{}, kLimits);
}

OwnedCommand ParseOne(const Request& request) {
  const std::string bytes = request.Bytes();
  const OwnedResult parsed = ParseWhole(bytes);
  // What is behind it may be a stranger's.
  const bool first = parsed.command.command.verb == Verb::kAuthenticate;
  EXPECT_EQ(parsed.state, first ? ParseState::kExecuteFirst : ParseState::kReady);
  EXPECT_EQ(parsed.consumed, bytes.size());
  EXPECT_EQ(parsed.discard_bytes, 0U);
  EXPECT_TRUE(parsed.command.has_extras);
  EXPECT_EQ(parsed.command.extras.spelling, Spelling::kBinary);
  EXPECT_EQ(parsed.command.extras.opcode, request.opcode);
  EXPECT_EQ(parsed.command.extras.opaque, kOpaque);
  EXPECT_FALSE(parsed.command.command.noreply);
  EXPECT_TRUE(parsed.command.command.last_key);
  return parsed.command;
}

struct Meaning {
  uint8_t opcode;
  Verb verb;
  bool quiet;
};

void ExpectMeaning(const Meaning& meaning, const OwnedCommand& command) {
  EXPECT_EQ(command.command.verb, meaning.verb);
  EXPECT_EQ(command.extras.quiet, meaning.quiet);
}

// --- each opcode ---------------------------------------------------------------------------------

TEST(BinaryParserTest, Reads) {
  for (const Meaning& each : std::vector<Meaning>{{0x00, Verb::kGet, false},
                                                  {0x09, Verb::kGet, true},
                                                  {0x0c, Verb::kGet, false},
                                                  {0x0d, Verb::kGet, true}}) {
    SCOPED_TRACE(int{each.opcode});
    const OwnedCommand command = ParseOne({.opcode = each.opcode, .key = "key", .unique = 7});
    ExpectMeaning(each, command);
    EXPECT_EQ(command.key, "key");
    EXPECT_EQ(command.extras.asks, 0) << "a read takes no notice of a unique";
  }
  for (const Meaning& each : std::vector<Meaning>{{0x1d, Verb::kGat, false},
                                                  {0x1e, Verb::kGat, true},
                                                  {0x23, Verb::kGat, false},
                                                  {0x24, Verb::kGat, true},
                                                  {0x1c, Verb::kTouch, false}}) {
    SCOPED_TRACE(int{each.opcode});
    const OwnedCommand command = ParseOne(
        {.opcode = each.opcode, .key = "key", .extras = Network(0xfffffffeU), .unique = 7});
    ExpectMeaning(each, command);
    EXPECT_EQ(command.command.exptime, 0xfffffffe) << "a time in the year 2106, not before 1970";
    EXPECT_EQ(command.extras.asks, 0);
  }
}

TEST(BinaryParserTest, Stores) {
  for (const Meaning& each : std::vector<Meaning>{{0x01, Verb::kSet, false},
                                                  {0x02, Verb::kAdd, false},
                                                  {0x03, Verb::kReplace, false},
                                                  {0x11, Verb::kSet, true},
                                                  {0x12, Verb::kAdd, true},
                                                  {0x13, Verb::kReplace, true}}) {
    SCOPED_TRACE(int{each.opcode});
    const OwnedCommand command = ParseOne({.opcode = each.opcode,
                                           .key = "key",
                                           .extras = Network(0xcafef00dU, 100U),
                                           .value = "va\r\nlue"});
    ExpectMeaning(each, command);
    EXPECT_EQ(command.command.client_flags, 0xcafef00d);
    EXPECT_EQ(command.command.exptime, 100);
    EXPECT_EQ(command.value, "va\r\nlue");
    EXPECT_EQ(command.extras.asks, 0);
  }
  for (const Meaning& each : std::vector<Meaning>{{0x0e, Verb::kAppend, false},
                                                  {0x0f, Verb::kPrepend, false},
                                                  {0x19, Verb::kAppend, true},
                                                  {0x1a, Verb::kPrepend, true}}) {
    SCOPED_TRACE(int{each.opcode});
    const OwnedCommand command =
        ParseOne({.opcode = each.opcode, .key = "key", .value = "tail", .unique = 5});
    ExpectMeaning(each, command);
    EXPECT_EQ(command.value, "tail");
    EXPECT_EQ(command.extras.asks, Extras::kMatchCas);
    EXPECT_EQ(command.extras.match_cas, 5U);
  }
}

TEST(BinaryParserTest, EmptyValueIsOne) {
  const OwnedCommand command = ParseOne({.opcode = 1, .key = "k", .extras = Network(0U, 0U)});
  EXPECT_EQ(command.command.verb, Verb::kSet);
  EXPECT_EQ(command.value, "");
}

TEST(BinaryParserTest, Deletes) {
  ExpectMeaning({0x04, Verb::kDelete, false}, ParseOne({.opcode = 0x04, .key = "k"}));
  const OwnedCommand quiet = ParseOne({.opcode = 0x14, .key = "k", .unique = ~0ULL});
  ExpectMeaning({0x14, Verb::kDelete, true}, quiet);
  EXPECT_EQ(quiet.extras.asks, Extras::kMatchCas);
  EXPECT_EQ(quiet.extras.match_cas, ~0ULL);
}

TEST(BinaryParserTest, Numbers) {
  for (const Meaning& each : std::vector<Meaning>{{0x05, Verb::kIncr, false},
                                                  {0x06, Verb::kDecr, false},
                                                  {0x15, Verb::kIncr, true},
                                                  {0x16, Verb::kDecr, true}}) {
    SCOPED_TRACE(int{each.opcode});
    const OwnedCommand command = ParseOne(
        {.opcode = each.opcode, .key = "n", .extras = Network(~0ULL, uint64_t{17}, 3600U)});
    ExpectMeaning(each, command);
    EXPECT_EQ(command.command.number, ~0ULL);
    EXPECT_EQ(command.extras.asks, Extras::kCreate);
    EXPECT_EQ(command.extras.initial, 17U);
    EXPECT_EQ(command.extras.create_exptime, 3600);
    const OwnedCommand only_there = ParseOne({.opcode = each.opcode,
                                              .key = "n",
                                              .extras = Network(uint64_t{1}, uint64_t{17}, ~0U),
                                              .unique = 9});
    EXPECT_EQ(only_there.extras.asks, Extras::kMatchCas) << "no creation";
  }
}

TEST(BinaryParserTest, ServerVerbs) {
  ExpectMeaning({0x0a, Verb::kNoop, false}, ParseOne({.opcode = 0x0a}));
  ExpectMeaning({0x0b, Verb::kVersion, false}, ParseOne({.opcode = 0x0b}));
  ExpectMeaning({0x20, Verb::kMechanisms, false}, ParseOne({.opcode = 0x20}));
  for (const Meaning& each :
       std::vector<Meaning>{{0x08, Verb::kFlushAll, false}, {0x18, Verb::kFlushAll, true}}) {
    ExpectMeaning(each, ParseOne({.opcode = each.opcode}));
    const OwnedCommand later = ParseOne({.opcode = each.opcode, .extras = Network(10U)});
    ExpectMeaning(each, later);
    EXPECT_EQ(later.command.exptime, 10);
  }
  ExpectMeaning({0x10, Verb::kStats, false}, ParseOne({.opcode = 0x10}));
  EXPECT_EQ(ParseOne({.opcode = 0x10, .key = "detail on"}).key, "detail on");
}

TEST(BinaryParserTest, QuitCloses) {
  for (const Meaning& each :
       std::vector<Meaning>{{0x07, Verb::kQuit, false}, {0x17, Verb::kQuit, true}}) {
    const Request request = {.opcode = each.opcode};
    ExpectMeaning(each, ParseOne(request));
    EXPECT_TRUE(ParseWhole(request.Bytes()).close);
  }
}

struct Plain {
  std::string mechanism;
  std::string text;
  std::string user;
  std::string password;
};

TEST(BinaryParserTest, CredentialsAreTakenApart) {
  using std::string_literals::operator""s;
  for (const Plain& each : std::vector<Plain>{{"PLAIN", "\0user\0secret"s, "user", "secret"},
                                              {"plain", "\0user\0secret"s, "user", "secret"},
                                              {"PLAIN", "user\0user\0a b"s, "user", "a b"},
                                              {"PLAIN", "\0user\0a\0b"s, "user", "a\0b"s},
                                              {"PLAIN", "root\0user\0secret"s, "", ""},
                                              {"PLAIN", "\0user"s, "", ""},
                                              {"PLAIN", "user secret", "", ""},
                                              {"PLAIN", "\0\0"s, "", ""},
                                              {"PLAIN2", "\0user\0secret"s, "", ""},
                                              {"CRAM-MD5", "\0user\0secret"s, "", ""}}) {
    for (const uint8_t opcode : Opcodes{0x21, 0x22}) {
      SCOPED_TRACE(each.mechanism + each.text);
      const OwnedCommand command =
          ParseOne({.opcode = opcode, .key = each.mechanism, .value = each.text});
      ExpectMeaning({opcode, Verb::kAuthenticate, false}, command);
      EXPECT_EQ(command.key, each.user);
      EXPECT_EQ(command.value, each.password);
    }
  }
  const OwnedCommand without = ParseOne({.opcode = 0x21, .key = "PLAIN"});
  EXPECT_EQ(without.command.verb, Verb::kAuthenticate);
  EXPECT_EQ(without.command.number, 1U) << "still to come";
}

TEST(BinaryParserTest, GiantCredentialsAreNobodysBeforeTheyArrive) {
  const std::string most("\0user\0", 6);
  const Request longest = {
      .opcode = 0x21, .key = "PLAIN", .value = most + std::string(2048 - 35, 'x')};
  EXPECT_EQ(ParseOne(longest).key, "user");
  const Request longer = {.opcode = 0x21, .key = "PLAIN", .body_bytes = 5 + 2048 - 28};
  const OwnedResult parsed = ParseWhole(longer.Bytes());
  EXPECT_EQ(parsed.state, ParseState::kExecuteFirst);
  EXPECT_EQ(parsed.command.command.verb, Verb::kAuthenticate);
  EXPECT_EQ(parsed.command.key, "");
  EXPECT_EQ(parsed.discard_bytes, 2048U - 28);
  EXPECT_FALSE(parsed.close);
}

TEST(BinaryParserTest, StrangersMayOnlySayWhoTheyAre) {
  const Codec& locked = CodecOf(Protocol::kLockedBinary);
  EXPECT_EQ(locked.unlocked, Protocol::kBinary);
  for (int number = 0; number < 256; ++number) {
    SCOPED_TRACE(number);
    const auto opcode = static_cast<uint8_t>(number);
    const bool may = (opcode >= 0x20 && opcode <= 0x22) || opcode == 0x0b;
    const bool has_key = opcode == 0x21 || opcode == 0x22;
    const Request request = {.opcode = opcode,
                             .key = has_key ? "PLAIN" : "",
                             .value = has_key ? std::string(3, '\0') : "",
                             .body_bytes = may ? std::nullopt : std::optional<uint32_t>(~0U)};
    for (size_t size = 1; size < request.Bytes().size(); ++size) {
      testing::CheckPrefix(locked, request.Bytes(), size, Resume{}, kLimits);
    }
    const OwnedResult parsed = testing::ParseExact(locked, request.Bytes(), Resume{}, kLimits);
    EXPECT_EQ(parsed.state, ParseState::kExecuteFirst);
    EXPECT_EQ(parsed.close, !may);
    EXPECT_EQ(parsed.command.command.verb, may ? kBinaryOpcodes[opcode].verb : Verb::kRejected);
    if (!may) {
      EXPECT_EQ(parsed.command.command.rejection, Status::kUnauthenticated);
    }
  }
}

TEST(BinaryParserTest, KeysAreAnyBytes) {
  std::string key;
  for (int byte = 0; byte < 250; ++byte) key += static_cast<char>(byte + 6);
  EXPECT_EQ(ParseOne({.opcode = 0, .key = key}).key, key);
  // Databases of Redis are told apart by a NUL in front: such a key gets another one.
  const std::string with_nul("\0 \r\n\x7f", 5);
  const std::string stored = ParseOne({.opcode = 0, .key = with_nul}).key;
  EXPECT_EQ(stored, std::string(2, '\0') + with_nul);
  EXPECT_EQ(ToldKey(stored), with_nul);
  key.front() = '\0';
  EXPECT_EQ(ToldKey(ParseOne({.opcode = 0, .key = key}).key), key);
}

// --- what is wrong -------------------------------------------------------------------------------

void ExpectClosed(const std::string& bytes, Status why) {
  const OwnedResult parsed = ParseWhole(bytes);
  EXPECT_EQ(parsed.state, ParseState::kReady);
  EXPECT_TRUE(parsed.close);
  EXPECT_EQ(parsed.command.command.verb, Verb::kRejected);
  EXPECT_EQ(parsed.command.command.rejection, why);
  EXPECT_EQ(parsed.discard_bytes, 0U);
}

TEST(BinaryParserTest, OtherMagicClosesWithoutAnAnswer) {
  for (int magic = 0; magic < 256; ++magic) {
    if (magic == kBinaryRequestMagic) continue;
    ExpectClosed(Request{.magic = static_cast<uint8_t>(magic)}.Bytes(), Status::kForeignProtocol);
    ExpectClosed(std::string(1, static_cast<char>(magic)), Status::kForeignProtocol);
  }
}

// Only a header, whatever it says.
void ExpectRelationIsHeld(uint8_t opcode, uint32_t body, uint16_t key, uint8_t extras) {
  const Request request = {
      .opcode = opcode, .key_bytes = key, .extras_bytes = extras, .body_bytes = body};
  const OwnedResult parsed = testing::ParseExact(Binary(), request.Bytes(), Resume{}, kLimits);
  if (uint32_t{key} + extras > body) {
    EXPECT_TRUE(parsed.close);
    EXPECT_EQ(parsed.command.command.rejection, Status::kUnknownCommand);
  } else if (key > kKeyBytesMax) {
    EXPECT_TRUE(parsed.close);
    EXPECT_EQ(parsed.command.command.rejection, Status::kBadFormat);
  }
}

void ExpectRelationsAreHeld(uint8_t opcode) {
  for (const uint32_t body : std::vector<uint32_t>{0, 1, 7, 8, 250, 251, 65535}) {
    for (const uint16_t key : std::vector<uint16_t>{0, 1, 8, 250, 251, 32767, 65535}) {
      for (const uint8_t extras : std::vector<uint8_t>{0, 1, 4, 8, 20, 127, 255}) {
        ExpectRelationIsHeld(opcode, body, key, extras);
      }
    }
  }
}

TEST(BinaryParserTest, PartsBeyondTheBodyCloseBeforeAnythingElse) {
  for (int opcode = 0; opcode < 256; ++opcode) ExpectRelationsAreHeld(static_cast<uint8_t>(opcode));
}

TEST(BinaryParserTest, UnknownOpcodeIsRefusedAndItsBodySwallowed) {
  int unknown = 0;
  for (int opcode = 0; opcode < 256; ++opcode) {
    if (kBinaryOpcodes[static_cast<size_t>(opcode)].verb != Verb::kRejected) continue;
    ++unknown;
    Client client(Binary(), kLimits);
    const Request request = {.opcode = static_cast<uint8_t>(opcode),
                             .key = "key",
                             .extras = "extras",
                             .value = std::string(100, '\x80')};
    client.Receive(request.Bytes() + Request{.opcode = 0x0a}.Bytes());
    ASSERT_EQ(client.commands().size(), 2U);
    EXPECT_EQ(client.commands()[0].command.rejection, Status::kUnknownCommand);
    EXPECT_EQ(client.commands()[0].extras.opcode, opcode);
    EXPECT_EQ(client.commands()[1].command.verb, Verb::kNoop);
    EXPECT_FALSE(client.closed());
  }
  EXPECT_EQ(unknown, 256 - 35);
}

struct Sizes {
  size_t extras;
  size_t key;
  size_t value;
};

void ExpectItsPartsOnly(uint8_t number, const Sizes& has) {
  SCOPED_TRACE(::testing::Message() << int{number} << ' ' << has.extras << has.key << has.value);
  const BinaryOpcode& opcode = kBinaryOpcodes[number];
  const bool bare_flush = opcode.verb == Verb::kFlushAll && has.extras == 0;
  const bool right =
      (has.extras == opcode.extras_bytes || bare_flush) &&
      (opcode.key == Wants::kOptional || (opcode.key == Wants::kNeeded) == (has.key > 0)) &&
      (has.value == 0 || opcode.value == Wants::kOptional);
  const Request request = {.opcode = number,
                           .key = std::string(has.key, 'k'),
                           .extras = std::string(has.extras, '\0'),
                           .value = std::string(has.value, 'v')};
  if (right) {
    EXPECT_EQ(ParseOne(request).command.verb, opcode.verb);
  } else {
    ExpectClosed(request.Bytes(), Status::kBadFormat);
  }
}

TEST(BinaryParserTest, OpcodesInsistOnTheirParts) {
  for (int number = 0; number < 256; ++number) {
    if (kBinaryOpcodes[static_cast<size_t>(number)].verb == Verb::kRejected) continue;
    for (const size_t extras : std::vector<size_t>{0, 1, 4, 8, 20, 21}) {
      for (size_t parts = 0; parts < 4; ++parts) {
        ExpectItsPartsOnly(static_cast<uint8_t>(number),
                           {.extras = extras, .key = parts % 2, .value = parts / 2});
      }
    }
  }
}

TEST(BinaryParserTest, KeyOf251BytesCloses) {
  for (const uint8_t opcode : Opcodes{0x00, 0x04, 0x0a, 0x60}) {
    ExpectClosed(Request{.opcode = opcode, .key = std::string(251, 'k')}.Bytes(),
                 Status::kBadFormat);
  }
}

// --- values --------------------------------------------------------------------------------------

TEST(BinaryParserTest, LargestValueFitsAndTheNextIsSwallowed) {
  const Request head = {.opcode = 1, .key = "k", .extras = Network(0U, 0U)};
  const auto most = static_cast<size_t>(kLimits.item_bytes_max - CountedBytes(1, 0, 0));
  Request fits = head;
  fits.value = std::string(most, 'v');
  EXPECT_EQ(ParseOne(fits).value.size(), most);
  for (const uint8_t opcode : Opcodes{0x01, 0x02, 0x03, 0x11, 0x12, 0x13}) {
    Request over = fits;
    over.opcode = opcode;
    over.value += 'v';
    Client client(Binary(), kLimits);
    client.Receive(over.Bytes() + Request{.opcode = 0x0a}.Bytes());
    ASSERT_EQ(client.commands().size(), 2U);
    EXPECT_EQ(client.commands()[0].command.rejection, Status::kTooLarge);
    const bool is_set = opcode == 0x01 || opcode == 0x11;
    EXPECT_EQ(client.commands()[0].key, is_set ? "k" : "") << "the old value goes, or stays";
    EXPECT_EQ(client.commands()[1].command.verb, Verb::kNoop);
  }
}

TEST(BinaryParserTest, DeclaredLengthsAllocateNothing) {
  for (const uint32_t body : {1U << 31, (1U << 31) - 1, ~0U, ~0U - 1}) {
    for (const uint8_t opcode : Opcodes{0x01, 0x02, 0x11}) {
      const Request set = {
          .opcode = opcode, .key = "k", .extras = Network(0U, 0U), .body_bytes = body};
      const OwnedResult parsed = ParseWhole(set.Bytes());
      EXPECT_EQ(parsed.command.command.rejection, Status::kTooLarge);
      EXPECT_EQ(parsed.discard_bytes, body - 9);
    }
    for (const uint8_t opcode : Opcodes{0x0e, 0x19}) {
      const OwnedResult parsed =
          ParseWhole(Request{.opcode = opcode, .key = "k", .body_bytes = body}.Bytes());
      EXPECT_EQ(parsed.command.command.rejection, Status::kTooLarge);
      EXPECT_EQ(parsed.discard_bytes, body - 1);
    }
    ExpectClosed(Request{.opcode = 0, .key = "k", .body_bytes = body}.Bytes(), Status::kBadFormat);
    ExpectClosed(Request{.opcode = 0x0a, .body_bytes = body}.Bytes(), Status::kBadFormat);
    const OwnedResult unknown = ParseWhole(Request{.opcode = 0x60, .body_bytes = body}.Bytes());
    EXPECT_EQ(unknown.command.command.rejection, Status::kUnknownCommand);
    EXPECT_EQ(unknown.discard_bytes, body);
  }
}

TEST(BinaryParserTest, ValueIsAskedForAsAWhole) {
  const Request request = {
      .opcode = 1, .key = "key", .extras = Network(0U, 0U), .value = std::string(500, 'v')};
  const std::string first = request.Bytes().substr(0, 35);
  const OwnedResult part = testing::ParseExact(Binary(), first, Resume{}, kLimits);
  EXPECT_EQ(part.state, ParseState::kNeedBody);
  EXPECT_EQ(part.consumed, 35U);
  EXPECT_EQ(part.body_bytes, 500U);
}

// --- streams -------------------------------------------------------------------------------------

// Requests right and wrong, none of which closes.
std::string RandomStream(std::mt19937& random) {
  std::string bytes;
  for (int i = 0; i < 50; ++i) {
    const auto number = static_cast<uint8_t>(random() % 256);
    const BinaryOpcode& opcode = kBinaryOpcodes[number];
    if (opcode.verb == Verb::kQuit) continue;
    const bool known = opcode.verb != Verb::kRejected;
    Request request = {.opcode = number, .opaque = static_cast<uint32_t>(random())};
    if (!known || opcode.key != Wants::kNone) request.key = std::string(1 + random() % 250, 'k');
    request.extras = std::string(known ? opcode.extras_bytes : random() % 256, '\1');
    if (!known || opcode.value != Wants::kNone) request.value.assign(random() % 1500, '\x80');
    bytes += request.Bytes();
  }
  return bytes;
}

TEST(BinaryParserTest, CutsDoNotMatter) {
  std::mt19937 random(1);
  for (int round = 0; round < 50; ++round) {
    const std::string bytes = RandomStream(random);
    Client whole(Binary(), kLimits);
    whole.Receive(bytes);
    EXPECT_FALSE(whole.closed());
    EXPECT_TRUE(whole.unread().empty());
    EXPECT_GT(whole.commands().size(), 30U);
    Client cut(Binary(), kLimits);
    for (size_t at = 0; at < bytes.size();) {
      const std::string piece = bytes.substr(at, 1 + random() % 200);
      cut.Receive(piece);
      at += piece.size();
    }
    EXPECT_TRUE(whole == cut);
  }
}

}  // namespace
}  // namespace larder::protocol
