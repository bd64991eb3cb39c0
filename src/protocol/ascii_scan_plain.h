// Scanning for the end of a token, a byte at a time: for machines without SSE2. The contract is in
// ascii.h; ascii_test holds this file and ascii_scan_sse2.h against each other.
#ifndef LARDER_PROTOCOL_ASCII_SCAN_PLAIN_H_
#define LARDER_PROTOCOL_ASCII_SCAN_PLAIN_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace larder::protocol::plain {

inline size_t FindKeyEnd(std::string_view bytes, size_t at) {
  while (at < bytes.size() && static_cast<uint8_t>(bytes[at]) > ' ' && bytes[at] != '\x7f') {
    ++at;
  }
  return at;
}

inline size_t FindBlank(std::string_view bytes, size_t at) {
  while (at < bytes.size() && bytes[at] != ' ') {
    ++at;
  }
  return at;
}

}  // namespace larder::protocol::plain

#endif  // LARDER_PROTOCOL_ASCII_SCAN_PLAIN_H_
