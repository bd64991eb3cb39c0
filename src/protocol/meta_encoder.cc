#include "protocol/meta_encoder.h"

#include <string_view>

#include "protocol/ascii.h"
#include "protocol/base64.h"
#include "protocol/stored_key.h"
#include "util/bytes.h"

namespace larder::protocol {
namespace {

using util::Append;
using util::AppendDecimal;

// A code, a size, seven flags with a number each, and W, X and Z; or what `me` says.
constexpr size_t kFrameBytesMax = 256;

// A space, a letter and a number.
char* AppendFlag(char* out, char letter, uint64_t number) {
  *out++ = ' ';
  *out++ = letter;
  return AppendDecimal(out, number);
}

char* AppendTtl(char* out, uint32_t ttl_s) {
  return ttl_s == Outcome::kForever ? Append(out, "-1") : AppendDecimal(out, ttl_s);
}

char* AppendKey(char* out, const Command& command) {
  return command.extras->encoded_key ? AppendBase64(out, ToldKey(command.key))
                                     : Append(out, command.key);
}

// The flags that are told of any item, or of none.
char* AppendNamedFlag(char* out, const Command& command, std::string_view flag) {
  if (flag[0] == 'O') {
    *out++ = ' ';
    return Append(out, flag);
  }
  if (flag[0] != 'k') return out;
  out = AppendKey(Append(out, " k"), command);
  return command.extras->encoded_key ? Append(out, " b") : out;
}

char* AppendReadFlag(char* out, const Command& command, const Outcome& outcome,
                     std::string_view flag) {
  switch (flag[0]) {
    case 's':
      return AppendFlag(out, 's', outcome.value.size());
    case 't':
      return AppendTtl(Append(out, " t"), outcome.ttl_s);
    case 'c':
      return AppendFlag(out, 'c', outcome.cas);
    case 'f':
      return AppendFlag(out, 'f', outcome.client_flags);
    case 'l':
      return AppendFlag(out, 'l', outcome.idle_s);
    case 'h':
      return AppendFlag(out, 'h', outcome.marks.fetched ? 1 : 0);
    default:
      return AppendNamedFlag(out, command, flag);
  }
}

char* AppendWriteFlag(char* out, const Command& command, const Outcome& outcome,
                      std::string_view flag) {
  switch (flag[0]) {
    case 's':
      return AppendFlag(out, 's', outcome.number);
    case 'c':
      return AppendFlag(out, 'c', outcome.cas);
    default:
      return AppendNamedFlag(out, command, flag);
  }
}

char* AppendNumberFlag(char* out, const Command& command, const Outcome& outcome,
                       std::string_view flag) {
  switch (flag[0]) {
    case 't':
      return AppendTtl(Append(out, " t"), outcome.ttl_s);
    case 'c':
      return AppendFlag(out, 'c', outcome.cas);
    default:
      return AppendNamedFlag(out, command, flag);
  }
}

// Calls append(out, flag) for each flag of the command, in order.
template <typename AppendOne>
char* AppendFlags(char* out, const Command& command, const AppendOne& append) {
  const std::string_view flags = command.extras->flags;
  for (size_t at = 0; at < flags.size();) {
    const size_t end = FindBlank(flags, at);
    out = append(out, flags.substr(at, end - at));
    at = SkipBlanks(flags, end);
  }
  return out;
}

char* AppendMarks(char* out, Marks marks) {
  if (marks.won_before) out = Append(out, " Z");
  if (marks.stale) out = Append(out, " X");
  if (marks.won) out = Append(out, " W");
  return out;
}

// A code and what of the command comes back with it.
char* EncodeCode(std::string_view code, const Command& command, char* out) {
  out = AppendFlags(Append(out, code), command, [&](char* to, std::string_view flag) {
    return AppendNamedFlag(to, command, flag);
  });
  return Append(out, "\r\n");
}

char* EncodeStore(std::string_view code, const Command& command, const Outcome& outcome,
                  char* out) {
  out = AppendFlags(Append(out, code), command, [&](char* to, std::string_view flag) {
    return AppendWriteFlag(to, command, outcome, flag);
  });
  return Append(out, "\r\n");
}

char* EncodeNumber(const Command& command, const Outcome& outcome, char* out) {
  char digits[util::kDecimalBytesMax];
  const std::string_view value(digits,
                               static_cast<size_t>(AppendDecimal(digits, outcome.number) - digits));
  const bool wanted = !command.extras->Asks(Extras::kNoValue);
  out = wanted ? AppendDecimal(Append(out, "VA "), value.size()) : Append(out, "HD");
  out = AppendFlags(out, command, [&](char* to, std::string_view flag) {
    return AppendNumberFlag(to, command, outcome, flag);
  });
  out = Append(out, "\r\n");
  return wanted ? Append(Append(out, value), "\r\n") : out;
}

char* EncodeDescription(const Command& command, const Outcome& outcome, char* out) {
  out = AppendKey(Append(out, "ME "), command);
  out = AppendTtl(Append(out, " exp="), outcome.ttl_s);
  out = AppendDecimal(Append(out, " la="), outcome.idle_s);
  out = AppendDecimal(Append(out, " cas="), outcome.cas);
  out = Append(out, outcome.marks.fetched ? " fetch=yes" : " fetch=no");
  out = AppendDecimal(Append(out, " cls="), outcome.size_class);
  out = AppendDecimal(Append(out, " size="), outcome.number);
  return Append(out, "\r\n");
}

// Is it the answer that q takes away?
bool IsExpected(Verb verb, Status status) {
  switch (status) {
    case Status::kMiss:
      return verb == Verb::kGet;
    case Status::kStored:
    case Status::kDeleted:
    case Status::kNumber:
      return true;
    case Status::kNotFound:
      return verb == Verb::kDelete || verb == Verb::kIncr || verb == Verb::kDecr;
    default:
      return false;
  }
}

bool Stores(Verb verb) {
  return verb == Verb::kSet || verb == Verb::kAdd || verb == Verb::kReplace ||
         verb == Verb::kAppend || verb == Verb::kPrepend;
}

std::string_view CodeOf(Status status) {
  switch (status) {
    case Status::kNotStored:
      return "NS";
    case Status::kExists:
      return "EX";
    case Status::kNotFound:
      return "NF";
    case Status::kMiss:
      return "EN";
    default:
      return "HD";
  }
}

}  // namespace

size_t EncodedMetaBytesMax(const Command& command, const Outcome& outcome) {
  const bool wanted = !command.extras->Asks(Extras::kNoValue);
  return kFrameBytesMax + command.extras->flags.size() + Base64Bytes(command.key.size()) +
         (wanted ? outcome.value.size() : 0);
}

char* EncodeMetaHead(const Command& command, const Outcome& outcome, char* out) {
  const bool wanted = !command.extras->Asks(Extras::kNoValue);
  out = wanted ? AppendDecimal(Append(out, "VA "), outcome.value.size()) : Append(out, "HD");
  out = AppendFlags(out, command, [&](char* to, std::string_view flag) {
    return AppendReadFlag(to, command, outcome, flag);
  });
  return Append(AppendMarks(out, outcome.marks), "\r\n");
}

char* EncodeMetaTail(char* out) { return Append(out, "\r\n"); }

char* EncodeMeta(const Command& command, const Outcome& outcome, char* out) {
  if (command.extras->quiet && IsExpected(command.verb, outcome.status)) return out;
  switch (outcome.status) {
    case Status::kHit:
      if (command.verb == Verb::kDescribe) return EncodeDescription(command, outcome, out);
      out = EncodeMetaHead(command, outcome, out);
      if (command.extras->Asks(Extras::kNoValue)) return out;
      return EncodeMetaTail(Append(out, outcome.value));
    case Status::kNumber:
      return EncodeNumber(command, outcome, out);
    default:
      return Stores(command.verb) ? EncodeStore(CodeOf(outcome.status), command, outcome, out)
                                  : EncodeCode(CodeOf(outcome.status), command, out);
  }
}

}  // namespace larder::protocol
