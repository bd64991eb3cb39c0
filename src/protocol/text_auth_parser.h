// The text protocol of a client that has not said who it is (-Y), as memcached has it.
//
//     line   = "set" key flags exptime bytes *( token ) ( "\r\n" | "\n" )   ; only the length
//     counts value  = user blanks password [ blanks anything ] "\r\n"
//
// Such a set is Verb::kAuthenticate: its key is the user, its value the password. Any other line is
// rejected as kUnauthenticated; what follows it is the next line, whatever it was meant to be, but
// a browser's request closes.
//
// A value that is longer than any user's is not waited for: it is rejected as kAuthTokenTooLong,
// and swallowed. The rules of parser.h hold. No command is ready for the batch: kExecuteFirst,
// because once kAuthenticate is executed the bytes behind it may be anything.
#ifndef LARDER_PROTOCOL_TEXT_AUTH_PARSER_H_
#define LARDER_PROTOCOL_TEXT_AUTH_PARSER_H_

#include <cstddef>
#include <string_view>

#include "protocol/parser.h"

namespace larder::protocol {

// The longest value that is looked at.
inline constexpr size_t kAuthBytesMax = 1024;

Parsed ParseTextAuth(std::string_view bytes, const Resume& resume, const ParserLimits& limits,
                     ParserSpace& space);

}  // namespace larder::protocol

#endif  // LARDER_PROTOCOL_TEXT_AUTH_PARSER_H_
