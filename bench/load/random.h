// The load generator's randomness: SplitMix64. One seed gives one sequence of requests per thread.
#ifndef LARDER_BENCH_LOAD_RANDOM_H_
#define LARDER_BENCH_LOAD_RANDOM_H_

#include <cstdint>

namespace larder::bench {

// A bijection of 64 bits that leaves no pattern: also the spread of value sizes over keys.
inline uint64_t Mix(uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}

  uint64_t Next() { return Mix(state_ += 0x9e3779b97f4a7c15ULL); }

  // Below `bound` (1…2^32); by multiplication: no division, a bias below 2^-32.
  uint64_t Below(uint64_t bound) { return ((Next() >> 32) * bound) >> 32; }

  // In [0, 1).
  double Fraction() { return static_cast<double>(Next() >> 11) * 0x1p-53; }

 private:
  uint64_t state_;
};

}  // namespace larder::bench

#endif  // LARDER_BENCH_LOAD_RANDOM_H_
