#include "protocol/resp_encoder.h"

#include <cstdint>
#include <string_view>

#include "protocol/resp_arguments.h"
#include "protocol/resp_commands.h"
#include "protocol/resp_errors.h"
#include "protocol/resp_requests.h"
#include "util/bytes.h"
#include "util/check.h"

namespace larder::protocol {
namespace {

using util::Append;
using util::AppendDecimal;

constexpr std::string_view kLineEnd = "\r\n";
constexpr int64_t kAbsent = -2;
constexpr int64_t kForever = -1;

enum class Version : uint8_t { kResp2, kResp3 };

char* AppendInteger(char* out, int64_t value) {
  *out++ = ':';
  if (value < 0) *out++ = '-';
  const auto bits = static_cast<uint64_t>(value);
  return Append(AppendDecimal(out, value < 0 ? 0 - bits : bits), kLineEnd);
}

char* AppendBulk(char* out, std::string_view value) {
  *out++ = '$';
  out = Append(AppendDecimal(out, value.size()), kLineEnd);
  return Append(Append(out, value), kLineEnd);
}

char* AppendNull(Version version, char* out) {
  return Append(out, version == Version::kResp2 ? "$-1\r\n" : "_\r\n");
}

RespCommand CommandOf(const Command& command) {
  if (command.extras != nullptr) return static_cast<RespCommand>(command.extras->opcode);
  return command.verb == Verb::kGet ? RespCommand::kGet : RespCommand::kSet;
}

// What cannot be done; empty of what was done, or found not to be there.
std::string_view ErrorOf(Status status) {
  switch (status) {
    case Status::kNonNumeric:
      return "-ERR value is not an integer or out of range\r\n";
    case Status::kNonFloat:
      return "-ERR value is not a valid float\r\n";
    case Status::kNotFinite:
      return "-ERR increment would produce NaN or Infinity\r\n";
    case Status::kOverflow:
      return "-ERR increment or decrement would overflow\r\n";
    case Status::kTooLarge:
      return "-ERR string exceeds maximum allowed size (proto-max-bulk-len)\r\n";
    case Status::kNoMemory:
      return "-OOM command not allowed when used memory > 'maxmemory'.\r\n";
    default:
      return {};
  }
}

// Seconds as TTL and its kin tell them.
int64_t Seconds(RespCommand id, const Outcome& outcome) {
  if (outcome.status == Status::kMiss) return kAbsent;
  if (outcome.ttl_s == Outcome::kForever) return kForever;
  const bool is_time = id == RespCommand::kExpiretime || id == RespCommand::kPexpiretime;
  const int64_t seconds = is_time ? static_cast<int64_t>(outcome.number) : int64_t{outcome.ttl_s};
  const bool in_ms = id == RespCommand::kPttl || id == RespCommand::kPexpiretime;
  return in_ms ? seconds * 1000 : seconds;
}

// Was it done, or is it there?
bool IsYes(Status status) {
  return status == Status::kStored || status == Status::kDeleted || status == Status::kTouched ||
         status == Status::kHit;
}

// The length of the value, as it is now.
int64_t Length(RespCommand id, const Outcome& outcome) {
  if (id == RespCommand::kStrlen) return static_cast<int64_t>(outcome.value.size());
  return static_cast<int64_t>(outcome.number);
}

char* EncodeSet(const Outcome& outcome, Version version, char* out) {
  if (outcome.status == Status::kStored) return Append(out, "+OK\r\n");
  if (outcome.status == Status::kHit) return AppendBulk(out, outcome.value);
  return AppendNull(version, out);
}

char* EncodeValue(RespCommand id, const Outcome& outcome, Version version, char* out) {
  if (outcome.status == Status::kHit) return AppendBulk(out, outcome.value);
  // A range of nothing is nothing.
  if (id == RespCommand::kGetrange || id == RespCommand::kSubstr) return AppendBulk(out, {});
  return AppendNull(version, out);
}

char* EncodeItem(RespCommand id, const Outcome& outcome, Version version, char* out) {
  switch (id) {
    case RespCommand::kSet:
    case RespCommand::kSetex:
    case RespCommand::kPsetex:
      return EncodeSet(outcome, version, out);
    case RespCommand::kSetnx:
    case RespCommand::kDel:
    case RespCommand::kUnlink:
    case RespCommand::kExists:
    case RespCommand::kTouch:
    case RespCommand::kExpire:
    case RespCommand::kPexpire:
    case RespCommand::kExpireat:
    case RespCommand::kPexpireat:
    case RespCommand::kPersist:
      return AppendInteger(out, IsYes(outcome.status) ? 1 : 0);
    case RespCommand::kStrlen:
    case RespCommand::kAppend:
    case RespCommand::kSetrange:
      return AppendInteger(out, Length(id, outcome));
    case RespCommand::kIncr:
    case RespCommand::kIncrby:
    case RespCommand::kDecr:
    case RespCommand::kDecrby:
      return AppendInteger(out, static_cast<int64_t>(outcome.number));
    case RespCommand::kType:
      return Append(out, outcome.status == Status::kHit ? "+string\r\n" : "+none\r\n");
    case RespCommand::kTtl:
    case RespCommand::kPttl:
    case RespCommand::kExpiretime:
    case RespCommand::kPexpiretime:
      return AppendInteger(out, Seconds(id, outcome));
    default:
      return EncodeValue(id, outcome, version, out);
  }
}

// How Redis would keep the value if it had been set as it is.
std::string_view EncodingOf(std::string_view value) {
  constexpr size_t kShortBytesMax = 44;
  constexpr size_t kIntegerBytesMax = 20;
  if (value.size() <= kIntegerBytesMax && RespInteger(value)) return "int";
  return value.size() <= kShortBytesMax ? "embstr" : "raw";
}

// OBJECT, MEMORY USAGE, and a GETEX whose time is wrong.
char* EncodeAbout(const Command& command, const Outcome& outcome, Version version, char* out) {
  if (outcome.status == Status::kMiss) return AppendNull(version, out);
  const uint32_t about = command.extras->opaque;
  if ((about & kRefusesHit) != 0) {
    return AppendRefusal(RespRefusal::Unpack(about & ~kRefusesHit), {}, out);
  }
  switch (static_cast<RespSubcommand>(about)) {
    case RespSubcommand::kObjectEncoding:
      return AppendBulk(out, EncodingOf(outcome.value));
    case RespSubcommand::kObjectRefcount:
      return AppendInteger(out, 1);
    case RespSubcommand::kObjectIdletime:
      return AppendInteger(out, outcome.idle_s);
    case RespSubcommand::kObjectFreq:
      return Append(out,
                    "-ERR An LFU maxmemory policy is not selected, access frequency not tracked. "
                    "Please note that when switching between policies at runtime LRU and LFU data "
                    "will take some time to adjust.\r\n");
    default:
      return AppendInteger(out, static_cast<int64_t>(outcome.number));
  }
}

char* Encode(const Command& command, const Outcome& outcome, Version version, char* out) {
  if (command.noreply) return out;
  const Status status = command.verb == Verb::kRejected ? command.rejection : outcome.status;
  if (status == Status::kForeignProtocol) return out;
  if (status == Status::kRefused) {
    return AppendRefusal(RespRefusal::Unpack(command.number), command.value, out);
  }
  const std::string_view error = ErrorOf(status);
  if (!error.empty()) return Append(out, error);
  if (command.verb == Verb::kCall) return Append(out, outcome.value);
  if (command.verb == Verb::kFlushAll) return Append(out, "+OK\r\n");
  const RespCommand id = CommandOf(command);
  const bool about = id == RespCommand::kObject || id == RespCommand::kMemory ||
                     (id == RespCommand::kGetex && command.extras->opaque != 0);
  if (about) return EncodeAbout(command, outcome, version, out);
  return EncodeItem(id, outcome, version, out);
}

}  // namespace

size_t EncodedRespBytesMax(const Command& /*command*/, const Outcome& outcome) {
  return kRefusalBytesMax + outcome.value.size();
}

char* EncodeResp2(const Command& command, const Outcome& outcome, char* out) {
  return Encode(command, outcome, Version::kResp2, out);
}

char* EncodeResp3(const Command& command, const Outcome& outcome, char* out) {
  return Encode(command, outcome, Version::kResp3, out);
}

char* EncodeRespHead(const Command& /*command*/, const Outcome& outcome, char* out) {
  *out++ = '$';
  return Append(AppendDecimal(out, outcome.value.size()), kLineEnd);
}

char* EncodeRespTail(const Command& /*command*/, const Outcome& /*outcome*/, char* out) {
  return Append(out, kLineEnd);
}

}  // namespace larder::protocol
