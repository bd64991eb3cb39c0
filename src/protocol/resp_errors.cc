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
    case RespError::kSubcommandArity:
      return "wrong number of arguments for '";
    case RespError::kSubcommand:
      return "ERR unknown subcommand '";
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

// An error is one line.
char* AppendWord(std::string_view word, char* out) {
  for (const char c : word.substr(0, kWordBytesMax)) *out++ = c == '\r' || c == '\n' ? ' ' : c;
  return out;
}

char* AppendUpper(std::string_view lower, char* out) {
  for (const char c : lower) *out++ = c >= 'a' && c <= 'z' ? static_cast<char>(c & ~0x20) : c;
  return out;
}

// An EXEC that is wrong ends the transaction, as if another command of it had been.
std::string_view CodeOf(const RespRefusal& refusal) {
  const bool of_arity =
      refusal.error == RespError::kArity || refusal.error == RespError::kSubcommandArity;
  if (!of_arity) return {};
  return refusal.command == RespCommand::kExec ? "EXECABORT Transaction discarded because of: "
                                               : "ERR ";
}

}  // namespace

char* AppendRefusal(const RespRefusal& refusal, std::string_view word, char* out) {
  *out++ = '-';
  out = Append(Append(out, CodeOf(refusal)), TextOf(refusal.error));
  switch (refusal.error) {
    case RespError::kNoBulk:
      *out++ = refusal.byte == '\r' || refusal.byte == '\n' ? ' ' : static_cast<char>(refusal.byte);
      *out++ = '\'';
      break;
    case RespError::kArity:
    case RespError::kExpireTime:
      out = Append(Append(out, InfoOf(refusal.command).name), "' command");
      break;
    case RespError::kSubcommandArity:
      out = Append(Append(out, InfoOf(refusal.command).name), "|");
      out = Append(Append(out, InfoOf(refusal.subcommand).name), "' command");
      break;
    case RespError::kSubcommand:
      out = Append(AppendWord(word, out), "'. Try ");
      out = Append(AppendUpper(InfoOf(refusal.command).name, out), " HELP.");
      break;
    case RespError::kOption:
      out = AppendWord(word, out);
      break;
    default:
      break;
  }
  return Append(out, "\r\n");
}

}  // namespace larder::protocol
