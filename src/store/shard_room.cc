// How a shard finds memory for a new item.
//
// There is no background thread that could fall behind: who writes pays. When less than the next
// heap segment is left, every byte written is a *debt*, and steps are made (shard_steps.cc) until
// they have passed as many bytes of old items; moving items that stay adds to the debt. So by the
// time that the open segment is full another is free, and no writer waits for a whole segment.
#include <algorithm>

#include "store/shard.h"

namespace larder::store {

namespace {

// A writer pays for itself and, now and then, for what went wrong before it: not for all at once.
constexpr int64_t kDebtMax = 2 * kHeapSegmentBytes;

}  // namespace

// When nothing may be evicted, the table shrinks, or a great many items are kept, one after the
// other: no more than would pass every item of the heap.
uint64_t Shard::StepsMax() const { return 4096 + 4 * ItemCount() + BytesInUse() / kHeapPageBytes; }

// While the budget comes down, Put pays for what it needs and a little more.
void Shard::LowerLimit(uint64_t bytes) {
  constexpr uint64_t kStepBytes = 16 << 10;
  if (limit_ <= memory_bytes_max_) return;
  const uint64_t used = std::min(limit_, MemoryBytes());
  const uint64_t step = kStepBytes + 2 * bytes;
  limit_ = std::max(memory_bytes_max_, used > step ? used - step : 0);
}

bool Shard::FindRoom(uint64_t item_bytes, Log log) {
  LowerLimit(item_bytes);
  // What does not fit into an empty shard evicts nothing.
  const uint64_t alone = ItemHeap::IsSolo(item_bytes) ? ItemHeap::SoloBytes(item_bytes) : 0;
  if (alone > 0 && alone + least_table_bytes_ > limit_) return false;
  kept_ = Kept{};
  debt_ = std::min(debt_ + static_cast<int64_t>(item_bytes), kDebtMax);
  uint64_t steps = StepsMax();
  bool more = true;
  for (; more && debt_ > 0 && steps > 0 && !IsAmple(item_bytes, log); --steps) more = Step();
  for (; more && steps > 0 && !Fits(item_bytes, log); --steps) more = Step();
  // What was paid in a hurry is not a credit, or all would be paid so.
  debt_ = IsAmple(item_bytes, log) ? 0 : std::max<int64_t>(debt_, 0);
  GiveBackSurplus(item_bytes, log);
  UpdateGauges();
  return Fits(item_bytes, log);
}

// Evicts until an item more, which may be one that is overwritten, is within the capacity.
void Shard::PrepareSpecially(const Item::Shape& shape) {
  kept_ = Kept{};
  for (uint32_t i = 0; i < forced_cleaning_; ++i) (void)StepClean(Cleaning::kForced);
  const auto full = [&] {
    if (capacity_ == Capacity::kItems) return ItemCount() >= capacity_max_;
    return PayloadBytes() + shape.key_bytes + shape.value_bytes > capacity_max_;
  };
  if (capacity_ == Capacity::kMemory) return;
  for (uint64_t steps = StepsMax(); steps > 0 && full(); --steps) {
    if (!StepHand()) break;
  }
}

// Evicts the large item with the lowest address; false if there is none that may go.
bool Shard::EvictLowestSolo() {
  HeapSegment* lowest = when_full_ == WhenFull::kRefuse ? nullptr : heap_.LowestSolo();
  if (lowest == nullptr || lowest->generation != heap_.generation()) return false;
  const Item* item = heap_.FirstItem(lowest);
  const uint64_t hash = hashes_.Of(item);
  const Place place = table_.FindHandle(hash, heap_.HandleOf(item));
  CHECK(static_cast<bool>(place));
  Remove(place, hash, item->ExpiredAt(now_s_) ? Gone::kExpired : Gone::kEvicted);
  return true;
}

// For when the heap has no place for an item although the budget has room. Rare: half of the
// addresses are for holes.
//
// If the holes between large items are too small, the lowest go: each makes the gap at the solo
// floor wider, so that little more than the new item's bytes go, whatever the holes are like. If
// the system promises no more memory, that may not help: so in turn with it, the policy decides.
Item* Shard::MakePlaceAndAppend(const Item::Shape& shape, Log log) {
  kept_ = Kept{};
  const uint64_t steps_max = 2 * StepsMax();
  for (uint64_t step = 0; step < steps_max; ++step) {
    if ((step % 2 != 0 || !EvictLowestSolo()) && !Step()) break;
    Item* item = heap_.Append(shape, log);
    if (item != nullptr) return item;
  }
  return nullptr;
}

// One free segment stays, for the cleaner to move into; more only as the budget has room.
void Shard::GiveBackSurplus(uint64_t item_bytes, Log log) {
  const uint64_t growth = heap_.GrowthFor(item_bytes, log);
  while (MemoryBytes() + growth - heap_.ReusedFor(item_bytes, log) > limit_ + kHeapSegmentBytes &&
         heap_.GiveBack()) {
  }
}

// For copies: one segment beyond the limit, in place of anything else that is free.
bool Shard::MayTakeSegment() {
  if (BytesInUse() > limit_) return false;
  while (MemoryBytes() + kHeapSegmentBytes - heap_.ReusedBySegment() > limit_ + kHeapSegmentBytes &&
         heap_.GiveBack()) {
  }
  return true;
}

void Shard::SetMemoryBytesMax(uint64_t bytes) {
  memory_bytes_max_ = bytes;
  limit_ = std::max(bytes, MemoryBytes());
}

}  // namespace larder::store
