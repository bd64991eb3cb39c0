#include "protocol/binary_encoder.h"

#include <algorithm>
#include <cstdint>
#include <string_view>

#include "larder/version.h"
#include "protocol/binary_header.h"
#include "protocol/binary_opcodes.h"
#include "protocol/stored_key.h"
#include "util/bytes.h"
#include "util/check.h"

namespace larder::protocol {
namespace {

using util::Append;
using util::AppendNetwork;

// Bytes of any reply beyond its key and value.
constexpr size_t kFrameBytesMax = 96;
constexpr size_t kFlagsBytes = sizeof(uint32_t);

constexpr std::string_view kStatWord = "STAT ";
// What memcached calls the text of `stats detail dump`.
constexpr std::string_view kDetailed = "detailed";

// A reply's header, but for the sizes of its parts.
BinaryHeader HeaderFor(const Command& command, BinaryStatus status) {
  return {.magic = kBinaryReplyMagic,
          .opcode = command.extras->opcode,
          .status = static_cast<uint16_t>(status),
          .opaque = command.extras->opaque};
}

// A reply without extras.
char* AppendPacket(BinaryHeader header, std::string_view key, std::string_view value, char* out) {
  header.key_bytes = static_cast<uint16_t>(key.size());
  header.body_bytes = static_cast<uint32_t>(key.size() + value.size());
  return Append(Append(header.Store(out), key), value);
}

bool ShowsKey(const Command& command) { return kBinaryOpcodes[command.extras->opcode].shows_key; }

std::string_view WordsOf(BinaryStatus status) {
  switch (status) {
    case BinaryStatus::kOk:
    case BinaryStatus::kAuthContinue:
      return {};
    case BinaryStatus::kNotFound:
      return "Not found";
    case BinaryStatus::kExists:
      return "Data exists for key.";
    case BinaryStatus::kTooLarge:
      return "Too large.";
    case BinaryStatus::kInvalid:
      return "Invalid arguments";
    case BinaryStatus::kNotStored:
      return "Not stored.";
    case BinaryStatus::kNonNumeric:
      return "Non-numeric server-side value for incr or decr";
    case BinaryStatus::kAuthFailed:
      return "Auth failure.";
    case BinaryStatus::kUnknownCommand:
      return "Unknown command";
    case BinaryStatus::kNoMemory:
      return "Out of memory";
  }
  CHECK(false);
}

// That the item is not there, or is: it depends on the verb what is wrong with that.
BinaryStatus StatusOfAbsence(Verb verb, Status status) {
  if (verb == Verb::kAppend || verb == Verb::kPrepend) return BinaryStatus::kNotStored;
  const bool is_there = verb == Verb::kAdd && status == Status::kNotStored;
  return is_there ? BinaryStatus::kExists : BinaryStatus::kNotFound;
}

BinaryStatus StatusOf(Verb verb, Status status) {
  switch (status) {
    case Status::kOk:
    case Status::kHit:
    case Status::kStored:
    case Status::kDeleted:
    case Status::kTouched:
    case Status::kNumber:
      return BinaryStatus::kOk;
    case Status::kMiss:
    case Status::kNotFound:
    case Status::kNotStored:
      return StatusOfAbsence(verb, status);
    case Status::kExists:
      return BinaryStatus::kExists;
    case Status::kNonNumeric:
      return BinaryStatus::kNonNumeric;
    case Status::kTooLarge:
      return BinaryStatus::kTooLarge;
    case Status::kNoMemory:
      return BinaryStatus::kNoMemory;
    case Status::kUnknownCommand:
      return verb == Verb::kStats ? BinaryStatus::kNotFound : BinaryStatus::kUnknownCommand;
    case Status::kNotAllowed:
    case Status::kAuthFailed:
    case Status::kUnauthenticated:
      return BinaryStatus::kAuthFailed;
    case Status::kAuthContinue:
      return BinaryStatus::kAuthContinue;
    case Status::kBadFormat:
    case Status::kBadTermination:
    case Status::kBadAuthToken:
    case Status::kAuthTokenTooLong:
    case Status::kLimitTooSmall:
    case Status::kBadDataChunk:
    case Status::kInvalidExptime:
    case Status::kInvalidDelta:
    case Status::kDeleteUsage:
    case Status::kInvalidFlag:
    case Status::kDuplicateFlag:
    case Status::kOpaqueTooLong:
    case Status::kInvalidStoreMode:
    case Status::kInvalidNumberMode:
    case Status::kBadToken:
    case Status::kInvalidInitial:
    case Status::kInvalidNumericDelta:
    case Status::kBadKeyEncoding:
    case Status::kLineTooLong:
    case Status::kForeignProtocol:
    case Status::kNonFloat:
    case Status::kNotFinite:
    case Status::kOverflow:
    case Status::kRefused:
      return BinaryStatus::kInvalid;
  }
  CHECK(false);
}

// Is this the answer that a quiet opcode does not want to hear?
bool IsExpected(Verb verb, Status status) {
  if (verb == Verb::kGet || verb == Verb::kGat) return status == Status::kMiss;
  return StatusOf(verb, status) == BinaryStatus::kOk;
}

char* AppendStats(const Command& command, std::string_view lines, char* out) {
  const BinaryHeader header = HeaderFor(command, BinaryStatus::kOk);
  const std::string_view all = lines;
  while (lines.starts_with(kStatWord)) {
    const size_t end = std::min(lines.find("\r\n"), lines.size());
    const std::string_view stat = lines.substr(kStatWord.size(), end - kStatWord.size());
    const size_t blank = std::min(stat.find(' '), stat.size());
    out = AppendPacket(header, stat.substr(0, blank), stat.substr(std::min(blank + 1, stat.size())),
                       out);
    lines.remove_prefix(std::min(end + 2, lines.size()));
  }
  // A list ends in END; an order that was carried out is one word.
  const bool is_list_or_word = lines.size() < all.size() || lines.find("\r\n") + 2 == lines.size();
  if (!lines.empty() && !is_list_or_word) out = AppendPacket(header, kDetailed, lines, out);
  return AppendPacket(header, {}, {}, out);
}

// Of what has neither key nor value: what is said to a success.
char* AppendDone(const Command& command, const Outcome& outcome, char* out) {
  BinaryHeader header = HeaderFor(command, BinaryStatus::kOk);
  switch (command.verb) {
    case Verb::kVersion:
      return AppendPacket(header, {}, kMemcachedVersion, out);
    case Verb::kStats:
      return AppendStats(command, outcome.value, out);
    case Verb::kMechanisms:
      return AppendPacket(header, {}, "PLAIN", out);
    case Verb::kAuthenticate:
      return AppendPacket(header, {}, "Authenticated", out);
    default:
      return AppendPacket(header, {}, {}, out);
  }
}

char* AppendTouched(const Command& command, const Outcome& outcome, char* out) {
  BinaryHeader header = HeaderFor(command, BinaryStatus::kOk);
  header.extras_bytes = kFlagsBytes;
  header.body_bytes = kFlagsBytes;
  header.unique = outcome.cas;
  return AppendNetwork(header.Store(out), outcome.client_flags);
}

char* AppendNumber(const Command& command, const Outcome& outcome, char* out) {
  BinaryHeader header = HeaderFor(command, BinaryStatus::kOk);
  header.body_bytes = sizeof(outcome.number);
  header.unique = outcome.cas;
  return AppendNetwork(header.Store(out), outcome.number);
}

char* AppendFailure(const Command& command, BinaryStatus status, char* out) {
  const BinaryHeader header = HeaderFor(command, status);
  if (status == BinaryStatus::kNotFound && ShowsKey(command)) {
    return AppendPacket(header, ToldKey(command.key), {}, out);
  }
  return AppendPacket(header, {}, WordsOf(status), out);
}

}  // namespace

size_t EncodedBinaryBytesMax(const Command& command, const Outcome& outcome) {
  size_t bytes = kFrameBytesMax + command.key.size() + outcome.value.size();
  if (command.verb == Verb::kStats) {
    const auto lines = std::count(outcome.value.begin(), outcome.value.end(), '\n');
    bytes += kBinaryHeaderBytes * static_cast<size_t>(lines);
  }
  return bytes;
}

char* EncodeBinaryHead(const Command& command, const Outcome& outcome, char* out) {
  const std::string_view key = ShowsKey(command) ? ToldKey(command.key) : std::string_view{};
  BinaryHeader header = HeaderFor(command, BinaryStatus::kOk);
  header.extras_bytes = kFlagsBytes;
  header.key_bytes = static_cast<uint16_t>(key.size());
  header.body_bytes = static_cast<uint32_t>(kFlagsBytes + key.size() + outcome.value.size());
  header.unique = outcome.cas;
  return Append(AppendNetwork(header.Store(out), outcome.client_flags), key);
}

char* EncodeBinaryTail(const Command& /*command*/, const Outcome& /*outcome*/, char* out) {
  return out;
}

char* EncodeBinary(const Command& command, const Outcome& outcome, char* out) {
  const Status status = command.verb == Verb::kRejected ? command.rejection : outcome.status;
  if (status == Status::kForeignProtocol) return out;
  if (command.extras->quiet && IsExpected(command.verb, status)) return out;
  switch (status) {
    case Status::kHit:
      return Append(EncodeBinaryHead(command, outcome, out), outcome.value);
    case Status::kTouched:
      return AppendTouched(command, outcome, out);
    case Status::kNumber:
      return AppendNumber(command, outcome, out);
    case Status::kStored: {
      BinaryHeader header = HeaderFor(command, BinaryStatus::kOk);
      header.unique = outcome.cas;
      return header.Store(out);
    }
    case Status::kOk:
    case Status::kDeleted:
      return AppendDone(command, outcome, out);
    default:
      return AppendFailure(command, StatusOf(command.verb, status), out);
  }
}

}  // namespace larder::protocol
