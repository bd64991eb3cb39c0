// Lines and tokens, as the text and the meta protocol write them.
//
// A line ends in "\r\n" or "\n". Tokens are separated by blanks (0x20), one or more; blanks before
// the first and after the last token mean nothing. A key is a token of 1…250 bytes without control
// characters (0x00–0x1f, 0x7f); bytes from 0x80 on are a key's like any others.
//
// Nothing here reads a byte outside the view that it is given.
#ifndef LARDER_PROTOCOL_ASCII_H_
#define LARDER_PROTOCOL_ASCII_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>

#include "larder/command.h"

#ifdef __SSE2__
#include "protocol/ascii_scan_sse2.h"
namespace larder::protocol {
namespace scan = sse2;
}
#else
#include "protocol/ascii_scan_plain.h"
namespace larder::protocol {
namespace scan = plain;
}
#endif

namespace larder::protocol {

// The first position at or after `at` (at most the size) that cannot belong to a key: a blank, a
// control character, or the end of `bytes`.
inline size_t FindKeyEnd(std::string_view bytes, size_t at) { return scan::FindKeyEnd(bytes, at); }

// The first blank at or after `at`, or the size.
inline size_t FindBlank(std::string_view bytes, size_t at) { return scan::FindBlank(bytes, at); }

// The first position at or after `at` that is no blank, or the size.
inline size_t SkipBlanks(std::string_view bytes, size_t at) {
  while (at < bytes.size() && bytes[at] == ' ') {
    ++at;
  }
  return at;
}

// How many bytes of line end stand at `at`: 2 for "\r\n", 1 for "\n", 0 for anything else.
inline size_t LineEndAt(std::string_view bytes, size_t at) {
  if (at < bytes.size() && bytes[at] == '\n') {
    return 1;
  }
  return at + 1 < bytes.size() && bytes[at] == '\r' && bytes[at + 1] == '\n' ? 2 : 0;
}

inline bool IsKey(std::string_view token) {
  return !token.empty() && token.size() <= kKeyBytesMax && FindKeyEnd(token, 0) == token.size();
}

// The tokens of a line, as far as a command can have any:
// one more than the longest says "too many".
class Tokens {
 public:
  static constexpr size_t kMax = 8;

  // Splits a line, given without its end.
  explicit Tokens(std::string_view line);

  [[nodiscard]] size_t count() const { return count_; }
  std::string_view operator[](size_t index) const {
    return {pieces_[index].data, pieces_[index].size};
  }
  [[nodiscard]] std::string_view last() const { return (*this)[count_ - 1]; }

 private:
  // A string_view would be set to zero first, eight times a line: 7 of 50 ns of a set.
  struct Piece {
    const char* data;
    size_t size;
  };
  std::array<Piece, kMax> pieces_;
  size_t count_ = 0;
};

// A browser that was talked into sending a request here: what follows `line` is not meant for us,
// and must not be executed. `first` is the line's first token.
bool IsHttp(std::string_view line, std::string_view first);

// The first eight bytes of a word as one integer, to switch on: words that differ in them, or in
// length below eight, differ in it (but for words that hold NULs).
constexpr uint64_t PackWord(std::string_view word) {
  uint64_t packed = 0;
  for (size_t i = 0; i < std::min<size_t>(word.size(), sizeof(packed)); ++i) {
    packed |= uint64_t{static_cast<uint8_t>(word[i])} << (8 * i);
  }
  return packed;
}

// The verb spelled `word`, or kRejected. Exact: upper case is no verb's.
Verb VerbOf(std::string_view word);

}  // namespace larder::protocol

#endif  // LARDER_PROTOCOL_ASCII_H_
