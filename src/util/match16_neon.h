// Match16 for 64-bit ARM. Included by match16.h only.
#ifndef LARDER_UTIL_MATCH16_NEON_H_
#define LARDER_UTIL_MATCH16_NEON_H_

#include <arm_neon.h>

#include <cstdint>

namespace larder::util {

// NEON has no movemask: each equal byte keeps its own bit of its half, and the halves are summed.
inline uint32_t Match16(const uint8_t* bytes, uint8_t value) {
  static constexpr uint8_t kBits[16] = {1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128};
  const uint8x16_t equal = vceqq_u8(vld1q_u8(bytes), vdupq_n_u8(value));
  const uint8x16_t bits = vandq_u8(equal, vld1q_u8(kBits));
  const uint32_t low = vaddv_u8(vget_low_u8(bits));
  const uint32_t high = vaddv_u8(vget_high_u8(bits));
  return low | high << 8;
}

}  // namespace larder::util

#endif  // LARDER_UTIL_MATCH16_NEON_H_
