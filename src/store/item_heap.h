// The memory of a shard's items: a log in one reserved range of addresses.
//
//   0                       low end ->                      <- solo floor                range end
//   +---------+---------+---------+---------------------------------+-------+----------+
//   | segment | segment | segment |   reserved, inaccessible        | solo  |   solo   |
//   +---------+---------+---------+---------------------------------+-------+----------+
//     256 KiB                                                         runs of 4 KiB pages
//
// Items are appended to the open segment, one after the other, until it is full and sealed. Dead
// items are counted, not reused; a segment without live items is free again. An item larger than an
// eighth of a segment lives alone in a run of pages (a *solo*), which has the same description and
// is treated as a segment of one item. A handle is the item's distance from the start of the range
// in units of 8 bytes: 32 bits reach 32 GiB.
//
// Both ends move towards each other and back: addresses that one has left serve the other. A range
// of twice what is in use has a place for everything, or gains one when its lowest solos go.
//
// The heap knows nothing of budgets, keys, tables or policies: it counts, and whoever owns it
// decides what goes. All segments in use are in one list, oldest first.
//
// Invariants
//   - BytesInUse() = live + dead + unused bytes of segments and solos, all exact.
//   - A segment that is held is not reused, whatever became of its items.
//   - Generations do not fall along the list from old to young.
//   - At the solo floor, a solo begins, or the range ends.
//
// Cost: an append is a bump; a death is a handful of adds, and now and then a change of lists.
#ifndef LARDER_STORE_ITEM_HEAP_H_
#define LARDER_STORE_ITEM_HEAP_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "larder/clock.h"
#include "store/item.h"
#include "util/check.h"

namespace larder::store {

// An item's place, in units of 8 bytes from the start of its heap.
using Handle = uint32_t;

inline constexpr uint64_t kHeapSegmentBytes = 256 << 10;
inline constexpr uint64_t kHeapPageBytes = 4 << 10;
inline constexpr uint64_t kSoloBytesMin = kHeapSegmentBytes / 8;
inline constexpr uint64_t kHeapRangeBytesMax = 32ULL << 30;
static_assert(kHeapRangeBytesMax / kItemAlignment == uint64_t{1} << 32);

// Describes one segment. Those of solos lie at the start of their run, before the item.
struct HeapSegment {
  enum class State : uint8_t {
    kUntouched,  // never used, or given back to the system
    kFree,       // resident, empty
    kOpen,       // being appended to
    kSealed,
    kDoomed,  // taken out of the list while held; free when released
  };

  HeapSegment* older = nullptr;
  HeapSegment* younger = nullptr;
  HeapSegment* live_prev = nullptr;  // sealed segments with about as many live bytes
  HeapSegment* live_next = nullptr;
  uint32_t used = 0;        // bytes appended
  uint32_t live = 0;        // bytes of live items among them
  uint32_t items = 0;       // live ones
  uint32_t generation = 0;  // of the heap when it was opened; 0 when free
  uint32_t holds = 0;
  CacheSeconds least_expiry = kNoExpiry;  // no live item expires earlier
  uint32_t pages = 0;                     // of a solo; 0 otherwise
  State state = State::kUntouched;
  uint8_t live_class = 0;

  static constexpr CacheSeconds kNoExpiry = UINT32_MAX;
  [[nodiscard]] bool solo() const { return pages != 0; }
};
static_assert(sizeof(HeapSegment) == 64);

class ItemHeap {
 public:
  struct Options {
    uint64_t range_bytes = kHeapRangeBytesMax;  // of addresses; rounded up to whole segments
    bool huge_pages = false;
  };

  // If the system refuses the addresses, RangeBytes() is 0, and nothing can be appended.
  explicit ItemHeap(const Options& options);
  ~ItemHeap();
  ItemHeap(const ItemHeap&) = delete;
  ItemHeap& operator=(const ItemHeap&) = delete;

  [[nodiscard]] Item* At(Handle handle) const {
    return reinterpret_cast<Item*>(base_ + uint64_t{handle} * kItemAlignment);
  }
  [[nodiscard]] Handle HandleOf(const Item* item) const {
    return static_cast<Handle>(OffsetOf(item) / kItemAlignment);
  }
  [[nodiscard]] bool Contains(const void* address) const {
    const char* bytes = static_cast<const char*>(address);
    return bytes >= base_ && bytes < base_ + range_bytes_;
  }
  // The segment that an item of this heap, or any byte of it, lies in. For a solo only its first
  // byte will do.
  [[nodiscard]] HeapSegment* SegmentOf(const Item* item);
  [[nodiscard]] const HeapSegment* SegmentOf(const Item* item) const;

  static bool IsSolo(uint64_t item_bytes) { return item_bytes > kSoloBytesMin; }
  // The memory that a solo of `item_bytes` takes.
  static uint64_t SoloBytes(uint64_t item_bytes);

  // By how much BytesInUse() grows if an item of `item_bytes` is appended now.
  [[nodiscard]] uint64_t GrowthFor(uint64_t item_bytes) const;
  // Makes a live item. Null when the addresses have no room for it, though others may go or be
  // moved to make some, or when the system promises no more memory.
  Item* Append(const Item::Shape& shape);
  // A copy of a live item of a segment, at the young end of the log. Null as above.
  Item* Copy(const Item* item);
  // Ends an item. Its segment is freed if it was the last and nobody holds it: the bytes stay
  // readable until the next Append, those of a solo do not.
  void Kill(Item* item);

  // While held, the bytes of the segment that the item is in stay as they are.
  void Hold(HeapSegment* segment) { ++segment->holds; }
  void Release(HeapSegment* segment);

  // Notes that an item of the segment expires at `when`.
  static void NoteExpiry(HeapSegment* segment, CacheSeconds when) {
    if (when != kNever && when < segment->least_expiry) segment->least_expiry = when;
  }

  // Segments in use, oldest first; null at the end.
  [[nodiscard]] HeapSegment* Oldest() const { return oldest_; }
  // The oldest that nobody holds; the open one only if there is no other.
  [[nodiscard]] HeapSegment* OldestToEmpty() const;
  // A sealed one, not held, with close to the fewest live bytes;
  // null if all have `live_bytes` or more.
  [[nodiscard]] HeapSegment* Emptiest(uint64_t live_bytes) const;
  // The solo with the lowest address, where room for others begins; null if there is none, or
  // somebody holds it.
  [[nodiscard]] HeapSegment* LowestSolo() const;
  // Makes it the youngest without moving anything. Of solos.
  void Renew(HeapSegment* segment);
  // Seals the open segment, if there is one.
  void Seal();

  // The items of a segment, in order; null at the end.
  [[nodiscard]] Item* FirstItem(const HeapSegment* segment) const;
  [[nodiscard]] Item* NextItem(const HeapSegment* segment, const Item* item) const;

  // Seals, and begins a new generation: all that is in the heap belongs to older ones, is no longer
  // counted as live, and waits for FreeFlushed.
  void BeginGeneration();
  // Frees up to `segments` of older generations; how many it freed.
  uint32_t FreeFlushed(uint32_t segments);
  [[nodiscard]] bool HasFlushed() const {
    return oldest_ != nullptr && oldest_->generation != generation_;
  }
  // True while the item of that generation at `handle` has not been freed. Never true of solos.
  [[nodiscard]] bool IsIntact(Handle handle, uint32_t generation) const;
  [[nodiscard]] uint32_t generation() const { return generation_; }

  // Gives the memory of one free segment back to the system; false if there is none.
  bool GiveBack();

  // A place in the list of segments that stays valid: when its segment goes, it moves on.
  [[nodiscard]] HeapSegment* walk() const { return walk_; }
  void BeginWalk() { walk_ = oldest_; }
  void AdvanceWalk() { walk_ = walk_->younger; }

  [[nodiscard]] uint64_t BytesInUse() const { return bytes_in_use_; }
  [[nodiscard]] uint64_t BytesFree() const { return free_.count * kHeapSegmentBytes; }
  // Resident: in use or free.
  [[nodiscard]] uint64_t Bytes() const { return BytesInUse() + BytesFree(); }
  // Of addresses: what is in use never exceeds it.
  [[nodiscard]] uint64_t RangeBytes() const { return range_bytes_; }
  [[nodiscard]] uint64_t LiveBytes() const { return live_bytes_; }
  [[nodiscard]] uint64_t LiveItems() const { return live_items_; }

  void CheckInvariants() const;

 private:
  static constexpr size_t kLiveClasses = 16;

  // Numbers of segments, lowest first.
  struct NumberSet {
    std::vector<uint64_t> words;
    size_t hint = 0;  // no bit is set in a word before this one
    uint64_t count = 0;
    void Add(uint64_t number);
    void Remove(uint64_t number);
    uint64_t TakeLowest();
  };

  [[nodiscard]] uint64_t OffsetOf(const void* address) const {
    return static_cast<uint64_t>(static_cast<const char*>(address) - base_);
  }
  [[nodiscard]] uint64_t NumberOf(const HeapSegment* segment) const {
    return static_cast<uint64_t>(segment - segments_);
  }
  [[nodiscard]] char* MemoryOf(const HeapSegment* segment) const;
  [[nodiscard]] bool FitsOpen(uint64_t item_bytes) const {
    return open_ != nullptr && open_->used + item_bytes <= kHeapSegmentBytes;
  }
  void* Reserve(uint64_t item_bytes);
  void* ReserveSolo(uint64_t item_bytes);
  bool OpenSegment();
  void AddLive(HeapSegment* segment, uint64_t item_bytes);
  bool MakeAccessible(uint64_t begin, uint64_t end, int advice);
  bool ExtendLow();
  void TrimLow();
  uint64_t TakeRun(uint64_t pages);
  void ReturnRun(uint64_t first_page, uint64_t pages);
  void Free(HeapSegment* segment);
  void Enlist(HeapSegment* segment);
  void Unlist(HeapSegment* segment);
  void EnlistLive(HeapSegment* segment);
  void UnlistLive(HeapSegment* segment);
  void CheckSegment(const HeapSegment* segment) const;

  uint64_t range_bytes_;
  bool huge_pages_;
  char* base_ = nullptr;
  // One for each segment of the range; untouched ones cost nothing.
  HeapSegment* segments_ = nullptr;
  // Byte offsets, but for low_end_: low_end_ <= low_accessible_ <= solo_floor_, solo_accessible_.
  uint64_t low_end_ = 0;          // segments below this number are in use, free or given back
  uint64_t low_accessible_ = 0;   // with the advice of segments up to here
  uint64_t solo_floor_ = 0;       // the solos' area begins here
  uint64_t solo_accessible_ = 0;  // with the advice of solos from here
  NumberSet free_;                // resident
  NumberSet given_back_;
  std::map<uint64_t, uint64_t> runs_;                // free pages of the solos' area: first, count
  std::set<std::pair<uint64_t, uint64_t>> by_size_;  // the same as count, first
  HeapSegment* oldest_ = nullptr;
  HeapSegment* youngest_ = nullptr;
  HeapSegment* open_ = nullptr;
  HeapSegment* walk_ = nullptr;
  std::array<HeapSegment*, kLiveClasses> by_live_{};
  uint32_t generation_ = 1;
  uint64_t bytes_in_use_ = 0;
  uint64_t live_bytes_ = 0;  // of this generation
  uint64_t live_items_ = 0;
};

}  // namespace larder::store

#endif  // LARDER_STORE_ITEM_HEAP_H_
