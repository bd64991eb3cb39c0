#include "store/table_arena.h"

#include <sys/mman.h>

#include <algorithm>
#include <bit>
#include <cstdlib>

#include "util/check.h"
#include "util/pages.h"

namespace larder::store {
namespace {

// Since Linux 6.1; Debian 12's headers do not know it.
constexpr int kMadviseCollapse = 25;

}  // namespace

TableArena::~TableArena() {
  CHECK_EQ(small_bytes_, 0U);
  if (mapping_ != nullptr) munmap(mapping_, kRangeBytes + kHugePageBytes);
}

TableArena::Size& TableArena::SizeOf(uint64_t bytes) {
  for (Size& size : sizes_) {
    if (size.block_bytes == 0) size.block_bytes = static_cast<uint32_t>(bytes);
    if (size.block_bytes == bytes) return size;
  }
  CHECK(false);
  return sizes_[0];
}

void* TableArena::TakeSmall(uint64_t bytes) {
  void* block = std::aligned_alloc(64, bytes);
  if (block != nullptr) small_bytes_ += bytes;
  return block;
}

void* TableArena::Take(uint64_t bytes) {
  DCHECK_EQ(bytes % 64, 0U);
  if (small_bytes_ + bytes <= kSmallBytesMax) return TakeSmall(bytes);
  Size& size = SizeOf(bytes);
  if (size.partial == kNone && !TakeSpan(size)) return nullptr;
  Span& span = spans_[size.partial];
  const auto block = static_cast<uint32_t>(std::countr_zero(span.free_blocks));
  char* address = base_ + size.partial * kSpanBytes + block * bytes;
  span.free_blocks &= span.free_blocks - 1;
  if (span.free_blocks == 0) size.partial = kNone;
  return address;
}

TableArena::Move TableArena::Return(void* block, uint64_t bytes) {
  const char* address = static_cast<const char*>(block);
  if (base_ == nullptr || address < base_ || address >= base_ + kRangeBytes) {
    small_bytes_ -= bytes;
    std::free(block);
    return {};
  }
  const auto offset = static_cast<uint64_t>(address - base_);
  const auto number = static_cast<uint32_t>(offset / kSpanBytes);
  CHECK_EQ(spans_[number].block_bytes, bytes);
  Size& size = SizeOf(bytes);
  uint32_t freed = 1U << (offset % kSpanBytes / bytes);
  CHECK_EQ(spans_[number].free_blocks & freed, 0U);
  // Of an earlier one: what is moved out of a span now is still to be read.
  GiveBackSurplus();
  Move move;
  if (size.partial == kNone) {
    size.partial = number;
  } else if (size.partial != number) {
    const uint32_t used = AllFree(size.block_bytes) & ~spans_[size.partial].free_blocks;
    const auto last = static_cast<uint32_t>(std::countr_zero(used));
    move = {base_ + size.partial * kSpanBytes + last * bytes, block};
    freed = 1U << last;
  }
  Span& partial = spans_[size.partial];
  partial.free_blocks |= freed;
  if (partial.free_blocks == AllFree(size.block_bytes)) {
    partial.block_bytes = 0;
    empty_.insert(size.partial);
    size.partial = kNone;
  }
  return move;
}

// A few empty spans of many stay as they are; the memory of the highest goes.
void TableArena::GiveBackSurplus() {
  const size_t kept = std::min<size_t>(4, spans_.size() / 64);
  if (empty_.size() <= kept) return;
  const auto span = std::find_if(empty_.rbegin(), empty_.rend(),
                                 [this](size_t number) { return spans_[number].resident; });
  if (span == empty_.rend()) return;
  CHECK(util::GiveBackPages(base_ + *span * kSpanBytes, kSpanBytes));
  spans_[*span].resident = false;
  --resident_spans_;
}

bool TableArena::TakeSpan(Size& size) {
  if (empty_.empty() && !Extend()) return false;
  const uint32_t number = *empty_.begin();
  empty_.erase(empty_.begin());
  Span& span = spans_[number];
  span.block_bytes = size.block_bytes;
  span.free_blocks = AllFree(size.block_bytes);
  if (!span.resident) ++resident_spans_;
  span.resident = true;
  size.partial = number;
  return true;
}

// One more span, at the end.
bool TableArena::Extend() {
  if (mapping_ == nullptr) {
    void* mapping = mmap(nullptr, kRangeBytes + kHugePageBytes, PROT_NONE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (mapping == MAP_FAILED) return false;
    mapping_ = static_cast<char*>(mapping);
    const auto address = reinterpret_cast<uintptr_t>(mapping);
    base_ = mapping_ + (kHugePageBytes - address % kHugePageBytes) % kHugePageBytes;
  }
  const uint64_t end = (spans_.size() + 1) * kSpanBytes;
  if (end > kRangeBytes) return false;
  if (end > accessible_) {
    char* from = base_ + accessible_;
    if (mprotect(from, kHugePageBytes, PROT_READ | PROT_WRITE) != 0) return false;
    (void)madvise(from, kHugePageBytes, MADV_NOHUGEPAGE);
    if (pages_ == Pages::kHuge && accessible_ > 0) {
      // The two megabytes before are full. Advice only, both: nothing is lost without.
      char* full = from - kHugePageBytes;
      (void)madvise(full, kHugePageBytes, MADV_HUGEPAGE);
      (void)madvise(full, kHugePageBytes, kMadviseCollapse);
    }
    accessible_ += kHugePageBytes;
  }
  empty_.insert(static_cast<uint32_t>(spans_.size()));
  spans_.emplace_back();
  return true;
}

void TableArena::CheckInvariants() const {
  uint64_t resident = 0;
  for (uint32_t n = 0; n < spans_.size(); ++n) {
    const Span& span = spans_[n];
    resident += span.resident ? 1 : 0;
    CHECK_EQ(empty_.contains(n), span.block_bytes == 0);
    if (span.block_bytes == 0) continue;
    CHECK(span.resident);
    CHECK(span.free_blocks != AllFree(span.block_bytes));
    for (const Size& size : sizes_) {
      if (size.block_bytes != span.block_bytes) continue;
      CHECK_EQ(size.partial == n, span.free_blocks != 0);
    }
  }
  CHECK_EQ(resident, resident_spans_);
}

}  // namespace larder::store
