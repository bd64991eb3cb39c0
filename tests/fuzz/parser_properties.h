// What parser.h promises, as checks on any bytes: used by the fuzz targets, by the replay of the
// corpus and by the unit tests. A promise that is broken aborts by CHECK.
//
// Method: the parser is shown copies in exactly-sized heap blocks, so that AddressSanitizer sees a
// read of one byte too many or too few.
#ifndef LARDER_TESTS_FUZZ_PARSER_PROPERTIES_H_
#define LARDER_TESTS_FUZZ_PARSER_PROPERTIES_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "larder/command.h"
#include "larder/outcome.h"
#include "protocol/codec.h"
#include "protocol/parser.h"
#include "protocol/stored_key.h"
#include "util/check.h"

namespace larder::protocol::testing {

// Bytes in a heap block of exactly their size.
class ExactBytes {
 public:
  explicit ExactBytes(std::string_view bytes)
      : size_(bytes.size()), block_(std::make_unique<char[]>(bytes.size())) {
    std::copy(bytes.begin(), bytes.end(), block_.get());
  }
  [[nodiscard]] std::string_view view() const { return {block_.get(), size_}; }

 private:
  size_t size_;
  std::unique_ptr<char[]> block_;
};

// A command with what it points to.
struct OwnedCommand {
  Command command;  // its views are empty, and it points to no extras
  std::string key;
  std::string value;
  bool has_extras;
  Extras extras;  // their view is empty
  std::string flags;

  explicit OwnedCommand(const Command& from)
      : command(from),
        key(from.key),
        value(from.value),
        has_extras(from.extras != nullptr),
        extras(has_extras ? *from.extras : Extras{}),
        flags(extras.flags) {
    command.key = {};
    command.value = {};
    command.extras = nullptr;
    extras.flags = {};
  }
  // With key and extras, pointing into this.
  [[nodiscard]] Command View() const {
    Command view = command;
    view.key = key;
    view.value = value;
    view.extras = has_extras ? &extras : nullptr;
    return view;
  }
  friend bool operator==(const OwnedCommand& a, const OwnedCommand& b) {
    return a.key == b.key && a.value == b.value && a.flags == b.flags &&
           a.command.verb == b.command.verb && a.command.noreply == b.command.noreply &&
           a.command.last_key == b.command.last_key && a.command.rejection == b.command.rejection &&
           a.command.client_flags == b.command.client_flags &&
           a.command.exptime == b.command.exptime && a.command.number == b.command.number &&
           a.command.hash == b.command.hash && a.has_extras == b.has_extras && a.flags == b.flags &&
           a.extras.asks == b.extras.asks && a.extras.spelling == b.extras.spelling &&
           a.extras.quiet == b.extras.quiet && a.extras.encoded_key == b.extras.encoded_key &&
           a.extras.opcode == b.extras.opcode && a.extras.opaque == b.extras.opaque &&
           a.extras.match_cas == b.extras.match_cas && a.extras.give_cas == b.extras.give_cas &&
           a.extras.initial == b.extras.initial &&
           a.extras.create_exptime == b.extras.create_exptime &&
           a.extras.recache_exptime == b.extras.recache_exptime && a.extras.time == b.extras.time &&
           a.extras.first == b.extras.first && a.extras.last == b.extras.last;
  }
};

// A result, without the bytes that it was read from.
struct OwnedResult {
  ParseState state;
  bool close;
  size_t consumed;
  uint64_t discard_bytes;
  size_t body_bytes;
  uint32_t arguments_behind;
  Resume resume;
  OwnedCommand command;

  explicit OwnedResult(const Parsed& from)
      : state(from.state),
        close(from.close),
        consumed(from.consumed),
        discard_bytes(from.discard_bytes),
        body_bytes(from.body_bytes),
        arguments_behind(from.arguments_behind),
        resume(from.resume),
        command(from.command) {}
  friend bool operator==(const OwnedResult&, const OwnedResult&) = default;
};

inline bool IsInside(std::string_view part, std::string_view whole) {
  return part.empty() ||
         (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

// Bytes behind a value that end it.
inline size_t ValueEndBytes(const Codec& codec) {
  return codec.unlocked == Protocol::kBinary ? 0 : 2;
}

inline bool IsText(const Codec& codec) { return codec.unlocked == Protocol::kText; }

// May it be from these bytes, or from what the parser wrote into its space?
inline bool IsFrom(std::string_view part, std::string_view bytes, const ParserSpace& space) {
  return IsInside(part, bytes) || IsInside(part, {space.key, sizeof(space.key)}) ||
         IsInside(part, space.long_key) || IsInside(part, space.typed);
}

// How many bytes may be there, and more be waited for.
inline size_t WaitingBytesMax(const Codec& codec, std::string_view bytes, const Resume& resume) {
  if (!IsResp(codec.protocol)) return kLineBytesMax;
  if (resume.at == Resume::At::kSkipArguments)
    return std::string_view("$-123456789012345678\r").size();
  // A request of many small arguments; else a typed line.
  return bytes.starts_with('*') ? SIZE_MAX : 64 << 10;
}

// What holds for a key. One that is a word has neither blanks nor control characters.
inline void CheckKey(const Codec& codec, const Command& command) {
  CHECK(!command.key.empty());
  const size_t bytes = ToldKey(command.key).size();
  CHECK_LE(bytes, IsResp(codec.protocol) ? kLongKeyBytesMax : kKeyBytesMax);
  if (!IsText(codec) || (command.extras != nullptr && command.extras->encoded_key)) return;
  for (const char c : command.key) {
    CHECK(static_cast<uint8_t>(c) > ' ' && c != '\x7f');
  }
}

// A command that has not come whole leaves all as it was, but for how much of it was read.
inline void CheckStays(Resume after, const Resume& before, std::string_view bytes) {
  CHECK_LE(after.read_bytes, bytes.size());
  CHECK_GE(after.read_bytes, before.read_bytes);
  after.arguments_read = before.arguments_read;
  after.read_bytes = before.read_bytes;
  CHECK(after == before);
}

// What holds for a result by itself.
inline void CheckResult(const Codec& codec, const Parsed& parsed, std::string_view bytes,
                        const ParserSpace& space, const Resume& resume,
                        const ParserLimits& limits) {
  CHECK_LE(parsed.consumed, bytes.size());
  CHECK(IsFrom(parsed.command.key, bytes, space));
  CHECK(parsed.command.extras == nullptr || parsed.command.extras == &space.extras);
  if (parsed.command.extras != nullptr) CHECK(IsInside(space.extras.flags, bytes));
  CHECK(IsInside(parsed.command.value, bytes) || IsInside(parsed.command.value, space.typed));
  CHECK_EQ(parsed.command.hash, 0U);
  switch (parsed.state) {
    case ParseState::kNeedMore:
      CHECK_EQ(parsed.consumed, 0U);
      CHECK_LE(bytes.size(), WaitingBytesMax(codec, bytes, resume));
      CheckStays(parsed.resume, resume, bytes);
      return;
    case ParseState::kNeedBody:
      CHECK_GT(parsed.consumed, 0U);
      if (parsed.command.verb != Verb::kAuthenticate) {
        CHECK_LE(parsed.body_bytes, limits.item_bytes_max + ValueEndBytes(codec));
      }
      CHECK_LT(bytes.size(), parsed.consumed + parsed.body_bytes);
      CheckStays(parsed.resume, resume, bytes);
      break;
    case ParseState::kSkip:
      CHECK_GT(parsed.consumed, 0U);
      CHECK(parsed.resume.at != Resume::At::kFirstLine);
      return;
    case ParseState::kReady:
    case ParseState::kExecuteFirst:
      CHECK_GT(parsed.consumed, 0U);
      CHECK(parsed.resume.at != Resume::At::kFirstLine);
      break;
  }
  const Command& command = parsed.command;
  if (command.verb == Verb::kAuthenticate) return;
  if (command.verb == Verb::kRejected) {
    if (IsText(codec)) CHECK(parsed.discard_bytes > 0 || command.rejection != Status::kTooLarge);
    CHECK(parsed.discard_bytes == 0 || !parsed.close);
    return;
  }
  CHECK_EQ(parsed.discard_bytes, 0U);
  CHECK_LE(command.value.size(), limits.item_bytes_max);
  if (KindOf(command.verb) != VerbKind::kServer) {
    CheckKey(codec, command);
  }
}

// Parses a copy in a block of its own and checks the result.
inline OwnedResult ParseExact(const Codec& codec, std::string_view bytes, const Resume& resume,
                              const ParserLimits& limits) {
  const ExactBytes exact(bytes);
  ParserSpace space;
  const Parsed parsed = codec.parse(exact.view(), resume, limits, space);
  CheckResult(codec, parsed, exact.view(), space, resume, limits);
  return OwnedResult(parsed);
}

// Of a RESP request, what was said of its first bytes, of which an argument was on its way, and
// what of all. The first may be where it is given up: the arguments behind are then skipped, and
// what was skipped ends where the whole request does.
inline void CheckArgument(const Codec& codec, std::string_view bytes, const OwnedResult& part,
                          const OwnedResult& whole, const ParserLimits& limits) {
  CHECK(part.command.command.verb == Verb::kRejected);
  CHECK(part.command.key.empty());
  size_t at = part.consumed + part.body_bytes;
  CHECK_LE(at, bytes.size());
  if (whole.state == ParseState::kNeedMore || whole.close) return;
  CHECK_GE(whole.consumed, at);
  if (whole.state == ParseState::kNeedBody) return;
  CHECK(whole.state == ParseState::kReady || whole.state == ParseState::kExecuteFirst);
  CHECK_EQ(whole.command.command.noreply, part.command.command.noreply);
  if (whole.discard_bytes > 0) return;
  Resume resume = part.resume;
  resume.at = Resume::At::kSkipArguments;
  resume.arguments_read = 0;
  resume.read_bytes = 0;
  for (resume.arguments_left = part.arguments_behind; resume.arguments_left > 0;) {
    const OwnedResult skipped = ParseExact(codec, bytes.substr(at, 32), resume, limits);
    CHECK(skipped.state == ParseState::kSkip);
    CHECK_EQ(skipped.resume.arguments_left, resume.arguments_left - 1);
    resume.arguments_left = skipped.resume.arguments_left;
    at += skipped.consumed + skipped.discard_bytes;
  }
  CHECK_EQ(at, whole.consumed);
}

// The prefix rule: shown only the first `size` bytes, the parser waits, or says what it says of
// all.
inline void CheckPrefix(const Codec& codec, std::string_view bytes, size_t size,
                        const Resume& resume, const ParserLimits& limits) {
  const OwnedResult whole = ParseExact(codec, bytes, resume, limits);
  const OwnedResult part = ParseExact(codec, bytes.substr(0, size), resume, limits);
  if (part.state == ParseState::kNeedMore || part == whole) {
    return;
  }
  CHECK_EQ(part.state, ParseState::kNeedBody);
  if (IsResp(codec.protocol)) return CheckArgument(codec, bytes, part, whole, limits);
  // A store whose value is on its way: the line has been understood for good.
  CHECK(whole.state == ParseState::kReady || whole.state == ParseState::kExecuteFirst);
  CHECK_EQ(whole.consumed, part.consumed + part.body_bytes);
  if (part.command.command.verb == Verb::kAuthenticate) return;  // the value says who it is
  CHECK_EQ(whole.command.command.noreply, part.command.command.noreply);
  CHECK(whole.command.key == part.command.key);
  if (whole.command.command.verb == Verb::kRejected) {
    CHECK_EQ(whole.command.command.rejection, Status::kBadDataChunk);
    return;
  }
  CHECK_EQ(whole.command.command.verb, part.command.command.verb);
  CHECK_EQ(whole.command.value.size() + ValueEndBytes(codec), part.body_bytes);
}

// A connection's input, as the server keeps it: bytes come in pieces, commands come out.
class Client {
 public:
  Client(const Codec& codec, const ParserLimits& limits, const Resume& resume = {})
      : codec_(codec), limits_(limits), resume_(resume) {}

  void Receive(std::string_view bytes) {
    if (!closed_) {
      unread_ += bytes;
    }
    while (!closed_ && Step()) {
    }
    unread_.erase(0, read_);
    read_ = 0;
  }

  [[nodiscard]] const std::vector<OwnedCommand>& commands() const { return commands_; }
  [[nodiscard]] bool closed() const { return closed_; }
  [[nodiscard]] const std::string& unread() const { return unread_; }
  [[nodiscard]] uint64_t discard_bytes() const { return discard_bytes_; }

  // Everything that a client could tell two of them apart by.
  friend bool operator==(const Client& a, const Client& b) {
    return a.commands_ == b.commands_ && a.closed_ == b.closed_ && a.unread_ == b.unread_ &&
           a.discard_bytes_ == b.discard_bytes_ && a.resume_ == b.resume_;
  }

 private:
  // How much the parser is shown when it has not asked for more: enough for any line and a small
  // value, so that a long pipeline does not cost its square in copies. A request that is longer is
  // shown twice as much, and so on.
  static constexpr size_t kShownBytes = 2 * kLineBytesMax;

  // True if there may be more to do with what is there.
  bool Step() {
    std::string_view rest = std::string_view(unread_).substr(read_);
    const auto discarded = static_cast<size_t>(std::min<uint64_t>(discard_bytes_, rest.size()));
    rest.remove_prefix(discarded);
    read_ += discarded;
    discard_bytes_ -= discarded;
    if (rest.empty() || rest.size() < needed_bytes_) {
      return false;
    }
    const std::string_view shown = rest.substr(0, std::max(needed_bytes_, kShownBytes));
    const OwnedResult parsed = ParseExact(codec_, shown, resume_, limits_);
    needed_bytes_ = 0;
    resume_ = parsed.resume;
    if (parsed.state == ParseState::kNeedMore) {
      if (shown.size() == rest.size()) return false;
      needed_bytes_ = std::min(2 * shown.size(), rest.size());
      return true;
    }
    if (parsed.state == ParseState::kNeedBody) {
      needed_bytes_ = parsed.consumed + parsed.body_bytes;
      return rest.size() >= needed_bytes_;
    }
    if (parsed.state == ParseState::kReady || parsed.state == ParseState::kExecuteFirst) {
      commands_.push_back(parsed.command);
    }
    read_ += parsed.consumed;
    discard_bytes_ = parsed.discard_bytes;
    closed_ = parsed.close;
    if (closed_) {
      read_ = unread_.size();  // is not looked at any more, however much of it has come
    }
    return true;
  }

  const Codec& codec_;
  const ParserLimits limits_;
  std::string unread_;
  size_t read_ = 0;  // of unread_, during Receive
  size_t needed_bytes_ = 0;
  uint64_t discard_bytes_ = 0;
  Resume resume_;
  bool closed_ = false;
  std::vector<OwnedCommand> commands_;
};

// For what is drawn from the bytes themselves, so that an input replays.
inline uint32_t SeedOf(std::string_view bytes) {
  uint64_t seed = bytes.size();
  for (const char byte : bytes) seed = seed * 0x9e3779b97f4a7c15 + static_cast<uint8_t>(byte);
  return static_cast<uint32_t>(seed);
}

// No reply to `owned` is longer than announced.
inline void CheckReplies(const Codec& codec, const OwnedCommand& owned) {
  const Command command = owned.View();
  const Outcome outcomes[] = {
      {.status = Status::kHit, .client_flags = ~0U, .cas = ~0ULL, .value = owned.value},
      {.status = Status::kMiss},
      {.status = Status::kNumber, .cas = ~0ULL, .number = ~0ULL},
      {.status = Status::kNonNumeric},
      {.status = Status::kNoMemory}};
  for (const Outcome& outcome : outcomes) {
    const size_t bytes_max = codec.encoded_bytes_max(command, outcome);
    const auto block = std::make_unique<char[]>(bytes_max);
    const char* end = codec.encode(command, outcome, block.get());
    CHECK_LE(static_cast<size_t>(end - block.get()), bytes_max);
  }
}

// One client's input: the same commands however it is cut, and replies within their size.
template <typename Random>
void CheckConnection(const Codec& codec, std::string_view bytes, const ParserLimits& limits,
                     Random& random, const Resume& resume = {}) {
  Client whole(codec, limits, resume);
  whole.Receive(bytes);
  Client cut(codec, limits, resume);
  const uint64_t longest = 1 + random() % (1 + bytes.size());
  for (size_t at = 0; at < bytes.size();) {
    const std::string_view piece = bytes.substr(at, 1 + random() % longest);
    cut.Receive(piece);
    at += piece.size();
  }
  CHECK(whole == cut);
  for (const OwnedCommand& command : whole.commands()) CheckReplies(codec, command);
}

}  // namespace larder::protocol::testing

#endif  // LARDER_TESTS_FUZZ_PARSER_PROPERTIES_H_
