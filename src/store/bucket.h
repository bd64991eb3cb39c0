// Ten entries of the table, and what is needed to reject nine of them without touching an item.
//
//   byte 0                    40        50     52       56         62     63      64
//        +--------------------+---------+------+--------+----------+------+-------+
//        | handle x10         | tag x10 | busy | entry  | ghost x6 | main | stash |
//        +--------------------+---------+------+--------+----------+------+-------+
//
//   busy, 16 bits:   0–9 busy mask | 10–13 entries at home here but living next door | 14–15 zero
//   entry, 32 bits:  0–19 frequency, two bits an entry | 20–29 guest mask | 30–31 zero
//   stash, 8 bits:   0–3 which stash buckets hold entries of this home | 4–7 how many
//
// An entry lives in its home bucket, in the one after it (there it is a *guest*), or in a stash
// bucket of its segment. The home knows what of its own is elsewhere, so a lookup that fails at
// home most often ends there: one cache line.
//
// Frequency and ghosts belong to the eviction policy: the table copies the former when it moves an
// entry and never reads either. A ghost is the fingerprint of a key that has its home here and was
// evicted: of the last six from probation, newest first, and of the last one from main. 0 is none.
// A segment that is built anew begins without ghosts.
//
// Invariants
//   - handles[i], tags[i] and its entry bits mean something if and only if bit i of busy is set.
//   - The counts of spilled and of stashed entries are exact. No home has more than fifteen in the
//     stash, so that keys which collide cannot take it from all others.
#ifndef LARDER_STORE_BUCKET_H_
#define LARDER_STORE_BUCKET_H_

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "util/check.h"
#include "util/match16.h"

namespace larder::store {

struct alignas(64) Bucket {
  static constexpr uint32_t kSlots = 10;
  static constexpr uint32_t kAllSlots = (1U << kSlots) - 1;
  static constexpr uint32_t kFrequencyMax = 3;
  static constexpr uint32_t kStashedMax = 15;
  static constexpr uint32_t kGhosts = 6;

  uint32_t handles[kSlots];
  uint8_t tags[kSlots];
  uint16_t busy_bits;
  uint32_t entry_bits;
  uint8_t ghosts[kGhosts];
  uint8_t main_ghost;
  uint8_t stash_bits;

  [[nodiscard]] uint32_t Busy() const { return busy_bits & kAllSlots; }
  [[nodiscard]] uint32_t Count() const { return static_cast<uint32_t>(std::popcount(Busy())); }
  [[nodiscard]] bool Full() const { return Busy() == kAllSlots; }
  [[nodiscard]] bool Has(uint32_t slot) const { return (busy_bits >> slot & 1) != 0; }

  // The busy slots with this tag. Reads the sixteen bytes that begin with the tags, all in here.
  [[nodiscard]] uint32_t Match(uint8_t tag) const {
    return util::Match16(reinterpret_cast<const uint8_t*>(this) + kTagsOffset, tag) & Busy();
  }

  [[nodiscard]] uint32_t Frequency(uint32_t slot) const { return entry_bits >> (2 * slot) & 3; }
  void SetFrequency(uint32_t slot, uint32_t frequency) {
    DCHECK_LE(frequency, kFrequencyMax);
    entry_bits = (entry_bits & ~(3U << (2 * slot))) | frequency << (2 * slot);
  }

  [[nodiscard]] bool IsGuest(uint32_t slot) const { return (entry_bits >> (20 + slot) & 1) != 0; }
  [[nodiscard]] uint32_t Guests() const { return entry_bits >> 20 & Busy(); }

  // Entries whose home is here and that live in the next bucket.
  [[nodiscard]] uint32_t Spilled() const { return busy_bits >> 10 & 15U; }
  void AddSpilled() {
    DCHECK_LT(Spilled(), kSlots);
    busy_bits = static_cast<uint16_t>(busy_bits + (1U << 10));
  }
  void RemoveSpilled() {
    CHECK_GT(Spilled(), 0U);
    busy_bits = static_cast<uint16_t>(busy_bits - (1U << 10));
  }

  [[nodiscard]] uint32_t StashMask() const { return stash_bits & 15U; }
  [[nodiscard]] uint32_t Stashed() const { return stash_bits >> 4; }
  void AddStashed(uint32_t stash) {
    DCHECK_LT(Stashed(), kStashedMax);
    stash_bits = static_cast<uint8_t>((stash_bits | 1U << stash) + 16);
  }
  // The mask is only a hint which buckets to look at: it is right again when the last one is gone.
  void RemoveStashed() {
    CHECK_GT(Stashed(), 0U);
    stash_bits = static_cast<uint8_t>(stash_bits - 16);
    if (Stashed() == 0) stash_bits = 0;
  }

  // True if all entries whose home is here are here.
  [[nodiscard]] bool NothingElsewhere() const {
    return (stash_bits | (busy_bits & (15U << 10))) == 0;
  }

  void AddGhost(uint8_t ghost) {
    std::memmove(ghosts + 1, ghosts, kGhosts - 1);
    ghosts[0] = ghost;
  }
  // Takes the newest such ghost out; how many newer ones there are, kGhosts if there is none.
  uint32_t TakeGhost(uint8_t ghost) {
    uint32_t age = 0;
    while (age < kGhosts && ghosts[age] != ghost) ++age;
    if (age == kGhosts) return kGhosts;
    std::memmove(ghosts + age, ghosts + age + 1, kGhosts - 1 - age);
    ghosts[kGhosts - 1] = 0;
    return age;
  }

  // Fills a free slot; returns it. The frequency begins at 0.
  enum class Resident : uint8_t { kOwn, kGuest };
  uint32_t Add(uint32_t handle, uint8_t tag, Resident resident) {
    DCHECK(!Full());
    const auto slot = static_cast<uint32_t>(std::countr_one(Busy()));
    handles[slot] = handle;
    tags[slot] = tag;
    busy_bits = static_cast<uint16_t>(busy_bits | 1U << slot);
    entry_bits &= ~(3U << (2 * slot)) & ~(1U << (20 + slot));
    if (resident == Resident::kGuest) entry_bits |= 1U << (20 + slot);
    return slot;
  }
  void Clear(uint32_t slot) {
    DCHECK(Has(slot));
    busy_bits = static_cast<uint16_t>(busy_bits & ~(1U << slot));
  }

  static constexpr size_t kTagsOffset = kSlots * sizeof(uint32_t);
};

static_assert(sizeof(Bucket) == 64);
static_assert(offsetof(Bucket, tags) == Bucket::kTagsOffset);
static_assert(Bucket::kTagsOffset + 16 <= sizeof(Bucket), "Match reads sixteen bytes");
static_assert(offsetof(Bucket, busy_bits) == 50 && offsetof(Bucket, entry_bits) == 52);
static_assert(offsetof(Bucket, ghosts) == 56 && offsetof(Bucket, stash_bits) == 63);

}  // namespace larder::store

#endif  // LARDER_STORE_BUCKET_H_
