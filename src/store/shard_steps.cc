// The steps by which a shard gets memory back, one item after the other, and the bounded work of
// Tick, which is made of the same steps.
//
// For a writer, in this order: what was flushed; segments in which much has expired; a segment with
// few live bytes, whose items are moved together with others'; and only then a log's oldest item,
// which the policy judges.
#include <algorithm>

#include "store/shard.h"

namespace larder::store {

using stats::Counter;

namespace {

// A segment with fewer live bytes than this is cleaned whatever it costs: every two such segments
// make more than one free.
constexpr uint64_t kCleanLiveBytes = kHeapSegmentBytes / 2;
// One with fewer than this, as long as the writers' copies are not used up; when nothing may be
// evicted, always. What is left to live of it fits into one new segment, whatever sizes its items
// have.
constexpr uint64_t kCleanLiveBytesMax = kHeapSegmentBytes / 8 * 7;

// Moving costs processor time, evicting costs hits: for each byte written, the cleaner may move so
// many. So nothing is evicted while a quarter of the heap or more is dead, wherever it is.
constexpr uint64_t kCopiesPerByte = 3;
constexpr uint64_t kCopyCreditMax = 4 * kHeapSegmentBytes;

// One writer waits for so many items that are kept, and for so many bytes that are moved, before
// what is next goes whatever the policy says.
constexpr uint32_t kKeptItemsMax = 1024;
constexpr uint64_t kKeptBytesMax = 2 * kHeapSegmentBytes;

// What a unit of Tick's budget buys: about a hundred nanoseconds.
constexpr uint32_t kLooksPerItem = 8;
constexpr uint32_t kLooksPerRemoval = 2 * kLooksPerItem;
constexpr uint32_t kLooksPerSegment = 2;      // a segment's description
constexpr uint32_t kItemsPerStep = 3;         // of the hands and the cleaner
constexpr uint32_t kItemsPerSegment = 16;     // a table's segment freed, a heap's flushed
constexpr uint32_t kItemsPerGiveBack = 1024;  // a megabyte given back to the system
// The sweep passes all items in so many seconds, however many there are: what has expired is gone
// in ten. Ten million cost two hundredths of a core.
constexpr uint64_t kSweepPassSeconds = 8;
constexpr uint64_t kSweepLooksPerSecondMin = 100'000;
constexpr uint64_t kSweepLooksMin = 40'000;  // that a pause may put by; a thirtieth of a second's
// So many at once that the table is asked well ahead although few of the items have expired.
constexpr uint32_t kSweepLooksPerStep = 2048;
// In one Tick the stamps of so many bytes of items age: half a millisecond.
constexpr uint64_t kAgingBytesMax = 16 * kHeapSegmentBytes;

}  // namespace

Lookahead::Entry Shard::NextOf(Lookahead& lookahead) {
  uint32_t looks = UINT32_MAX;
  return lookahead.Next(
      heap_, table_, [this](const Item* item) { return hashes_.Of(item); },
      [](const Item*) { return true; }, looks);
}

// The item's place stays; its bytes are elsewhere.
bool Shard::Move(const Place& place, Item* item, Item* copy) {
  if (copy == nullptr) return false;
  place.bucket->handles[place.slot] = heap_.HandleOf(copy);
  const uint64_t bytes = item->TotalBytes();
  debt_ += static_cast<int64_t>(bytes);
  NoteExpiry(item->expire_at());
  // The walk may have been where the copy is.
  copy->Age(now_s_);
  heap_.Kill(item);
  return true;
}

// --- The hands
// ------------------------------------------------------------------------------------

void Shard::Judge(const Lookahead::Entry& next, Log log) {
  Item* item = next.item;
  const Place place = table_.FindHandle(next.hash, heap_.HandleOf(item));
  CHECK(static_cast<bool>(place));
  if (item->ExpiredAt(now_s_)) return Remove(place, next.hash, Gone::kExpired);
  const uint64_t bytes = item->TotalBytes();
  const bool solo = ItemHeap::IsSolo(bytes);
  const bool exact = capacity_ != Capacity::kMemory;
  const bool may_stay =
      exact || (kept_.items < kKeptItemsMax && kept_.bytes < kKeptBytesMax &&
                (solo || MayGrow(std::max(heap_.GrowthFor(bytes, Log::kMain),
                                          heap_.GrowthFor(bytes, Log::kProbation)))));
  const Verdict verdict = policy_.Judge(
      {.place = place, .hash = next.hash, .item_bytes = bytes, .log = log, .must_go = !may_stay});
  if (verdict != Verdict::kDrop && may_stay) {
    const Log to = verdict == Verdict::kToMain ? Log::kMain : Log::kProbation;
    ++kept_.items;
    if (solo) {
      // It costs nothing to keep, and gives nothing either.
      debt_ += static_cast<int64_t>(bytes);
      heap_.Renew(heap_.SegmentOf(item), to);
      return;
    }
    kept_.bytes += bytes;
    if (Move(place, item, heap_.Copy(item, to))) {
      counters_.Add(Counter::kMovedBytes, bytes);
      return;
    }
  }
  counters_.Add(log == Log::kMain ? Counter::kEvictedFromMain : Counter::kEvictedFromProbation);
  Remove(place, next.hash, Gone::kEvicted);
}

// False if no item of either log may go.
bool Shard::StepHand() {
  if (when_full_ == WhenFull::kRefuse) return false;
  Log log = policy_.HandToMove({heap_.Fill(Log::kProbation), heap_.Fill(Log::kMain)});
  HeapSegment* segment = heap_.PointHand(log);
  if (segment == nullptr) {
    log = Other(log);
    segment = heap_.PointHand(log);
    if (segment == nullptr) return false;
  }
  // If memory is what is short, only a segment that is nobody's any more gives some.
  if (segment->state == HeapSegment::State::kOpen && capacity_ == Capacity::kMemory) {
    heap_.Seal(segment);
  }
  const Lookahead::Entry next = NextOf(hands_[static_cast<size_t>(log)]);
  if (next.item == nullptr) {
    // Read to its end while it was held, or while it was open: begin again.
    heap_.Point(HandOf(log), segment);
    return true;
  }
  debt_ -= static_cast<int64_t>(next.passed_bytes);
  Judge(next, log);
  return true;
}

// --- The cleaner
// ----------------------------------------------------------------------------------

bool Shard::BeginCleaning(Cleaning cleaning) {
  const bool forced = cleaning == Cleaning::kForced && when_full_ == WhenFull::kEvict;
  HeapSegment* segment = heap_.Emptiest(forced ? kHeapSegmentBytes : kCleanLiveBytesMax);
  if (segment == nullptr) return false;
  if (!forced && when_full_ == WhenFull::kEvict && segment->live > kCleanLiveBytes) {
    copy_credit_ = std::min(copy_credit_ + kCopiesPerByte * (written_bytes_ - credited_bytes_),
                            kCopyCreditMax);
    credited_bytes_ = written_bytes_;
    if (copy_credit_ < segment->live) return false;
    copy_credit_ -= segment->live;
  }
  heap_.Point(Reader::kCleaner, segment);
  return true;
}

// False if there is nothing to clean, or no room to move items to.
bool Shard::StepClean(Cleaning cleaning) {
  HeapSegment* segment = heap_.At(Reader::kCleaner);
  if (segment == nullptr || segment->holds > 0) {
    if (segment != nullptr) heap_.Point(Reader::kCleaner, nullptr);
    if (!BeginCleaning(cleaning)) return false;
    segment = heap_.At(Reader::kCleaner);
  }
  const Lookahead::Entry next = NextOf(cleaner_);
  if (next.item == nullptr) {
    heap_.Point(Reader::kCleaner, nullptr);
    return true;
  }
  Item* item = next.item;
  const Place place = table_.FindHandle(next.hash, heap_.HandleOf(item));
  CHECK(static_cast<bool>(place));
  debt_ -= static_cast<int64_t>(next.passed_bytes);
  if (item->ExpiredAt(now_s_)) {
    Remove(place, next.hash, Gone::kExpired);
    return true;
  }
  const uint64_t bytes = item->TotalBytes();
  if (MayGrow(heap_.GrowthForCopyInPlace(item)) && Move(place, item, heap_.CopyInPlace(item))) {
    counters_.Add(Counter::kCleanedBytes, bytes);
    return true;
  }
  // It stays where it is, and what the cleaner has read before is read again one day.
  heap_.Point(Reader::kCleaner, nullptr);
  return false;
}

// --- What has expired
// -----------------------------------------------------------------------------

void Shard::BeginSweep(HeapSegment* segment) {
  heap_.Point(Reader::kSweep, segment);
  // Learned anew on the way.
  segment->least_expiry = HeapSegment::kNoExpiry;
  segment->most_expiry = 0;
}

// Removes what has expired of the sweep's segment; how many items that were. Leaves it at its end,
// or stops when `looks` are used up.
uint32_t Shard::SweepItems(uint32_t& looks) {
  HeapSegment* segment = heap_.At(Reader::kSweep);
  uint32_t removed = 0;
  const auto wanted = [&](const Item* item) {
    if (item->ExpiredAt(now_s_)) return true;
    segment->NoteExpiry(item->expire_at());
    NoteExpiry(item->expire_at());
    return false;
  };
  while (true) {
    const Lookahead::Entry next = sweeper_.Next(
        heap_, table_, [this](const Item* item) { return hashes_.Of(item); }, wanted, looks);
    if (next.item == nullptr) break;
    const Place place = table_.FindHandle(next.hash, heap_.HandleOf(next.item));
    CHECK(static_cast<bool>(place));
    Remove(place, next.hash, Gone::kExpired);
    ++removed;
  }
  if (looks > 0 && heap_.At(Reader::kSweep) == segment) heap_.Point(Reader::kSweep, nullptr);
  return removed;
}

// For a writer: a few hundred items of a segment in which much has expired.
bool Shard::StepSearch() {
  constexpr uint32_t kSegmentsPerStep = 64;
  constexpr uint32_t kLooksPerStep = 256;
  if (heap_.At(Reader::kSweep) == nullptr) {
    if (!search_.HasWork(now_s_)) return false;
    uint32_t segments = kSegmentsPerStep;
    HeapSegment* due = search_.NextDue(heap_, now_s_, segments);
    if (due == nullptr) return false;
    BeginSweep(due);
  }
  const uint64_t before = heap_.LiveBytes();
  uint32_t looks = kLooksPerStep;
  (void)SweepItems(looks);
  debt_ -= static_cast<int64_t>(before - heap_.LiveBytes());
  return before > heap_.LiveBytes();
}

// For Tick: all that has expired, at a steady pace. Up to `items`; how many that was.
uint32_t Shard::SweepAtItsPace(uint32_t items) {
  if (now_.ns > sweep_ns_) {
    const uint64_t elapsed_us = std::min<uint64_t>((now_.ns - sweep_ns_) / 1000, 1'000'000);
    // It may well remove what it passes: the pace is that of its start, unless there are more by
    // now.
    sweep_items_ = std::max(sweep_.walking() ? sweep_items_ : 0, ItemCount());
    const uint64_t per_second = std::max(sweep_items_ / kSweepPassSeconds, kSweepLooksPerSecondMin);
    sweep_looks_ = std::min(sweep_looks_ + elapsed_us * per_second / 1'000'000,
                            std::max(per_second / 30, kSweepLooksMin));
    sweep_ns_ = now_.ns;
  }
  uint64_t left = uint64_t{items} * kLooksPerItem;
  while (left >= kLooksPerItem && sweep_looks_ > 0) {
    auto looks = static_cast<uint32_t>(std::min(left, sweep_looks_));
    const uint32_t before = looks;
    if (heap_.At(Reader::kSweep) == nullptr) {
      if (!sweep_.HasWork(now_s_)) break;
      uint32_t segments = looks / kLooksPerSegment + 1;
      const uint32_t segments_before = segments;
      HeapSegment* due = sweep_.NextDue(heap_, now_s_, segments);
      looks -= std::min(looks, (segments_before - segments) * kLooksPerSegment);
      if (due != nullptr) BeginSweep(due);
    } else {
      looks = std::min(looks, kSweepLooksPerStep);
      const uint32_t step = looks;
      const uint32_t removed = SweepItems(looks);
      const uint32_t looked = step - looks;
      looks = before - looked;
      left -= std::min<uint64_t>(left, removed * (kLooksPerRemoval - 1));
    }
    const uint32_t used = before - looks;
    left -= std::min<uint64_t>(left, used);
    sweep_looks_ -= std::min<uint64_t>(sweep_looks_, used);
  }
  return items - static_cast<uint32_t>(left / kLooksPerItem);
}

// --- When items were read last
// ---------------------------------------------------------------------

// Passes every item once in AccessStamp::kPassSeconds.
void Shard::AgeAtItsPace() {
  constexpr uint64_t kPassMs = uint64_t{AccessStamp::kPassSeconds} * 1000;
  const uint64_t now_ms = now_.ns / 1'000'000;
  const uint64_t elapsed_ms = std::min(now_ms - aged_ms_, kPassMs);
  aged_ms_ = now_ms;
  aging_bytes_ += (heap_.BytesInUse() * elapsed_ms + kPassMs - 1) / kPassMs;
  for (uint64_t passed = 0; aging_bytes_ > 0 && passed < kAgingBytesMax;) {
    if (heap_.WalkAt(Walk::kAging) == nullptr) heap_.BeginWalk(Walk::kAging);
    const HeapSegment* segment = heap_.WalkAt(Walk::kAging);
    if (segment == nullptr) {
      aging_bytes_ = 0;
      return;
    }
    heap_.AdvanceWalk(Walk::kAging);
    const uint64_t bytes = segment->solo() ? segment->pages * kHeapPageBytes : kHeapSegmentBytes;
    passed += bytes;
    aging_bytes_ -= std::min(aging_bytes_, bytes);
    if (segment->generation != heap_.generation()) continue;
    for (Item* item = heap_.FirstItem(segment); item != nullptr;
         item = heap_.NextItem(segment, item)) {
      if (!item->dead()) item->Age(now_s_);
    }
  }
}

// --- All together
// ---------------------------------------------------------------------------------

void Shard::DismantleRetired(uint32_t segments) {
  for (; segments > 0 && !retired_.empty(); --segments) {
    DashTable& table = retired_.front().table;
    retired_bytes_ -= table.Bytes();
    const bool gone = table.Dismantle(1);
    if (gone) {
      retired_.erase(retired_.begin());
    } else {
      retired_bytes_ += table.Bytes();
    }
  }
}

// It is two fifths empty: it has held more items, or smaller ones, than it does.
bool Shard::IsTableSparse() const {
  constexpr uint64_t kWorthwhileBytes = 64 << 10;
  return table_.Bytes() > kWorthwhileBytes && table_.Count() * 5 < table_.SlotCount() * 3;
}

// No item is left that may go: what is left is a table that once held more. The first round may
// only end what Tick began.
bool Shard::StepShrinkTable() {
  constexpr uint32_t kSegmentsPerStep = 16;
  if (!IsTableSparse()) return false;
  const uint64_t before = table_.SlotCount();
  for (int rounds = 0; rounds < 2 && table_.SlotCount() == before;) {
    if (table_.Shrink(kSegmentsPerStep, hashes_)) ++rounds;
  }
  return table_.SlotCount() < before;
}

// One step towards more free memory; false if there is none to be taken.
bool Shard::Step() {
  if (heap_.HasFlushed() || !retired_.empty()) {
    debt_ -= static_cast<int64_t>(kHeapSegmentBytes * heap_.FreeFlushed(1));
    DismantleRetired(1);
    return true;
  }
  return StepSearch() || StepClean(Cleaning::kAsNeeded) || StepHand() || StepShrinkTable();
}

// Towards a smaller budget, for about `items`. Items go first, then the memory that they leave.
// True if that brought it nearer.
bool Shard::StepDown(uint32_t items) {
  uint32_t cost = 0;
  while (cost < items && BytesInUse() > memory_bytes_max_) {
    const uint64_t before = ItemCount();
    if (!Step()) break;
    cost += kItemsPerStep + static_cast<uint32_t>(before - ItemCount());
  }
  while (cost < items && MemoryBytes() > memory_bytes_max_ + kHeapSegmentBytes) {
    if (!heap_.GiveBack()) break;
    cost += kItemsPerGiveBack;
  }
  const uint64_t used = std::max(BytesInUse() + kHeapSegmentBytes, MemoryBytes());
  limit_ = std::max(memory_bytes_max_, std::min(limit_, used - kHeapSegmentBytes));
  return cost > 0;
}

bool Shard::Tick(uint32_t items) {
  uint32_t done = 0;
  while (done < items && (heap_.HasFlushed() || !retired_.empty())) {
    DismantleRetired(1);
    done += kItemsPerSegment * (1 + heap_.FreeFlushed(1));
  }
  if (done < items) done += SweepAtItsPace(items - done);
  AgeAtItsPace();
  kept_ = Kept{};
  // Where nothing may go, as long as that is so, a smaller budget waits.
  const bool lowering = done < items && limit_ > memory_bytes_max_ && StepDown(items - done);
  bool shrinking = false;
  // On the way to less it takes more.
  if (IsTableSparse() && Fits(0, Log::kMain)) {
    const uint64_t slots = table_.SlotCount();
    (void)table_.Shrink(1 + items / 1024, hashes_);
    GiveBackSurplus(0, Log::kMain);
    shrinking = table_.SlotCount() < slots;
  }
  UpdateGauges();
  UpdateDetails();
  const bool sweeping = sweep_.HasWork(now_s_) || heap_.At(Reader::kSweep) != nullptr;
  if (!sweeping) unswept_since_s_ = now_s_;
  counters_.Set(Counter::kSweepSeconds, now_s_ - unswept_since_s_);
  return heap_.HasFlushed() || !retired_.empty() || sweeping || shrinking ||
         (lowering && limit_ > memory_bytes_max_) || aging_bytes_ >= kAgingBytesMax;
}

}  // namespace larder::store
