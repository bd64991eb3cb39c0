// The bytes that one connection owes its client, in order, in blocks.
//
//   head_                                   tail_
//   +---------------+    +---------------+    +---------------+
//   | sent | unsent | -> | unsent        | -> | unsent | free |
//   +---------------+    +---------------+    +---------------+
//
// Replies are encoded straight into it. Bytes never move, so that a send may be in flight while
// more is written behind it. The first block is a small one, enough for most turns; the next ones
// are large; a reply that does not fit a large block gets one of its own size. Empty, it holds no
// memory. Lent bytes (loan.h) are queued as they lie, and returned when they have been sent.
//
// Belongs to one core, as does the pool.
#ifndef LARDER_IO_OUTPUT_QUEUE_H_
#define LARDER_IO_OUTPUT_QUEUE_H_

#include <sys/uio.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "io/loan.h"
#include "util/check.h"

namespace larder::io {

// Blocks for the queues of one core; a bounded number of free ones is kept.
class BlockPool {
 public:
  struct Block {
    Block* next;
    char* data;         // behind this header, a block that was taken over, or lent
    Loan* loan;         // null but for lent bytes
    uint32_t capacity;  // of data
    uint32_t begin;     // first unsent byte
    uint32_t end;       // behind the last written one
    uint8_t kind;       // of the pool's own
  };

  static constexpr size_t kSmallBytes = 2048;
  static constexpr size_t kLargeBytes = 16384;

  BlockPool() = default;
  ~BlockPool();
  BlockPool(const BlockPool&) = delete;
  BlockPool& operator=(const BlockPool&) = delete;

  // A block with room for at least `bytes`: a small one if `small` and it fits.
  enum class Prefer : uint8_t { kSmall, kLarge };
  Block* Take(size_t bytes, Prefer prefer);
  // A block around memory of new char[].
  static Block* Wrap(std::unique_ptr<char[]> data, size_t bytes);
  // A block of lent bytes, which are not written to.
  static Block* Wrap(LoanPtr loan);
  void Give(Block* block);

 private:
  struct FreeList {
    Block* first = nullptr;
    size_t count = 0;
  };
  FreeList free_[2];
};

class OutputQueue {
 public:
  explicit OutputQueue(BlockPool& pool) : pool_(pool) {}
  ~OutputQueue();
  OutputQueue(const OutputQueue&) = delete;
  OutputQueue& operator=(const OutputQueue&) = delete;

  // Bytes written and not yet sent.
  [[nodiscard]] uint64_t owed() const { return owed_; }
  // Bytes of memory held, lent ones not counted.
  [[nodiscard]] uint64_t capacity() const { return capacity_; }
  // Bytes of loans held.
  [[nodiscard]] uint64_t lent() const { return lent_; }

  // Where at least `bytes` can be written; then Commit says up to where they were. Nothing else in
  // between.
  char* Reserve(size_t bytes) {
    if (tail_ == nullptr || tail_->capacity - tail_->end < bytes) AddBlock(bytes);
    return tail_->data + tail_->end;
  }
  void Commit(const char* end) {
    const auto end_offset = static_cast<uint32_t>(end - tail_->data);
    DCHECK_LE(end_offset, tail_->capacity);
    owed_ += end_offset - tail_->end;
    tail_->end = end_offset;
  }
  // The same for bytes that are there already.
  void Append(std::string_view bytes) {
    char* out = Reserve(bytes.size());
    Commit(std::copy(bytes.begin(), bytes.end(), out));
  }
  // Takes over a block of new char[] with `bytes` bytes in it.
  void AppendOwned(std::unique_ptr<char[]> data, size_t bytes);
  // Queues the bytes of `loan`, and returns it when they have been sent.
  void AppendLent(LoanPtr loan);

  // What to send next, from the front, as far as `parts` reaches. Returns how many are set.
  size_t Parts(std::span<iovec> parts) const;
  // The first `bytes` have been sent.
  void Sent(size_t bytes);

  void CheckInvariants() const;

 private:
  using Block = BlockPool::Block;

  void AddBlock(size_t bytes);
  void Link(Block* block);

  BlockPool& pool_;
  Block* head_ = nullptr;
  Block* tail_ = nullptr;
  uint64_t owed_ = 0;
  uint64_t capacity_ = 0;
  uint64_t lent_ = 0;
};

static_assert(sizeof(OutputQueue) <= 48);

}  // namespace larder::io

#endif  // LARDER_IO_OUTPUT_QUEUE_H_
