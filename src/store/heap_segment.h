// One segment of the heap, as the heap describes it, and the two logs that segments belong to.
//
// New items are in *probation*, or in *main*, as the eviction policy says; each is a log of its
// own, and which one an item is in follows from its segment.
#ifndef LARDER_STORE_HEAP_SEGMENT_H_
#define LARDER_STORE_HEAP_SEGMENT_H_

#include <cstddef>
#include <cstdint>

#include "larder/clock.h"
#include "store/item.h"

namespace larder::store {

// An item's place, in units of 8 bytes from the start of its heap.
using Handle = uint32_t;

enum class Log : uint8_t { kProbation, kMain };
inline constexpr size_t kLogCount = 2;
constexpr Log Other(Log log) { return log == Log::kMain ? Log::kProbation : Log::kMain; }

// What lives in a log: no dead bytes, none that are unused.
struct LogFill {
  uint64_t items = 0;
  uint64_t bytes = 0;
};

inline constexpr uint64_t kHeapSegmentBytes = 256 << 10;
inline constexpr uint64_t kHeapPageBytes = 4 << 10;
inline constexpr uint64_t kSoloBytesMin = kHeapSegmentBytes / 8;
inline constexpr uint64_t kHeapRangeBytesMax = 32ULL << 30;
static_assert(kHeapRangeBytesMax / kItemAlignment == uint64_t{1} << 32);

// Those of solos lie at the start of their run, before the item.
struct HeapSegment {
  enum class State : uint8_t {
    kUntouched,  // never used, or given back to the system
    kFree,       // resident, empty
    kOpen,       // being appended to
    kSealed,
    kDoomed,  // taken out of its log while held; free when released
  };

  HeapSegment* older = nullptr;  // of the same log
  HeapSegment* younger = nullptr;
  uint32_t alike_prev = kNone;  // numbers of segments with about as many live bytes
  uint32_t alike_next = kNone;
  uint32_t used = 0;        // bytes appended
  uint32_t live = 0;        // bytes of live items among them
  uint32_t items = 0;       // live ones
  uint32_t generation = 0;  // of the heap when it was opened; 0 when free
  uint32_t holds = 0;
  CacheSeconds least_expiry = kNoExpiry;  // no live item expires earlier,
  CacheSeconds most_expiry = 0;           // and none that expires at all, later
  uint32_t pages = 0;                     // of a solo; 0 otherwise
  State state = State::kUntouched;
  uint8_t live_class = kUnclassed;
  Log log = Log::kMain;

  static constexpr CacheSeconds kNoExpiry = UINT32_MAX;
  static constexpr uint32_t kNone = UINT32_MAX;
  static constexpr uint8_t kUnclassed = 0xff;
  [[nodiscard]] bool solo() const { return pages != 0; }

  void NoteExpiry(CacheSeconds when) {
    if (when == kNever) return;
    if (when < least_expiry) least_expiry = when;
    if (when > most_expiry) most_expiry = when;
  }
};
static_assert(sizeof(HeapSegment) == 64);

}  // namespace larder::store

#endif  // LARDER_STORE_HEAP_SEGMENT_H_
