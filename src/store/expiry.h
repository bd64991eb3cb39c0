// When to look for expired items, and where.
//
// Every heap segment knows a time before which none of its items expires, and one after which none
// does; this remembers when the first of all segments is worth a look. When that has come, a walk
// over the segments, as slowly as its caller likes, finds those to be swept, and learns the next
// time on the way. Lookups hide what the walk has not reached yet, so lateness costs memory only.
//
// There are two of them. The one for the sweep, which goes on all the time, looks for segments in
// which anything has expired. The one for writers who need room now looks only for those in which
// much has, as far as their two times tell: looking through the others would cost more than it
// gains.
//
// Invariant: unless a walk is on, no segment is worth a look before next().
#ifndef LARDER_STORE_EXPIRY_H_
#define LARDER_STORE_EXPIRY_H_

#include <algorithm>
#include <cstdint>

#include "larder/clock.h"
#include "store/item_heap.h"

namespace larder::store {

class Expiry {
 public:
  explicit Expiry(Walk walk) : walk_(walk) {}

  // Some item expires at `when`.
  void Note(CacheSeconds when) {
    if (when != kNever) next_ = std::min(next_, when);
  }

  [[nodiscard]] bool HasWork(CacheSeconds now) const { return walking_ || next_ <= now; }

  // The next segment that is worth a look: the caller sweeps it and notes what it finds. Looks at
  // up to `budget` segments and takes off what it used; null when that is not enough or all is
  // done.
  HeapSegment* NextDue(ItemHeap& heap, CacheSeconds now, uint32_t& budget);
  // All items are gone.
  void Reset() {
    next_ = HeapSegment::kNoExpiry;
    walking_ = false;
  }

  [[nodiscard]] bool walking() const { return walking_; }
  [[nodiscard]] CacheSeconds next() const { return next_; }

 private:
  [[nodiscard]] CacheSeconds WorthALook(const HeapSegment& segment) const;

  Walk walk_;
  CacheSeconds next_ = HeapSegment::kNoExpiry;
  bool walking_ = false;
};

}  // namespace larder::store

#endif  // LARDER_STORE_EXPIRY_H_
