#include "store/expiry.h"

namespace larder::store {

HeapSegment* Expiry::NextDue(ItemHeap& heap, CacheSeconds now, uint32_t& budget) {
  if (!walking_) {
    if (next_ > now) return nullptr;
    walking_ = true;
    next_ = HeapSegment::kNoExpiry;
    heap.BeginWalk();
  }
  for (; budget > 0 && heap.walk() != nullptr; --budget) {
    HeapSegment* segment = heap.walk();
    heap.AdvanceWalk();
    if (segment->generation != heap.generation()) continue;
    if (segment->least_expiry <= now) {
      --budget;
      return segment;
    }
    Note(segment->least_expiry);
  }
  if (heap.walk() == nullptr) walking_ = false;
  return nullptr;
}

}  // namespace larder::store
