// A scan over a table that keeps no state but a number, and survives whatever happens to the table
// between two steps: an entry that is in the table during the whole scan is found exactly once, and
// no key is found twice.
//
//   segment bits of the hash:  0                     position                        2^28
//                              +---------------------+-----------+--------------------+
//                              | visited             | this step | not yet            |
//                              +---------------------+-----------+--------------------+
//                                                    `-- what is left of one segment --'
//
// The scan goes through the hashes in the order of their segment bits, a segment a step, or a part
// of one. Entries move from bucket to bucket and from segment to segment when these grow, split or
// merge, but their hashes stay: so what has been visited follows from hash and position alone,
// whatever the table was like when it was.
//
// Cost: a step reads the keys of one segment, 600 at most: 20 µs out of cache, what a get of as
// many keys takes.
#ifndef LARDER_STORE_CURSOR_H_
#define LARDER_STORE_CURSOR_H_

#include <cstdint>

#include "store/dashtable.h"

namespace larder::store {

// Positions are below this.
inline constexpr uint64_t kCursorEnd = 1ULL << 28;

struct Cursor {
  uint64_t position = 0;

  [[nodiscard]] bool AtEnd() const { return position == 0; }
};

// The entries of a step.
struct Scanned {
  uint64_t begin = 0;  // segment bits: from here
  uint64_t end = 0;    // to here
  uint32_t count = 0;
  TableSegment::Entry entries[TableSegment::kEntriesMax];

  // Where to go on; AtEnd() after the last step.
  [[nodiscard]] Cursor Next() const;
  // Leaves the upper half of the range to the next step. False if it is one that cannot be halved.
  bool Halve();
};

// Everything in the segment at `cursor` that has not been visited.
void ScanSegment(const DashTable& table, Cursor cursor, const HashSource& source, Scanned& scanned);

}  // namespace larder::store

#endif  // LARDER_STORE_CURSOR_H_
