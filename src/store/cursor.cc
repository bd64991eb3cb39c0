#include "store/cursor.h"

#include <algorithm>

namespace larder::store {
namespace {

constexpr uint32_t kSegmentBits = 28;
static_assert(kCursorEnd == uint64_t{1} << kSegmentBits);

uint64_t PositionOf(uint64_t hash) { return util::SegmentBitsOf(hash) >> (64 - kSegmentBits); }

// A hash with these segment bits.
uint64_t HashAt(uint64_t position) { return position << 20; }
static_assert(util::SegmentBitsOf(uint64_t{1} << 20) == uint64_t{1} << (64 - kSegmentBits));

template <typename Unwanted>
void Remove(Scanned& scanned, const Unwanted& unwanted) {
  const auto* end = std::remove_if(scanned.entries, scanned.entries + scanned.count, unwanted);
  scanned.count = static_cast<uint32_t>(end - scanned.entries);
}

}  // namespace

Cursor Scanned::Next() const { return {end == kCursorEnd ? 0 : end}; }

bool Scanned::Halve() {
  if (end - begin <= 1) return false;
  end = begin + (end - begin) / 2;
  Remove(*this, [this](const TableSegment::Entry& entry) { return PositionOf(entry.hash) >= end; });
  return true;
}

void ScanSegment(const DashTable& table, Cursor cursor, const HashSource& source,
                 Scanned& scanned) {
  const TableSegment* segment = table.SegmentFor(HashAt(cursor.position));
  const uint64_t span = kCursorEnd >> segment->depth;
  scanned.begin = cursor.position;
  scanned.end = (cursor.position & ~(span - 1)) + span;
  scanned.count = segment->Collect(source, scanned.entries);
  // A segment that was merged since begins before the cursor.
  if ((cursor.position & (span - 1)) == 0) return;
  Remove(scanned, [&scanned](const TableSegment::Entry& entry) {
    return PositionOf(entry.hash) < scanned.begin;
  });
}

}  // namespace larder::store
