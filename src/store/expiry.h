// When to look for expired items, and where.
//
// Every heap segment knows a time before which none of its items expires; this remembers one for
// the whole heap. When that has come, a walk over the segments, oldest first and as slowly as its
// caller likes, finds those to be swept, and learns the next time on the way. Lookups hide what the
// walk has not reached yet, so lateness costs memory only.
//
// Invariant: unless a walk is on, no item expires before next().
#ifndef LARDER_STORE_EXPIRY_H_
#define LARDER_STORE_EXPIRY_H_

#include <algorithm>
#include <cstdint>

#include "larder/clock.h"
#include "store/item_heap.h"

namespace larder::store {

class Expiry {
 public:
  // Some item expires at `when`.
  void Note(CacheSeconds when) {
    if (when != kNever) next_ = std::min(next_, when);
  }

  [[nodiscard]] bool HasWork(CacheSeconds now) const { return walking_ || next_ <= now; }

  // The next segment with an item that may have expired: the caller sweeps it and notes what it
  // finds. Looks at up to `budget` segments and takes off what it used; null when that is not
  // enough or all is done.
  HeapSegment* NextDue(ItemHeap& heap, CacheSeconds now, uint32_t& budget);

  [[nodiscard]] bool walking() const { return walking_; }
  [[nodiscard]] CacheSeconds next() const { return next_; }

 private:
  CacheSeconds next_ = HeapSegment::kNoExpiry;
  bool walking_ = false;
};

}  // namespace larder::store

#endif  // LARDER_STORE_EXPIRY_H_
