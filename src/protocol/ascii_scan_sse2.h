// Scanning for the end of a token, sixteen bytes at a time. The contract is in ascii.h.
//
// No byte outside the given ones is read: the last, incomplete block is read as the sixteen bytes
// that end where `bytes` ends, of which some have been seen before, and only input shorter than one
// block is walked byte by byte.
#ifndef LARDER_PROTOCOL_ASCII_SCAN_SSE2_H_
#define LARDER_PROTOCOL_ASCII_SCAN_SSE2_H_

#include <emmintrin.h>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "protocol/ascii_scan_plain.h"

namespace larder::protocol::sse2 {

inline constexpr size_t kBlock = sizeof(__m128i);

// Bit i: byte i of the block is a blank, a control character or DEL.
inline uint32_t KeyEndMask(const char* block) {
  const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(block));
  const __m128i low = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(' ')), bytes);
  const __m128i del = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\x7f'));
  return static_cast<uint32_t>(_mm_movemask_epi8(_mm_or_si128(low, del)));
}

// Bit i: byte i of the block is a blank.
inline uint32_t BlankMask(const char* block) {
  const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(block));
  return static_cast<uint32_t>(_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(' '))));
}

// The first position at or after `at` whose bit is set, or the size.
template <uint32_t (*kMask)(const char* block), size_t (*kPlain)(std::string_view, size_t)>
inline size_t Find(std::string_view bytes, size_t at) {
  if (bytes.size() < kBlock) [[unlikely]] {
    return kPlain(bytes, at);
  }
  for (; at + kBlock <= bytes.size(); at += kBlock) {
    const uint32_t mask = kMask(bytes.data() + at);
    if (mask != 0) {
      return at + static_cast<size_t>(std::countr_zero(mask));
    }
  }
  const size_t block = bytes.size() - kBlock;
  const uint32_t mask = kMask(bytes.data() + block) >> (at - block);
  return mask != 0 ? at + static_cast<size_t>(std::countr_zero(mask)) : bytes.size();
}

inline size_t FindKeyEnd(std::string_view bytes, size_t at) {
  return Find<KeyEndMask, plain::FindKeyEnd>(bytes, at);
}

inline size_t FindBlank(std::string_view bytes, size_t at) {
  return Find<BlankMask, plain::FindBlank>(bytes, at);
}

}  // namespace larder::protocol::sse2

#endif  // LARDER_PROTOCOL_ASCII_SCAN_SSE2_H_
