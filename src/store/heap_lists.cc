// The lists of an ItemHeap: its logs, segments alike in live bytes, and the places in them that
// readers and walks keep.
#include <algorithm>

#include "store/item_heap.h"

namespace larder::store {

// Before `before`, which is of the same log, or as the youngest.
void ItemHeap::Enlist(HeapSegment* segment, Log log, HeapSegment* before) {
  List& list = ListOf(log);
  HeapSegment* after = before == nullptr ? list.youngest : before->older;
  segment->log = log;
  segment->older = after;
  segment->younger = before;
  (after == nullptr ? list.oldest : after->younger) = segment;
  (before == nullptr ? list.youngest : before->older) = segment;
}

void ItemHeap::Unlist(HeapSegment* segment) {
  List& list = ListOf(segment->log);
  for (HeapSegment*& walk : walks_) {
    if (walk == segment) walk = After(segment);
  }
  for (Position& position : readers_) {
    if (position.segment == segment) Reset(position, nullptr);
  }
  if (segment->live_class != HeapSegment::kUnclassed) Unclassify(segment);
  if (list.passed == segment) list.passed = segment->younger;
  (segment->older == nullptr ? list.oldest : segment->older->younger) = segment->younger;
  (segment->younger == nullptr ? list.youngest : segment->younger->older) = segment->older;
}

void ItemHeap::Renew(HeapSegment* segment, Log log) {
  DCHECK(segment->solo());
  LogFill& before = ListOf(segment->log).fill;
  before.bytes -= segment->live;
  before.items -= segment->items;
  Unlist(segment);
  Enlist(segment, log, nullptr);
  LogFill& now = ListOf(log).fill;
  now.bytes += segment->live;
  now.items += segment->items;
  // A sweep that was about to read it has lost it.
  segment->NoteExpiry(FirstItem(segment)->expire_at());
}

// Into the list of those with about as many live bytes; not where a hand or the cleaner is, which
// would look as if it were nearly empty.
void ItemHeap::Classify(HeapSegment* segment) {
  if (segment->solo()) return;
  for (const Position& position : readers_) {
    if (position.segment == segment && &position != &PositionOf(Reader::kSweep)) return;
  }
  const size_t live_class =
      std::min<size_t>(segment->live * kLiveClasses / kHeapSegmentBytes, kLiveClasses - 1);
  uint32_t& head = classes_[live_class];
  const uint32_t number = range_.NumberOf(segment);
  segment->live_class = static_cast<uint8_t>(live_class);
  segment->alike_prev = HeapSegment::kNone;
  segment->alike_next = head;
  if (head != HeapSegment::kNone) range_.Segment(head)->alike_prev = number;
  head = number;
}

void ItemHeap::Unclassify(HeapSegment* segment) {
  const uint32_t prev = segment->alike_prev;
  const uint32_t next = segment->alike_next;
  uint32_t& from_prev =
      prev == HeapSegment::kNone ? classes_[segment->live_class] : range_.Segment(prev)->alike_next;
  from_prev = next;
  if (next != HeapSegment::kNone) range_.Segment(next)->alike_prev = prev;
  segment->live_class = HeapSegment::kUnclassed;
}

HeapSegment* ItemHeap::Emptiest(uint64_t live_bytes) const {
  // Segments that are held are stepped over, but not for long.
  constexpr int kLooks = 64;
  int looks = 0;
  for (const uint32_t head : classes_) {
    for (uint32_t number = head; number != HeapSegment::kNone;) {
      HeapSegment* segment = range_.Segment(number);
      if (segment->live >= live_bytes) break;
      if (segment->holds == 0 && segment->generation == generation_) return segment;
      if (++looks == kLooks) return nullptr;
      number = segment->alike_next;
    }
  }
  return nullptr;
}

void ItemHeap::Reset(Position& position, HeapSegment* segment) {
  position.segment = segment;
  position.offset = 0;
  ++position.jumps;
}

void ItemHeap::Point(Reader reader, HeapSegment* segment) {
  HeapSegment* before = At(reader);
  Reset(PositionOf(reader), segment);
  // Where the reader leaves live items, because they are held, they can be cleaned later.
  if (before != nullptr && before != segment && before->state == HeapSegment::State::kSealed &&
      reader != Reader::kSweep && before->live_class == HeapSegment::kUnclassed) {
    Classify(before);
  }
  if (segment != nullptr && segment->live_class != HeapSegment::kUnclassed &&
      reader != Reader::kSweep) {
    Unclassify(segment);
  }
}

HeapSegment* ItemHeap::PointHand(Log log) {
  const Reader hand = HandOf(log);
  List& list = ListOf(log);
  HeapSegment* oldest = list.passed != nullptr ? list.passed : list.oldest;
  while (oldest != nullptr && (oldest->holds > 0 || oldest->items == 0)) {
    oldest = oldest->younger;
  }
  list.passed = oldest;
  if (oldest != At(hand)) Point(hand, oldest);
  return oldest;
}

Item* ItemHeap::Read(Reader reader) {
  Position& position = PositionOf(reader);
  if (position.segment == nullptr) return nullptr;
  char* memory = range_.MemoryOf(position.segment);
  while (position.offset < position.segment->used) {
    auto* item = reinterpret_cast<Item*>(memory + position.offset);
    position.offset += static_cast<uint32_t>(item->TotalBytes());
    if (!item->dead()) return item;
  }
  return nullptr;
}

HeapSegment* ItemHeap::After(const HeapSegment* segment) const {
  if (segment->younger != nullptr || segment->log == Log::kProbation) return segment->younger;
  return Oldest(Log::kProbation);
}

void ItemHeap::BeginWalk(Walk walk) {
  HeapSegment* first = Oldest(Log::kMain);
  walks_[Index(walk)] = first != nullptr ? first : Oldest(Log::kProbation);
}

void ItemHeap::AdvanceWalk(Walk walk) {
  HeapSegment*& at = walks_[Index(walk)];
  at = After(at);
}

void ItemHeap::CheckSegment(const HeapSegment* segment) const {
  uint64_t used = 0;
  uint64_t live = 0;
  uint32_t items = 0;
  for (const Item* i = FirstItem(segment); i != nullptr; i = NextItem(segment, i)) {
    used += i->TotalBytes();
    if (i->dead()) continue;
    live += i->TotalBytes();
    ++items;
    // The sweep learns them anew; of what was flushed nobody needs them.
    if (i->expire_at() == kNever || At(Reader::kSweep) == segment) continue;
    if (segment->generation != generation_) continue;
    CHECK_GE(i->expire_at(), segment->least_expiry);
    CHECK_LE(i->expire_at(), segment->most_expiry);
  }
  CHECK_EQ(used, segment->used);
  CHECK_EQ(live, segment->live);
  CHECK_EQ(items, segment->items);
  const bool open = segment->state == HeapSegment::State::kOpen;
  const List& list = ListOf(segment->log);
  CHECK_EQ(open, segment == list.open || segment == list.cleaned);
  CHECK(items > 0 || open || segment->holds > 0);
}

void ItemHeap::CheckClasses() const {
  for (size_t c = 0; c < kLiveClasses; ++c) {
    uint32_t before = HeapSegment::kNone;
    for (uint32_t n = classes_[c]; n != HeapSegment::kNone; n = range_.Segment(n)->alike_next) {
      const HeapSegment* segment = range_.Segment(n);
      CHECK(segment->state == HeapSegment::State::kSealed);
      CHECK_EQ(segment->live_class, c);
      CHECK_EQ(segment->alike_prev, before);
      before = n;
    }
  }
}

void ItemHeap::CheckInvariants() const {
  uint64_t in_use = 0;
  uint64_t used = 0;
  for (const Log log : {Log::kProbation, Log::kMain}) {
    const List& list = ListOf(log);
    LogFill fill;
    uint32_t generation = 0;
    const HeapSegment* before = nullptr;
    bool passed = list.passed != nullptr;
    for (const HeapSegment* s = list.oldest; s != nullptr; before = s, s = s->younger) {
      CHECK(s->older == before);
      CHECK(s->log == log);
      CHECK_GE(s->generation, generation);
      generation = s->generation;
      passed = passed && s != list.passed;
      CHECK(!passed || s->holds > 0 || s->items == 0);
      in_use += BytesOf(s);
      used += s->used;
      CheckSegment(s);
      if (s->generation != generation_) continue;
      fill.bytes += s->live;
      fill.items += s->items;
    }
    CHECK(list.youngest == before);
    CHECK_EQ(fill.bytes, list.fill.bytes);
    CHECK_EQ(fill.items, list.fill.items);
  }
  CHECK_EQ(in_use + doomed_bytes_, bytes_in_use_);
  CHECK_EQ(used + doomed_used_bytes_, used_bytes_);
  CheckClasses();
  range_.CheckInvariants();
}

}  // namespace larder::store
