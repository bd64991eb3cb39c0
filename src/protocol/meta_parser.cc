#include "protocol/meta_parser.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>

#include "protocol/ascii.h"
#include "protocol/base64.h"
#include "protocol/stored_key.h"
#include "util/bytes.h"

namespace larder::protocol {
namespace {

using util::ParseInt64;
using util::ParseUint64;

// A declared length beyond this is no length. Memcached's own bound.
constexpr int64_t kValueBytesMax = std::numeric_limits<int32_t>::max() - 2;

// Takes a line's tokens one by one.
class Words {
 public:
  explicit Words(std::string_view line) : line_(line), at_(SkipBlanks(line, 0)) {}

  [[nodiscard]] bool empty() const { return at_ == line_.size(); }
  // All that has not been taken.
  [[nodiscard]] std::string_view rest() const { return line_.substr(at_); }
  // The next one; empty if there is none.
  std::string_view Take() {
    const size_t start = at_;
    const size_t end = FindBlank(line_, start);
    at_ = SkipBlanks(line_, end);
    return line_.substr(start, end - start);
  }

 private:
  std::string_view line_;
  size_t at_;
};

void Unask(Extras& extras, Extras::Ask what) { extras.asks &= static_cast<uint16_t>(~what); }

// A command's flags, understood.
class Flags {
 public:
  Flags(Command& command, Extras& extras) : command_(command), extras_(extras) {
    extras_.asks = Extras::kNoValue;
    command_.number = 1;
  }

  // All of them; says what is wrong with the first that is.
  std::optional<Status> TakeAll(Words words) {
    while (!words.empty()) {
      const std::string_view word = words.Take();
      const auto letter = static_cast<uint32_t>(static_cast<uint8_t>(word[0])) - 'A';
      if (letter > 'z' - 'A') return Status::kInvalidFlag;
      if ((seen_ >> letter & 1) != 0) return Status::kDuplicateFlag;
      seen_ |= uint64_t{1} << letter;
      if (const auto wrong = Take(word[0], word.substr(1))) return wrong;
    }
    return std::nullopt;
  }
  // The argument of M; 0 without, and anything else that is no mode if it is not one letter.
  [[nodiscard]] char mode() const { return mode_; }

 private:
  std::optional<Status> Take(char letter, std::string_view argument) {
    switch (letter) {
      case 'b':
        extras_.encoded_key = true;
        break;
      case 'q':
        extras_.quiet = true;
        break;
      case 'v':
        Unask(extras_, Extras::kNoValue);
        break;
      case 'u':
        return Ask(Extras::kNoBump);
      case 'x':
        return Ask(Extras::kDropValue);
      case 'I':
        return Ask(Extras::kInvalidate);
      case 'M':
        mode_ = argument.size() == 1 ? argument[0] : '?';
        break;
      case 'O':
        if (argument.size() > kOpaqueBytesMax) return Status::kOpaqueTooLong;
        break;
      case 'c':
      case 'f':
      case 'h':
      case 'k':
      case 'l':
      case 's':
      case 't':  // the encoder's
      case 'L':
      case 'P':  // without meaning, as in memcached: of proxies
        break;
      default:
        return TakeNumber(letter, argument);
    }
    return std::nullopt;
  }

  std::optional<Status> TakeNumber(char letter, std::string_view argument) {
    switch (letter) {
      case 'T':
        return Take(ParseInt64(argument), command_.exptime, Extras::kTouch);
      case 'N':
        return Take(ParseInt64(argument), extras_.create_exptime, Extras::kCreate);
      case 'R':
        return Take(ParseInt64(argument), extras_.recache_exptime, Extras::kRecache);
      case 'C':
        return Take(ParseUint64(argument), extras_.match_cas, Extras::kMatchCas);
      case 'E':
        return Take(ParseUint64(argument), extras_.give_cas, Extras::kGiveCas);
      case 'D':
        return Take(ParseUint64(argument), command_.number, {}, Status::kInvalidNumericDelta);
      case 'J':
        return Take(ParseUint64(argument), extras_.initial, {}, Status::kInvalidInitial);
      case 'F': {
        const auto flags = ParseUint64(argument);
        if (!flags || *flags > std::numeric_limits<uint32_t>::max()) return Status::kBadFormat;
        command_.client_flags = static_cast<uint32_t>(*flags);
        return std::nullopt;
      }
      default:
        return Status::kInvalidFlag;
    }
  }

  std::optional<Status> Ask(Extras::Ask what) {
    extras_.asks |= what;
    return std::nullopt;
  }
  template <typename Integer>
  std::optional<Status> Take(std::optional<Integer> number, Integer& to, Extras::Ask what,
                             Status wrong = Status::kBadToken) {
    if (!number) return wrong;
    to = *number;
    return Ask(what);
  }

  Command& command_;
  Extras& extras_;
  uint64_t seen_ = 0;  // letters, from A on
  char mode_ = 0;
};

// A parse in progress.
struct Input {
  std::string_view bytes;
  const ParserLimits& limits;
  ParserSpace& space;
  Parsed& parsed;
};

void Reject(Parsed& parsed, Status why) {
  parsed.state = ParseState::kReady;
  parsed.command.verb = Verb::kRejected;
  parsed.command.rejection = why;
}

// Takes the key, decoded if the flags say so. Otherwise says what is wrong.
std::optional<Status> TakeKey(const Input& in, std::string_view token) {
  Command& command = in.parsed.command;
  if (!in.space.extras.encoded_key) {
    if (!IsKey(token)) return Status::kBadFormat;
    command.key = token;
    return std::nullopt;
  }
  if (token.size() > kKeyBytesMax) return Status::kBadFormat;
  const char* end = DecodeBase64(token, in.space.key);
  if (end == nullptr) return Status::kBadKeyEncoding;
  const std::string_view key{in.space.key, static_cast<size_t>(end - in.space.key)};
  command.key = StoreMemcachedKey(key, in.space);
  return std::nullopt;
}

// Flags and key, which come in this order for whoever is wrong: the key's spelling is a flag.
std::optional<Status> TakeKeyAndFlags(const Input& in, std::string_view key, Words words,
                                      Flags& flags) {
  if (key.size() > kKeyBytesMax) return Status::kBadFormat;
  in.space.extras.flags = words.rest();
  if (const auto wrong = flags.TakeAll(words)) return wrong;
  return TakeKey(in, key);
}

// What the mode of an ms makes of it. As memcached, an add does not look at the unique, an append
// and a prepend take 0 for none, and to the others 0 is never older than the item's.
std::optional<Status> TakeStoreMode(const Flags& flags, Command& command, Extras& extras) {
  const bool zero = extras.match_cas == 0;
  if (zero) Unask(extras, Extras::kInvalidate);
  switch (flags.mode()) {
    case 0:
    case 'S':
      command.verb = Verb::kSet;
      return std::nullopt;
    case 'R':
      command.verb = Verb::kReplace;
      return std::nullopt;
    case 'E':
      command.verb = Verb::kAdd;
      Unask(extras, Extras::kMatchCas);
      return std::nullopt;
    case 'A':
      command.verb = Verb::kAppend;
      break;
    case 'P':
      command.verb = Verb::kPrepend;
      break;
    default:
      return Status::kInvalidStoreMode;
  }
  if (zero) Unask(extras, Extras::kMatchCas);
  return std::nullopt;
}

// ms: KEY SIZE *FLAG, and a value.
void ParseStore(const Input& in, Words words) {
  Parsed& parsed = in.parsed;
  Command& command = parsed.command;
  Extras& extras = in.space.extras;
  const std::string_view key = words.Take();
  const auto size = ParseInt64(words.Take());
  if (!size || *size < 0 || *size > kValueBytesMax) return Reject(parsed, Status::kBadFormat);
  const auto body_bytes = static_cast<size_t>(*size);
  Flags flags(command, extras);
  std::optional<Status> wrong = TakeKeyAndFlags(in, key, words, flags);
  if (!wrong) wrong = TakeStoreMode(flags, command, extras);
  if (wrong) {
    Reject(parsed, *wrong);
    parsed.discard_bytes = body_bytes + 2;
    return;
  }
  if (CountedBytes(command.key.size(), body_bytes, command.client_flags) >
      in.limits.item_bytes_max) {
    // The old value must go if it was to be replaced in any case.
    const bool replaces = command.verb == Verb::kSet && !extras.Asks(Extras::kMatchCas);
    if (!replaces) command.key = {};
    Reject(parsed, Status::kTooLarge);
    parsed.discard_bytes = body_bytes + 2;
    return;
  }
  const size_t line_bytes = parsed.consumed;
  if (in.bytes.size() - line_bytes < body_bytes + 2) {
    parsed.state = ParseState::kNeedBody;
    parsed.body_bytes = body_bytes + 2;
    return;
  }
  parsed.consumed = line_bytes + body_bytes + 2;
  if (in.bytes.substr(line_bytes + body_bytes, 2) != "\r\n") {
    return Reject(parsed, Status::kBadDataChunk);
  }
  command.value = in.bytes.substr(line_bytes, body_bytes);
}

// mg, md, ma: KEY *FLAG
void ParseKeyed(const Input& in, Words words, char verb) {
  Command& command = in.parsed.command;
  Extras& extras = in.space.extras;
  const std::string_view key = words.Take();
  Flags flags(command, extras);
  if (const auto wrong = TakeKeyAndFlags(in, key, words, flags)) {
    return Reject(in.parsed, *wrong);
  }
  if (verb == 'g') {
    command.verb = Verb::kGet;
  } else if (verb == 'd') {
    command.verb = Verb::kDelete;
  } else {
    // As memcached: 0 is no unique.
    if (extras.match_cas == 0) Unask(extras, Extras::kMatchCas);
    const char mode = flags.mode();
    if (mode == 'D' || mode == '-') {
      command.verb = Verb::kDecr;
    } else if (mode == 0 || mode == 'I' || mode == '+') {
      command.verb = Verb::kIncr;
    } else {
      Reject(in.parsed, Status::kInvalidNumberMode);
    }
  }
}

// me: KEY [b]
void ParseDescribe(const Input& in, Words words) {
  const std::string_view key = words.Take();
  in.space.extras.encoded_key = words.Take() == "b";
  if (const auto wrong = TakeKey(in, key)) return Reject(in.parsed, *wrong);
  in.parsed.command.verb = Verb::kDescribe;
}

void ParseLine(const Input& in, std::string_view line) {
  Parsed& parsed = in.parsed;
  parsed.state = ParseState::kReady;
  Words words(line);
  const char verb = words.Take()[1];
  if (verb == 'n') {
    parsed.command.verb = Verb::kNoop;
    return;
  }
  if (words.empty()) return Reject(parsed, Status::kBadFormat);
  in.space.extras = Extras{.spelling = Spelling::kMeta};
  parsed.command.extras = &in.space.extras;
  if (verb == 's') {
    ParseStore(in, words);
  } else if (verb == 'e') {
    ParseDescribe(in, words);
  } else {
    ParseKeyed(in, words, verb);
  }
  // No flag begins with an H.
  if (parsed.command.rejection == Status::kInvalidFlag && IsHttp(line, {})) {
    Reject(parsed, Status::kForeignProtocol);
    parsed.discard_bytes = 0;
    parsed.close = true;
  }
}

}  // namespace

Parsed ParseMeta(std::string_view bytes, const Resume& resume, const ParserLimits& limits,
                 ParserSpace& space) {
  Parsed parsed;
  parsed.resume.at = Resume::At::kLineStart;
  // Of a longer input, only as much is looked at as decides that its line is too long.
  const std::string_view window = bytes.substr(0, kLineBytesMax + 1);
  const size_t newline = window.find('\n');
  if (newline == std::string_view::npos) {
    if (window.size() > kLineBytesMax) {
      Reject(parsed, Status::kLineTooLong);
      parsed.consumed = window.size();
      parsed.close = true;
    } else {
      parsed.resume = resume;
    }
    return parsed;
  }
  std::string_view line = window.substr(0, newline);
  if (line.ends_with('\r')) line.remove_suffix(1);
  parsed.consumed = newline + 1;
  ParseLine({bytes, limits, space, parsed}, line);
  if (parsed.state == ParseState::kNeedBody) parsed.resume = resume;
  return parsed;
}

}  // namespace larder::protocol
