#include "store/expiry.h"

namespace larder::store {

// For writers: if the times of a segment's items are spread evenly, an eighth of them has come.
CacheSeconds Expiry::WorthALook(const HeapSegment& segment) const {
  if (walk_ == Walk::kSweep || segment.least_expiry == HeapSegment::kNoExpiry) {
    return segment.least_expiry;
  }
  return segment.least_expiry + (segment.most_expiry - segment.least_expiry) / 8;
}

HeapSegment* Expiry::NextDue(ItemHeap& heap, CacheSeconds now, uint32_t& budget) {
  if (!walking_) {
    if (next_ > now) return nullptr;
    walking_ = true;
    next_ = HeapSegment::kNoExpiry;
    heap.BeginWalk(walk_);
  }
  for (; budget > 0 && heap.WalkAt(walk_) != nullptr; --budget) {
    HeapSegment* segment = heap.WalkAt(walk_);
    heap.AdvanceWalk(walk_);
    if (segment->generation != heap.generation()) continue;
    const CacheSeconds when = WorthALook(*segment);
    if (when <= now) {
      --budget;
      return segment;
    }
    if (when != HeapSegment::kNoExpiry) Note(when);
  }
  if (heap.WalkAt(walk_) == nullptr) walking_ = false;
  return nullptr;
}

}  // namespace larder::store
