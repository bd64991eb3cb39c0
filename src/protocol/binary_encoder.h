// Memcached's binary protocol: Outcome to bytes.
//
//     reply = header [ flags ] [ key ] [ value ]
//
//     hit      flags, the key if the opcode is one that shows it, the value
//     miss     the key of such an opcode, or words
//     touched  flags
//     number   eight bytes
//     other    nothing; or words if it failed
//
// The header repeats opcode and opaque. Of a quiet opcode, the answer that is expected is not
// sent: a read's miss, anything else's success. Nothing is written where the status says "no
// answer".
//
// Of stats (kOk), `Outcome::value` are lines as the server composes them: each "STAT name value"
// becomes a packet, a text of other lines one under the name "detailed", and an empty packet
// closes the list.
#ifndef LARDER_PROTOCOL_BINARY_ENCODER_H_
#define LARDER_PROTOCOL_BINARY_ENCODER_H_

#include <cstddef>

#include "larder/command.h"
#include "larder/outcome.h"

namespace larder::protocol {

size_t EncodedBinaryBytesMax(const Command& command, const Outcome& outcome);

// Writes the reply at `out`, where EncodedBinaryBytesMax() bytes are free; returns its end.
char* EncodeBinary(const Command& command, const Outcome& outcome, char* out);
// The parts of a hit's reply around its value.
char* EncodeBinaryHead(const Command& command, const Outcome& outcome, char* out);
char* EncodeBinaryTail(const Command& command, const Outcome& outcome, char* out);

}  // namespace larder::protocol

#endif  // LARDER_PROTOCOL_BINARY_ENCODER_H_
