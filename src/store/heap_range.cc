#include "store/heap_range.h"

#include <sys/mman.h>

#include <algorithm>
#include <bit>

#include "util/check.h"
#include "util/pages.h"

namespace larder::store {
namespace {

constexpr uint64_t kHugePageBytes = 2 << 20;
// Before the item in a run of pages.
constexpr uint64_t kRunHeaderBytes = sizeof(HeapSegment);

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

void HeapRange::NumberSet::Add(uint64_t number) {
  const size_t word = number / 64;
  if (word >= words.size()) words.resize(word + 1);
  DCHECK((words[word] >> (number % 64) & 1) == 0);
  words[word] |= uint64_t{1} << (number % 64);
  hint = std::min(hint, word);
  ++count;
}

void HeapRange::NumberSet::Remove(uint64_t number) {
  DCHECK((words[number / 64] >> (number % 64) & 1) != 0);
  words[number / 64] &= ~(uint64_t{1} << (number % 64));
  --count;
}

uint64_t HeapRange::NumberSet::TakeLowest() {
  CHECK_GT(count, 0U);
  while (words[hint] == 0) ++hint;
  const auto bit = static_cast<uint64_t>(std::countr_zero(words[hint]));
  words[hint] &= words[hint] - 1;
  --count;
  return hint * 64 + bit;
}

void HeapRange::RunSet::Add(uint64_t first, uint64_t count) {
  by_first.emplace(first, count);
  by_size.emplace(count, first);
  pages += count;
}

void HeapRange::RunSet::Remove(uint64_t first, uint64_t count) {
  by_first.erase(first);
  by_size.erase({count, first});
  pages -= count;
}

uint64_t HeapRange::RunSet::Fitting(uint64_t count) const {
  const auto fit = by_size.lower_bound({count, 0});
  return fit == by_size.end() ? 0 : fit->first;
}

uint64_t HeapRange::RunSet::Take(uint64_t count) {
  const auto fit = by_size.lower_bound({count, 0});
  if (fit == by_size.end()) return UINT64_MAX;
  const auto [length, first] = *fit;
  Remove(first, length);
  if (length > count) Add(first + count, length - count);
  return first;
}

uint64_t HeapRange::RunSet::LengthAt(uint64_t first) const {
  const auto run = by_first.find(first);
  return run == by_first.end() ? 0 : run->second;
}

void HeapRange::RunSet::CheckInvariants() const {
  uint64_t sum = 0;
  uint64_t end = 0;
  for (const auto& [first, count] : by_first) {
    CHECK(by_size.contains({count, first}));
    CHECK_GE(first, end);
    end = first + count;
    sum += count;
  }
  CHECK_EQ(sum, pages);
  CHECK_EQ(by_first.size(), by_size.size());
}

HeapRange::HeapRange(uint64_t bytes, bool huge_pages)
    : bytes_(RoundUp(std::min(bytes, kHeapRangeBytesMax), kHugePageBytes)),
      huge_pages_(huge_pages) {
  CHECK_GT(bytes_, 0U);
  base_ = ReserveAligned(bytes_);
  if (base_ != nullptr) {
    segments_ = reinterpret_cast<HeapSegment*>(
        ReserveRange(DescriptionBytes(bytes_), PROT_READ | PROT_WRITE));
    if (segments_ == nullptr) munmap(base_, bytes_);
  }
  if (segments_ == nullptr) bytes_ = 0;
  solo_floor_ = bytes_;
  solo_accessible_ = bytes_;
}

HeapRange::~HeapRange() {
  if (segments_ == nullptr) return;
  munmap(segments_, DescriptionBytes(bytes_));
  munmap(base_, bytes_);
}

char* HeapRange::MemoryOf(const HeapSegment* segment) const {
  if (segment->solo()) {
    return const_cast<char*>(reinterpret_cast<const char*>(segment)) + kRunHeaderBytes;
  }
  return base_ + uint64_t{NumberOf(segment)} * kHeapSegmentBytes;
}

uint64_t HeapRange::RunBytesFor(uint64_t item_bytes) {
  return RoundUp(item_bytes + kRunHeaderBytes, kHeapPageBytes);
}

// Refused where the system has no memory left to promise (vm.overcommit_memory=2, a limit on the
// process's data), or when the process has too many mappings; this heap has three.
bool HeapRange::MakeAccessible(uint64_t begin, uint64_t end, int advice) {
  if (mprotect(base_ + begin, end - begin, PROT_READ | PROT_WRITE) != 0) return false;
  // Advice only: a kernel without huge pages refuses it, and nothing is lost.
  (void)madvise(base_ + begin, end - begin, advice);
  return true;
}

// One more segment at the low end; false if there is no place.
bool HeapRange::ExtendLow() {
  const uint64_t low_bytes = (low_end_ + 1) * kHeapSegmentBytes;
  if (low_bytes > solo_floor_) CoolAll();
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
void HeapRange::TrimLow() {
  for (; low_end_ > 0; --low_end_) {
    const uint64_t number = low_end_ - 1;
    HeapSegment& segment = segments_[number];
    if (segment.state == HeapSegment::State::kFree) {
      CHECK(util::GiveBackPages(base_ + number * kHeapSegmentBytes, kHeapSegmentBytes));
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

HeapSegment* HeapRange::TakeSegment() {
  uint64_t number = low_end_;
  if (free_.count > 0) {
    number = free_.TakeLowest();
  } else if (given_back_.count > 0) {
    number = given_back_.TakeLowest();
  } else if (!ExtendLow()) {
    return nullptr;
  }
  segments_[number] = HeapSegment{};
  return &segments_[number];
}

void HeapRange::ReturnSegment(HeapSegment* segment) {
  *segment = HeapSegment{};
  segment->state = HeapSegment::State::kFree;
  free_.Add(NumberOf(segment));
}

// Smallest runs first: they are the least likely to be of use.
bool HeapRange::GiveBack() {
  constexpr uint64_t kPagesMax = (1 << 20) / kHeapPageBytes;
  if (!warm_.by_size.empty()) {
    const auto [count, first] = *warm_.by_size.begin();
    const uint64_t pages = std::min(count, kPagesMax);
    warm_.Remove(first, count);
    if (count > pages) warm_.Add(first + pages, count - pages);
    Cool(first, pages);
    return true;
  }
  if (free_.count == 0) return false;
  const uint64_t number = free_.TakeLowest();
  CHECK(util::GiveBackPages(base_ + number * kHeapSegmentBytes, kHeapSegmentBytes));
  segments_[number].state = HeapSegment::State::kUntouched;
  given_back_.Add(number);
  return true;
}

// From the top of what is untouched, downwards.
uint64_t HeapRange::TakeAtFloor(uint64_t pages) {
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

HeapSegment* HeapRange::TakeRun(uint64_t pages) {
  uint64_t first = warm_.Take(pages);
  if (first == UINT64_MAX) first = cold_.Take(pages);
  if (first == UINT64_MAX) first = TakeAtFloor(pages);
  if (first == UINT64_MAX && warm_.pages > 0) {
    CoolAll();
    first = cold_.Take(pages);
    if (first == UINT64_MAX) first = TakeAtFloor(pages);
  }
  if (first == UINT64_MAX) return nullptr;
  auto* run = reinterpret_cast<HeapSegment*>(base_ + first * kHeapPageBytes);
  *run = HeapSegment{};
  run->pages = static_cast<uint32_t>(pages);
  return run;
}

void HeapRange::ReturnRun(HeapSegment* run) {
  warm_.Add(OffsetOf(run) / kHeapPageBytes, run->pages);
}

// Gives the pages back, and their addresses to their neighbours.
void HeapRange::Cool(uint64_t first, uint64_t pages) {
  CHECK(util::GiveBackPages(base_ + first * kHeapPageBytes, pages * kHeapPageBytes));
  const auto after = cold_.by_first.lower_bound(first);
  if (after != cold_.by_first.begin()) {
    const auto [before_first, before_pages] = *std::prev(after);
    DCHECK_LE(before_first + before_pages, first);
    if (before_first + before_pages == first) {
      cold_.Remove(before_first, before_pages);
      first = before_first;
      pages += before_pages;
    }
  }
  if (const uint64_t after_pages = cold_.LengthAt(first + pages); after_pages > 0) {
    cold_.Remove(first + pages, after_pages);
    pages += after_pages;
  }
  if (first * kHeapPageBytes == solo_floor_) {
    solo_floor_ += pages * kHeapPageBytes;
  } else {
    cold_.Add(first, pages);
  }
}

// When addresses are short: neighbours that are warm and cold may do together, and make way for
// segments.
void HeapRange::CoolAll() {
  while (warm_.pages > 0) (void)GiveBack();
}

HeapSegment* HeapRange::LowestRun() const {
  uint64_t first = solo_floor_ / kHeapPageBytes;
  while (first * kHeapPageBytes < bytes_) {
    const uint64_t free = warm_.LengthAt(first) + cold_.LengthAt(first);
    if (free == 0) return reinterpret_cast<HeapSegment*>(base_ + first * kHeapPageBytes);
    first += free;
  }
  return nullptr;
}

void HeapRange::CheckInvariants() const {
  cold_.CheckInvariants();
  warm_.CheckInvariants();
  CHECK_LE((cold_.pages + warm_.pages) * kHeapPageBytes, bytes_ - solo_floor_);
  CHECK(cold_.by_first.empty() || cold_.by_first.begin()->first * kHeapPageBytes > solo_floor_);
  CHECK(warm_.by_first.empty() || warm_.by_first.begin()->first * kHeapPageBytes >= solo_floor_);
  uint64_t before_end = 0;
  for (const auto& [first, pages] : cold_.by_first) {
    CHECK_GT(first, before_end);
    before_end = first + pages;
  }
  uint64_t free = 0;
  uint64_t untouched = 0;
  for (uint64_t number = 0; number < low_end_; ++number) {
    free += segments_[number].state == HeapSegment::State::kFree ? 1 : 0;
    untouched += segments_[number].state == HeapSegment::State::kUntouched ? 1 : 0;
  }
  CHECK_EQ(free, free_.count);
  CHECK_EQ(untouched, given_back_.count);
  CHECK_LE(low_end_ * kHeapSegmentBytes, low_accessible_);
  CHECK_LE(low_accessible_, solo_floor_);
  CHECK_LE(low_accessible_, solo_accessible_);
}

}  // namespace larder::store
