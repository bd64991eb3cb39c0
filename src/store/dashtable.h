// The table: from a hash to the handles of entries, in segments that grow one at a time (Dash: Lu
// et al., VLDB 2020).
//
//   directory, 2^depth words, indexed by the hash's top segment bits
//   +------+------+------+------+
//   |  o   |  o   |  o   |  o   |       a word: where the segment is, and its count of home buckets
//   +--|---+--|---+--|---+--|---+       in the six low bits that the address leaves free
//      |      |      +------+---> segment with depth 1
//      |      +-----------------> segment with depth 2
//      +------------------------> segment with depth 2
//
// The table stores no hashes and no keys. When it has to move entries it asks a HashSource.
//
// Invariants
//   - A segment of depth d is in 2^(depth-d) words, one after the other.
//   - Bytes() is exact; it falls when blocks are returned: by Shrink and Dismantle, now and then by
//   Insert.
//
// Cost: Find reads one word, one bucket (rarely a second, or the stash), and what `match` reads.
// Insert is the same; now and then a segment is built anew: 50 µs for 500 entries out of cache.
// Every two megabytes a huge page is made of small ones (0.1 to 1 ms), and each doubling copies the
// directory: 8 bytes for some 300 entries.
//
// Keys that collide cannot make it grow without bound: a segment far deeper than the count of
// entries explains is not split, and Insert returns no place; the caller makes one by erasing.
#ifndef LARDER_STORE_DASHTABLE_H_
#define LARDER_STORE_DASHTABLE_H_

#include <bit>
#include <cstdint>
#include <memory>
#include <vector>

#include "store/segment.h"
#include "store/table_arena.h"
#include "util/prefetch.h"

namespace larder::store {

class DashTable {
 public:
  explicit DashTable(TableArena::Pages pages = TableArena::Pages::kSmall);
  ~DashTable();
  DashTable(DashTable&& other) noexcept;
  DashTable& operator=(DashTable&& other) noexcept;

  // For an entry out of cache, one after the other, each when the one before has arrived: what says
  // where its bucket is; the bucket, and for Erase its segment's header too; and by CandidateAtHome
  // what Find reads then.
  void PrefetchWord(uint64_t hash) const { util::Prefetch(&directory_[IndexOf(hash)]); }
  void PrefetchBucket(uint64_t hash) const { util::Prefetch(WordOf(hash).Home(hash)); }
  void PrefetchForErase(uint64_t hash) const {
    const Word word = WordOf(hash);
    util::Prefetch(word.Home(hash));
    util::Prefetch(word.segment());
  }

  // The first entry with the hash's tag that `match(handle)` accepts.
  template <typename Match>
  [[nodiscard]] Place Find(uint64_t hash, const Match& match) const;
  [[nodiscard]] Place FindHandle(uint64_t hash, uint32_t handle) const {
    return Find(hash, [handle](uint32_t other) { return other == handle; });
  }
  // For prefetching, when the home bucket has arrived: an entry that Find would look at first, or
  // `none`; then, if the entry may be in another bucket, that one is asked for.
  [[nodiscard]] uint32_t CandidateAtHome(uint64_t hash, uint32_t none) const;
  // When that one has arrived as well. Reads nothing if the home bucket had a candidate.
  [[nodiscard]] uint32_t CandidateElsewhere(uint64_t hash, uint32_t none) const;

  // A new entry; no place when none can be had.
  Place Insert(uint64_t hash, uint32_t handle, const HashSource& source);
  void Erase(const Place& place);

  // An entry whose end would make room for one with this hash: the one with the lowest frequency
  // that has the same home. After Insert found no place there is one.
  [[nodiscard]] Place Rival(uint64_t hash) const;

  // Merges neighbours that fit into one, looking at up to `segments`; true when it has been around.
  bool Shrink(uint32_t segments, const HashSource& source);

  // Frees up to `segments`, entries and all; true when nothing is left. Once begun, only this,
  // Holds and, for hashes that it holds, Find and Erase may be called.
  bool Dismantle(uint32_t segments);
  [[nodiscard]] bool Holds(uint64_t hash) const { return IndexOf(hash) < directory_.size(); }

  [[nodiscard]] uint64_t Count() const { return count_; }
  [[nodiscard]] uint64_t Bytes() const {
    return arena_->Bytes() + directory_.capacity() * sizeof(Word);
  }
  // What Bytes() grows by in one Insert, but for a rare one that both grows and splits a segment.
  [[nodiscard]] uint64_t GrowthBytesMax() const {
    return arena_->GrowthBytesMax(TableSegment::BytesFor(TableSegment::kHomeMax)) +
           2 * directory_.size() * sizeof(Word);
  }
  [[nodiscard]] uint64_t SlotCount() const { return slots_; }
  [[nodiscard]] uint32_t depth() const { return depth_; }

  // Where an entry with this hash is at home.
  [[nodiscard]] Bucket* HomeOf(uint64_t hash) const { return WordOf(hash).Home(hash); }
  // The segment that the hash belongs to.
  [[nodiscard]] TableSegment* SegmentFor(uint64_t hash) const { return WordOf(hash).segment(); }

  void CheckInvariants(const HashSource& source) const;

 private:
  static constexpr uint32_t kDepthMax = 28;

  struct Word {
    uint64_t bits = 0;

    static Word Of(TableSegment* segment) {
      return {reinterpret_cast<uintptr_t>(segment) | segment->home_count};
    }
    [[nodiscard]] TableSegment* segment() const {
      return reinterpret_cast<TableSegment*>(bits & ~uint64_t{63});
    }
    [[nodiscard]] uint32_t home_count() const { return static_cast<uint32_t>(bits & 63); }
    [[nodiscard]] Bucket* Home(uint64_t hash) const {
      return reinterpret_cast<Bucket*>((bits & ~uint64_t{63}) + sizeof(TableSegment)) +
             util::BucketOf(hash, home_count());
    }
  };
  static_assert(TableSegment::kHomeMax < 64 && alignof(TableSegment) == 64);

  // Two shifts, so that a directory of one word needs no branch.
  [[nodiscard]] uint64_t IndexOf(uint64_t hash) const {
    return util::SegmentBitsOf(hash) >> 1 >> (63 - depth_);
  }
  [[nodiscard]] Word WordOf(uint64_t hash) const { return directory_[IndexOf(hash)]; }

  static uint32_t FirstStash(const Bucket* home) {
    return static_cast<uint32_t>(std::countr_zero(home->StashMask()));
  }

  template <typename Match>
  static Place FindIn(TableSegment* segment, Bucket* home, Bucket* bucket, uint8_t tag,
                      const Match& match) {
    for (uint32_t mask = bucket->Match(tag); mask != 0; mask &= mask - 1) {
      const auto slot = static_cast<uint32_t>(std::countr_zero(mask));
      if (match(bucket->handles[slot])) return {segment, home, bucket, slot};
    }
    return {};
  }
  template <typename Match>
  [[gnu::noinline]] static Place FindElsewhere(TableSegment* segment, Bucket* home, uint8_t tag,
                                               const Match& match);

  bool Grow(uint64_t hash, const HashSource& source);
  bool Split(uint64_t hash, const HashSource& source);
  [[nodiscard]] bool MaySplit(const TableSegment& segment) const;
  bool Merge(TableSegment* low, TableSegment* high, const HashSource& source);
  // Points the words that are the segment's, one of which is at `index`, to it.
  void Publish(uint64_t index, TableSegment* segment);
  void Adopt(TableSegment* segment);
  TableArena::Move Drop(TableSegment* segment);
  TableArena::Move Return(TableSegment* segment);

  std::unique_ptr<TableArena> arena_;
  std::vector<Word> directory_;
  uint32_t depth_ = 0;
  uint64_t count_ = 0;
  uint64_t slots_ = 0;
  uint64_t bytes_ = 0;  // of segments
  uint64_t at_ = 0;     // of Shrink and Dismantle: the next word to look at
};

template <typename Match>
Place DashTable::Find(uint64_t hash, const Match& match) const {
  const Word word = WordOf(hash);
  Bucket* home = word.Home(hash);
  const uint8_t tag = util::TagOf(hash);
  const Place place = FindIn(word.segment(), home, home, tag, match);
  if (place || home->NothingElsewhere()) return place;
  return FindElsewhere(word.segment(), home, tag, match);
}

template <typename Match>
Place DashTable::FindElsewhere(TableSegment* segment, Bucket* home, uint8_t tag,
                               const Match& match) {
  if (home->Spilled() > 0) {
    const Place place = FindIn(segment, home, segment->Next(home), tag, match);
    if (place) return place;
  }
  for (uint32_t rest = home->StashMask(); rest != 0; rest &= rest - 1) {
    const auto i = static_cast<uint32_t>(std::countr_zero(rest));
    const Place place = FindIn(segment, home, segment->Stash(i), tag, match);
    if (place) return place;
  }
  return {};
}

inline uint32_t DashTable::CandidateAtHome(uint64_t hash, uint32_t none) const {
  const Word word = WordOf(hash);
  Bucket* home = word.Home(hash);
  const uint32_t mask = home->Match(util::TagOf(hash));
  if (mask != 0) return home->handles[std::countr_zero(mask)];
  if (home->Spilled() > 0) {
    util::Prefetch(word.segment()->Next(home));
  } else if (home->StashMask() != 0) {
    util::Prefetch(word.segment()->Stash(FirstStash(home)));
  }
  return none;
}

inline uint32_t DashTable::CandidateElsewhere(uint64_t hash, uint32_t none) const {
  const Word word = WordOf(hash);
  Bucket* home = word.Home(hash);
  const uint8_t tag = util::TagOf(hash);
  if (home->NothingElsewhere() || home->Match(tag) != 0) return none;
  const Bucket* other =
      home->Spilled() > 0 ? word.segment()->Next(home) : word.segment()->Stash(FirstStash(home));
  const uint32_t mask = other->Match(tag);
  return mask != 0 ? other->handles[std::countr_zero(mask)] : none;
}

}  // namespace larder::store

#endif  // LARDER_STORE_DASHTABLE_H_
