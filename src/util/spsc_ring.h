// A bounded ring between two threads: one producer, one consumer, no locks.
//
// Elements are written in place and published many at a time: Reserve() … Commit() as often as
// there is room, then one Publish(). The consumer sees what was published, takes it with
// Front()/Pop(), and gives the room back with one Release().
//
//        head (consumer)                    tail (producer)
//          v                                  v
//   ... | free | taken | taken | … published … | committed, unpublished | free | …
//
// Invariant: head <= tail <= head + capacity; both only grow, and wrap modulo 2^64.
#ifndef LARDER_UTIL_SPSC_RING_H_
#define LARDER_UTIL_SPSC_RING_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "util/check.h"

namespace larder::util {

template <typename T>
class SpscRing {
 public:
  // `capacity` is a power of two.
  explicit SpscRing(size_t capacity)
      : mask_(capacity - 1), slots_(std::make_unique<T[]>(capacity)) {
    CHECK(capacity > 0 && (capacity & mask_) == 0);
  }
  SpscRing(const SpscRing&) = delete;
  SpscRing& operator=(const SpscRing&) = delete;

  [[nodiscard]] size_t capacity() const { return mask_ + 1; }

  // Producer: the next free element, or null when the ring is full. Commit()
  // makes it part of the next Publish().
  T* Reserve() {
    if (committed_ - known_head_ > mask_) {
      // Acquire: what the consumer read from the slot is read before we write it anew.
      known_head_ = head_.load(std::memory_order_acquire);
      if (committed_ - known_head_ > mask_) return nullptr;
    }
    return &slots_[committed_ & mask_];
  }
  void Commit() { ++committed_; }
  // Producer: was anything committed since the last Publish()?
  [[nodiscard]] bool HasUnpublished() const { return published_ != committed_; }

  // Producer: shows everything committed to the consumer. True if there was anything to show.
  // Sequentially consistent, because the producer then looks whether the consumer sleeps (see
  // runtime/mailbox.h).
  bool Publish() {
    if (published_ == committed_) return false;
    published_ = committed_;
    tail_.store(committed_, std::memory_order_seq_cst);
    return true;
  }

  // Consumer: the oldest element, or null. `At` looks further ahead.
  T* Front() { return At(0); }
  T* At(size_t index) {
    if (taken_ + index >= known_tail_) {
      // Acquire: pairs with Publish(); the elements are complete.
      known_tail_ = tail_.load(std::memory_order_acquire);
      if (taken_ + index >= known_tail_) return nullptr;
    }
    return &slots_[(taken_ + index) & mask_];
  }
  void Pop() {
    DCHECK_LT(taken_, known_tail_);
    ++taken_;
  }

  // Consumer: gives the room of all popped elements back to the producer.
  void Release() {
    // Release: our reads of the elements come before the producer's next writes.
    if (released_ != taken_) {
      released_ = taken_;
      head_.store(taken_, std::memory_order_release);
    }
  }

  // Consumer, before it sleeps: is there anything published that was not taken? Sequentially
  // consistent, see Publish().
  [[nodiscard]] bool HasMail() const { return tail_.load(std::memory_order_seq_cst) != taken_; }

 private:
  const size_t mask_;
  const std::unique_ptr<T[]> slots_;

  // Each side's own line; the shared indices apart from both.
  alignas(64) uint64_t committed_ = 0;
  uint64_t published_ = 0;
  uint64_t known_head_ = 0;
  alignas(64) std::atomic<uint64_t> tail_{0};
  alignas(64) uint64_t taken_ = 0;
  uint64_t released_ = 0;
  uint64_t known_tail_ = 0;
  alignas(64) std::atomic<uint64_t> head_{0};
};

}  // namespace larder::util

#endif  // LARDER_UTIL_SPSC_RING_H_
