// Ranks drawn from a Zipf distribution: rank r (0, 1, …) comes with a probability proportional to
// 1 / (r + 1)^exponent.
//
// By rejection-inversion (W. Hörmann, G. Derflinger, "Rejection-inversion to generate variates from
// monotone discrete distributions", ACM TOMACS 1996): no table, so that a billion ranks cost no
// memory and no set-up; about 1.1 trials and a few calls of exp and log for each rank.
#ifndef LARDER_BENCH_LOAD_ZIPF_H_
#define LARDER_BENCH_LOAD_ZIPF_H_

#include <cstdint>

#include "bench/load/random.h"

namespace larder::bench {

class Zipf {
 public:
  // `ranks` ≥ 1, `exponent` > 0.
  Zipf(uint64_t ranks, double exponent);

  // Below `ranks`.
  uint64_t Next(Random& random) const;

 private:
  // The density x^-exponent, its integral from 1 to x, and the inverse of that.
  [[nodiscard]] double Density(double x) const;
  [[nodiscard]] double Integral(double x) const;
  [[nodiscard]] double Inverse(double area) const;

  double ranks_;
  double exponent_;
  double area_first_;
  double area_last_;
  // A point this little below its rank needs no further test.
  double squeeze_;
};

}  // namespace larder::bench

#endif  // LARDER_BENCH_LOAD_ZIPF_H_
