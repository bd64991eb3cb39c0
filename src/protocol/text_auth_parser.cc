#include "protocol/text_auth_parser.h"

#include <cstdint>
#include <limits>
#include <optional>

#include "protocol/ascii.h"
#include "util/bytes.h"

namespace larder::protocol {
namespace {

// As in text_parser.cc: the result depends on the bytes, not on how many of them have arrived.
constexpr size_t kWindowBytes = kLineBytesMax + 1;
// A declared length beyond this is no length. Memcached's own bound.
constexpr uint64_t kValueBytesMax = std::numeric_limits<uint32_t>::max();
constexpr size_t kSetTokensMin = 5;

void Reject(Parsed& parsed, Status why) {
  parsed.state = ParseState::kExecuteFirst;
  parsed.command.verb = Verb::kRejected;
  parsed.command.rejection = why;
}

// The length of the value, if the line is the set that we wait for.
std::optional<uint64_t> ValueBytes(std::string_view line) {
  const Tokens tokens(line);
  if (tokens.count() < kSetTokensMin || tokens[0] != "set") return std::nullopt;
  const std::optional<uint64_t> bytes = util::ParseUint64(tokens[4]);
  return bytes && *bytes <= kValueBytesMax ? bytes : std::nullopt;
}

// The value has come: `value`, with the two bytes that should end it.
void ParseValue(std::string_view value, Parsed& parsed) {
  if (!value.ends_with("\r\n")) {
    Reject(parsed, Status::kBadTermination);
    return;
  }
  value.remove_suffix(2);
  const Tokens tokens(value);
  if (tokens.count() < 2) {
    Reject(parsed, Status::kBadAuthToken);
    return;
  }
  parsed.command.key = tokens[0];
  parsed.command.value = tokens[1];
}

}  // namespace

Parsed ParseTextAuth(std::string_view bytes, const Resume& resume, const ParserLimits& /*limits*/,
                     ParserSpace& /*space*/) {
  Parsed parsed;
  const std::string_view window = bytes.substr(0, kWindowBytes);
  const size_t newline = window.find('\n');
  if (newline == std::string_view::npos && window.size() < kWindowBytes) {
    parsed.resume = resume;
    return parsed;
  }
  parsed.resume.at = Resume::At::kLineStart;
  if (newline == std::string_view::npos) {
    Reject(parsed, Status::kLineTooLong);
    parsed.consumed = kWindowBytes;
    parsed.close = true;
    return parsed;
  }
  std::string_view line = window.substr(0, newline);
  if (line.ends_with('\r')) line.remove_suffix(1);
  parsed.consumed = newline + 1;
  const std::optional<uint64_t> value_bytes = ValueBytes(line);
  if (!value_bytes) {
    const Tokens tokens(line);
    parsed.close = tokens.count() > 0 && IsHttp(line, tokens[0]);
    Reject(parsed, parsed.close ? Status::kForeignProtocol : Status::kUnauthenticated);
    return parsed;
  }
  parsed.command.verb = Verb::kAuthenticate;
  parsed.state = ParseState::kExecuteFirst;
  if (*value_bytes > kAuthBytesMax) {
    Reject(parsed, Status::kAuthTokenTooLong);
    parsed.discard_bytes = *value_bytes + 2;
    return parsed;
  }
  const size_t body_bytes = *value_bytes + 2;
  if (bytes.size() - parsed.consumed < body_bytes) {
    parsed.state = ParseState::kNeedBody;
    parsed.body_bytes = body_bytes;
    parsed.resume = resume;
    return parsed;
  }
  ParseValue(bytes.substr(parsed.consumed, body_bytes), parsed);
  parsed.consumed += body_bytes;
  return parsed;
}

}  // namespace larder::protocol
