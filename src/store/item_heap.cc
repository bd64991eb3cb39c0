// Items come and go. The lists that segments are in: heap_lists.cc.
#include "store/item_heap.h"

#include <cstring>

namespace larder::store {

// Before `before` in its log, or as the youngest.
HeapSegment* ItemHeap::OpenSegment(Log log, HeapSegment* before) {
  HeapSegment* segment = range_.TakeSegment();
  if (segment == nullptr) return nullptr;
  segment->state = HeapSegment::State::kOpen;
  segment->generation = generation_;
  Enlist(segment, log, before);
  bytes_in_use_ += kHeapSegmentBytes;
  return segment;
}

// The open segment of a log, a new one if the item does not fit.
HeapSegment* ItemHeap::OpenWith(uint64_t item_bytes, Log log) {
  List& list = ListOf(log);
  if (Fits(list.open, item_bytes)) return list.open;
  if (list.open != nullptr) Seal(list.open);
  list.open = OpenSegment(log, nullptr);
  return list.open;
}

char* ItemHeap::Bump(HeapSegment* segment, uint64_t item_bytes) {
  char* memory = range_.MemoryOf(segment) + segment->used;
  segment->used += static_cast<uint32_t>(item_bytes);
  used_bytes_ += item_bytes;
  AddLive(segment, item_bytes);
  return memory;
}

void ItemHeap::AddLive(HeapSegment* segment, uint64_t item_bytes) {
  segment->live += static_cast<uint32_t>(item_bytes);
  List& list = ListOf(segment->log);
  // It may be older than what the hand has passed.
  if (segment->items == 0) list.passed = nullptr;
  ++segment->items;
  list.fill.bytes += item_bytes;
  ++list.fill.items;
}

HeapSegment* ItemHeap::AppendSolo(uint64_t item_bytes, Log log) {
  HeapSegment* segment = range_.TakeRun(SoloBytes(item_bytes) / kHeapPageBytes);
  if (segment == nullptr) return nullptr;
  segment->state = HeapSegment::State::kSealed;
  segment->generation = generation_;
  Enlist(segment, log, nullptr);
  bytes_in_use_ += segment->pages * kHeapPageBytes;
  return segment;
}

Item* ItemHeap::Append(const Item::Shape& shape, Log log) {
  const uint64_t bytes = Item::BytesOf(shape);
  HeapSegment* segment = IsSolo(bytes) ? AppendSolo(bytes, log) : OpenWith(bytes, log);
  if (segment == nullptr) return nullptr;
  return Item::Make(Bump(segment, bytes), shape);
}

Item* ItemHeap::CopyTo(HeapSegment* segment, const Item* item) {
  if (segment == nullptr) return nullptr;
  const uint64_t bytes = item->TotalBytes();
  char* memory = Bump(segment, bytes);
  std::memcpy(memory, static_cast<const void*>(item), bytes);
  segment->NoteExpiry(item->expire_at());
  return reinterpret_cast<Item*>(memory);
}

Item* ItemHeap::Copy(const Item* item, Log log) {
  DCHECK(!IsSolo(item->TotalBytes()));
  return CopyTo(OpenWith(item->TotalBytes(), log), item);
}

// Where the copies go takes the place of the first segment that was cleaned into it. Others follow
// from elsewhere in the log until it is full, and so age or grow younger by as much: a segment of
// its own for every age would be more memory than cleaning gains.
Item* ItemHeap::CopyInPlace(const Item* item) {
  HeapSegment* from = SegmentOf(item);
  const uint64_t bytes = item->TotalBytes();
  DCHECK(!IsSolo(bytes));
  List& list = ListOf(from->log);
  if (!Fits(list.cleaned, bytes)) {
    if (!HasOwnPlaceForCleaned()) return CopyTo(OpenWith(bytes, from->log), item);
    if (list.cleaned != nullptr) Seal(list.cleaned);
    list.cleaned = OpenSegment(from->log, from);
  }
  return CopyTo(list.cleaned, item);
}

uint64_t ItemHeap::GrowthForCopyInPlace(const Item* item) const {
  const Log log = LogOf(item);
  const uint64_t bytes = item->TotalBytes();
  if (Fits(ListOf(log).cleaned, bytes)) return 0;
  return HasOwnPlaceForCleaned() ? kHeapSegmentBytes : GrowthFor(bytes, log);
}

void ItemHeap::Kill(Item* item) {
  HeapSegment* segment = SegmentOf(item);
  CHECK(!item->dead());
  CHECK_EQ(segment->generation, generation_);
  const uint64_t bytes = item->TotalBytes();
  item->SetDead();
  segment->live -= static_cast<uint32_t>(bytes);
  --segment->items;
  LogFill& fill = ListOf(segment->log).fill;
  fill.bytes -= bytes;
  --fill.items;
  if (segment->items == 0) {
    EndIfEmpty(segment);
  } else if (segment->live_class != HeapSegment::kUnclassed &&
             segment->live * kLiveClasses / kHeapSegmentBytes != segment->live_class) {
    Unclassify(segment);
    Classify(segment);
  }
}

bool ItemHeap::Revive(Item* item) {
  HeapSegment* segment = SegmentOf(item);
  DCHECK(item->dead());
  DCHECK_GT(segment->holds, 0U);
  if (segment->generation != generation_) return false;
  item->SetLive();
  AddLive(segment, item->TotalBytes());
  return true;
}

// A segment without live items: freed, or begun anew if it is open.
void ItemHeap::EndIfEmpty(HeapSegment* segment) {
  DCHECK_EQ(segment->items, 0U);
  if (segment->holds > 0) return;
  if (segment->state != HeapSegment::State::kOpen) return Free(segment);
  used_bytes_ -= segment->used;
  segment->used = 0;
  segment->least_expiry = HeapSegment::kNoExpiry;
  segment->most_expiry = 0;
  for (Position& position : readers_) {
    if (position.segment == segment) Reset(position, segment);
  }
}

void ItemHeap::Release(HeapSegment* segment) {
  CHECK_GT(segment->holds, 0U);
  if (--segment->holds > 0) return;
  ListOf(segment->log).passed = nullptr;
  if (segment->state == HeapSegment::State::kDoomed) {
    Free(segment);
  } else if (segment->items == 0) {
    EndIfEmpty(segment);
  }
}

void ItemHeap::Seal(HeapSegment* segment) {
  DCHECK(segment->state == HeapSegment::State::kOpen);
  List& list = ListOf(segment->log);
  if (segment == list.open) list.open = nullptr;
  if (segment == list.cleaned) list.cleaned = nullptr;
  segment->state = HeapSegment::State::kSealed;
  if (segment->items == 0 && segment->holds == 0) {
    Free(segment);
  } else {
    Classify(segment);
  }
}

void ItemHeap::Free(HeapSegment* segment) {
  DCHECK_EQ(segment->holds, 0U);
  DCHECK(segment->state != HeapSegment::State::kOpen);
  if (segment->state == HeapSegment::State::kSealed) {
    Unlist(segment);
  } else {
    doomed_bytes_ -= BytesOf(segment);
    doomed_used_bytes_ -= segment->used;
  }
  used_bytes_ -= segment->used;
  bytes_in_use_ -= BytesOf(segment);
  if (segment->solo()) {
    range_.ReturnRun(segment);
  } else {
    range_.ReturnSegment(segment);
  }
}

HeapSegment* ItemHeap::LowestSolo() const {
  HeapSegment* segment = range_.LowestRun();
  // A doomed one is held too.
  return segment != nullptr && segment->holds == 0 ? segment : nullptr;
}

Item* ItemHeap::FirstItem(const HeapSegment* segment) const {
  return segment->used == 0 ? nullptr : reinterpret_cast<Item*>(range_.MemoryOf(segment));
}

Item* ItemHeap::NextItem(const HeapSegment* segment, const Item* item) const {
  const char* next = reinterpret_cast<const char*>(item) + item->TotalBytes();
  if (next >= range_.MemoryOf(segment) + segment->used) return nullptr;
  return reinterpret_cast<Item*>(const_cast<char*>(next));
}

void ItemHeap::BeginGeneration() {
  for (List& list : lists_) {
    if (list.open != nullptr) Seal(list.open);
    if (list.cleaned != nullptr) Seal(list.cleaned);
    list.passed = nullptr;
    list.fill = LogFill{};
  }
  for (Position& position : readers_) Reset(position, nullptr);
  walks_.fill(nullptr);
  ++generation_;
}

HeapSegment* ItemHeap::OldestFlushed() const {
  for (const List& list : lists_) {
    if (list.oldest != nullptr && list.oldest->generation != generation_) return list.oldest;
  }
  return nullptr;
}

uint32_t ItemHeap::FreeFlushed(uint32_t segments) {
  uint32_t done = 0;
  for (; done < segments; ++done) {
    HeapSegment* segment = OldestFlushed();
    if (segment == nullptr) break;
    if (segment->holds == 0) {
      Free(segment);
      continue;
    }
    Unlist(segment);
    segment->state = HeapSegment::State::kDoomed;
    doomed_bytes_ += BytesOf(segment);
    doomed_used_bytes_ += segment->used;
  }
  return done;
}

bool ItemHeap::IsIntact(Handle handle, uint32_t generation) const {
  const uint64_t offset = uint64_t{handle} * kItemAlignment;
  return !range_.IsInRun(offset) &&
         range_.Segment(offset / kHeapSegmentBytes)->generation == generation;
}

}  // namespace larder::store
