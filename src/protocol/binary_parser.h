// Memcached's binary protocol: bytes to Command. The rules of parser.h hold.
//
//     request = header extras key value          (binary_header.h; binary_opcodes.h: of which each
//                                                 opcode has how much)
//
// Every command has extras (larder::Extras): the opcode and the opaque, for the reply. Keys are
// bytes of any kind. A declared length allocates nothing: a value that is too large is refused and
// swallowed, as is the body of an opcode that is none; both leave the connection in step.
//
// Of SASL there is PLAIN: the key of kAuthenticate is the user, its value the password. Credentials
// that cannot be understood, or are longer than any, are nobody's: both are empty. If none came
// at all, the command's number is 1: the next request may bring them. kAuthenticate is always
// kExecuteFirst: who fails at it is a stranger, whatever they were before.
//
// After what memcached closes the connection for, so do we, once everything owed has been sent: a
// wrong magic (no answer: kForeignProtocol), extras and key longer than the body (kUnknownCommand),
// a key that is too long, or parts that the opcode has not or must have (kBadFormat).
//
// Costs (bench/micro/protocol_bench): some nanoseconds a command; no allocation.
#ifndef LARDER_PROTOCOL_BINARY_PARSER_H_
#define LARDER_PROTOCOL_BINARY_PARSER_H_

#include <string_view>

#include "protocol/parser.h"

namespace larder::protocol {

// Of a client that has not said who it is (-Y, -S): only the version, the mechanisms and
// kAuthenticate are ready, and each is kExecuteFirst; any other request is rejected as
// kUnauthenticated, whatever it declares, and the connection closes.
Parsed ParseLockedBinary(std::string_view bytes, const Resume& resume, const ParserLimits& limits,
                         ParserSpace& space);

Parsed ParseBinary(std::string_view bytes, const Resume& resume, const ParserLimits& limits,
                   ParserSpace& space);

}  // namespace larder::protocol

#endif  // LARDER_PROTOCOL_BINARY_PARSER_H_
