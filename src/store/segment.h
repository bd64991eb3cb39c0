// A segment of the table: 28 to 56 home buckets and four stash buckets, in one piece of memory.
//
//   +--------+--------+--------+- - - -+----------+---------+---------+---------+---------+
//   | header | home 0 | home 1 |       | home n-1 | stash 0 | stash 1 | stash 2 | stash 3 |
//   +--------+--------+--------+- - - -+----------+---------+---------+---------+---------+
//
// It grows by an eighth (seven buckets) at a time, by being built anew, and splits in two when it
// is full at its largest: so all segments do not fill and split together, and what is allocated
// stays well used.
//
// Invariant: an entry is in its home bucket, as a guest in the next one (the last one's next is the
// first), or in the stash.
#ifndef LARDER_STORE_SEGMENT_H_
#define LARDER_STORE_SEGMENT_H_

#include <cstddef>
#include <cstdint>

#include "store/bucket.h"
#include "store/table_arena.h"
#include "util/hash.h"

namespace larder::store {

// Where the table learns the hash of an entry that it has to move: the heap, or a test.
class HashSource {
 public:
  HashSource() = default;
  HashSource(const HashSource&) = delete;
  HashSource& operator=(const HashSource&) = delete;
  virtual ~HashSource() = default;
  [[nodiscard]] virtual uint64_t HashOf(uint32_t handle) const = 0;
  // HashOf(handle) will be asked for soon.
  virtual void Prefetch(uint32_t handle) const { (void)handle; }
};

struct TableSegment;

// An entry's place in the table. Valid until the table is next changed.
struct Place {
  TableSegment* segment = nullptr;
  Bucket* home = nullptr;
  Bucket* bucket = nullptr;
  uint32_t slot = 0;

  explicit operator bool() const { return bucket != nullptr; }
  [[nodiscard]] uint32_t handle() const { return bucket->handles[slot]; }
};

struct alignas(64) TableSegment {
  static constexpr uint32_t kHomeMin = 28;
  static constexpr uint32_t kHomeStep = 7;
  static constexpr uint32_t kHomeMax = 56;
  static constexpr uint32_t kStash = 4;
  static constexpr uint32_t kEntriesMax = (kHomeMax + kStash) * Bucket::kSlots;

  uint32_t home_count;
  uint32_t depth;  // bits of the hash that all entries share
  uint32_t entries;
  uint32_t prefix;  // those bits, once it is in a directory

  // Empty; null if there is no memory. Freed by Delete.
  static TableSegment* New(TableArena& arena, uint32_t home_count, uint32_t depth);
  // The same, in memory of BytesFor(home_count) that is the caller's.
  static TableSegment* Make(void* memory, uint32_t home_count, uint32_t depth);
  static constexpr uint64_t BytesFor(uint32_t home_count) {
    return sizeof(TableSegment) + (home_count + kStash) * sizeof(Bucket);
  }
  // The smallest size that is not overfull with so many entries.
  static uint32_t HomeCountFor(uint32_t entries);

  [[nodiscard]] uint64_t Bytes() const { return BytesFor(home_count); }
  Bucket* Buckets() { return reinterpret_cast<Bucket*>(this + 1); }
  [[nodiscard]] const Bucket* Buckets() const { return reinterpret_cast<const Bucket*>(this + 1); }
  Bucket* Home(uint64_t hash) { return Buckets() + util::BucketOf(hash, home_count); }
  Bucket* Next(Bucket* home) { return home + 1 == Buckets() + home_count ? Buckets() : home + 1; }
  Bucket* Before(Bucket* home) { return home == Buckets() ? Buckets() + home_count - 1 : home - 1; }
  Bucket* Stash(uint32_t i) { return Buckets() + home_count + i; }
  [[nodiscard]] bool IsStash(const Bucket* bucket) const {
    return bucket >= Buckets() + home_count;
  }

  // A new entry. A null place when there is none for it.
  Place Insert(uint64_t hash, uint32_t handle);
  void Erase(const Place& place);

  // All entries, with their hashes; how many.
  struct Entry {
    uint64_t hash;
    uint32_t handle;
    uint32_t frequency;
  };
  uint32_t Collect(const HashSource& source, Entry (&entries)[kEntriesMax]) const;

  void CheckInvariants(const HashSource& source) const;

 private:
  bool MoveOneOn(Bucket* bucket);
  bool SendOneHome(Bucket* bucket);
  void CopyEntry(const Bucket* from, uint32_t slot, Bucket* to, Bucket::Resident resident);
};
static_assert(sizeof(TableSegment) == 64);

}  // namespace larder::store

#endif  // LARDER_STORE_SEGMENT_H_
