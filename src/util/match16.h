// Compares sixteen bytes with one value at once: bit i of the answer says whether byte i is equal.
// Each kind of machine has its file; Match16Plain is right everywhere,
// and the yardstick of the test.
#ifndef LARDER_UTIL_MATCH16_H_
#define LARDER_UTIL_MATCH16_H_

#include <cstdint>

namespace larder::util {

inline uint32_t Match16Plain(const uint8_t* bytes, uint8_t value) {
  uint32_t mask = 0;
  for (uint32_t i = 0; i < 16; ++i) mask |= static_cast<uint32_t>(bytes[i] == value) << i;
  return mask;
}

}  // namespace larder::util

#if defined(__SSE2__)
#include "util/match16_sse2.h"
#elif defined(__ARM_NEON) && defined(__aarch64__)
#include "util/match16_neon.h"
#else
namespace larder::util {
inline uint32_t Match16(const uint8_t* bytes, uint8_t value) { return Match16Plain(bytes, value); }
}  // namespace larder::util
#endif

#endif  // LARDER_UTIL_MATCH16_H_
