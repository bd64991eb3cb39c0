#include "util/histogram.h"

#include <cmath>

#include "util/check.h"

namespace larder::util {

void Histogram::Merge(const Histogram& other) {
  for (size_t i = 0; i < kBuckets; ++i) counts_[i] += other.counts_[i];
  count_ += other.count_;
  sum_ += other.sum_;
  min_ = std::min(min_, other.min_);
  max_ = std::max(max_, other.max_);
}

void Histogram::Clear() { *this = Histogram(); }

double Histogram::Mean() const {
  return count_ == 0 ? 0.0 : static_cast<double>(sum_) / static_cast<double>(count_);
}

uint64_t Histogram::LastOf(size_t bucket) {
  if (bucket < (2ULL << kSubBits)) return bucket;
  const uint64_t shift = (bucket >> kSubBits) - 1;
  const uint64_t top = bucket - (shift << kSubBits);
  // The sum wraps to 2^64 - 1 in the very last bucket, which is right.
  return ((top + 1) << shift) - 1;
}

uint64_t Histogram::Percentile(double percent) const {
  CHECK(percent >= 0 && percent <= 100);
  if (count_ == 0) return 0;
  const double rank = std::ceil(static_cast<double>(count_) * percent / 100);
  const uint64_t wanted = std::clamp<uint64_t>(static_cast<uint64_t>(rank), 1, count_);
  uint64_t seen = 0;
  for (size_t i = 0; i < kBuckets; ++i) {
    seen += counts_[i];
    if (seen >= wanted) return std::clamp(LastOf(i), min_, max_);
  }
  CHECK(false && "the buckets hold fewer values than were counted");
  return max_;
}

void Histogram::CheckInvariants() const {
  uint64_t sum = 0;
  for (const uint64_t count : counts_) sum += count;
  CHECK_EQ(sum, count_);
  if (count_ == 0) return;
  CHECK_LE(min_, max_);
  CHECK_GT(counts_[BucketOf(min_)], 0U);
  CHECK_GT(counts_[BucketOf(max_)], 0U);
}

}  // namespace larder::util
