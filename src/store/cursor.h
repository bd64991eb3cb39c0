// A scan over a table that keeps no state but a number, and survives growth: every entry that is in
// the table during the whole scan is found at least once.
//
//   44      40 39                       12 11           0
//   +---------+---------------------------+--------------+
//   |  depth  |  segment bits of the hash | bucket bits  |      0: the beginning, and the end
//   +---------+---------------------------+--------------+
//
// The scan goes through the hashes in the order of segment, then bucket, one home bucket a step. A
// segment that splits or grows keeps that order, so nothing before the position comes after it;
// what is found twice is what shared a bucket or a prefix with the position. A segment that was
// merged does not keep it: the depth tells, and the scan begins that segment anew.
#ifndef LARDER_STORE_CURSOR_H_
#define LARDER_STORE_CURSOR_H_

#include <cstdint>

#include "store/dashtable.h"

namespace larder::store {

struct Cursor {
  uint64_t position = 0;

  [[nodiscard]] bool AtEnd() const { return position == 0; }
};

// The most entries that one home bucket has: its own, its guests next door, and the whole stash.
inline constexpr uint32_t kScanMax = (2 + TableSegment::kStash) * Bucket::kSlots;

struct Scanned {
  Cursor next;  // AtEnd() when that was the last bucket
  uint32_t count = 0;
};

// The entries of the home bucket at `cursor`.
Scanned ScanBucket(const DashTable& table, Cursor cursor, const HashSource& source,
                   uint32_t (&handles)[kScanMax]);

}  // namespace larder::store

#endif  // LARDER_STORE_CURSOR_H_
