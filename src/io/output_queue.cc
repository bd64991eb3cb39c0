#include "io/output_queue.h"

#include <algorithm>
#include <limits>
#include <new>
#include <utility>

namespace larder::io {
namespace {

// What kind of block it is: the first two are indices of BlockPool::free_.
constexpr uint8_t kSmall = 0;
constexpr uint8_t kLarge = 1;
constexpr uint8_t kExact = 2;
constexpr uint8_t kWrapped = 3;
constexpr uint8_t kLent = 4;

// Free blocks of each kind that are kept: half a megabyte of small ones and as much of large ones.
constexpr size_t kKept[2] = {256, 32};

void Free(BlockPool::Block* block) {
  if (block->kind == kWrapped) delete[] block->data;
  if (block->kind == kLent) block->loan->Return();
  ::operator delete(block);
}

}  // namespace

BlockPool::~BlockPool() {
  for (FreeList& list : free_) {
    while (list.first != nullptr) Free(std::exchange(list.first, list.first->next));
  }
}

BlockPool::Block* BlockPool::Take(size_t bytes, Prefer prefer) {
  uint8_t kind = kExact;
  size_t total = sizeof(Block) + bytes;
  if (prefer == Prefer::kSmall && total <= kSmallBytes) {
    kind = kSmall;
    total = kSmallBytes;
  } else if (total <= kLargeBytes) {
    kind = kLarge;
    total = kLargeBytes;
  }
  Block* block;
  if (kind != kExact && free_[kind].first != nullptr) {
    block = std::exchange(free_[kind].first, free_[kind].first->next);
    --free_[kind].count;
  } else {
    CHECK_LE(total, std::numeric_limits<uint32_t>::max());
    block = static_cast<Block*>(::operator new(total));
    block->data = reinterpret_cast<char*>(block + 1);
    block->loan = nullptr;
    block->capacity = static_cast<uint32_t>(total - sizeof(Block));
    block->kind = kind;
  }
  block->next = nullptr;
  block->begin = block->end = 0;
  return block;
}

BlockPool::Block* BlockPool::Wrap(std::unique_ptr<char[]> data, size_t bytes) {
  CHECK_LE(bytes, std::numeric_limits<uint32_t>::max());
  auto* block = static_cast<Block*>(::operator new(sizeof(Block)));
  const auto size = static_cast<uint32_t>(bytes);
  *block = {.next = nullptr,
            .data = data.release(),
            .loan = nullptr,
            .capacity = size,
            .begin = 0,
            .end = size,
            .kind = kWrapped};
  return block;
}

BlockPool::Block* BlockPool::Wrap(LoanPtr loan) {
  const std::string_view bytes = loan->bytes();
  CHECK_LE(bytes.size(), std::numeric_limits<uint32_t>::max());
  auto* block = static_cast<Block*>(::operator new(sizeof(Block)));
  const auto size = static_cast<uint32_t>(bytes.size());
  *block = {.next = nullptr,
            .data = const_cast<char*>(bytes.data()),
            .loan = loan.release(),
            .capacity = size,
            .begin = 0,
            .end = size,
            .kind = kLent};
  return block;
}

void BlockPool::Give(Block* block) {
  if (block->kind >= kExact || free_[block->kind].count >= kKept[block->kind]) {
    Free(block);
    return;
  }
  FreeList& list = free_[block->kind];
  block->next = list.first;
  list.first = block;
  ++list.count;
}

OutputQueue::~OutputQueue() {
  while (head_ != nullptr) pool_.Give(std::exchange(head_, head_->next));
}

void OutputQueue::AddBlock(size_t bytes) {
  // What follows lent bytes is a few of a reply's end, and often nothing more.
  const bool first = tail_ == nullptr || tail_->loan != nullptr;
  Link(pool_.Take(bytes, first ? BlockPool::Prefer::kSmall : BlockPool::Prefer::kLarge));
}

void OutputQueue::AppendOwned(std::unique_ptr<char[]> data, size_t bytes) {
  if (bytes == 0) return;
  Link(BlockPool::Wrap(std::move(data), bytes));
  owed_ += bytes;
}

void OutputQueue::AppendLent(LoanPtr loan) {
  const size_t bytes = loan->bytes().size();
  if (bytes == 0) return;
  Link(BlockPool::Wrap(std::move(loan)));
  owed_ += bytes;
}

void OutputQueue::Link(Block* block) {
  (tail_ == nullptr ? head_ : tail_->next) = block;
  tail_ = block;
  (block->loan == nullptr ? capacity_ : lent_) += block->capacity;
}

size_t OutputQueue::Parts(std::span<iovec> parts) const {
  size_t count = 0;
  for (const Block* block = head_; block != nullptr && count < parts.size(); block = block->next) {
    if (block->begin == block->end) continue;
    parts[count++] = {.iov_base = block->data + block->begin, .iov_len = block->end - block->begin};
  }
  return count;
}

void OutputQueue::Sent(size_t bytes) {
  DCHECK_LE(bytes, owed_);
  owed_ -= bytes;
  while (head_ != nullptr) {
    const size_t here = std::min<size_t>(bytes, head_->end - head_->begin);
    head_->begin += static_cast<uint32_t>(here);
    bytes -= here;
    // The last block stays while it has bytes to send; behind it nothing is in flight.
    if (head_->begin != head_->end) break;
    Block* block = std::exchange(head_, head_->next);
    (block->loan == nullptr ? capacity_ : lent_) -= block->capacity;
    pool_.Give(block);
  }
  if (head_ == nullptr) tail_ = nullptr;
}

void OutputQueue::CheckInvariants() const {
  uint64_t owed = 0;
  uint64_t capacity = 0;
  uint64_t lent = 0;
  const Block* last = nullptr;
  for (const Block* block = head_; block != nullptr; block = block->next) {
    CHECK_LE(block->begin, block->end);
    CHECK_LE(block->end, block->capacity);
    owed += block->end - block->begin;
    (block->loan == nullptr ? capacity : lent) += block->capacity;
    last = block;
  }
  CHECK_EQ(owed, owed_);
  CHECK_EQ(capacity, capacity_);
  CHECK_EQ(lent, lent_);
  CHECK_EQ(last, tail_);
}

}  // namespace larder::io
