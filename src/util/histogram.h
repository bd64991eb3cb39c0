// A histogram of latencies, log-linear: each power of two is cut into 128 equal buckets, so that a
// value is known to better than 1 % whatever its size, and every 64-bit value has a bucket.
//
//   value      0 … 255 | 256 … 511 | 512 … 1023 | …
//   width            1 |         2 |          4 | …
//   buckets        256 |       128 |        128 | …
//
// Invariants
//   - The counts of all buckets add up to Count().
//   - Min() and Max() are exact; every percentile lies between them.
//
// For one thread; merge the histograms of several when they have stopped. Recording is a shift and
// an addition. 58 KiB each.
#ifndef LARDER_UTIL_HISTOGRAM_H_
#define LARDER_UTIL_HISTOGRAM_H_

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace larder::util {

class Histogram {
 public:
  Histogram() : counts_(kBuckets) {}

  void Record(uint64_t value) {
    ++counts_[BucketOf(value)];
    ++count_;
    sum_ += value;
    min_ = std::min(min_, value);
    max_ = std::max(max_, value);
  }

  void Merge(const Histogram& other);
  void Clear();

  [[nodiscard]] uint64_t Count() const { return count_; }
  // All three are 0 while nothing is recorded.
  [[nodiscard]] uint64_t Min() const { return count_ == 0 ? 0 : min_; }
  [[nodiscard]] uint64_t Max() const { return max_; }
  [[nodiscard]] double Mean() const;

  // The smallest recorded value that at least `percent` (0…100) of the values do not exceed; too
  // large by less than 1 %, never too small. 0 while nothing is recorded.
  [[nodiscard]] uint64_t Percentile(double percent) const;

  // Dies by CHECK if anything does not fit together. For tests.
  void CheckInvariants() const;

 private:
  static constexpr uint32_t kSubBits = 7;
  static constexpr size_t kBuckets = ((64 - kSubBits - 1) << kSubBits) + (2ULL << kSubBits);

  static size_t BucketOf(uint64_t value) {
    const auto width = static_cast<uint32_t>(std::bit_width(value));
    const uint32_t shift = width > kSubBits + 1 ? width - kSubBits - 1 : 0;
    return (static_cast<size_t>(shift) << kSubBits) + static_cast<size_t>(value >> shift);
  }
  // The largest value of a bucket.
  static uint64_t LastOf(size_t bucket);

  std::vector<uint64_t> counts_;
  uint64_t count_ = 0;
  uint64_t sum_ = 0;
  uint64_t min_ = UINT64_MAX;
  uint64_t max_ = 0;
};

}  // namespace larder::util

#endif  // LARDER_UTIL_HISTOGRAM_H_
