// An item's bytes: what the heap holds for one key.
//
//   byte 0            8              12         14       16
//        +------------+--------------+----------+--------+---------+----------+-----+-------+-----+
//        | CAS unique | value size,  | key size | bits,  | [flags] | [expiry] | key | value | pad |
//        |            | stale, won   |          | access |         |          |     |       |     |
//        +------------+--------------+----------+--------+---------+----------+-----+-------+-----+
//          8            30 + 1 + 1     2          4 + 12   0 or 4    0 or 4
//
// Client flags and expiry are there only when they are used; `bits` says so. An item starts at a
// multiple of 8 and its size is one, so items that lie one after the other can be walked. Nothing
// here serves eviction: that lives in the table's buckets.
//
// A *stale* item was invalidated and waits to be stored anew; of one whose `won` is set, somebody
// has been told to do so. `access` says when it was last stored or read (access_stamp.h). These are
// what a command may ask for; they change in place, whoever holds the item.
//
// Invariants
//   - TotalBytes() follows from the header alone.
//   - An item whose expiry field is absent never expires; a field of kNever says the same.
//   - A dead item is in no bucket; its header stays true, so that it can be stepped over. An item
//     whose value is still arriving (Shard::Draft) is dead until it has.
#ifndef LARDER_STORE_ITEM_H_
#define LARDER_STORE_ITEM_H_

#include <cstdint>
#include <cstring>
#include <string_view>

#include "larder/clock.h"
#include "larder/command.h"
#include "store/access_stamp.h"
#include "util/check.h"

namespace larder::store {

inline constexpr uint64_t kValueBytesMax = (1ULL << 30) - 1;
inline constexpr uint64_t kItemKeyBytesMax = 0xffff;
inline constexpr uint64_t kItemAlignment = 8;

class Item {
 public:
  // What decides how many bytes an item takes.
  struct Shape {
    uint64_t key_bytes = 0;
    uint64_t value_bytes = 0;
    bool client_flags = false;
    bool expiry = false;
  };
  static constexpr uint64_t BytesOf(const Shape& shape);

  // Makes the header of a new item in `memory`; the key and the value are the caller's to write.
  static Item* Make(void* memory, const Shape& shape);

  [[nodiscard]] std::string_view Key() const { return {Body() + FieldBytes(), key_bytes_}; }
  [[nodiscard]] std::string_view Value() const {
    return {Body() + FieldBytes() + key_bytes_, value_bytes_};
  }
  char* KeyBytes() { return Body() + FieldBytes(); }
  char* ValueBytes() { return Body() + FieldBytes() + key_bytes_; }

  [[nodiscard]] uint64_t cas() const { return cas_; }
  [[nodiscard]] uint32_t client_flags() const { return HasClientFlags() ? LoadField(0) : 0; }
  [[nodiscard]] CacheSeconds expire_at() const {
    return HasExpiry() ? LoadField(ExpiryOffset()) : kNever;
  }
  [[nodiscard]] bool HasClientFlags() const { return (bits_ & kClientFlags) != 0; }
  [[nodiscard]] bool HasExpiry() const { return (bits_ & kExpiry) != 0; }
  [[nodiscard]] bool fetched() const { return (bits_ & kFetched) != 0; }
  // Is it laid out as Make() would?
  [[nodiscard]] bool HasShape(const Shape& shape) const {
    return key_bytes_ == shape.key_bytes && value_bytes_ == shape.value_bytes &&
           HasClientFlags() == shape.client_flags && HasExpiry() == shape.expiry;
  }
  [[nodiscard]] bool dead() const { return (bits_ & kDead) != 0; }
  [[nodiscard]] bool stale() const { return stale_ != 0; }
  [[nodiscard]] bool won() const { return won_ != 0; }
  [[nodiscard]] AccessStamp access() const { return AccessStamp::FromBits(bits_ >> kFlagBits); }
  [[nodiscard]] bool ExpiredAt(CacheSeconds now) const {
    return HasExpiry() && expire_at() != kNever && expire_at() <= now;
  }
  // What Memcached's clients are told.
  [[nodiscard]] uint64_t CountedBytes() const {
    return larder::CountedBytes(key_bytes_, value_bytes_, HasClientFlags() ? 1 : 0);
  }
  // What it takes, including the padding.
  [[nodiscard]] uint64_t TotalBytes() const {
    return Aligned(sizeof(Item) + FieldBytes() + key_bytes_ + value_bytes_);
  }

  void set_cas(uint64_t cas) { cas_ = cas; }
  void set_client_flags(uint32_t flags) {
    DCHECK(HasClientFlags());
    StoreField(0, flags);
  }
  void set_expire_at(CacheSeconds when) {
    DCHECK(HasExpiry());
    StoreField(ExpiryOffset(), when);
  }
  // Somebody has read it. Writes only the first time, and when a minute has passed: a read of a hot
  // item leaves its line clean.
  void NoteRead(CacheSeconds now) {
    if (fetched() && !access().MustBeRenewed(now)) return;
    bits_ |= kFetched;
    set_access(AccessStamp::At(now));
  }
  // Lets the stamp age: whoever passes the item calls it.
  void Age(CacheSeconds now) {
    const AccessStamp aged = access().Aged(now);
    if (aged != access()) set_access(aged);
  }
  void set_access(AccessStamp access) {
    bits_ = static_cast<uint16_t>((bits_ & kFlagMask) | access.bits() << kFlagBits);
  }
  void set_stale(bool stale) { stale_ = stale ? 1 : 0; }
  void set_won(bool won) { won_ = won ? 1 : 0; }
  // What does not lie in its shape, key and value: all but these of another item.
  void TakeMarksOf(const Item& other) {
    cas_ = other.cas_;
    stale_ = other.stale_;
    won_ = other.won_;
    if (other.fetched()) bits_ |= kFetched;
    set_access(other.access());
  }
  void SetDead() { bits_ |= kDead; }
  void SetLive() { bits_ = static_cast<uint16_t>(bits_ & ~kDead); }

 private:
  enum Bits : uint16_t { kClientFlags = 1, kExpiry = 2, kFetched = 4, kDead = 8 };
  static constexpr uint32_t kFlagBits = 4;
  static constexpr uint32_t kFlagMask = (1U << kFlagBits) - 1;
  static_assert(kFlagBits + AccessStamp::kBits == 16);

  static constexpr uint64_t Aligned(uint64_t bytes) {
    return (bytes + kItemAlignment - 1) & ~(kItemAlignment - 1);
  }
  [[nodiscard]] uint64_t FieldBytes() const {
    // Four for each of the two; a count of bits is a call where the processor may be an old one.
    return (bits_ & kClientFlags) * 4U + (bits_ & kExpiry) * 2U;
  }
  [[nodiscard]] uint64_t ExpiryOffset() const { return HasClientFlags() ? 4 : 0; }
  [[nodiscard]] uint32_t LoadField(uint64_t offset) const {
    uint32_t value = 0;
    std::memcpy(&value, Body() + offset, sizeof(value));
    return value;
  }
  void StoreField(uint64_t offset, uint32_t value) {
    std::memcpy(Body() + offset, &value, sizeof(value));
  }
  [[nodiscard]] const char* Body() const { return reinterpret_cast<const char*>(this + 1); }
  char* Body() { return reinterpret_cast<char*>(this + 1); }

  uint64_t cas_;
  uint32_t value_bytes_ : 30;
  uint32_t stale_ : 1;
  uint32_t won_ : 1;
  uint16_t key_bytes_;
  uint16_t bits_;
};

static_assert(sizeof(Item) == 16);
static_assert(alignof(Item) == kItemAlignment);

constexpr uint64_t Item::BytesOf(const Shape& shape) {
  return Aligned(sizeof(Item) + (shape.client_flags ? 4 : 0) + (shape.expiry ? 4 : 0) +
                 shape.key_bytes + shape.value_bytes);
}

inline Item* Item::Make(void* memory, const Shape& shape) {
  CHECK_LE(shape.key_bytes, kItemKeyBytesMax);
  CHECK_LE(shape.value_bytes, kValueBytesMax);
  auto* item = static_cast<Item*>(memory);
  item->cas_ = 0;
  item->value_bytes_ = shape.value_bytes & kValueBytesMax;
  item->stale_ = 0;
  item->won_ = 0;
  item->key_bytes_ = static_cast<uint16_t>(shape.key_bytes);
  item->bits_ =
      static_cast<uint16_t>((shape.client_flags ? kClientFlags : 0) | (shape.expiry ? kExpiry : 0));
  DCHECK_EQ(item->TotalBytes(), BytesOf(shape));
  return item;
}

}  // namespace larder::store

#endif  // LARDER_STORE_ITEM_H_
