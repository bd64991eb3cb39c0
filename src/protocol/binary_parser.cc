#include "protocol/binary_parser.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <utility>

#include "protocol/binary_header.h"
#include "protocol/binary_opcodes.h"
#include "protocol/stored_key.h"
#include "util/bytes.h"

namespace larder::protocol {
namespace {

using util::LoadNetwork;

// As expiration of incr and decr: a counter that is missing stays missing.
constexpr uint32_t kDoNotCreate = std::numeric_limits<uint32_t>::max();

// A parse in progress: what it reads, and the results that it fills in, in place.
struct Input {
  std::string_view bytes;
  const BinaryHeader& header;
  const BinaryOpcode& opcode;
  const ParserLimits& limits;
  ParserSpace& space;
  Parsed& parsed;
  Extras& extras;

  // Header, extras and key.
  [[nodiscard]] size_t FrameBytes() const {
    return kBinaryHeaderBytes + header.extras_bytes + header.key_bytes;
  }
};

void Reject(Parsed& parsed, Status why, size_t consumed) {
  parsed.state = ParseState::kReady;
  parsed.consumed = consumed;
  parsed.command.verb = Verb::kRejected;
  parsed.command.rejection = why;
}

// Nothing more is read from this client.
void RejectAndClose(Parsed& parsed, Status why, size_t consumed) {
  Reject(parsed, why, consumed);
  parsed.close = true;
}

// Is the request made of what its opcode wants? The header's relations hold.
bool HasItsParts(const BinaryHeader& header, const BinaryOpcode& opcode) {
  const auto fits = [](Wants wants, uint64_t bytes) {
    return wants == Wants::kOptional || (wants == Wants::kNeeded) == (bytes > 0);
  };
  const bool bare_flush = opcode.verb == Verb::kFlushAll && header.extras_bytes == 0;
  return (header.extras_bytes == opcode.extras_bytes || bare_flush) &&
         fits(opcode.key, header.key_bytes) && fits(opcode.value, header.ValueBytes());
}

void TakeExtras(const Input& in) {
  const char* at = in.bytes.data() + kBinaryHeaderBytes;
  Command& command = in.parsed.command;
  switch (in.opcode.verb) {
    case Verb::kSet:
    case Verb::kAdd:
    case Verb::kReplace:
      command.client_flags = LoadNetwork<uint32_t>(at);
      command.exptime = LoadNetwork<uint32_t>(at + 4);
      break;
    case Verb::kTouch:
    case Verb::kGat:
      command.exptime = LoadNetwork<uint32_t>(at);
      break;
    case Verb::kFlushAll:
      if (in.header.extras_bytes > 0) command.exptime = LoadNetwork<uint32_t>(at);
      break;
    case Verb::kIncr:
    case Verb::kDecr: {
      command.number = LoadNetwork<uint64_t>(at);
      const auto exptime = LoadNetwork<uint32_t>(at + 16);
      if (exptime != kDoNotCreate) {
        in.extras.asks |= Extras::kCreate;
        in.extras.initial = LoadNetwork<uint64_t>(at + 8);
        in.extras.create_exptime = exptime;
      }
      break;
    }
    default:
      break;
  }
}

// The value, or what it lacks; the rest of the command is there.
void TakeValue(const Input& in) {
  Parsed& parsed = in.parsed;
  const size_t frame_bytes = in.FrameBytes();
  const uint32_t value_bytes = in.header.ValueBytes();
  if (CountedBytes(parsed.command.key.size(), value_bytes, parsed.command.client_flags) >
      in.limits.item_bytes_max) {
    // The old value must go if it was to be replaced in any case.
    if (in.opcode.verb != Verb::kSet) parsed.command.key = {};
    Reject(parsed, Status::kTooLarge, frame_bytes);
    parsed.discard_bytes = value_bytes;
    return;
  }
  if (in.bytes.size() - frame_bytes < value_bytes) {
    parsed.state = ParseState::kNeedBody;
    parsed.consumed = frame_bytes;
    parsed.body_bytes = value_bytes;
    parsed.body_ends_line = false;
    return;
  }
  parsed.state = ParseState::kReady;
  parsed.consumed = frame_bytes + value_bytes;
  parsed.command.value = in.bytes.substr(frame_bytes, value_bytes);
}

bool IsPlain(std::string_view mechanism) {
  constexpr std::string_view kPlain = "PLAIN";
  return std::equal(mechanism.begin(), mechanism.end(), kPlain.begin(), kPlain.end(),
                    [](char a, char b) { return a == b || a == (b | 0x20); });
}

// [ whom to act as ] NUL user NUL password; nobody may act as somebody else.
void TakePlain(std::string_view text, Command& command) {
  const size_t first = text.find('\0');
  if (first == std::string_view::npos) return;
  const size_t second = text.find('\0', first + 1);
  if (second == std::string_view::npos) return;
  const std::string_view user = text.substr(first + 1, second - first - 1);
  if (first > 0 && text.substr(0, first) != user) return;
  command.key = user;
  command.value = text.substr(second + 1);
}

// No value of the cache, and bounded like a line. What comes behind it may be a stranger's.
void TakeCredentials(const Input& in) {
  Parsed& parsed = in.parsed;
  const size_t frame_bytes = in.FrameBytes();
  const uint32_t value_bytes = in.header.ValueBytes();
  const std::string_view mechanism = std::exchange(parsed.command.key, {});
  if (value_bytes > kLineBytesMax - frame_bytes) {
    parsed.state = ParseState::kExecuteFirst;
    parsed.consumed = frame_bytes;
    parsed.discard_bytes = value_bytes;
    return;
  }
  if (in.bytes.size() - frame_bytes < value_bytes) return;
  parsed.command.number = value_bytes == 0 ? 1 : 0;
  parsed.state = ParseState::kExecuteFirst;
  parsed.consumed = frame_bytes + value_bytes;
  if (IsPlain(mechanism)) TakePlain(in.bytes.substr(frame_bytes, value_bytes), parsed.command);
}

// Of a header that is one: the command.
void ParseBody(const Input& in) {
  Parsed& parsed = in.parsed;
  if (in.opcode.verb == Verb::kRejected) {
    Reject(parsed, Status::kUnknownCommand, kBinaryHeaderBytes);
    parsed.discard_bytes = in.header.body_bytes;
    return;
  }
  if (!HasItsParts(in.header, in.opcode)) {
    RejectAndClose(parsed, Status::kBadFormat, kBinaryHeaderBytes);
    return;
  }
  const size_t frame_bytes = in.FrameBytes();
  if (in.bytes.size() < frame_bytes) return;
  parsed.command.verb = in.opcode.verb;
  parsed.command.key =
      in.bytes.substr(kBinaryHeaderBytes + in.header.extras_bytes, in.header.key_bytes);
  if (KindOf(in.opcode.verb) != VerbKind::kServer) {
    parsed.command.key = StoreMemcachedKey(parsed.command.key, in.space);
  }
  TakeExtras(in);
  // A touch takes no notice of it, as in memcached.
  if (in.header.unique != 0 && KindOf(in.opcode.verb) == VerbKind::kWrite &&
      in.opcode.verb != Verb::kTouch) {
    in.extras.asks |= Extras::kMatchCas;
    in.extras.match_cas = in.header.unique;
  }
  if (in.opcode.verb == Verb::kAuthenticate) return TakeCredentials(in);
  if (in.opcode.value != Wants::kNone) return TakeValue(in);
  parsed.state = ParseState::kReady;
  parsed.consumed = frame_bytes;
  parsed.close = in.opcode.verb == Verb::kQuit;
}

enum class Speaker : uint8_t { kKnown, kStranger };

bool IsForStrangers(Verb verb) {
  return verb == Verb::kVersion || verb == Verb::kMechanisms || verb == Verb::kAuthenticate;
}

Parsed Parse(std::string_view bytes, const Resume& resume, const ParserLimits& limits,
             ParserSpace& space, Speaker speaker) {
  Parsed parsed;
  Extras& extras = space.extras;
  parsed.resume.at = Resume::At::kLineStart;
  if (!bytes.empty() && static_cast<uint8_t>(bytes.front()) != kBinaryRequestMagic) {
    RejectAndClose(parsed, Status::kForeignProtocol, 1);
    return parsed;
  }
  if (bytes.size() >= kBinaryHeaderBytes) {
    const BinaryHeader header = BinaryHeader::Load(bytes.data());
    const BinaryOpcode& opcode = kBinaryOpcodes[header.opcode];
    extras = {.spelling = Spelling::kBinary,
              .quiet = opcode.quiet,
              .opcode = header.opcode,
              .opaque = header.opaque};
    parsed.command.extras = &extras;
    if (!header.IsWhole()) {
      RejectAndClose(parsed, Status::kUnknownCommand, kBinaryHeaderBytes);
    } else if (speaker == Speaker::kStranger && !IsForStrangers(opcode.verb)) {
      RejectAndClose(parsed, Status::kUnauthenticated, kBinaryHeaderBytes);
    } else if (header.key_bytes > kKeyBytesMax) {
      RejectAndClose(parsed, Status::kBadFormat, kBinaryHeaderBytes);
    } else {
      ParseBody({bytes, header, opcode, limits, space, parsed, extras});
    }
  }
  if (parsed.state == ParseState::kNeedMore || parsed.state == ParseState::kNeedBody) {
    parsed.resume = resume;
  }
  return parsed;
}

}  // namespace

Parsed ParseBinary(std::string_view bytes, const Resume& resume, const ParserLimits& limits,
                   ParserSpace& space) {
  return Parse(bytes, resume, limits, space, Speaker::kKnown);
}

Parsed ParseLockedBinary(std::string_view bytes, const Resume& resume, const ParserLimits& limits,
                         ParserSpace& space) {
  Parsed parsed = Parse(bytes, resume, limits, space, Speaker::kStranger);
  if (parsed.state == ParseState::kReady) parsed.state = ParseState::kExecuteFirst;
  return parsed;
}

}  // namespace larder::protocol
