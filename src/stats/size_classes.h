// Items by size, in the classes that memcached has by default, so that `stats items`, `stats slabs`
// and the tools that read them work. Larder's heap knows no size classes: these only count.
//
//   class        1    2    3    4   ...     38      39
//   up to       96  120  152  192   ...  394840  524288    bytes, and 39 takes all that is larger
//
// The largest size of a class is 1.25 times the one before, rounded up to 8 bytes, for as long as
// two chunks fit a page of 1 MiB; the last class is half a page. A larger item of memcached is a
// chain of chunks of the last class, and counts there.
//
// Sizes are memcached's, too (larder::CountedBytes): an item is in the class that it would be in.
//
// One SizeClasses belongs to a shard: its core writes, anyone may read values that are a moment
// old. A call costs a handful of instructions and one or two cache lines.
//
// Invariant: an item is removed with the same size that it was stored with.
#ifndef LARDER_STATS_SIZE_CLASSES_H_
#define LARDER_STATS_SIZE_CLASSES_H_

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace larder::stats {

inline constexpr uint64_t kPageBytes = 1ULL << 20;
inline constexpr uint64_t kChunkBytesMin = 96;
inline constexpr uint64_t kChunkBytesMax = kPageBytes / 2;
inline constexpr size_t kSizeClassLast = 39;
// Class 0 does not exist; arrays by class have a place for it, so that the number is the index.
inline constexpr size_t kSizeClassCount = kSizeClassLast + 1;

// Largest item of each class, in bytes.
inline constexpr std::array<uint64_t, kSizeClassCount> kChunkBytes = [] {
  std::array<uint64_t, kSizeClassCount> sizes{};
  uint64_t size = kChunkBytesMin;
  for (size_t i = 1; i < kSizeClassLast; ++i) {
    sizes[i] = size;
    size = (size + size / 4 + 7) / 8 * 8;
  }
  sizes[kSizeClassLast] = kChunkBytesMax;
  return sizes;
}();
static_assert(kChunkBytes[kSizeClassLast - 1] * 5 / 4 <= kChunkBytesMax);
static_assert(kChunkBytes[kSizeClassLast - 1] * 5 / 4 * 5 / 4 > kChunkBytesMax);

namespace internal {

// Sizes fall into steps, eight to an octave, by their bit width and the three bits below the
// highest. A class is wider than a step, so a step holds at most one border between two classes.
constexpr size_t StepOf(uint64_t bytes) {
  const auto width = static_cast<size_t>(std::bit_width(bytes));
  return width * 8 + ((bytes >> (width - 4)) & 7);
}

inline constexpr size_t kStepCount = StepOf(kChunkBytesMax) + 1;

// The class of the smallest size of each step.
inline constexpr std::array<uint8_t, kStepCount> kClassOfStep = [] {
  std::array<uint8_t, kStepCount> classes{};
  uint8_t size_class = 1;
  for (size_t step = 4 * 8; step < kStepCount; ++step) {
    const uint64_t smallest = (8 | (step & 7)) << (step / 8 - 4);
    while (kChunkBytes[size_class] < smallest) ++size_class;
    classes[step] = size_class;
  }
  return classes;
}();

// Sizes up to here have a table of their own, as most items are small. By eighths, as all borders
// are multiples of 8.
inline constexpr uint64_t kSmallBytesMax = 4096;
inline constexpr std::array<uint8_t, kSmallBytesMax / 8 + 1> kClassOfSmall = [] {
  std::array<uint8_t, kSmallBytesMax / 8 + 1> classes{};
  uint8_t size_class = 1;
  for (size_t i = 0; i < classes.size(); ++i) {
    while (kChunkBytes[size_class] < i * 8) ++size_class;
    classes[i] = size_class;
  }
  return classes;
}();

[[gnu::noinline]] constexpr size_t ClassOfLarge(uint64_t item_bytes) {
  if (item_bytes >= kChunkBytesMax) return kSizeClassLast;
  const size_t first = kClassOfStep[StepOf(item_bytes)];
  return first + (item_bytes > kChunkBytes[first] ? 1 : 0);
}

}  // namespace internal

// The class of an item of `item_bytes`, 1…39.
constexpr size_t ClassOf(uint64_t item_bytes) {
  if (item_bytes > internal::kSmallBytesMax) [[unlikely]]
    return internal::ClassOfLarge(item_bytes);
  return internal::kClassOfSmall[(item_bytes + 7) / 8];
}

// What is counted of each class. The first two are what the cache holds now, the others only grow.
// Hits of get are counted in all, not by class: that took 3.5 ns more of the 48 that a get takes
// the engine, of 2000 items of 20 to 620 bytes on one core.
enum class ClassCounter : uint8_t {
  kItems,
  kBytes,
  kStored,
  kTouchHits,  // as the counters of these names, of all classes together
  kDeleteHits,
  kIncrHits,
  kDecrHits,
  kCasHits,
  kCasBadval,
  kEvicted,
  kEvictedNonzero,    // evicted although they had an expiry
  kEvictedUnfetched,  // evicted before anybody had read them
  kReclaimed,         // expired, and their memory taken back
  kExpiredUnfetched,  // expired before anybody had read them
  kOutOfMemory,       // not stored, for lack of memory
  kCount
};

inline constexpr size_t kClassCounterCount = static_cast<size_t>(ClassCounter::kCount);

// The sums over several shards: a plain value.
class SizeTotals {
 public:
  [[nodiscard]] uint64_t Get(size_t size_class, ClassCounter counter) const {
    return totals_[size_class][static_cast<size_t>(counter)];
  }
  void Add(size_t size_class, ClassCounter counter, uint64_t n) {
    totals_[size_class][static_cast<size_t>(counter)] += n;
  }

 private:
  std::array<std::array<uint64_t, kClassCounterCount>, kSizeClassCount> totals_{};
};

class alignas(64) SizeClasses {
 public:
  // Owner only. An item has come into the cache; an item has left it, for whatever reason.
  void Store(uint64_t item_bytes) {
    const size_t size_class = ClassOf(item_bytes);
    Add(size_class, ClassCounter::kItems, 1);
    Add(size_class, ClassCounter::kBytes, item_bytes);
    Add(size_class, ClassCounter::kStored, 1);
  }
  void Remove(uint64_t item_bytes) {
    const size_t size_class = ClassOf(item_bytes);
    Add(size_class, ClassCounter::kItems, ~uint64_t{0});  // less one
    Add(size_class, ClassCounter::kBytes, ~item_bytes + 1);
  }
  // Owner only. The cache holds nothing any more (a flush).
  void RemoveAll();
  // Owner only. One more of `counter`, of an item of that size; of those that say why it left,
  // beside Remove.
  void Count(ClassCounter counter, uint64_t item_bytes) { Add(ClassOf(item_bytes), counter, 1); }

  // Owner only: all to zero but what the cache holds now (`stats reset`).
  void Reset();

  // From any thread.
  [[nodiscard]] uint64_t Get(size_t size_class, ClassCounter counter) const {
    return cells_[size_class][static_cast<size_t>(counter)].load(std::memory_order_relaxed);
  }
  void AddTo(SizeTotals& totals) const;

 private:
  // Relaxed, load-then-store: there is one writer, so nothing is lost, and the cells say nothing
  // about other memory, so nothing needs an order. Sums wrap around,
  // which makes Remove an addition.
  void Add(size_t size_class, ClassCounter counter, uint64_t n) {
    auto& cell = cells_[size_class][static_cast<size_t>(counter)];
    cell.store(cell.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }

  std::array<std::array<std::atomic<uint64_t>, kClassCounterCount>, kSizeClassCount> cells_{};
};

}  // namespace larder::stats

#endif  // LARDER_STATS_SIZE_CLASSES_H_
