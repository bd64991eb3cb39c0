#include "store/item_heap.h"

#include <sys/mman.h>

#include <algorithm>
#include <bit>
#include <cstring>

namespace larder::store {
namespace {

constexpr uint64_t kHugePageBytes = 2 << 20;
// Before the item in a run of pages.
constexpr uint64_t kSoloHeaderBytes = sizeof(HeapSegment);

constexpr uint64_t RoundUp(uint64_t n, uint64_t unit) { return (n + unit - 1) / unit * unit; }

// Addresses only; memory comes when it is touched. Null if the system gives none.
char* ReserveRange(uint64_t bytes, int protection) {
  void* range =
      mmap(nullptr, bytes, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return range == MAP_FAILED ? nullptr : static_cast<char*>(range);
}

// The same, inaccessible, and beginning where a huge page can.
char* ReserveAligned(uint64_t bytes) {
  char* range = ReserveRange(bytes + kHugePageBytes, PROT_NONE);
  if (range == nullptr) return nullptr;
  const uint64_t before = RoundUp(reinterpret_cast<uintptr_t>(range), kHugePageBytes) -
                          reinterpret_cast<uintptr_t>(range);
  if (before > 0) munmap(range, before);
  if (before < kHugePageBytes) munmap(range + before + bytes, kHugePageBytes - before);
  return range + before;
}

constexpr uint64_t DescriptionBytes(uint64_t range_bytes) {
  return range_bytes / kHeapSegmentBytes * sizeof(HeapSegment);
}

}  // namespace

void ItemHeap::NumberSet::Add(uint64_t number) {
  const size_t word = number / 64;
  if (word >= words.size()) words.resize(word + 1);
  DCHECK((words[word] >> (number % 64) & 1) == 0);
  words[word] |= uint64_t{1} << (number % 64);
  hint = std::min(hint, word);
  ++count;
}

void ItemHeap::NumberSet::Remove(uint64_t number) {
  DCHECK((words[number / 64] >> (number % 64) & 1) != 0);
  words[number / 64] &= ~(uint64_t{1} << (number % 64));
  --count;
}

uint64_t ItemHeap::NumberSet::TakeLowest() {
  CHECK_GT(count, 0U);
  while (words[hint] == 0) ++hint;
  const auto bit = static_cast<uint64_t>(std::countr_zero(words[hint]));
  words[hint] &= words[hint] - 1;
  --count;
  return hint * 64 + bit;
}

ItemHeap::ItemHeap(const Options& options)
    : range_bytes_(RoundUp(std::min(options.range_bytes, kHeapRangeBytesMax), kHugePageBytes)),
      huge_pages_(options.huge_pages) {
  CHECK_GT(range_bytes_, 0U);
  base_ = ReserveAligned(range_bytes_);
  if (base_ != nullptr) {
    segments_ = reinterpret_cast<HeapSegment*>(
        ReserveRange(DescriptionBytes(range_bytes_), PROT_READ | PROT_WRITE));
    if (segments_ == nullptr) munmap(base_, range_bytes_);
  }
  if (segments_ == nullptr) range_bytes_ = 0;
  solo_floor_ = range_bytes_;
  solo_accessible_ = range_bytes_;
}

ItemHeap::~ItemHeap() {
  if (segments_ == nullptr) return;
  munmap(segments_, DescriptionBytes(range_bytes_));
  munmap(base_, range_bytes_);
}

char* ItemHeap::MemoryOf(const HeapSegment* segment) const {
  if (segment->solo()) {
    return const_cast<char*>(reinterpret_cast<const char*>(segment)) + kSoloHeaderBytes;
  }
  return base_ + NumberOf(segment) * kHeapSegmentBytes;
}

const HeapSegment* ItemHeap::SegmentOf(const Item* item) const {
  const uint64_t offset = OffsetOf(item);
  if (offset >= solo_floor_) {
    return reinterpret_cast<const HeapSegment*>(reinterpret_cast<const char*>(item) -
                                                kSoloHeaderBytes);
  }
  return &segments_[offset / kHeapSegmentBytes];
}

HeapSegment* ItemHeap::SegmentOf(const Item* item) {
  return const_cast<HeapSegment*>(std::as_const(*this).SegmentOf(item));
}

uint64_t ItemHeap::SoloBytes(uint64_t item_bytes) {
  return RoundUp(item_bytes + kSoloHeaderBytes, kHeapPageBytes);
}

uint64_t ItemHeap::GrowthFor(uint64_t item_bytes) const {
  if (IsSolo(item_bytes)) return SoloBytes(item_bytes);
  return FitsOpen(item_bytes) ? 0 : kHeapSegmentBytes;
}

// Refused where the system has no memory left to promise (vm.overcommit_memory=2, a limit on the
// process's data), or when the process has too many mappings; this heap has three.
bool ItemHeap::MakeAccessible(uint64_t begin, uint64_t end, int advice) {
  if (mprotect(base_ + begin, end - begin, PROT_READ | PROT_WRITE) != 0) return false;
  // Advice only: a kernel without huge pages refuses it, and nothing is lost.
  (void)madvise(base_ + begin, end - begin, advice);
  return true;
}

// One more segment at the low end; false if there is no place.
bool ItemHeap::ExtendLow() {
  const uint64_t low_bytes = (low_end_ + 1) * kHeapSegmentBytes;
  if (low_bytes > solo_floor_) return false;
  if (low_bytes > low_accessible_) {
    const uint64_t end = std::min(RoundUp(low_accessible_ + 1, kHugePageBytes), solo_floor_);
    const int advice = huge_pages_ ? MADV_HUGEPAGE : MADV_NOHUGEPAGE;
    if (!MakeAccessible(low_accessible_, end, advice)) return false;
    low_accessible_ = end;
    // What solos have left: should they come back, it needs their advice again.
    solo_accessible_ = std::max(solo_accessible_, end);
  }
  ++low_end_;
  return true;
}

// Gives up the addresses of empty segments at the low end.
void ItemHeap::TrimLow() {
  for (; low_end_ > 0; --low_end_) {
    const uint64_t number = low_end_ - 1;
    HeapSegment& segment = segments_[number];
    if (segment.state == HeapSegment::State::kFree) {
      CHECK_EQ(madvise(base_ + number * kHeapSegmentBytes, kHeapSegmentBytes, MADV_DONTNEED), 0);
      segment.state = HeapSegment::State::kUntouched;
      free_.Remove(number);
    } else if (segment.state == HeapSegment::State::kUntouched) {
      given_back_.Remove(number);
    } else {
      break;
    }
  }
  low_accessible_ =
      std::min(low_accessible_, RoundUp(low_end_ * kHeapSegmentBytes, kHugePageBytes));
}

bool ItemHeap::OpenSegment() {
  Seal();
  uint64_t number = low_end_;
  if (free_.count > 0) {
    number = free_.TakeLowest();
  } else if (given_back_.count > 0) {
    number = given_back_.TakeLowest();
  } else if (!ExtendLow()) {
    return false;
  }
  HeapSegment* segment = &segments_[number];
  *segment = HeapSegment{};
  segment->state = HeapSegment::State::kOpen;
  segment->generation = generation_;
  Enlist(segment);
  open_ = segment;
  bytes_in_use_ += kHeapSegmentBytes;
  return true;
}

void ItemHeap::Seal() {
  if (open_ == nullptr) return;
  HeapSegment* segment = open_;
  open_ = nullptr;
  segment->state = HeapSegment::State::kSealed;
  if (segment->items == 0 && segment->holds == 0) {
    Free(segment);
  } else {
    EnlistLive(segment);
  }
}

void* ItemHeap::Reserve(uint64_t item_bytes) {
  if (IsSolo(item_bytes)) return ReserveSolo(item_bytes);
  if (!FitsOpen(item_bytes) && !OpenSegment()) return nullptr;
  char* memory = MemoryOf(open_) + open_->used;
  open_->used += static_cast<uint32_t>(item_bytes);
  AddLive(open_, item_bytes);
  return memory;
}

void* ItemHeap::ReserveSolo(uint64_t item_bytes) {
  const uint64_t pages = SoloBytes(item_bytes) / kHeapPageBytes;
  const uint64_t first = TakeRun(pages);
  if (first == UINT64_MAX) return nullptr;
  auto* segment = reinterpret_cast<HeapSegment*>(base_ + first * kHeapPageBytes);
  *segment = HeapSegment{};
  segment->state = HeapSegment::State::kSealed;
  segment->generation = generation_;
  segment->pages = static_cast<uint32_t>(pages);
  segment->used = static_cast<uint32_t>(item_bytes);
  Enlist(segment);
  bytes_in_use_ += pages * kHeapPageBytes;
  AddLive(segment, item_bytes);
  return MemoryOf(segment);
}

void ItemHeap::AddLive(HeapSegment* segment, uint64_t item_bytes) {
  segment->live += static_cast<uint32_t>(item_bytes);
  ++segment->items;
  live_bytes_ += item_bytes;
  ++live_items_;
}

Item* ItemHeap::Append(const Item::Shape& shape) {
  void* memory = Reserve(Item::BytesOf(shape));
  return memory == nullptr ? nullptr : Item::Make(memory, shape);
}

Item* ItemHeap::Copy(const Item* item) {
  const uint64_t bytes = item->TotalBytes();
  DCHECK(!IsSolo(bytes));
  void* memory = Reserve(bytes);
  if (memory == nullptr) return nullptr;
  std::memcpy(memory, static_cast<const void*>(item), bytes);
  NoteExpiry(open_, item->expire_at());
  return static_cast<Item*>(memory);
}

void ItemHeap::Kill(Item* item) {
  HeapSegment* segment = SegmentOf(item);
  CHECK(!item->dead());
  CHECK_EQ(segment->generation, generation_);
  const uint64_t bytes = item->TotalBytes();
  item->SetDead();
  segment->live -= static_cast<uint32_t>(bytes);
  --segment->items;
  live_bytes_ -= bytes;
  --live_items_;
  if (segment->items == 0 && segment->holds == 0) {
    if (segment == open_) {
      segment->used = 0;
      segment->least_expiry = HeapSegment::kNoExpiry;
    } else {
      Free(segment);
    }
  } else if (segment->state == HeapSegment::State::kSealed && !segment->solo() &&
             segment->live * kLiveClasses / kHeapSegmentBytes != segment->live_class) {
    UnlistLive(segment);
    EnlistLive(segment);
  }
}

void ItemHeap::Release(HeapSegment* segment) {
  CHECK_GT(segment->holds, 0U);
  if (--segment->holds > 0) return;
  if (segment->state == HeapSegment::State::kDoomed) {
    Free(segment);
  } else if (segment->items == 0) {
    if (segment == open_) {
      segment->used = 0;
      segment->least_expiry = HeapSegment::kNoExpiry;
    } else {
      Free(segment);
    }
  }
}

void ItemHeap::Free(HeapSegment* segment) {
  DCHECK_EQ(segment->holds, 0U);
  DCHECK(segment != open_);
  if (segment->state == HeapSegment::State::kSealed) {
    Unlist(segment);
    if (!segment->solo()) UnlistLive(segment);
  }
  if (segment->solo()) {
    const uint64_t pages = segment->pages;
    const uint64_t first = OffsetOf(segment) / kHeapPageBytes;
    bytes_in_use_ -= pages * kHeapPageBytes;
    CHECK_EQ(madvise(segment, pages * kHeapPageBytes, MADV_DONTNEED), 0);
    ReturnRun(first, pages);
    return;
  }
  bytes_in_use_ -= kHeapSegmentBytes;
  *segment = HeapSegment{};
  segment->state = HeapSegment::State::kFree;
  free_.Add(NumberOf(segment));
}

bool ItemHeap::GiveBack() {
  if (free_.count == 0) return false;
  const uint64_t number = free_.TakeLowest();
  CHECK_EQ(madvise(base_ + number * kHeapSegmentBytes, kHeapSegmentBytes, MADV_DONTNEED), 0);
  segments_[number].state = HeapSegment::State::kUntouched;
  given_back_.Add(number);
  return true;
}

// Best fit among the freed runs; else from the top of what is untouched, downwards.
uint64_t ItemHeap::TakeRun(uint64_t pages) {
  const auto fit = by_size_.lower_bound({pages, 0});
  if (fit != by_size_.end()) {
    const auto [count, first] = *fit;
    by_size_.erase(fit);
    runs_.erase(first);
    if (count > pages) {
      runs_.emplace(first + pages, count - pages);
      by_size_.emplace(count - pages, first + pages);
    }
    return first;
  }
  const uint64_t bytes = pages * kHeapPageBytes;
  if (solo_floor_ < low_accessible_ + bytes) TrimLow();
  if (solo_floor_ < low_accessible_ + bytes) return UINT64_MAX;
  const uint64_t floor = solo_floor_ - bytes;
  if (floor < solo_accessible_) {
    // Pages of solos come and go one by one: a huge one would stay for the sake of one.
    if (!MakeAccessible(floor, solo_accessible_, MADV_NOHUGEPAGE)) return UINT64_MAX;
    solo_accessible_ = floor;
  }
  solo_floor_ = floor;
  return floor / kHeapPageBytes;
}

void ItemHeap::ReturnRun(uint64_t first, uint64_t pages) {
  auto after = runs_.lower_bound(first);
  if (after != runs_.begin()) {
    const auto before = std::prev(after);
    DCHECK_LE(before->first + before->second, first);
    if (before->first + before->second == first) {
      first = before->first;
      pages += before->second;
      by_size_.erase({before->second, before->first});
      runs_.erase(before);
    }
  }
  if (after != runs_.end() && first + pages == after->first) {
    pages += after->second;
    by_size_.erase({after->second, after->first});
    runs_.erase(after);
  }
  if (first * kHeapPageBytes == solo_floor_) {
    solo_floor_ += pages * kHeapPageBytes;
    return;
  }
  runs_.emplace(first, pages);
  by_size_.emplace(pages, first);
}

void ItemHeap::Enlist(HeapSegment* segment) {
  segment->older = youngest_;
  segment->younger = nullptr;
  (youngest_ == nullptr ? oldest_ : youngest_->younger) = segment;
  youngest_ = segment;
}

void ItemHeap::Unlist(HeapSegment* segment) {
  if (walk_ == segment) walk_ = segment->younger;
  (segment->older == nullptr ? oldest_ : segment->older->younger) = segment->younger;
  (segment->younger == nullptr ? youngest_ : segment->younger->older) = segment->older;
}

void ItemHeap::EnlistLive(HeapSegment* segment) {
  const size_t live_class =
      std::min<size_t>(segment->live * kLiveClasses / kHeapSegmentBytes, kLiveClasses - 1);
  HeapSegment*& head = by_live_[live_class];
  segment->live_class = static_cast<uint8_t>(live_class);
  segment->live_prev = nullptr;
  segment->live_next = head;
  if (head != nullptr) head->live_prev = segment;
  head = segment;
}

void ItemHeap::UnlistLive(HeapSegment* segment) {
  HeapSegment*& head = by_live_[segment->live_class];
  (segment->live_prev == nullptr ? head : segment->live_prev->live_next) = segment->live_next;
  if (segment->live_next != nullptr) segment->live_next->live_prev = segment->live_prev;
}

HeapSegment* ItemHeap::OldestToEmpty() const {
  for (HeapSegment* s = oldest_; s != nullptr; s = s->younger) {
    if (s->holds == 0 && s != open_) return s;
  }
  return open_ != nullptr && open_->holds == 0 && open_->items > 0 ? open_ : nullptr;
}

HeapSegment* ItemHeap::Emptiest(uint64_t live_bytes) const {
  for (HeapSegment* head : by_live_) {
    for (HeapSegment* s = head; s != nullptr; s = s->live_next) {
      if (s->live >= live_bytes) break;
      if (s->holds == 0) return s;
    }
  }
  return nullptr;
}

HeapSegment* ItemHeap::LowestSolo() const {
  if (solo_floor_ == range_bytes_) return nullptr;
  auto* segment = reinterpret_cast<HeapSegment*>(base_ + solo_floor_);
  return segment->holds == 0 ? segment : nullptr;
}

void ItemHeap::Renew(HeapSegment* segment) {
  DCHECK(segment->solo());
  const bool next_to_walk = walk_ == segment;
  Unlist(segment);
  Enlist(segment);
  // It was the youngest already: the walk has not seen it.
  if (next_to_walk && walk_ == nullptr) walk_ = segment;
}

Item* ItemHeap::FirstItem(const HeapSegment* segment) const {
  return segment->used == 0 ? nullptr : reinterpret_cast<Item*>(MemoryOf(segment));
}

Item* ItemHeap::NextItem(const HeapSegment* segment, const Item* item) const {
  const char* next = reinterpret_cast<const char*>(item) + item->TotalBytes();
  if (next >= MemoryOf(segment) + segment->used) return nullptr;
  return reinterpret_cast<Item*>(const_cast<char*>(next));
}

void ItemHeap::BeginGeneration() {
  Seal();
  ++generation_;
  live_bytes_ = 0;
  live_items_ = 0;
}

uint32_t ItemHeap::FreeFlushed(uint32_t segments) {
  uint32_t done = 0;
  while (done < segments && HasFlushed()) {
    HeapSegment* segment = oldest_;
    ++done;
    if (segment->holds == 0) {
      Free(segment);
      continue;
    }
    Unlist(segment);
    if (!segment->solo()) UnlistLive(segment);
    segment->state = HeapSegment::State::kDoomed;
  }
  return done;
}

bool ItemHeap::IsIntact(Handle handle, uint32_t generation) const {
  const uint64_t offset = uint64_t{handle} * kItemAlignment;
  return offset < solo_floor_ && segments_[offset / kHeapSegmentBytes].generation == generation;
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
    if (i->expire_at() != kNever) CHECK_GE(i->expire_at(), segment->least_expiry);
  }
  CHECK_EQ(used, segment->used);
  CHECK_EQ(live, segment->live);
  CHECK_EQ(items, segment->items);
  CHECK(items > 0 || segment == open_ || segment->holds > 0);
}

void ItemHeap::CheckInvariants() const {
  uint64_t in_use = 0;
  uint64_t live = 0;
  uint64_t items = 0;
  uint32_t generation = 0;
  const HeapSegment* before = nullptr;
  for (const HeapSegment* s = oldest_; s != nullptr; before = s, s = s->younger) {
    CHECK(s->older == before);
    CHECK_GE(s->generation, generation);
    generation = s->generation;
    in_use += s->solo() ? s->pages * kHeapPageBytes : kHeapSegmentBytes;
    CheckSegment(s);
    if (s->generation != generation_) continue;
    live += s->live;
    items += s->items;
  }
  CHECK(youngest_ == before);
  CHECK_LE(in_use, bytes_in_use_);  // doomed ones are in no list
  CHECK_EQ(live, live_bytes_);
  CHECK_EQ(items, live_items_);
  for (size_t c = 0; c < kLiveClasses; ++c) {
    for (const HeapSegment* s = by_live_[c]; s != nullptr; s = s->live_next) {
      CHECK(s->state == HeapSegment::State::kSealed);
      CHECK_EQ(s->live_class, c);
    }
  }
  uint64_t free_pages = 0;
  for (const auto& [first, pages] : runs_) {
    CHECK(by_size_.contains({pages, first}));
    free_pages += pages;
  }
  CHECK_EQ(runs_.size(), by_size_.size());
  CHECK_LE(free_pages * kHeapPageBytes, range_bytes_ - solo_floor_);
  CHECK(runs_.empty() || runs_.begin()->first * kHeapPageBytes > solo_floor_);
  CHECK_LE(low_end_ * kHeapSegmentBytes, low_accessible_);
  CHECK_LE(low_accessible_, solo_floor_);
  CHECK_LE(low_accessible_, solo_accessible_);
}

}  // namespace larder::store
