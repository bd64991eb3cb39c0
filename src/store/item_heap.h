// The memory of a shard's items: two logs, each a list of segments, oldest first.
//
//                 hand ->                              open
//   probation   +---------+---------+---------+---------+
//               |xxxx|    |         |         |   |.....|      x: passed or dead   .: unused
//               +---------+---------+---------+---------+
//                 hand ->                                          cleaned      open
//   main        +---------+---------+------+---------+ - - - - - +---------+---------+
//               |xx|      |         | solo |         |           |     |...|  |......|
//               +---------+---------+------+---------+ - - - - - +---------+---------+
//
// Items are appended to a log's open segment, one after the other, until it is full and sealed.
// Dead items are counted, not reused; a segment without live items is free again. An item larger
// than an eighth of a segment lives alone in a run of pages (a *solo*), which has the same
// description and is treated as a segment of one item. A handle is the item's distance from the
// start of the range in units of 8 bytes: 32 bits reach 32 GiB.
//
// What is to be looked at item by item has a *reader*, a position that stays valid whatever becomes
// of its segment: a hand for each log, which goes from the oldest on; the cleaner, which empties a
// segment with few live bytes; the sweep for what has expired.
//
// The heap knows nothing of budgets, keys, tables or policies: it counts, and whoever owns it
// decides what goes.
//
// Invariants
//   - BytesInUse() = live + dead + unused bytes of segments and solos, all exact.
//   - A segment that is held is not reused, whatever became of its items.
//   - Generations do not fall along a log from old to young.
//
// Cost: an append is a bump; a death is a handful of adds, and now and then a change of lists.
#ifndef LARDER_STORE_ITEM_HEAP_H_
#define LARDER_STORE_ITEM_HEAP_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "larder/clock.h"
#include "store/heap_range.h"
#include "store/heap_segment.h"
#include "store/item.h"
#include "util/check.h"

namespace larder::store {

enum class Reader : uint8_t { kProbationHand, kMainHand, kCleaner, kSweep };
inline constexpr size_t kReaderCount = 4;
constexpr Reader HandOf(Log log) {
  return log == Log::kMain ? Reader::kMainHand : Reader::kProbationHand;
}

// Slow walks over all segments: two for whoever looks for expired items, one that needs none at
// once and one that does; and one that lets access stamps age.
enum class Walk : uint8_t { kSweep, kSearch, kAging };
inline constexpr size_t kWalkCount = 3;

class ItemHeap {
 public:
  struct Options {
    uint64_t range_bytes = kHeapRangeBytesMax;  // of addresses; rounded up to whole segments
    bool huge_pages = false;
  };

  // If the system refuses the addresses, RangeBytes() is 0, and nothing can be appended.
  explicit ItemHeap(const Options& options) : range_(options.range_bytes, options.huge_pages) {}

  [[nodiscard]] Item* At(Handle handle) const {
    return reinterpret_cast<Item*>(range_.base() + uint64_t{handle} * kItemAlignment);
  }
  [[nodiscard]] Handle HandleOf(const Item* item) const {
    return static_cast<Handle>(range_.OffsetOf(item) / kItemAlignment);
  }
  [[nodiscard]] bool Contains(const void* address) const {
    const char* bytes = static_cast<const char*>(address);
    return bytes >= range_.base() && bytes < range_.base() + range_.bytes();
  }
  // The segment that an item of this heap, or any byte of it, lies in. For a solo only its first
  // byte will do.
  [[nodiscard]] HeapSegment* SegmentOf(const Item* item) const;
  [[nodiscard]] Log LogOf(const Item* item) const { return SegmentOf(item)->log; }

  static bool IsSolo(uint64_t item_bytes) { return item_bytes > kSoloBytesMin; }
  // The memory that a solo of `item_bytes` takes.
  static uint64_t SoloBytes(uint64_t item_bytes) { return HeapRange::RunBytesFor(item_bytes); }

  // By how much BytesInUse() grows if an item of `item_bytes` is appended now.
  [[nodiscard]] uint64_t GrowthFor(uint64_t item_bytes, Log log) const {
    if (IsSolo(item_bytes)) return SoloBytes(item_bytes);
    return Fits(ListOf(log).open, item_bytes) ? 0 : kHeapSegmentBytes;
  }
  // Makes a live item, the youngest of its log. Null when the addresses have no room for it, though
  // others may go or be moved to make some, or when the system promises no more memory.
  Item* Append(const Item::Shape& shape, Log log);
  // A copy of a live item of a segment, as the youngest of `log`. Null as above.
  Item* Copy(const Item* item, Log log);
  // The same, for the cleaner: the copy is about as old as the item, in the same log.
  Item* CopyInPlace(const Item* item);
  [[nodiscard]] uint64_t GrowthForCopyInPlace(const Item* item) const;
  // Ends an item. Its segment is freed if it was the last and nobody holds it: the bytes stay
  // readable until the next Append, those of a solo do not.
  void Kill(Item* item);
  // Brings back an item that was killed while its segment was held, and is held still; false if all
  // of its generation has gone.
  bool Revive(Item* item);

  // While held, the bytes of the segment that the item is in stay as they are.
  void Hold(HeapSegment* segment) { ++segment->holds; }
  void Release(HeapSegment* segment);

  // Brings the hand of a log to the oldest segment that nobody holds: where it is, most often. Null
  // if there is none with items. What is held is passed once, and again when some of it is let go.
  HeapSegment* PointHand(Log log);
  // Points a reader to the beginning of a segment.
  void Point(Reader reader, HeapSegment* segment);
  // The next live item of the reader's segment, or null at its end.
  Item* Read(Reader reader);
  // Where a reader is; null if nowhere, or its segment has gone.
  [[nodiscard]] HeapSegment* At(Reader reader) const { return PositionOf(reader).segment; }
  // Changes whenever what the reader has read before is not what it would read again.
  [[nodiscard]] uint32_t Jumps(Reader reader) const { return PositionOf(reader).jumps; }

  // A sealed segment, not held and without a hand, with close to the fewest live bytes; null if all
  // have `live_bytes` or more.
  [[nodiscard]] HeapSegment* Emptiest(uint64_t live_bytes) const;
  // The solo with the lowest address, where room for others begins; null if there is none, or
  // somebody holds it.
  [[nodiscard]] HeapSegment* LowestSolo() const;
  // Makes a solo the youngest of `log` without moving anything.
  void Renew(HeapSegment* segment, Log log);
  // No more is appended to an open segment.
  void Seal(HeapSegment* segment);

  // The items of a segment, in order, dead ones too; null at the end.
  [[nodiscard]] Item* FirstItem(const HeapSegment* segment) const;
  [[nodiscard]] Item* NextItem(const HeapSegment* segment, const Item* item) const;

  // Seals, and begins a new generation: all that is in the heap belongs to older ones, is no longer
  // counted as live, and waits for FreeFlushed.
  void BeginGeneration();
  // Frees up to `segments` of older generations; how many it freed.
  uint32_t FreeFlushed(uint32_t segments);
  [[nodiscard]] bool HasFlushed() const { return OldestFlushed() != nullptr; }
  // True while the item of that generation at `handle` has not been freed. Never true of solos.
  [[nodiscard]] bool IsIntact(Handle handle, uint32_t generation) const;
  [[nodiscard]] uint32_t generation() const { return generation_; }

  // Gives some free memory, a segment or a megabyte at most, back to the system; false if there is
  // none.
  bool GiveBack() { return range_.GiveBack(); }

  // A place in all segments, main first, oldest first, that stays valid: when its segment goes, it
  // moves on. Segments that begin meanwhile may be missed.
  [[nodiscard]] HeapSegment* WalkAt(Walk walk) const { return walks_[Index(walk)]; }
  void BeginWalk(Walk walk);
  void AdvanceWalk(Walk walk);

  // The oldest of a log, and so by `younger` all of it.
  [[nodiscard]] HeapSegment* Oldest(Log log) const { return ListOf(log).oldest; }
  [[nodiscard]] LogFill Fill(Log log) const { return ListOf(log).fill; }
  [[nodiscard]] uint64_t BytesInUse() const { return bytes_in_use_; }
  [[nodiscard]] uint64_t BytesFree() const { return range_.BytesFree(); }
  // So much of it is used again if an item of `item_bytes` is appended now.
  [[nodiscard]] uint64_t ReusedFor(uint64_t item_bytes, Log log) const {
    if (IsSolo(item_bytes)) return range_.ReusedByRun(SoloBytes(item_bytes) / kHeapPageBytes);
    return GrowthFor(item_bytes, log) > 0 ? ReusedBySegment() : 0;
  }
  // Or if a segment is begun.
  [[nodiscard]] uint64_t ReusedBySegment() const { return range_.ReusedBySegment(); }
  // Resident: in use or free.
  [[nodiscard]] uint64_t Bytes() const { return BytesInUse() + BytesFree(); }
  // Of addresses: what is in use never exceeds it.
  [[nodiscard]] uint64_t RangeBytes() const { return range_.bytes(); }
  [[nodiscard]] uint64_t LiveBytes() const { return lists_[0].fill.bytes + lists_[1].fill.bytes; }
  [[nodiscard]] uint64_t LiveItems() const { return lists_[0].fill.items + lists_[1].fill.items; }
  // Of items that were overwritten, erased, moved, or flushed.
  [[nodiscard]] uint64_t DeadBytes() const { return used_bytes_ - LiveBytes(); }

  void CheckInvariants() const;

 private:
  static constexpr size_t kLiveClasses = 32;

  struct List {
    HeapSegment* oldest = nullptr;
    HeapSegment* youngest = nullptr;
    HeapSegment* open = nullptr;     // the youngest, or followed by solos
    HeapSegment* cleaned = nullptr;  // open too, but for the cleaner's copies
    HeapSegment* passed = nullptr;  // older than this, all are held or without items; null: unknown
    LogFill fill;                   // of this generation
  };
  struct Position {
    HeapSegment* segment = nullptr;
    uint32_t offset = 0;
    uint32_t jumps = 0;
  };

  static constexpr size_t Index(Walk walk) { return static_cast<size_t>(walk); }
  [[nodiscard]] List& ListOf(Log log) { return lists_[static_cast<size_t>(log)]; }
  [[nodiscard]] const List& ListOf(Log log) const { return lists_[static_cast<size_t>(log)]; }
  [[nodiscard]] Position& PositionOf(Reader r) { return readers_[static_cast<size_t>(r)]; }
  [[nodiscard]] const Position& PositionOf(Reader r) const {
    return readers_[static_cast<size_t>(r)];
  }
  static uint64_t BytesOf(const HeapSegment* segment) {
    return segment->solo() ? segment->pages * kHeapPageBytes : kHeapSegmentBytes;
  }
  static bool Fits(const HeapSegment* open, uint64_t item_bytes) {
    return open != nullptr && open->used + item_bytes <= kHeapSegmentBytes;
  }
  [[nodiscard]] bool HasOwnPlaceForCleaned() const { return bytes_in_use_ >= kCleanedApartBytes; }
  [[nodiscard]] HeapSegment* OldestFlushed() const;

  // item_heap.cc
  char* Bump(HeapSegment* segment, uint64_t item_bytes);
  Item* CopyTo(HeapSegment* segment, const Item* item);
  HeapSegment* OpenSegment(Log log, HeapSegment* before);
  HeapSegment* OpenWith(uint64_t item_bytes, Log log);
  HeapSegment* AppendSolo(uint64_t item_bytes, Log log);
  void AddLive(HeapSegment* segment, uint64_t item_bytes);
  void EndIfEmpty(HeapSegment* segment);
  void Free(HeapSegment* segment);

  // heap_lists.cc
  void Enlist(HeapSegment* segment, Log log, HeapSegment* before);
  void Unlist(HeapSegment* segment);
  void Classify(HeapSegment* segment);
  void Unclassify(HeapSegment* segment);
  void Reset(Position& position, HeapSegment* segment);
  [[nodiscard]] HeapSegment* After(const HeapSegment* segment) const;

  void CheckSegment(const HeapSegment* segment) const;
  void CheckClasses() const;

  // Below this, a segment for the cleaner's copies alone is too large a part of the heap.
  static constexpr uint64_t kCleanedApartBytes = 64 * kHeapSegmentBytes;

  HeapRange range_;
  std::array<List, kLogCount> lists_;
  std::array<Position, kReaderCount> readers_;
  std::array<HeapSegment*, kWalkCount> walks_{};
  std::array<uint32_t, kLiveClasses> classes_ = [] {
    std::array<uint32_t, kLiveClasses> none{};
    none.fill(HeapSegment::kNone);
    return none;
  }();
  uint32_t generation_ = 1;
  uint64_t bytes_in_use_ = 0;
  uint64_t used_bytes_ = 0;  // appended, of segments in use
  // Of these, what is in no list any more.
  uint64_t doomed_bytes_ = 0;
  uint64_t doomed_used_bytes_ = 0;
};

inline HeapSegment* ItemHeap::SegmentOf(const Item* item) const {
  const uint64_t offset = range_.OffsetOf(item);
  if (range_.IsInRun(offset)) {
    return reinterpret_cast<HeapSegment*>(
        const_cast<char*>(reinterpret_cast<const char*>(item) - sizeof(HeapSegment)));
  }
  return range_.Segment(offset / kHeapSegmentBytes);
}

}  // namespace larder::store

#endif  // LARDER_STORE_ITEM_HEAP_H_
