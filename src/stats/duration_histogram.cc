#include "stats/duration_histogram.h"

#include <cmath>
#include <numeric>

namespace larder::stats {

uint64_t DurationCounts::Count() const {
  return std::accumulate(buckets.begin(), buckets.end(), uint64_t{0});
}

uint64_t DurationCounts::Quantile(double fraction) const {
  const auto wanted = static_cast<uint64_t>(std::ceil(static_cast<double>(Count()) * fraction));
  uint64_t seen = 0;
  for (size_t bucket = 0; bucket < kBuckets && wanted > 0; ++bucket) {
    seen += buckets[bucket];
    if (seen >= wanted) return DurationHistogram::LastOf(bucket);
  }
  return 0;
}

void DurationHistogram::Reset() {
  for (auto& bucket : buckets_) bucket.store(0, std::memory_order_relaxed);
  sum_ns_.store(0, std::memory_order_relaxed);
}

void DurationHistogram::AddTo(DurationCounts& counts) const {
  for (size_t bucket = 0; bucket < kBuckets; ++bucket) {
    counts.buckets[bucket] += buckets_[bucket].load(std::memory_order_relaxed);
  }
  counts.sum_ns += sum_ns_.load(std::memory_order_relaxed);
}

}  // namespace larder::stats
