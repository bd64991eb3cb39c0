// The memory of a table's segments: blocks of five sizes, in one reserved range of addresses.
//
//   +----------------+----------------+----------------+----------------+
//   | span, size 28  | span, size 56  | span, empty    | span, size 35  |   reserved, inaccessible
//   | b | b |   | b  | b | b | b | b  |                | b |   |   | b  |
//   +----------------+----------------+----------------+----------------+
//     32 KiB           blocks of one size; when all are free, a span takes any size again
//
// A table grows by building segments anew, all of them within a short time of each other, so sizes
// come and go in waves, and a common allocator keeps half as much again for those that have passed.
// Here a hole is filled at once: whoever returns a block moves another into it. So at most one span
// of each size has free blocks.
//
// Pages are of 4 KiB while two megabytes of the range fill up; then the kernel is asked to make one
// huge page of them, for a lookup in a table that exceeds the cache also misses the TLB. So no more
// is resident than is used. The first few blocks are the process's allocator's: a cache of a few
// thousand items needs no span of each size.
#ifndef LARDER_STORE_TABLE_ARENA_H_
#define LARDER_STORE_TABLE_ARENA_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <set>
#include <vector>

namespace larder::store {

class TableArena {
 public:
  enum class Pages : uint8_t { kSmall, kHuge };

  explicit TableArena(Pages pages) : pages_(pages) {}
  ~TableArena();
  TableArena(const TableArena&) = delete;
  TableArena& operator=(const TableArena&) = delete;

  // `bytes`, aligned to 64; null if the system has no more. Of a few sizes.
  void* Take(uint64_t bytes);
  // What the owner has to move now, `bytes` of it, to where the block was that it returned, and
  // from then on to look for there. Nulls, most often not.
  struct Move {
    const void* from = nullptr;
    void* to = nullptr;
  };
  [[nodiscard]] Move Return(void* block, uint64_t bytes);

  // Resident: blocks, and what is between them.
  [[nodiscard]] uint64_t Bytes() const { return small_bytes_ + resident_spans_ * kSpanBytes; }
  // The most that Bytes() grows by when two blocks are taken.
  [[nodiscard]] uint64_t GrowthBytesMax(uint64_t block_bytes) const {
    return small_bytes_ + 2 * block_bytes <= kSmallBytesMax ? 2 * block_bytes : 2 * kSpanBytes;
  }

  void CheckInvariants() const;

 private:
  static constexpr uint64_t kSpanBytes = 32 << 10;
  static constexpr uint64_t kHugePageBytes = 2 << 20;
  // A table of the largest budget, of items without values.
  static constexpr uint64_t kRangeBytes = 8ULL << 30;
  static constexpr uint64_t kSmallBytesMax = 128 << 10;
  static constexpr size_t kSizesMax = 8;
  static constexpr uint32_t kNone = UINT32_MAX;

  struct Span {
    uint32_t block_bytes = 0;  // 0: empty
    uint32_t free_blocks = 0;  // bit by bit
    bool resident = false;
  };
  struct Size {
    uint32_t block_bytes = 0;
    uint32_t partial = kNone;  // the span with free blocks
  };

  static uint32_t AllFree(uint32_t block_bytes) {
    return static_cast<uint32_t>((uint64_t{1} << (kSpanBytes / block_bytes)) - 1);
  }
  Size& SizeOf(uint64_t bytes);
  void* TakeSmall(uint64_t bytes);
  bool TakeSpan(Size& size);
  bool Extend();
  void GiveBackSurplus();

  Pages pages_;
  char* mapping_ = nullptr;
  char* base_ = nullptr;  // aligned to huge pages
  uint64_t accessible_ = 0;
  uint64_t small_bytes_ = 0;
  uint64_t resident_spans_ = 0;
  std::vector<Span> spans_;
  std::set<uint32_t> empty_;
  std::array<Size, kSizesMax> sizes_;
};

}  // namespace larder::store

#endif  // LARDER_STORE_TABLE_ARENA_H_
