// When an item was last stored or read, in twelve bits.
//
//     bit 11    10                0
//        +------+------------------+
//        | 0    | second % 2048    |   fine: the stamps that are written
//        | 1    | second/256 %2048 |   coarse: what becomes of them when nobody reads
//        +------+------------------+
//
// Each is a place on a ring, and means an age only while the age is less than the ring is long: 34
// minutes, or six days. So a shard passes all items every kPassSeconds and lets them age: a fine
// stamp that has grown old becomes a coarse one, and a coarse one stops at kAgeMax. (If a machine
// sleeps for longer than kAgedAfter before what must be aged is passed, ages come out too young.)
//
// A stamp is renewed by a read only if it is older than kRenewedAfter: a hot item's line stays
// clean, as in memcached, which renews once a minute too.
//
// AgeOf() is never less than the truth. It may be kRenewedAfter more, for an item that is read
// often, and kCoarseSeconds more, beyond kAgedAfter.
#ifndef LARDER_STORE_ACCESS_STAMP_H_
#define LARDER_STORE_ACCESS_STAMP_H_

#include <algorithm>
#include <cstdint>

#include "larder/clock.h"

namespace larder::store {

class AccessStamp {
 public:
  static constexpr uint32_t kBits = 12;
  static constexpr uint32_t kRing = 2048;
  static constexpr CacheSeconds kCoarseSeconds = 256;
  static constexpr CacheSeconds kRenewedAfter = 60;
  static constexpr CacheSeconds kAgedAfter = 512;
  static constexpr CacheSeconds kPassSeconds = 600;
  static constexpr CacheSeconds kAgeMax = 5 * 24 * 3600;

  constexpr AccessStamp() = default;
  static constexpr AccessStamp FromBits(uint32_t bits) { return AccessStamp(bits); }
  static constexpr AccessStamp At(CacheSeconds now) { return AccessStamp(now % kRing); }

  [[nodiscard]] constexpr uint32_t bits() const { return bits_; }

  [[nodiscard]] constexpr CacheSeconds AgeOf(CacheSeconds now) const {
    if (!IsCoarse()) return (now - bits_) % kRing;
    return (now / kCoarseSeconds - bits_) % kRing * kCoarseSeconds + now % kCoarseSeconds;
  }
  [[nodiscard]] constexpr bool MustBeRenewed(CacheSeconds now) const {
    return IsCoarse() || (now - bits_) % kRing >= kRenewedAfter;
  }
  // What it is to become when it is passed.
  [[nodiscard]] constexpr AccessStamp Aged(CacheSeconds now) const {
    const CacheSeconds age = AgeOf(now);
    if (IsCoarse() ? age <= kAgeMax : age < kAgedAfter) return *this;
    return AccessStamp(kRing | (now - std::min(age, kAgeMax)) / kCoarseSeconds % kRing);
  }

  friend constexpr bool operator==(AccessStamp, AccessStamp) = default;

 private:
  explicit constexpr AccessStamp(uint32_t bits) : bits_(static_cast<uint16_t>(bits)) {}
  [[nodiscard]] constexpr bool IsCoarse() const { return bits_ >= kRing; }

  uint16_t bits_ = 0;
};

// An item that is passed a moment before it must be aged is passed twice before its ring ends, even
// if a pass takes as long again.
static_assert(AccessStamp::kAgedAfter + 2 * AccessStamp::kPassSeconds < AccessStamp::kRing);
static_assert(AccessStamp::kAgeMax + 2 * AccessStamp::kPassSeconds + AccessStamp::kCoarseSeconds <
              AccessStamp::kRing * AccessStamp::kCoarseSeconds);

}  // namespace larder::store

#endif  // LARDER_STORE_ACCESS_STAMP_H_
