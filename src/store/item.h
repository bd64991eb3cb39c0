// An item's bytes: what the heap holds for one key.
//
//   byte 0            8            12         14     15     16
//        +------------+------------+----------+------+------+---------+----------+-----+-------+
//        | CAS unique | value size | key size | bits | zero | [flags] | [expiry] | key | value |
//        pad
//        +------------+------------+----------+------+------+---------+----------+-----+-------+
//          8            4            2          1      1      0 or 4    0 or 4
//
// Client flags and expiry are there only when they are used; `bits` says so. An item starts at a
// multiple of 8 and its size is one, so items that lie one after the other can be walked. Nothing
// here serves eviction: that lives in the table's buckets.
//
// Invariants
//   - TotalBytes() follows from the header alone.
//   - An item whose expiry field is absent never expires; a field of kNever says the same.
//   - A dead item is in no bucket; its header stays true, so that it can be stepped over.
#ifndef LARDER_STORE_ITEM_H_
#define LARDER_STORE_ITEM_H_

#include <cstdint>
#include <cstring>
#include <string_view>

#include "larder/clock.h"
#include "util/check.h"

namespace larder::store {

inline constexpr uint64_t kValueBytesMax = 1ULL << 30;
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
  [[nodiscard]] bool dead() const { return (bits_ & kDead) != 0; }
  [[nodiscard]] bool ExpiredAt(CacheSeconds now) const {
    return HasExpiry() && expire_at() != kNever && expire_at() <= now;
  }
  // Including the padding.
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
  // Writes only the first time: a read of a hot item leaves its line clean.
  void SetFetched() {
    if (!fetched()) bits_ |= kFetched;
  }
  void SetDead() { bits_ |= kDead; }

 private:
  enum Bits : uint8_t { kClientFlags = 1, kExpiry = 2, kFetched = 4, kDead = 8 };

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
  uint32_t value_bytes_;
  uint16_t key_bytes_;
  uint8_t bits_;
  uint8_t zero_;
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
  item->value_bytes_ = static_cast<uint32_t>(shape.value_bytes);
  item->key_bytes_ = static_cast<uint16_t>(shape.key_bytes);
  item->bits_ =
      static_cast<uint8_t>((shape.client_flags ? kClientFlags : 0) | (shape.expiry ? kExpiry : 0));
  item->zero_ = 0;
  DCHECK_EQ(item->TotalBytes(), BytesOf(shape));
  return item;
}

}  // namespace larder::store

#endif  // LARDER_STORE_ITEM_H_
