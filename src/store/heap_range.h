// The addresses of a heap: one reserved range, segments from its low end, large items from its high
// end.
//
//   0                       low end ->                      <- solo floor                range end
//   +---------+---------+---------+---------------------------------+-------+----------+
//   | segment | segment | segment |   reserved, inaccessible        | solo  |   solo   |
//   +---------+---------+---------+---------------------------------+-------+----------+
//     256 KiB                                                         runs of 4 KiB pages
//
// Both ends move towards each other and back: addresses that one has left serve the other. A range
// of twice what is in use has a place for everything, or gains one when its lowest runs go.
//
// It knows which memory is whose, and what the system was told of it; of items it knows nothing.
//
// Invariants
//   - Freed segments and freed runs are resident until they are given back.
//   - At the solo floor no run begins that was given back.
#ifndef LARDER_STORE_HEAP_RANGE_H_
#define LARDER_STORE_HEAP_RANGE_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "store/heap_segment.h"

namespace larder::store {

class HeapRange {
 public:
  // If the system refuses the addresses, bytes() is 0, and nothing can be taken.
  HeapRange(uint64_t bytes, bool huge_pages);
  ~HeapRange();
  HeapRange(const HeapRange&) = delete;
  HeapRange& operator=(const HeapRange&) = delete;

  [[nodiscard]] char* base() const { return base_; }
  [[nodiscard]] uint64_t bytes() const { return bytes_; }
  [[nodiscard]] uint64_t OffsetOf(const void* address) const {
    return static_cast<uint64_t>(static_cast<const char*>(address) - base_);
  }
  [[nodiscard]] bool IsInRun(uint64_t offset) const { return offset >= solo_floor_; }

  // Descriptions of segments, by their number; that of a run lies at its start.
  [[nodiscard]] HeapSegment* Segment(uint64_t number) const { return &segments_[number]; }
  [[nodiscard]] uint32_t NumberOf(const HeapSegment* segment) const {
    return static_cast<uint32_t>(segment - segments_);
  }
  // Where a segment's items begin.
  [[nodiscard]] char* MemoryOf(const HeapSegment* segment) const;

  // A segment in a state that is for the caller to set; null when the addresses have no place for
  // one, or the system promises no more memory.
  HeapSegment* TakeSegment();
  void ReturnSegment(HeapSegment* segment);
  // The pages of a solo, with a description; null as above.
  HeapSegment* TakeRun(uint64_t pages);
  void ReturnRun(HeapSegment* run);
  static uint64_t RunBytesFor(uint64_t item_bytes);
  // The run in use with the lowest address, where room for others begins; null if there is none.
  [[nodiscard]] HeapSegment* LowestRun() const;

  // Gives the memory of a free segment, or of some free pages of runs, back to the system; false if
  // there are none.
  bool GiveBack();
  // Resident.
  [[nodiscard]] uint64_t BytesFree() const {
    return free_.count * kHeapSegmentBytes + warm_.pages * kHeapPageBytes;
  }
  // Of these, what the next segment, or the next run of so many pages, will take.
  [[nodiscard]] uint64_t ReusedBySegment() const { return free_.count > 0 ? kHeapSegmentBytes : 0; }
  [[nodiscard]] uint64_t ReusedByRun(uint64_t pages) const {
    return warm_.Fitting(pages) != 0 ? pages * kHeapPageBytes : 0;
  }

  void CheckInvariants() const;

 private:
  // Numbers of segments, lowest first.
  struct NumberSet {
    std::vector<uint64_t> words;
    size_t hint = 0;  // no bit is set in a word before this one
    uint64_t count = 0;
    void Add(uint64_t number);
    void Remove(uint64_t number);
    uint64_t TakeLowest();
  };

  // Free runs of pages that do not overlap.
  struct RunSet {
    std::map<uint64_t, uint64_t> by_first;            // first, count
    std::set<std::pair<uint64_t, uint64_t>> by_size;  // count, first
    uint64_t pages = 0;
    void Add(uint64_t first, uint64_t count);
    void Remove(uint64_t first, uint64_t count);
    // The length of the shortest of at least `count` pages, or 0.
    [[nodiscard]] uint64_t Fitting(uint64_t count) const;
    // The first `count` pages of that; UINT64_MAX if there is none.
    uint64_t Take(uint64_t count);
    // Of the run that begins at a page; or 0.
    [[nodiscard]] uint64_t LengthAt(uint64_t first) const;
    void CheckInvariants() const;
  };

  bool MakeAccessible(uint64_t begin, uint64_t end, int advice);
  bool ExtendLow();
  void TrimLow();
  uint64_t TakeAtFloor(uint64_t pages);
  void Cool(uint64_t first, uint64_t pages);
  void CoolAll();

  uint64_t bytes_;
  bool huge_pages_;
  char* base_ = nullptr;
  // One for each segment of the range; untouched ones cost nothing.
  HeapSegment* segments_ = nullptr;
  // Byte offsets, but for low_end_: low_end_ <= low_accessible_ <= solo_floor_, solo_accessible_.
  uint64_t low_end_ = 0;          // segments below this number are in use, free or given back
  uint64_t low_accessible_ = 0;   // with the advice of segments up to here
  uint64_t solo_floor_ = 0;       // the runs' area begins here
  uint64_t solo_accessible_ = 0;  // with the advice of runs from here
  NumberSet free_;                // resident
  NumberSet given_back_;
  // Of the runs' area: resident, and not. Who frees a run often wants another one like it, whose
  // pages then need not be cleared again.
  RunSet warm_;
  RunSet cold_;  // no two are neighbours
};

}  // namespace larder::store

#endif  // LARDER_STORE_HEAP_RANGE_H_
