// A protocol: how to parse it and how to spell its answers. Chosen once per connection.
#ifndef LARDER_PROTOCOL_CODEC_H_
#define LARDER_PROTOCOL_CODEC_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "larder/command.h"
#include "larder/outcome.h"
#include "protocol/parser.h"

namespace larder::protocol {

enum class Protocol : uint8_t {
  kText,
  kLockedText,  // of a client that has to say who it is
  kBinary,
  kLockedBinary,
  kResp2,
  kLockedResp2,
  kResp3,
};

// These come last.
constexpr bool IsResp(Protocol protocol) { return protocol >= Protocol::kResp2; }

struct Codec {
  std::string_view name;
  Protocol protocol;
  // What it becomes when the client has said who it is; itself, if it need not.
  Protocol unlocked;
  // And when it tries to, as somebody else.
  Protocol locked;

  // Parses one command from the front of `bytes`. `space` is where it may put what the command
  // points to and `bytes` does not have; it is left alone by commands that do not.
  Parsed (*parse)(std::string_view bytes, const Resume& resume, const ParserLimits& limits,
                  ParserSpace& space);

  // An upper bound of what encode() will write for this answer; of which the value's own bytes.
  size_t (*encoded_bytes_max)(const Command& command, const Outcome& outcome);

  // Writes the reply at `out`, where encoded_bytes_max() bytes are free; returns the end of what
  // was written. Honours noreply and last_key. Of `command` only verb, noreply, last_key,
  // rejection, key and extras are read; of one that is kRefused, number and value.
  char* (*encode)(const Command& command, const Outcome& outcome, char* out);

  // Of a hit's reply, what comes before the value and what comes after it, for values that are sent
  // from where they lie. encode() writes both, and the value in between.
  char* (*encode_head)(const Command& command, const Outcome& outcome, char* out);
  char* (*encode_tail)(const Command& command, const Outcome& outcome, char* out);
};

// The codec of a protocol. Static storage.
const Codec& CodecOf(Protocol protocol);

}  // namespace larder::protocol

#endif  // LARDER_PROTOCOL_CODEC_H_
