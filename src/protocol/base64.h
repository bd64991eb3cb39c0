// Keys in base64, as meta commands spell those that are no words: the alphabet of RFC 4648 section
// 4, padded to a multiple of four.
#ifndef LARDER_PROTOCOL_BASE64_H_
#define LARDER_PROTOCOL_BASE64_H_

#include <cstddef>
#include <string_view>

namespace larder::protocol {

constexpr size_t Base64Bytes(size_t bytes) { return (bytes + 2) / 3 * 4; }

// Writes the text of `bytes` at `out`, where Base64Bytes() are free; returns its end.
char* AppendBase64(char* out, std::string_view bytes);

// Writes what `text` stands for at `out`, where three quarters of its size are free; returns the
// end, or null if it is no such text, or empty.
char* DecodeBase64(std::string_view text, char* out);

}  // namespace larder::protocol

#endif  // LARDER_PROTOCOL_BASE64_H_
