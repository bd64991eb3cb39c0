// How a shard finds memory: what goes, what is moved, and the bounded work of Tick.
//
// In this order: what was flushed; what has expired; segments that are mostly dead (their live
// items are moved together); and only then the oldest segment, whose items the policy judges.
#include <algorithm>

#include "store/shard.h"

namespace larder::store {

using stats::Counter;

namespace {

// A segment with fewer live bytes than this is cleaned rather than another's items evicted: every
// two such segments make more than one free.
constexpr uint64_t kCleanLiveBytes = kHeapSegmentBytes / 2;
// When nothing may be evicted, moving is all there is: down to an eighth of gain.
constexpr uint64_t kCleanLiveBytesRefusing = kHeapSegmentBytes / 8 * 7;
// Of a segment that is being judged, at most this much is moved: every segment gives room.
constexpr uint64_t kKeepBytesMax = kHeapSegmentBytes / 2;
// A large item with a second chance costs nothing to keep, and gives nothing either.
constexpr uint32_t kSolosKeptMax = 16;

// What a unit of Tick's budget buys, in items looked at.
constexpr uint32_t kItemsPerSegment = 16;  // a description looked at, or a table's segment freed

}  // namespace

// Calls act(item, hash) for all items for which wanted(item) is true, in groups: their buckets are
// on the way while the group is gathered. Returns how many items it saw.
template <typename Wanted, typename Act>
uint32_t Shard::VisitItems(HeapSegment* segment, const Wanted& wanted, const Act& act) {
  struct Found {
    Item* item;
    uint64_t hash;
  };
  constexpr size_t kGroup = 16;
  Found group[kGroup];
  size_t count = 0;
  uint32_t seen = 0;
  heap_.Hold(segment);
  for (Item* item = heap_.FirstItem(segment); item != nullptr;
       item = heap_.NextItem(segment, item)) {
    ++seen;
    if (item->dead() || !wanted(item)) continue;
    group[count] = {item, hashes_.Of(item)};
    table_.PrefetchBucket(group[count].hash);
    if (++count < kGroup) continue;
    for (const Found& found : group) act(found.item, found.hash);
    count = 0;
  }
  for (size_t i = 0; i < count; ++i) act(group[i].item, group[i].hash);
  heap_.Release(segment);
  return seen;
}

// The item's place stays; its bytes become the youngest of the heap.
bool Shard::Move(const Place& place, Item* item) {
  const Item* copy = heap_.Copy(item);
  if (copy == nullptr) return false;
  place.bucket->handles[place.slot] = heap_.HandleOf(copy);
  counters_.Add(Counter::kCleanedBytes, item->TotalBytes());
  heap_.Kill(item);
  return true;
}

// False if an item that may not be evicted had no place to move to.
bool Shard::Empty(HeapSegment* segment, Emptying how) {
  if (segment->state == HeapSegment::State::kOpen) heap_.Seal();
  uint64_t kept_bytes = 0;
  bool emptied = true;
  const auto act = [&](Item* item, uint64_t hash) {
    const Place place = table_.FindHandle(hash, heap_.HandleOf(item));
    CHECK(static_cast<bool>(place));
    if (item->ExpiredAt(now_s_)) {
      Remove(place, hash, Gone::kExpired);
      return;
    }
    bool keep = how == Emptying::kMoveAll;
    if (how == Emptying::kJudge) {
      const uint64_t bytes = item->TotalBytes();
      keep = policy_.Judge({.place = place, .hash = hash, .item_bytes = bytes}) == Verdict::kKeep &&
             kept_bytes + bytes <= kKeepBytesMax;
      if (keep) kept_bytes += bytes;
    }
    if (keep && Move(place, item)) return;
    if (when_full_ == WhenFull::kRefuse) {
      emptied = false;
    } else {
      Remove(place, hash, Gone::kEvicted);
    }
  };
  (void)VisitItems(
      segment, [](const Item*) { return true; }, act);
  return emptied;
}

// A large item is not moved: it becomes the youngest where it is, or goes.
void Shard::EmptySolo(HeapSegment* segment) {
  const Item* item = heap_.FirstItem(segment);
  const uint64_t hash = hashes_.Of(item);
  const Place place = table_.FindHandle(hash, heap_.HandleOf(item));
  CHECK(static_cast<bool>(place));
  if (item->ExpiredAt(now_s_)) {
    Remove(place, hash, Gone::kExpired);
    return;
  }
  const Candidate candidate{.place = place, .hash = hash, .item_bytes = item->TotalBytes()};
  if (policy_.Judge(candidate) == Verdict::kKeep && solos_kept_ < kSolosKeptMax) {
    ++solos_kept_;
    heap_.Renew(segment);
    return;
  }
  Remove(place, hash, Gone::kEvicted);
}

// Removes what has expired of one segment, and learns when the rest will.
uint32_t Shard::Sweep(HeapSegment* segment) {
  CacheSeconds least = HeapSegment::kNoExpiry;
  const auto wanted = [&](const Item* item) {
    if (item->ExpiredAt(now_s_)) return true;
    if (item->expire_at() != kNever) least = std::min(least, item->expire_at());
    return false;
  };
  const auto act = [&](Item* item, uint64_t hash) {
    const Place place = table_.FindHandle(hash, heap_.HandleOf(item));
    CHECK(static_cast<bool>(place));
    Remove(place, hash, Gone::kExpired);
  };
  heap_.Hold(segment);
  const uint32_t seen = VisitItems(segment, wanted, act);
  segment->least_expiry = least;
  expiry_.Note(least);
  heap_.Release(segment);
  return seen;
}

// Looks for expired items until about `items` were seen; how many were.
uint32_t Shard::SweepSome(uint32_t items) {
  uint32_t seen = 0;
  while (seen < items && expiry_.HasWork(now_s_)) {
    uint32_t segments = (items - seen) / kItemsPerSegment + 2;
    const uint32_t before = segments;
    HeapSegment* due = expiry_.NextDue(heap_, now_s_, segments);
    seen += (before - segments) * kItemsPerSegment;
    if (due != nullptr) seen += Sweep(due);
  }
  return seen;
}

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

// One step towards more free memory; false if there is none to be taken.
bool Shard::Reclaim() {
  constexpr uint32_t kStep = 16;
  if (heap_.HasFlushed() || !retired_.empty()) {
    (void)heap_.FreeFlushed(kStep);
    DismantleRetired(kStep);
    return true;
  }
  if (expiry_.HasWork(now_s_)) {
    const uint64_t before = heap_.BytesInUse();
    // A few thousand items: one segment full of the smallest, or many descriptions.
    (void)SweepSome(4096);
    if (heap_.BytesInUse() < before) return true;
  }
  const bool refusing = when_full_ == WhenFull::kRefuse;
  HeapSegment* emptiest = heap_.Emptiest(refusing ? kCleanLiveBytesRefusing : kCleanLiveBytes);
  if (emptiest != nullptr) {
    return Empty(emptiest, Emptying::kMoveAll);
  }
  HeapSegment* oldest = refusing ? nullptr : heap_.OldestToEmpty();
  if (oldest != nullptr) {
    if (oldest->solo()) {
      EmptySolo(oldest);
    } else {
      (void)Empty(oldest, Emptying::kJudge);
    }
    return true;
  }
  // No item is left that may go: what is left is a table that once held more. The first round may
  // only end what Tick began.
  const uint64_t before = table_.Bytes();
  for (int round = 0; round < 2 && table_.Bytes() == before; ++round) {
    (void)table_.Shrink(UINT32_MAX, hashes_);
  }
  return table_.Bytes() < before;
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
Item* Shard::MakePlaceAndAppend(const Item::Shape& shape) {
  solos_kept_ = 0;
  const uint64_t steps_max = 2 * StepsMax();
  for (uint64_t step = 0; step < steps_max; ++step) {
    if ((step % 2 != 0 || !EvictLowestSolo()) && !Reclaim()) break;
    Item* item = heap_.Append(shape);
    if (item != nullptr) return item;
  }
  return nullptr;
}

// Put pays for what it needs and a little more, so that a smaller budget is reached in time.
void Shard::LowerLimit() {
  constexpr uint64_t kStepBytes = 2 * kHeapSegmentBytes;
  if (limit_ <= memory_bytes_max_) return;
  const uint64_t used = std::min(limit_, MemoryBytes());
  limit_ = std::max(memory_bytes_max_, used > kStepBytes ? used - kStepBytes : 0);
}

// Each step frees at least half a segment, one large item, or keeps one of at most kSolosKeptMax.
uint64_t Shard::StepsMax() const { return 64 + kSolosKeptMax + BytesInUse() / kSoloBytesMin; }

bool Shard::FindRoom(uint64_t item_bytes) {
  LowerLimit();
  // What does not fit into an empty shard evicts nothing.
  const uint64_t alone = ItemHeap::IsSolo(item_bytes) ? ItemHeap::SoloBytes(item_bytes) : 0;
  if (alone > 0 && alone + least_table_bytes_ > limit_) return false;
  solos_kept_ = 0;
  const uint64_t steps_max = StepsMax();
  for (uint64_t step = 0; step < steps_max && !Fits(item_bytes); ++step) {
    if (!Reclaim()) break;
  }
  GiveBackSurplus(item_bytes);
  UpdateGauges();
  return Fits(item_bytes);
}

// One free segment stays, for the cleaner to move into; more only as the budget has room.
void Shard::GiveBackSurplus(uint64_t item_bytes) {
  const uint64_t growth = heap_.GrowthFor(item_bytes);
  const uint64_t reused = ItemHeap::IsSolo(item_bytes) ? 0 : growth;
  while (MemoryBytes() + growth - std::min(reused, heap_.BytesFree()) >
             limit_ + kHeapSegmentBytes &&
         heap_.GiveBack()) {
  }
}

bool Shard::Tick(uint32_t items) {
  uint32_t seen = 0;
  while (seen < items && (heap_.HasFlushed() || !retired_.empty())) {
    DismantleRetired(1);
    seen += kItemsPerSegment * (1 + heap_.FreeFlushed(1));
  }
  if (seen < items) seen += SweepSome(items - seen);
  while (seen < items && limit_ > memory_bytes_max_) {
    LowerLimit();
    solos_kept_ = 0;
    const uint64_t items_before = ItemCount();
    for (uint32_t step = 0; step < 4 && BytesInUse() > limit_; ++step) {
      if (!Reclaim()) break;
    }
    seen += 1024 + static_cast<uint32_t>(items_before - ItemCount());
    GiveBackSurplus(0);
    if (BytesInUse() > limit_) break;
  }
  // A table that is two thirds empty has held many more items, or smaller ones, than it will.
  const bool sparse = table_.Bytes() > 64 * 1024 && table_.Count() * 3 < table_.SlotCount();
  if (seen < items && sparse) (void)table_.Shrink(1 + items / 1024, hashes_);
  UpdateGauges();
  return heap_.HasFlushed() || !retired_.empty() || expiry_.HasWork(now_s_) ||
         limit_ > memory_bytes_max_;
}

void Shard::SetMemoryBytesMax(uint64_t bytes) {
  memory_bytes_max_ = bytes;
  limit_ = std::max(bytes, MemoryBytes());
}

}  // namespace larder::store
