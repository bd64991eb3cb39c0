// Memcached's meta commands: bytes to Command. The rules of parser.h hold.
//
//     mg KEY *FLAG                    read         md KEY *FLAG    delete      me KEY [b]  describe
//     ms KEY SIZE *FLAG  and a value  store        ma KEY *FLAG    count       mn          no-op
//
// A flag is one letter, and what follows it up to the next blank is its argument. Every command
// takes every flag that any of them knows, and acts on its own; each at most once. The flags that
// ask for something to be returned are the encoder's, which reads them again (Extras::flags).
//
// They come on the same connections as the classic text commands, with the same line ends and the
// same longest line. What is wrong with a line is told before anything is done, by the first flag
// that is wrong; the value of a wrong ms is swallowed if its size is known.
#ifndef LARDER_PROTOCOL_META_PARSER_H_
#define LARDER_PROTOCOL_META_PARSER_H_

#include <string_view>

#include "protocol/parser.h"

namespace larder::protocol {

// Longest argument of the flag O, which comes back as it is.
inline constexpr size_t kOpaqueBytesMax = 32;

// Are these bytes, at the start of a line, the beginning of a meta command? If it is too early to
// say, no: then there is no whole line either.
inline bool BeginsMeta(std::string_view bytes) {
  while (bytes.starts_with(' ')) bytes.remove_prefix(1);
  if (bytes.size() < 3 || bytes[0] != 'm') return false;
  if (bytes[2] != ' ' && bytes[2] != '\r' && bytes[2] != '\n') return false;
  return std::string_view("gsdaen").find(bytes[1]) != std::string_view::npos;
}

// For bytes that begin a meta command.
Parsed ParseMeta(std::string_view bytes, const Resume& resume, const ParserLimits& limits,
                 ParserSpace& space);

}  // namespace larder::protocol

#endif  // LARDER_PROTOCOL_META_PARSER_H_
