// Memcached's classic text protocol: Outcome to bytes.
//
//     hit      "VALUE " key " " flags " " bytes [ " " cas ] "\r\n" value "\r\n"   ; cas: gets, gats
//     list     *hit "END\r\n"                              ; the END goes with the last key's
//     answer other    one line: a word, a number or an error
//
// Nothing is written for a command with noreply, for quit, and where the status says "no answer".
// A read that fails (is neither hit nor miss) is answered with the error's line and no END.
//
// Of stats (kOk), `Outcome::value` is the whole reply, line ends and END included;
// the server composes it.
#ifndef LARDER_PROTOCOL_TEXT_ENCODER_H_
#define LARDER_PROTOCOL_TEXT_ENCODER_H_

#include <cstddef>

#include "larder/command.h"
#include "larder/outcome.h"

namespace larder::protocol {

// Bytes of any reply beyond its key and value.
inline constexpr size_t kTextFrameBytesMax = 96;

inline size_t EncodedTextBytesMax(const Command& command, const Outcome& outcome) {
  return kTextFrameBytesMax + command.key.size() + outcome.value.size();
}

// Writes the reply at `out`, where EncodedTextBytesMax() bytes are free; returns its end.
char* EncodeText(const Command& command, const Outcome& outcome, char* out);
// The parts of a hit's reply around its value.
char* EncodeTextHead(const Command& command, const Outcome& outcome, char* out);
char* EncodeTextTail(const Command& command, const Outcome& outcome, char* out);

}  // namespace larder::protocol

#endif  // LARDER_PROTOCOL_TEXT_ENCODER_H_
