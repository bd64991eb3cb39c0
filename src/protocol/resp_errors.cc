#include "protocol/resp_errors.h"

#include "util/bytes.h"
#include "util/check.h"

namespace larder::protocol {

namespace {

using util::Append;

constexpr size_t kWordBytesMax = 128;

std::string_view TextOf(RespError error) {
  switch (error) {
    case RespError::kMultibulkLength:
      return "ERR Protocol error: invalid multibulk length";
    case RespError::kBulkLength:
      return "ERR Protocol error: invalid bulk length";
    case RespError::kNoBulk:
      return "ERR Protocol error: expected '$', got '";
    case RespError::kLongLine:
      return "ERR Protocol error: too big inline request";
    case RespError::kQuotes:
      return "ERR Protocol error: unbalanced quotes in request";
    case RespError::kStrangerMultibulk:
      return "ERR Protocol error: unauthenticated multibulk length";
    case RespError::kStrangerBulk:
      return "ERR Protocol error: unauthenticated bulk length";
    case RespError::kArity:
      return "ERR wrong number of arguments for '";
    case RespError::kExpireTime:
      return "ERR invalid expire time in '";
    case RespError::kSyntax:
      return "ERR syntax error";
    case RespError::kNotInteger:
      return "ERR value is not an integer or out of range";
    case RespError::kOffset:
      return "ERR offset is out of range";
    case RespError::kDecrement:
      return "ERR decrement would overflow";
    case RespError::kLongKey:
      return "ERR key is longer than 65535 bytes";
    case RespError::kNxAndOthers:
      return "ERR NX and XX, GT or LT options at the same time are not compatible";
    case RespError::kGtAndLt:
      return "ERR GT and LT options at the same time are not compatible";
    case RespError::kOption:
      return "ERR Unsupported option ";
    case RespError::kNoAuth:
      return "NOAUTH Authentication required.";
  }
  CHECK(false);
}

}  // namespace

char* AppendRefusal(const RespRefusal& refusal, std::string_view word, char* out) {
  *out++ = '-';
  out = Append(out, TextOf(refusal.error));
  switch (refusal.error) {
    case RespError::kNoBulk:
      *out++ = refusal.byte == '\r' || refusal.byte == '\n' ? ' ' : static_cast<char>(refusal.byte);
      *out++ = '\'';
      break;
    case RespError::kArity:
    case RespError::kExpireTime:
      out = Append(Append(out, InfoOf(refusal.command).name), "' command");
      break;
    case RespError::kOption:
      // An error is one line.
      for (const char c : word.substr(0, kWordBytesMax)) *out++ = c == '\r' || c == '\n' ? ' ' : c;
      break;
    default:
      break;
  }
  return Append(out, "\r\n");
}

}  // namespace larder::protocol
