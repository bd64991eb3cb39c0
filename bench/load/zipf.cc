#include "bench/load/zipf.h"

#include <algorithm>
#include <cmath>

#include "util/check.h"

namespace larder::bench {

Zipf::Zipf(uint64_t ranks, double exponent)
    : ranks_(static_cast<double>(ranks)), exponent_(exponent) {
  CHECK(ranks >= 1);
  CHECK(exponent > 0);
  area_first_ = Integral(1.5) - 1;
  area_last_ = Integral(ranks_ + 0.5);
  squeeze_ = 2 - Inverse(Integral(2.5) - Density(2));
}

double Zipf::Density(double x) const { return std::exp(-exponent_ * std::log(x)); }

// (x^(1-s) - 1) / (1-s), and its limit log x where s is 1; expm1 keeps the digits in between.
double Zipf::Integral(double x) const {
  const double log = std::log(x);
  const double power = (1 - exponent_) * log;
  return std::abs(power) < 1e-9 ? log : std::expm1(power) / power * log;
}

double Zipf::Inverse(double area) const {
  // Rounding may put the product below -1, where the logarithm ends.
  const double product = std::max((1 - exponent_) * area, -1.0);
  return std::exp(std::abs(product) < 1e-9 ? area : std::log1p(product) / product * area);
}

uint64_t Zipf::Next(Random& random) const {
  while (true) {
    const double area = area_last_ + random.Fraction() * (area_first_ - area_last_);
    const double x = Inverse(area);
    const double rank = std::clamp(std::floor(x + 0.5), 1.0, ranks_);
    if (rank - x <= squeeze_ || area >= Integral(rank + 0.5) - Density(rank)) {
      return static_cast<uint64_t>(rank) - 1;
    }
  }
}

}  // namespace larder::bench
