#include "protocol/resp_parser.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>

#include "protocol/resp_arguments.h"
#include "protocol/resp_commands.h"
#include "protocol/resp_errors.h"
#include "protocol/resp_requests.h"

namespace larder::protocol {
namespace {

constexpr int64_t kArgumentsMax = 1024 * 1024;
constexpr int64_t kArgumentBytesMax = 512LL << 20;
constexpr size_t kTypedBytesMax = 64 << 10;
// What a client that has not said who it is may send.
constexpr int64_t kStrangerArgumentsMax = 10;
constexpr int64_t kStrangerArgumentBytesMax = 16384;

enum class Speaker : uint8_t { kKnown, kStranger };

struct Input {
  std::string_view bytes;
  const Resume& resume;
  const ParserLimits& limits;
  Speaker speaker;
  ParserSpace& space;
  Parsed& parsed;
};

void Refuse(Parsed& parsed, const RespRefusal& refusal) {
  parsed.state = ParseState::kReady;
  parsed.command.verb = Verb::kRejected;
  parsed.command.rejection = Status::kRefused;
  parsed.command.number = refusal.Pack();
}

// Nothing more is read from this client.
void RefuseAndClose(const Input& in, const RespRefusal& refusal) {
  Refuse(in.parsed, refusal);
  in.parsed.consumed = 1;
  in.parsed.close = true;
}

bool IsForStrangers(RespCommand id) {
  return id == RespCommand::kAuth || id == RespCommand::kHello || id == RespCommand::kQuit ||
         id == RespCommand::kReset;
}

// False, and the request is refused, if the second word is none of the command's.
bool TakeSubcommand(const Input& in, RespCommand id, RespRequest& request) {
  request.subcommand = RespSubcommandOf(id, request.words[1]);
  if (request.subcommand == RespSubcommand::kNone) return true;
  if (request.subcommand == RespSubcommand::kUnknown) {
    Refuse(in.parsed, {.error = RespError::kSubcommand, .command = id});
    in.parsed.command.value = request.words[1];
    return false;
  }
  if (Takes(InfoOf(request.subcommand).arity, request.count)) return true;
  Refuse(in.parsed,
         {.error = RespError::kSubcommandArity, .command = id, .subcommand = request.subcommand});
  return false;
}

void Build(const Input& in, RespRequest& request) {
  const RespCommand id = RespCommandOf(request.words[0]);
  if (id != RespCommand::kUnknown && !Takes(InfoOf(id).arity, request.count)) {
    Refuse(in.parsed, {.error = RespError::kArity, .command = id});
    // It ends the transaction, and the next commands are not queued.
    if (id == RespCommand::kExec) in.parsed.state = ParseState::kExecuteFirst;
    return;
  }
  if (id != RespCommand::kUnknown && InfoOf(id).way >= RespWay::kCall && request.count > 1) {
    if (!TakeSubcommand(in, id, request)) return;
  }
  if (in.speaker == Speaker::kStranger && id != RespCommand::kUnknown && !IsForStrangers(id)) {
    return Refuse(in.parsed, {.error = RespError::kNoAuth});
  }
  BuildRespCommand(request, id, in.resume, in.space, in.parsed);
}

// An argument that nobody may send: what of the request is still to come is not looked at.
void RefuseArgument(const Input& in, size_t consumed, uint64_t value_bytes, int64_t behind) {
  Parsed& parsed = in.parsed;
  parsed.state = ParseState::kReady;
  parsed.command.verb = Verb::kRejected;
  parsed.command.rejection = Status::kTooLarge;
  parsed.consumed = consumed;
  parsed.discard_bytes = value_bytes + 2;
  if (behind == 0) return;
  parsed.resume.at = Resume::At::kSkipArguments;
  parsed.resume.arguments_left = static_cast<uint32_t>(behind);
}

// Reads the arguments behind a request's first line. False if the result is there already, or more
// bytes are needed. Of what was read before, only the first words are read again: a request that
// comes in many pieces costs no more than in one.
bool ReadArguments(const Input& in, size_t at, int64_t count, RespRequest& request) {
  constexpr auto kWordsMax = static_cast<int64_t>(RespRequest::kWordsMax);
  const std::string_view bytes = in.bytes;
  const size_t first = at;
  for (int64_t index = 0; index < count; ++index) {
    if (index == kWordsMax && in.resume.arguments_read > 0) {
      index = in.resume.arguments_read;
      at = in.resume.read_bytes;
    }
    if (index > kWordsMax) {
      in.parsed.resume.arguments_read = static_cast<uint32_t>(index);
      in.parsed.resume.read_bytes = at;
    }
    if (at == bytes.size()) return false;
    if (bytes[at] != '$') {
      RefuseAndClose(in, {.error = RespError::kNoBulk, .byte = static_cast<uint8_t>(bytes[at])});
      return false;
    }
    const RespLength length = ReadRespLength(bytes, at + 1);
    if (length.state == RespLength::State::kMore) return false;
    if (length.state == RespLength::State::kBad || length.value < 0 ||
        length.value > kArgumentBytesMax) {
      RefuseAndClose(in, {.error = RespError::kBulkLength});
      return false;
    }
    if (in.speaker == Speaker::kStranger && length.value > kStrangerArgumentBytesMax) {
      RefuseAndClose(in, {.error = RespError::kStrangerBulk});
      return false;
    }
    const auto value_bytes = static_cast<uint64_t>(length.value);
    if (value_bytes > in.limits.item_bytes_max) {
      RefuseArgument(in, length.end, value_bytes, count - index - 1);
      return false;
    }
    if (bytes.size() - length.end < value_bytes + 2) {
      in.parsed.state = ParseState::kNeedBody;
      in.parsed.consumed = length.end;
      in.parsed.body_bytes = value_bytes + 2;
      in.parsed.arguments_behind = static_cast<uint32_t>(count - index - 1);
      return false;
    }
    if (index < kWordsMax) {
      request.words[static_cast<size_t>(index)] = bytes.substr(length.end, value_bytes);
    }
    at = length.end + value_bytes + 2;
  }
  request.count = static_cast<size_t>(count);
  request.raw = bytes.substr(first, at - first);
  return true;
}

void ParseArray(const Input& in) {
  const RespLength count = ReadRespLength(in.bytes, 1);
  if (count.state == RespLength::State::kMore) return;
  if (count.state == RespLength::State::kBad || count.value > kArgumentsMax) {
    return RefuseAndClose(in, {.error = RespError::kMultibulkLength});
  }
  if (in.speaker == Speaker::kStranger && count.value > kStrangerArgumentsMax) {
    return RefuseAndClose(in, {.error = RespError::kStrangerMultibulk});
  }
  if (count.value <= 0) {
    in.parsed.state = ParseState::kSkip;
    in.parsed.consumed = count.end;
    return;
  }
  RespRequest request;
  if (!ReadArguments(in, count.end, count.value, request)) return;
  in.parsed.consumed = count.end + request.raw.size();
  Build(in, request);
}

// --- a typed line -------------------------------------------------------------------------------

constexpr bool IsSpace(char c) { return c == ' ' || (c >= '\t' && c <= '\r') || c == '\0'; }

int HexOf(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// A word in double quotes, from behind the first one: returns the position of the last one, or
// none.
std::optional<size_t> Unquote(std::string_view line, size_t at, std::string& word) {
  for (; at < line.size(); ++at) {
    const char c = line[at];
    if (c == '"') return at;
    if (c != '\\' || at + 1 == line.size()) {
      word += c;
      continue;
    }
    ++at;
    if (line[at] == 'x' && at + 2 < line.size() && HexOf(line[at + 1]) >= 0 &&
        HexOf(line[at + 2]) >= 0) {
      word += static_cast<char>(HexOf(line[at + 1]) * 16 + HexOf(line[at + 2]));
      at += 2;
      continue;
    }
    constexpr std::string_view kNames = "nrtba";
    constexpr std::string_view kBytes = "\n\r\t\b\a";
    const size_t name = kNames.find(line[at]);
    word += name == std::string_view::npos ? line[at] : kBytes[name];
  }
  return std::nullopt;
}

// The same in single quotes, where only a quote is escaped.
std::optional<size_t> UnquoteSingle(std::string_view line, size_t at, std::string& word) {
  for (; at < line.size(); ++at) {
    if (line[at] == '\'') return at;
    if (line[at] == '\\' && at + 1 < line.size() && line[at + 1] == '\'') ++at;
    word += line[at];
  }
  return std::nullopt;
}

// The next word of the line, from `at` on, which is behind it afterwards. False if a quote is not
// closed, or closed in the middle of a word.
bool NextWord(std::string_view line, size_t& at, std::string& word) {
  while (at < line.size() && !IsSpace(line[at])) {
    const char c = line[at];
    if (c != '"' && c != '\'') {
      word += c;
      ++at;
      continue;
    }
    const std::optional<size_t> end =
        c == '"' ? Unquote(line, at + 1, word) : UnquoteSingle(line, at + 1, word);
    if (!end) return false;
    at = *end + 1;
    if (at < line.size() && !IsSpace(line[at])) return false;
  }
  return true;
}

// The line as a request's arguments; how many. None if its quotes are wrong.
std::optional<int64_t> SpellArguments(std::string_view line, std::string& arguments) {
  arguments.clear();
  int64_t count = 0;
  std::string word;
  for (size_t at = 0;; ++count) {
    while (at < line.size() && IsSpace(line[at])) ++at;
    if (at == line.size()) return count;
    word.clear();
    if (!NextWord(line, at, word)) return std::nullopt;
    arguments += '$';
    arguments += std::to_string(word.size());
    arguments += "\r\n";
    arguments += word;
    arguments += "\r\n";
  }
}

// A browser, which somebody may have sent to talk to us: a request line, of any method and for a
// path, or what only such requests begin a line with.
bool IsHttp(const RespRequest& request) {
  const auto& words = request.words;
  if (IsWord(words[0], "post") || IsWord(words[0], "host:")) return true;
  return request.count == 3 && words[2].starts_with("HTTP/") &&
         (words[1].starts_with('/') || words[1] == "*" ||
          words[1].find("://") != std::string_view::npos);
}

void ParseTyped(const Input& in) {
  const std::string_view window = in.bytes.substr(0, kTypedBytesMax + 1);
  const size_t newline = window.find('\n');
  if (newline == std::string_view::npos) {
    if (window.size() > kTypedBytesMax) RefuseAndClose(in, {.error = RespError::kLongLine});
    return;
  }
  std::string& typed = in.space.typed;
  const std::optional<int64_t> count = SpellArguments(window.substr(0, newline), typed);
  if (!count) return RefuseAndClose(in, {.error = RespError::kQuotes});
  in.parsed.consumed = newline + 1;
  if (*count == 0) {
    in.parsed.state = ParseState::kSkip;
    return;
  }
  const Input words = {typed, in.resume, in.limits, in.speaker, in.space, in.parsed};
  RespRequest request;
  if (ReadArguments(words, 0, *count, request)) {
    if (IsHttp(request)) {
      in.parsed.command.rejection = Status::kForeignProtocol;
      in.parsed.state = ParseState::kReady;
      in.parsed.close = true;
    } else {
      Build(words, request);
    }
  } else {
    // Too long a word; there is nothing behind the line to skip.
    in.parsed.discard_bytes = 0;
    in.parsed.resume.at = Resume::At::kLineStart;
  }
  in.parsed.consumed = newline + 1;
}

// --- what is skipped ----------------------------------------------------------------------------

void SkipArgument(const Input& in) {
  Parsed& parsed = in.parsed;
  if (in.bytes.front() != '$') {
    return RefuseAndClose(in,
                          {.error = RespError::kNoBulk, .byte = static_cast<uint8_t>(in.bytes[0])});
  }
  const RespLength length = ReadRespLength(in.bytes, 1);
  if (length.state == RespLength::State::kMore) return;
  if (length.state == RespLength::State::kBad || length.value < 0 ||
      length.value > kArgumentBytesMax) {
    return RefuseAndClose(in, {.error = RespError::kBulkLength});
  }
  parsed.state = ParseState::kSkip;
  parsed.consumed = length.end;
  parsed.discard_bytes = static_cast<uint64_t>(length.value) + 2;
  parsed.resume.arguments_left = in.resume.arguments_left - 1;
  if (parsed.resume.arguments_left > 0) parsed.resume.at = Resume::At::kSkipArguments;
}

Parsed Parse(std::string_view bytes, const Resume& resume, const ParserLimits& limits,
             ParserSpace& space, Speaker speaker) {
  Parsed parsed;
  parsed.resume = resume;
  if (bytes.empty()) return parsed;
  const Input in = {bytes, resume, limits, speaker, space, parsed};
  parsed.resume.at = Resume::At::kLineStart;
  if (resume.at == Resume::At::kSkipArguments) {
    SkipArgument(in);
  } else if (bytes.front() == '*') {
    ParseArray(in);
  } else {
    ParseTyped(in);
  }
  if (parsed.state == ParseState::kNeedMore || parsed.state == ParseState::kNeedBody) {
    parsed.resume.at = resume.at;
    parsed.resume.arguments_left = resume.arguments_left;
  } else {
    parsed.resume.arguments_read = 0;
    parsed.resume.read_bytes = 0;
  }
  // Of kNeedBody too: the request may be refused before it has come.
  parsed.command.noreply = resume.mute != Resume::Mute::kNothing;
  if (parsed.state == ParseState::kReady || parsed.state == ParseState::kExecuteFirst) {
    if (resume.mute == Resume::Mute::kNext) parsed.resume.mute = Resume::Mute::kNothing;
  }
  return parsed;
}

}  // namespace

Parsed ParseResp(std::string_view bytes, const Resume& resume, const ParserLimits& limits,
                 ParserSpace& space) {
  return Parse(bytes, resume, limits, space, Speaker::kKnown);
}

Parsed ParseLockedResp(std::string_view bytes, const Resume& resume, const ParserLimits& limits,
                       ParserSpace& space) {
  Parsed parsed = Parse(bytes, resume, limits, space, Speaker::kStranger);
  if (parsed.state == ParseState::kReady) parsed.state = ParseState::kExecuteFirst;
  return parsed;
}

}  // namespace larder::protocol
