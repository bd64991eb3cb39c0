// RESP, Redis' protocol: a request is an array of strings, or a typed line.
//
//     request  = "*" count CR LF count( argument )  /  line
//     argument = "$" length CR LF bytes CR LF
//     line     = words with blanks between, "quoted" or 'quoted' if need be, up to LF
//
// A command with one key becomes a verb of the engine, as those of Memcached do. Others become
// Verb::kCall: `number` is the RespCommand, `key` all arguments as they came (resp_arguments.h),
// `exptime` how many.
//
// The rules of parser.h hold, but that a request whose value is on its way may name no command yet,
// and that what is waited for may be as long as a request of many small arguments.
//
// A request with an argument over the item limit is refused, and swallowed: the rest of it is
// skipped argument by argument (Resume::At::kSkipArguments), without being kept.
#ifndef LARDER_PROTOCOL_RESP_PARSER_H_
#define LARDER_PROTOCOL_RESP_PARSER_H_

#include <string_view>

#include "protocol/parser.h"

namespace larder::protocol {

Parsed ParseResp(std::string_view bytes, const Resume& resume, const ParserLimits& limits,
                 ParserSpace& space);
// Of a client that has to say who it is: AUTH, HELLO, QUIT and RESET are understood.
Parsed ParseLockedResp(std::string_view bytes, const Resume& resume, const ParserLimits& limits,
                       ParserSpace& space);

}  // namespace larder::protocol

#endif  // LARDER_PROTOCOL_RESP_PARSER_H_
