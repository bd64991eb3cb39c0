#include "store/cursor.h"

#include <bit>

namespace larder::store {
namespace {

constexpr uint32_t kSegmentBits = 28;
constexpr uint32_t kBucketBits = 12;
constexpr uint64_t kBucketMask = (1 << kBucketBits) - 1;
constexpr uint64_t kSegmentMask = (1 << kSegmentBits) - 1;
constexpr uint32_t kTagBits = 8;

}  // namespace

Scanned ScanBucket(const DashTable& table, Cursor cursor, const HashSource& source,
                   uint32_t (&handles)[kScanMax]) {
  const uint64_t segment_bits = cursor.position >> kBucketBits & kSegmentMask;
  const uint64_t depth = cursor.position >> (kBucketBits + kSegmentBits);
  const uint64_t segment_hash = segment_bits << (kBucketBits + kTagBits);
  TableSegment* segment = table.SegmentFor(segment_hash);
  const uint64_t bucket_bits = segment->depth < depth ? 0 : cursor.position & kBucketMask;
  const uint32_t index =
      util::BucketOf(segment_hash | bucket_bits << kTagBits, segment->home_count);
  Bucket* home = segment->Buckets() + index;

  Scanned scanned;
  const auto take = [&](const Bucket& bucket, uint32_t slots) {
    for (; slots != 0; slots &= slots - 1) {
      handles[scanned.count++] = bucket.handles[std::countr_zero(slots)];
    }
  };
  take(*home, home->Busy() & ~home->Guests());
  if (home->Spilled() > 0) take(*segment->Next(home), segment->Next(home)->Guests());
  for (uint32_t rest = home->StashMask(); rest != 0; rest &= rest - 1) {
    const Bucket& stash = *segment->Stash(static_cast<uint32_t>(std::countr_zero(rest)));
    for (uint32_t slots = stash.Busy(); slots != 0; slots &= slots - 1) {
      const uint32_t handle = stash.handles[std::countr_zero(slots)];
      if (segment->Home(source.HashOf(handle)) == home) handles[scanned.count++] = handle;
    }
  }

  uint64_t next_segment = segment_bits;
  uint64_t next_bucket = 0;
  if (index + 1 < segment->home_count) {
    // The first bucket bits that lead to the next bucket.
    next_bucket =
        (((uint64_t{index} + 1) << kBucketBits) + segment->home_count - 1) / segment->home_count;
  } else {
    const uint64_t span = uint64_t{1} << (kSegmentBits - segment->depth);
    next_segment = (segment_bits & ~(span - 1)) + span;
    if (next_segment > kSegmentMask) return scanned;
  }
  scanned.next.position = uint64_t{segment->depth} << (kBucketBits + kSegmentBits) |
                          next_segment << kBucketBits | next_bucket;
  return scanned;
}

}  // namespace larder::store
