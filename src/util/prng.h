// Random numbers from a seed: the only randomness of the tree, so that every run can be repeated.
// The step is a Weyl sequence, the output a 64-bit finaliser (splitmix64): small, fast, good enough
// for sampling and for tests, and no secret.
#ifndef LARDER_UTIL_PRNG_H_
#define LARDER_UTIL_PRNG_H_

#include <cstdint>

#include "util/check.h"

namespace larder::util {

class Prng {
 public:
  explicit constexpr Prng(uint64_t seed) : state_(seed) {}

  constexpr uint64_t Next() {
    state_ += 0x9e3779b97f4a7c15;
    uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }

  // Uniform in 0…bound-1, for bounds below 2^32. The bias of the multiplication is under 2^-32.
  constexpr uint64_t Below(uint64_t bound) {
    DCHECK_GT(bound, 0U);
    return ((Next() >> 32) * bound) >> 32;
  }

  // True once in `n` calls, on average.
  constexpr bool OneIn(uint64_t n) { return Below(n) == 0; }

 private:
  uint64_t state_;
};

}  // namespace larder::util

#endif  // LARDER_UTIL_PRNG_H_
