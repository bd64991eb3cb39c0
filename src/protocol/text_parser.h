// Memcached's classic text protocol: bytes to Command. The rules of parser.h hold.
//
//     line   = verb *( blanks token ) [ blanks ] ( "\r\n" | "\n" )
//     store  = line value "\r\n"                               ; set add replace append prepend cas
//
// A get, gets, gat or gats is parsed a key at a time as its line arrives; `Command::last_key` marks
// the key that closes the list. All other lines are parsed when their end is there, which must be
// within kLineBytesMax bytes.
//
// A wrong line is a Command too, in its turn: verb kRejected, and `rejection` says how to answer. A
// gat with an exptime and no key is "rejected" as kMiss: its answer is the end of an empty list.
//
// Where a line is wrong in several ways, the first of these is told: number of tokens, key,
// numbers, length, data. With `noreply` as the last token,
// every answer but the first kind is silent.
//
// Costs (bench/micro/protocol_bench): tens of nanoseconds a command; no allocation.
#ifndef LARDER_PROTOCOL_TEXT_PARSER_H_
#define LARDER_PROTOCOL_TEXT_PARSER_H_

#include <string_view>

#include "protocol/parser.h"

namespace larder::protocol {

Parsed ParseText(std::string_view bytes, const Resume& resume, const ParserLimits& limits);

}  // namespace larder::protocol

#endif  // LARDER_PROTOCOL_TEXT_PARSER_H_
