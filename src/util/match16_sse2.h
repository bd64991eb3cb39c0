// Match16 for x86-64. Included by match16.h only.
#ifndef LARDER_UTIL_MATCH16_SSE2_H_
#define LARDER_UTIL_MATCH16_SSE2_H_

#include <emmintrin.h>

#include <cstdint>

namespace larder::util {

inline uint32_t Match16(const uint8_t* bytes, uint8_t value) {
  const __m128i all = _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes));
  const __m128i equal = _mm_cmpeq_epi8(all, _mm_set1_epi8(static_cast<char>(value)));
  return static_cast<uint32_t>(_mm_movemask_epi8(equal));
}

}  // namespace larder::util

#endif  // LARDER_UTIL_MATCH16_SSE2_H_
