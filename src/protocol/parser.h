// What every parser returns, and the rules that all of them keep.
//
//   - Pure: no state between calls but `Resume`, which the caller keeps; no allocation, no clock.
//   - Prefix rule: the result for a prefix of the bytes is kNeedMore, or equal to the result for
//     the whole.
//   - Resumable: a get of a thousand keys is a thousand commands; each call parses one, and no byte
//     is looked at twice but for the last, unfinished token.
//   - Bounded: kNeedMore is never answered to more than kLineBytesMax unread bytes outside a value.
#ifndef LARDER_PROTOCOL_PARSER_H_
#define LARDER_PROTOCOL_PARSER_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "larder/command.h"

namespace larder::protocol {

// A line of more bytes without an end closes the connection (unless it is a get,
// which is many commands).
inline constexpr size_t kLineBytesMax = 2048;

enum class ParseState : uint8_t {
  kNeedMore,  // nothing consumed; show the same bytes again, with at least one more, and `resume`
  kReady,     // `command` is complete, in `consumed` > 0 bytes
  // `command` is complete but for its value, which has not all arrived: `consumed` bytes are the
  // line. Show the same bytes again, with `resume`, when `consumed + body_bytes` of them are there.
  kNeedBody,
  // As kReady, but to be executed before the next bytes are parsed: it may change what they mean.
  kExecuteFirst,
  kSkip,  // no command: drop `consumed` bytes, then go on (an empty piece of a resumed line)
};

// Where the parser stands in what the client has sent; kept by the caller between calls. Resume{}
// at the start of a connection, afterwards always the last result's.
struct Resume {
  enum class At : uint8_t {
    kFirstLine,  // of the connection: it tells whether there is a browser at the other end
    kLineStart,
    kKeys,           // inside the key list of a get, gets, gat, gats
    kSkipLine,       // the line was wrong and already answered; drop up to its end
    kSkipArguments,  // RESP: the request was refused; drop `arguments_left` more of it
  };
  At at = At::kFirstLine;
  Verb verb = Verb::kRejected;
  int64_t exptime = 0;  // of gat, gats
  // RESP: of kSkipArguments; and what the client has chosen, which the caller changes between two
  // commands.
  uint32_t arguments_left = 0;
  // RESP: of a request that has not come whole, how many arguments need not be looked at again when
  // the same bytes are shown with more behind them, and where the next one begins.
  uint32_t arguments_read = 0;
  uint64_t read_bytes = 0;
  uint8_t database = 0;
  bool queueing = false;  // all commands are Verb::kCall: they are collected
  // Which commands it wants no replies to.
  enum class Mute : uint8_t { kNothing, kAll, kNext };
  Mute mute = Mute::kNothing;

  friend bool operator==(const Resume&, const Resume&) = default;
};

struct Parsed {
  ParseState state = ParseState::kNeedMore;
  // The connection closes once everything owed has been sent (quit, a line too long, a browser).
  bool close = false;
  // Bytes to drop from the front.
  size_t consumed = 0;
  // Bytes of value to swallow after `consumed`, then go on: a value over the limit,
  // refused before it arrives.
  uint64_t discard_bytes = 0;
  // Of kNeedBody: the value's bytes, with the line end that follows it, if one does.
  size_t body_bytes = 0;
  bool body_ends_line = true;
  // Of kNeedBody: how many arguments follow it (RESP).
  uint32_t arguments_behind = 0;
  // Where to go on; of kNeedMore and kNeedBody, what was given, but for how far a request was read.
  Resume resume = {};
  Command command = {};
};

// Of a kNeedBody whose body has arrived elsewhere than after its line, the value and `end`, which
// is what came after it: what the parser says of the whole. `consumed` is that of the line.
inline Parsed WithBody(Parsed line, std::string_view value, std::string_view end) {
  line.state = ParseState::kReady;
  line.resume.at = Resume::At::kLineStart;
  line.body_bytes = 0;
  if (line.body_ends_line && end != "\r\n") {
    line.command.verb = Verb::kRejected;
    line.command.rejection = Status::kBadDataChunk;
  } else {
    line.command.value = value;
  }
  return line;
}

struct ParserLimits {
  // By CountedBytes(). The value of a larger item is refused as kTooLarge and swallowed.
  uint64_t item_bytes_max = 1 << 20;
};

}  // namespace larder::protocol

#endif  // LARDER_PROTOCOL_PARSER_H_
