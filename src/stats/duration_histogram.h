// How long things took, counted in steps of half an octave: for scrapes, which know what was
// before.
//
//   bucket        0         1       2       3       4    …      43         44
//   up to      1.0 µs    1.5 µs   2 µs    3 µs    4.1 µs  …   3.2 s    everything
//
// That is 1024 ns times 1, 1.5, 2, 3, 4, 6, …: a value is known to better than half of itself, and
// a histogram is 46 lines of /metrics at most.
//
// One core writes, anyone may read values that are a moment old. Recording is two additions.
// util/histogram.h is the finer one, for what is measured once and by one thread.
#ifndef LARDER_STATS_DURATION_HISTOGRAM_H_
#define LARDER_STATS_DURATION_HISTOGRAM_H_

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace larder::stats {

// The sums over several histograms: a plain value.
struct DurationCounts {
  static constexpr size_t kBuckets = 45;
  std::array<uint64_t, kBuckets> buckets{};  // each by itself, not added up
  uint64_t sum_ns = 0;

  [[nodiscard]] uint64_t Count() const;
  // At most so many nanoseconds took `fraction` (0…1) of them: the bound of a bucket. 0 if there
  // are none.
  [[nodiscard]] uint64_t Quantile(double fraction) const;
};

class DurationHistogram {
 public:
  static constexpr size_t kBuckets = DurationCounts::kBuckets;
  static constexpr uint64_t kLeastNs = 1024;

  // Owner only: `n` of them took `ns` each.
  void Record(uint64_t ns, uint64_t n = 1) {
    Add(buckets_[BucketOf(ns)], n);
    Add(sum_ns_, ns * n);
  }
  // Owner only (`stats reset`).
  void Reset();
  // From any thread.
  void AddTo(DurationCounts& counts) const;

  static constexpr size_t BucketOf(uint64_t ns) {
    if (ns <= kLeastNs) return 0;
    // Of (2^w, 1.5 * 2^w] and (1.5 * 2^w, 2^(w+1)].
    const auto width = static_cast<size_t>(std::bit_width(ns - 1)) - 1;
    const size_t upper = ((ns - 1) >> (width - 1)) & 1;
    return std::min(kBuckets - 1, 2 * (width - kLeastWidth) + upper + 1);
  }
  // The largest duration of a bucket but the last, which has no bound.
  static constexpr uint64_t LastOf(size_t bucket) {
    const uint64_t octave = kLeastNs << (bucket / 2);
    return bucket % 2 == 0 ? octave : octave + octave / 2;
  }

 private:
  static constexpr size_t kLeastWidth = 10;
  static_assert(kLeastNs == 1ULL << kLeastWidth);

  // Relaxed, load-then-store: there is one writer, and the cells say nothing about other memory.
  static void Add(std::atomic<uint64_t>& cell, uint64_t n) {
    cell.store(cell.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }

  std::array<std::atomic<uint64_t>, kBuckets> buckets_{};
  std::atomic<uint64_t> sum_ns_{0};
};

static_assert(DurationHistogram::BucketOf(1025) == 1 && DurationHistogram::LastOf(1) == 1536);
static_assert(DurationHistogram::BucketOf(1537) == 2 && DurationHistogram::LastOf(2) == 2048);

}  // namespace larder::stats

#endif  // LARDER_STATS_DURATION_HISTOGRAM_H_
