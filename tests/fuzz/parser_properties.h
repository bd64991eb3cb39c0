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
#include "protocol/codec.h"
#include "protocol/parser.h"
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
  Command command;  // its views are empty
  std::string key;
  std::string value;

  explicit OwnedCommand(const Command& from) : command(from), key(from.key), value(from.value) {
    command.key = {};
    command.value = {};
  }
  friend bool operator==(const OwnedCommand& a, const OwnedCommand& b) {
    return a.key == b.key && a.value == b.value && a.command.verb == b.command.verb &&
           a.command.noreply == b.command.noreply && a.command.last_key == b.command.last_key &&
           a.command.rejection == b.command.rejection &&
           a.command.client_flags == b.command.client_flags &&
           a.command.exptime == b.command.exptime && a.command.number == b.command.number &&
           a.command.hash == b.command.hash;
  }
};

// A result, without the bytes that it was read from.
struct OwnedResult {
  ParseState state;
  bool close;
  size_t consumed;
  uint64_t discard_bytes;
  size_t body_bytes;
  Resume resume;
  OwnedCommand command;

  explicit OwnedResult(const Parsed& from)
      : state(from.state),
        close(from.close),
        consumed(from.consumed),
        discard_bytes(from.discard_bytes),
        body_bytes(from.body_bytes),
        resume(from.resume),
        command(from.command) {}
  friend bool operator==(const OwnedResult&, const OwnedResult&) = default;
};

inline bool IsInside(std::string_view part, std::string_view whole) {
  return part.empty() ||
         (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

// What holds for a result by itself.
inline void CheckResult(const Parsed& parsed, std::string_view bytes, const Resume& resume,
                        const ParserLimits& limits) {
  CHECK_LE(parsed.consumed, bytes.size());
  CHECK(IsInside(parsed.command.key, bytes));
  CHECK(IsInside(parsed.command.value, bytes));
  CHECK_EQ(parsed.command.hash, 0U);
  switch (parsed.state) {
    case ParseState::kNeedMore:
      CHECK_EQ(parsed.consumed, 0U);
      CHECK_LE(bytes.size(), kLineBytesMax);
      CHECK(parsed.resume == resume);
      return;
    case ParseState::kNeedBody:
      CHECK_GT(parsed.consumed, 0U);
      CHECK_LE(parsed.body_bytes, limits.item_bytes_max);
      CHECK_LT(bytes.size(), parsed.consumed + parsed.body_bytes);
      CHECK(parsed.resume == resume);
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
    CHECK_EQ(parsed.discard_bytes > 0, command.rejection == Status::kTooLarge);
    return;
  }
  CHECK_EQ(parsed.discard_bytes, 0U);
  CHECK_LE(command.value.size(), limits.item_bytes_max);
  if (KindOf(command.verb) != VerbKind::kServer) {
    CHECK(!command.key.empty());
    CHECK_LE(command.key.size(), kKeyBytesMax);
    for (const char c : command.key) {
      CHECK(static_cast<uint8_t>(c) > ' ' && c != '\x7f');
    }
  }
}

// Parses a copy in a block of its own and checks the result.
inline OwnedResult ParseExact(const Codec& codec, std::string_view bytes, const Resume& resume,
                              const ParserLimits& limits) {
  const ExactBytes exact(bytes);
  Extras extras;
  const Parsed parsed = codec.parse(exact.view(), resume, limits, extras);
  CheckResult(parsed, exact.view(), resume, limits);
  return OwnedResult(parsed);
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
  // A store whose value is on its way: the line has been understood for good.
  CHECK_EQ(part.state, ParseState::kNeedBody);
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
  CHECK_EQ(whole.command.value.size() + 2, part.body_bytes);
}

// A connection's input, as the server keeps it: bytes come in pieces, commands come out.
class Client {
 public:
  Client(const Codec& codec, const ParserLimits& limits) : codec_(codec), limits_(limits) {}

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
  // value, so that a long pipeline does not cost its square in copies.
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
    if (parsed.state == ParseState::kNeedMore) {
      return false;
    }
    if (parsed.state == ParseState::kNeedBody) {
      needed_bytes_ = parsed.consumed + parsed.body_bytes;
      return rest.size() >= needed_bytes_;
    }
    if (parsed.state == ParseState::kReady || parsed.state == ParseState::kExecuteFirst) {
      commands_.push_back(parsed.command);
    }
    read_ += parsed.consumed;
    resume_ = parsed.resume;
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

}  // namespace larder::protocol::testing

#endif  // LARDER_TESTS_FUZZ_PARSER_PROPERTIES_H_
