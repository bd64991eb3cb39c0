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
//   - At the solo floor, a run that is in use begins, or the range ends.
//   - Freed segments are resident until they are given back, freed runs are not.
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
  // The run with the lowest address, where room for others begins; null if there is none.
  [[nodiscard]] HeapSegment* LowestRun() const;

  // Gives the memory of one free segment back to the system; false if there is none.
  bool GiveBack();
  [[nodiscard]] uint64_t BytesFree() const { return free_.count * kHeapSegmentBytes; }

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

  bool MakeAccessible(uint64_t begin, uint64_t end, int advice);
  bool ExtendLow();
  void TrimLow();
  // The first page of a run that was free; UINT64_MAX if none is long enough.
  uint64_t TakeFreeRun(uint64_t pages);

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
  std::map<uint64_t, uint64_t> runs_;                // free pages of the runs' area: first, count
  std::set<std::pair<uint64_t, uint64_t>> by_size_;  // the same as count, first
};

}  // namespace larder::store

#endif  // LARDER_STORE_HEAP_RANGE_H_
