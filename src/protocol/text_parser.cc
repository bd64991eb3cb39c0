#include "protocol/text_parser.h"

#include <algorithm>
#include <cstdint>
#include <limits>

#include "protocol/ascii.h"
#include "util/bytes.h"

namespace larder::protocol {
namespace {

using util::ParseInt64;
using util::ParseUint64;

// What the parser looks at: of a longer input, only as much as decides that it is too long. So the
// result depends on the bytes and not on how many of them have arrived.
constexpr size_t kWindowBytes = kLineBytesMax + 1;

// A declared length beyond this is no length. Memcached's own bound.
constexpr int64_t kValueBytesMax = std::numeric_limits<int32_t>::max() - 2;

constexpr std::string_view kNoreply = "noreply";

// A parse in progress: what it reads, and the result that it fills in, in place.
struct Input {
  std::string_view bytes;   // all
  std::string_view window;  // the first kWindowBytes of them
  const ParserLimits& limits;
  Parsed& parsed;

  [[nodiscard]] bool WindowIsFull() const { return window.size() == kWindowBytes; }
  // Whether `at` is the end of what can be seen, or a '\r' there that may begin a line end.
  [[nodiscard]] bool EndsAt(size_t at) const {
    return at == window.size() || (at + 1 == window.size() && window[at] == '\r');
  }
};

void Reject(Parsed& parsed, Status why) {
  parsed.state = ParseState::kReady;
  parsed.command.verb = Verb::kRejected;
  parsed.command.rejection = why;
}

// The line is longer than any may be, or no line of ours: nothing more is read from this client.
void RejectAndClose(Parsed& parsed, Status why, size_t consumed) {
  Reject(parsed, why);
  parsed.consumed = consumed;
  parsed.close = true;
}

// Answers `why` now and lets the rest of the line, from `rest` on, be dropped as it arrives.
void RejectAndSkip(Parsed& parsed, Status why, size_t rest) {
  Reject(parsed, why);
  parsed.consumed = rest;
  parsed.resume.at = Resume::At::kSkipLine;
}

void NeedMoreOrClose(const Input& in) {
  if (in.WindowIsFull()) {
    RejectAndClose(in.parsed, Status::kLineTooLong, kWindowBytes);
  }
}

// --- key lists: get, gets, gat, gats -------------------------------------------------------------

enum class KeyIs : uint8_t { kFirst, kLater };

// No key before the line's end, which is `end` bytes long.
void CloseKeyList(const Input& in, size_t at, size_t end, KeyIs key, const Resume& line) {
  const bool bare = key == KeyIs::kFirst && (line.verb == Verb::kGet || line.verb == Verb::kGets);
  Reject(in.parsed, bare ? Status::kUnknownCommand : Status::kMiss);
  in.parsed.consumed = at + end;
}

// Blanks and no whole key in all that can be seen.
void WaitForKey(const Input& in, size_t start, KeyIs key, const Resume& line) {
  if (!in.WindowIsFull() || key == KeyIs::kFirst) {
    NeedMoreOrClose(in);
    return;
  }
  in.parsed.state = ParseState::kSkip;
  in.parsed.consumed = start;
  in.parsed.resume = line;
}

// Parses one key from `at` on, in the line that `line` tells about.
void ParseKey(const Input& in, size_t at, KeyIs key, const Resume& line) {
  const std::string_view window = in.window;
  const size_t start = SkipBlanks(window, at);
  if (in.EndsAt(start)) {
    WaitForKey(in, start, key, line);
    return;
  }
  if (const size_t line_end = LineEndAt(window, start); line_end > 0) {
    CloseKeyList(in, start, line_end, key, line);
    return;
  }
  const size_t end = FindKeyEnd(window, start);
  if (end - start > kKeyBytesMax) {
    RejectAndSkip(in.parsed, Status::kBadFormat, start + kKeyBytesMax + 1);
    return;
  }
  if (in.EndsAt(end)) {
    WaitForKey(in, start, key, line);
    return;
  }
  const size_t next = SkipBlanks(window, end);
  const size_t line_end = LineEndAt(window, next);
  if (next == end && line_end == 0) {  // a control character
    RejectAndSkip(in.parsed, Status::kBadFormat, end + 1);
    return;
  }
  if (in.EndsAt(next) && !in.WindowIsFull()) {
    return;  // whether this key is the last, the next byte will tell
  }
  in.parsed.state = ParseState::kReady;
  in.parsed.consumed = next + line_end;
  in.parsed.command.verb = line.verb;
  in.parsed.command.exptime = line.exptime;
  in.parsed.command.key = window.substr(start, end - start);
  in.parsed.command.last_key = line_end > 0;
  if (line_end == 0) {
    in.parsed.resume = line;
  }
}

// The exptime of a gat or gats, whose verb ends at `at`; then its first key.
void ParseGetAndTouch(const Input& in, size_t at, Verb verb) {
  const size_t start = SkipBlanks(in.window, at);
  const size_t end = FindKeyEnd(in.window, start);
  if (in.EndsAt(end)) {
    NeedMoreOrClose(in);
    return;
  }
  if (start == end && LineEndAt(in.window, start) > 0) {
    RejectAndSkip(in.parsed, Status::kUnknownCommand, start);
    return;
  }
  const auto exptime = ParseInt64(in.window.substr(start, end - start));
  if (!exptime || (in.window[end] != ' ' && LineEndAt(in.window, end) == 0)) {
    RejectAndSkip(in.parsed, Status::kInvalidExptime, end);
    return;
  }
  ParseKey(in, end, KeyIs::kFirst, {Resume::At::kKeys, verb, *exptime});
}

// True if the line, which begins at `at`, is a list of keys. Then it has been parsed.
bool ParseKeyList(const Input& in, size_t at) {
  const std::string_view line = in.window.substr(at);
  if (line.starts_with("get ")) {
    ParseKey(in, at + 4, KeyIs::kFirst, {Resume::At::kKeys, Verb::kGet, 0});
  } else if (line.starts_with("gets ")) {
    ParseKey(in, at + 5, KeyIs::kFirst, {Resume::At::kKeys, Verb::kGets, 0});
  } else if (line.starts_with("gat ")) {
    ParseGetAndTouch(in, at + 4, Verb::kGat);
  } else if (line.starts_with("gats ")) {
    ParseGetAndTouch(in, at + 5, Verb::kGats);
  } else {
    return false;
  }
  return true;
}

// --- whole lines: a function for each form that verbs.def names ----------------------------------

// Takes the key, if it is one. Otherwise the line is rejected, and there is nothing more to do.
bool TakeKey(const Input& in, std::string_view token) {
  if (!IsKey(token)) {
    Reject(in.parsed, Status::kBadFormat);
    return false;
  }
  in.parsed.command.key = token;
  return true;
}

// Takes the answer away if the client asked for it: the last token says so.
bool TakeNoreply(const Tokens& tokens, Command& command) {
  command.noreply = tokens.last() == kNoreply;
  return command.noreply;
}

// set add replace append prepend cas: KEY FLAGS EXPTIME BYTES [UNIQUE] [NOREPLY]
void ParseStore(const Input& in, const Tokens& tokens, Verb verb) {
  Command& command = in.parsed.command;
  const size_t count_min = verb == Verb::kCas ? 6 : 5;
  if (tokens.count() != count_min && tokens.count() != count_min + 1) {
    // A bare cas is told apart by memcached since 1.6.40 or so.
    const bool bare_cas = verb == Verb::kCas && tokens.count() == 1;
    Reject(in.parsed, bare_cas ? Status::kBadFormat : Status::kUnknownCommand);
    return;
  }
  TakeNoreply(tokens, command);
  if (!TakeKey(in, tokens[1])) {
    return;
  }
  const auto flags = ParseUint64(tokens[2]);
  const auto exptime = ParseInt64(tokens[3]);
  const auto value_bytes = ParseInt64(tokens[4]);
  const auto unique = verb == Verb::kCas ? ParseUint64(tokens[5]) : 0;
  if (!flags || !exptime || !value_bytes || !unique || *value_bytes < 0 ||
      *value_bytes > kValueBytesMax) {
    Reject(in.parsed, Status::kBadFormat);
    return;
  }
  const auto body_bytes = static_cast<size_t>(*value_bytes);
  command.client_flags = static_cast<uint32_t>(*flags);  // memcached keeps the low half, too
  if (CountedBytes(command.key.size(), body_bytes, command.client_flags) >
      in.limits.item_bytes_max) {
    Reject(in.parsed, Status::kTooLarge);
    in.parsed.discard_bytes = body_bytes + 2;
    if (verb != Verb::kSet) {  // the old value must go if it was to be replaced in any case
      command.key = {};
    }
    return;
  }
  command.exptime = *exptime;
  command.number = *unique;
  const size_t line_bytes = in.parsed.consumed;
  if (in.bytes.size() - line_bytes < body_bytes + 2) {
    in.parsed.state = ParseState::kNeedBody;
    in.parsed.body_bytes = body_bytes + 2;
    return;
  }
  in.parsed.consumed = line_bytes + body_bytes + 2;
  if (in.bytes.substr(line_bytes + body_bytes, 2) != "\r\n") {
    Reject(in.parsed, Status::kBadDataChunk);
    return;
  }
  command.value = in.bytes.substr(line_bytes, body_bytes);
}

// delete: KEY [0] [NOREPLY]
void ParseDelete(const Input& in, const Tokens& tokens, Verb /*verb*/) {
  if (tokens.count() < 2 || tokens.count() > 4) {
    Reject(in.parsed, Status::kUnknownCommand);
    return;
  }
  if (tokens.count() > 2) {
    const bool noreply = TakeNoreply(tokens, in.parsed.command);
    const bool zero = tokens[2] == "0";  // once a time, now without meaning
    if (tokens.count() == 3 ? !zero && !noreply : !zero || !noreply) {
      Reject(in.parsed, Status::kDeleteUsage);
      return;
    }
  }
  TakeKey(in, tokens[1]);
}

// touch: KEY EXPTIME [NOREPLY]
void ParseTouch(const Input& in, const Tokens& tokens, Verb /*verb*/) {
  if (tokens.count() != 3 && tokens.count() != 4) {
    Reject(in.parsed, Status::kUnknownCommand);
    return;
  }
  TakeNoreply(tokens, in.parsed.command);
  if (!TakeKey(in, tokens[1])) {
    return;
  }
  const auto exptime = ParseInt64(tokens[2]);
  if (!exptime) {
    Reject(in.parsed, Status::kInvalidExptime);
    return;
  }
  in.parsed.command.exptime = *exptime;
}

// incr decr: KEY DELTA [NOREPLY]
void ParseDelta(const Input& in, const Tokens& tokens, Verb /*verb*/) {
  if (tokens.count() != 3 && tokens.count() != 4) {
    Reject(in.parsed, Status::kUnknownCommand);
    return;
  }
  TakeNoreply(tokens, in.parsed.command);
  if (!TakeKey(in, tokens[1])) {
    return;
  }
  const auto delta = ParseUint64(tokens[2]);
  if (!delta) {
    Reject(in.parsed, Status::kInvalidDelta);
    return;
  }
  in.parsed.command.number = *delta;
}

// flush_all: [DELAY] [NOREPLY]
void ParseFlush(const Input& in, const Tokens& tokens, Verb /*verb*/) {
  if (tokens.count() > 3) {
    Reject(in.parsed, Status::kUnknownCommand);
    return;
  }
  const bool noreply = TakeNoreply(tokens, in.parsed.command);
  if (tokens.count() == (noreply ? 2 : 1)) {
    return;
  }
  const auto delay = ParseInt64(tokens[1]);
  if (!delay) {
    Reject(in.parsed, Status::kInvalidExptime);
    return;
  }
  in.parsed.command.exptime = *delay;
}

// verbosity, cache_memlimit: NUMBER [NOREPLY]
void ParseSetting(const Input& in, const Tokens& tokens, Verb verb) {
  if (tokens.count() != 2 && tokens.count() != 3) {
    Reject(in.parsed, Status::kUnknownCommand);
    return;
  }
  TakeNoreply(tokens, in.parsed.command);
  const auto number = ParseUint64(tokens[1]);
  if (!number) {
    const bool is_limit = verb == Verb::kCacheMemlimit;
    Reject(in.parsed, is_limit ? Status::kUnknownCommand : Status::kBadFormat);
    return;
  }
  in.parsed.command.number = *number;
}

// Of a line that was consumed, without its end.
size_t LineBytes(const Input& in) {
  const size_t newline = in.parsed.consumed - 1;
  return newline > 0 && in.window[newline - 1] == '\r' ? newline - 1 : newline;
}

// stats, lru_crawler and others: what follows is for the server to understand.
void ParseRest(const Input& in, const Tokens& tokens, Verb /*verb*/) {
  if (tokens.count() > 1) {
    const std::string_view line = in.window.substr(0, LineBytes(in));
    const auto first = static_cast<size_t>(tokens[1].data() - line.data());
    in.parsed.command.key = line.substr(first, line.find_last_not_of(' ') + 1 - first);
  }
}

// watch: as these; and whoever watches says no more.
void ParseLast(const Input& in, const Tokens& tokens, Verb verb) {
  in.parsed.state = ParseState::kExecuteFirst;
  ParseRest(in, tokens, verb);
}

// version
void ParseWord(const Input& /*in*/, const Tokens& /*tokens*/, Verb /*verb*/) {}

void ParseQuit(const Input& in, const Tokens& /*tokens*/, Verb /*verb*/) { in.parsed.close = true; }

// A word of other protocols.
void ParseOther(const Input& in, const Tokens& /*tokens*/, Verb /*verb*/) {
  Reject(in.parsed, Status::kUnknownCommand);
}

// get, gets, gat, gats without a blank behind it: without a key.
void ParseKeys(const Input& in, const Tokens& tokens, Verb verb) { ParseOther(in, tokens, verb); }

void ParseTokens(const Input& in, const Tokens& tokens, std::string_view line) {
  const Verb verb = VerbOf(tokens[0]);
  in.parsed.command.verb = verb;
  switch (verb) {
#define VERB(id, text, kind, form) \
  case Verb::k##id:                \
    return Parse##form(in, tokens, verb);
#include "larder/verbs.def"
#undef VERB
    case Verb::kRejected:
      if (IsHttp(line, tokens[0])) {
        return RejectAndClose(in.parsed, Status::kForeignProtocol, in.parsed.consumed);
      }
      return Reject(in.parsed, Status::kUnknownCommand);
  }
}

void ParseLine(const Input& in) {
  const size_t newline = in.window.find('\n');
  if (newline == std::string_view::npos) {
    NeedMoreOrClose(in);
    return;
  }
  std::string_view line = in.window.substr(0, newline);
  if (line.ends_with('\r')) {
    line.remove_suffix(1);
  }
  const Tokens tokens(line);
  in.parsed.state = ParseState::kReady;
  in.parsed.consumed = newline + 1;
  if (tokens.count() == 0) {
    Reject(in.parsed, Status::kBadFormat);
    return;
  }
  ParseTokens(in, tokens, line);
}

void ParseAtLineStart(const Input& in) {
  if (!ParseKeyList(in, SkipBlanks(in.window, 0))) {
    ParseLine(in);
  }
}

// The first line of a connection is judged before it is understood: "get / HTTP/1.1" is no get. For
// that it must be there as a whole, or as far as the window goes.
void ParseFirstLine(const Input& in) {
  const size_t newline = in.window.find('\n');
  if (newline == std::string_view::npos && !in.WindowIsFull()) {
    return;
  }
  if (newline != std::string_view::npos && IsHttp(in.window.substr(0, newline), {})) {
    RejectAndClose(in.parsed, Status::kForeignProtocol, newline + 1);
    return;
  }
  ParseAtLineStart(in);
}

// The rest of a line that has been answered.
void SkipLine(const Input& in) {
  const size_t newline = in.window.find('\n');
  if (newline == std::string_view::npos && !in.WindowIsFull()) {
    return;
  }
  in.parsed.state = ParseState::kSkip;
  in.parsed.consumed = std::min(newline, kWindowBytes - 1) + 1;
  in.parsed.resume.at =
      newline == std::string_view::npos ? Resume::At::kSkipLine : Resume::At::kLineStart;
}

}  // namespace

Parsed ParseText(std::string_view bytes, const Resume& resume, const ParserLimits& limits) {
  Parsed parsed;
  parsed.resume.at = Resume::At::kLineStart;
  const Input in{bytes, bytes.substr(0, kWindowBytes), limits, parsed};
  switch (resume.at) {
    case Resume::At::kFirstLine:
      ParseFirstLine(in);
      break;
    case Resume::At::kLineStart:
    case Resume::At::kSkipArguments:  // of another protocol
      ParseAtLineStart(in);
      break;
    case Resume::At::kKeys:
      ParseKey(in, 0, KeyIs::kLater, resume);
      break;
    case Resume::At::kSkipLine:
      SkipLine(in);
      break;
  }
  if (parsed.state == ParseState::kNeedMore || parsed.state == ParseState::kNeedBody) {
    parsed.resume = resume;
  }
  return parsed;
}

}  // namespace larder::protocol
