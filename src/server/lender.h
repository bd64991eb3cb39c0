// Lends the values of a shard to connections, of any core, that send them from where they lie.
//
//   owner's thread: Lend() ──loan──► output queue of a connection, perhaps through a mailbox
//                     ▲                           │ Return(), any thread
//                     └──── TakeBack() ◄── stack ─┘
//
// A lent value is held by its shard (Shard::Hold). A returned loan is pushed on a stack without a
// lock (Treiber, "Systems Programming: Coping with Parallelism", IBM RJ 5118, 1986); the owner
// takes the whole stack once a turn, so no element is ever popped alone and none can come back in
// between. Nobody is woken for it: an owner that sleeps needs no memory.
#ifndef LARDER_SERVER_LENDER_H_
#define LARDER_SERVER_LENDER_H_

#include <atomic>
#include <string_view>
#include <utility>

#include "io/loan.h"
#include "store/shard.h"

namespace larder::server {

class Lender {
 public:
  explicit Lender(store::Shard& shard) : shard_(shard) {}
  // All loans have been returned.
  ~Lender() { TakeBack(); }
  Lender(const Lender&) = delete;
  Lender& operator=(const Lender&) = delete;

  // On the owner's thread: lends `value`, which lies in `item`.
  io::LoanPtr Lend(const store::Item* item, std::string_view value) {
    shard_.Hold(item);
    ++lent_;
    return io::LoanPtr(new LentValue(*this, item, value));
  }

  // On the owner's thread: is anything lent, or returned and not yet taken back?
  [[nodiscard]] bool HasLent() const { return lent_ > 0; }

  // On the owner's thread: releases what has been returned.
  void TakeBack() {
    if (returned_.load(std::memory_order_relaxed) == nullptr) return;
    // Acquire: what borrowers read is read before the bytes are used again.
    LentValue* loan = returned_.exchange(nullptr, std::memory_order_acquire);
    while (loan != nullptr) {
      shard_.Release(loan->item);
      --lent_;
      delete std::exchange(loan, loan->next);
    }
  }

 private:
  struct LentValue final : public io::Loan {
    LentValue(Lender& its_lender, const store::Item* its_item, std::string_view value)
        : Loan(value), lender(its_lender), item(its_item) {}
    void Return() override { lender.Push(this); }

    Lender& lender;
    const store::Item* const item;
    LentValue* next = nullptr;
  };

  void Push(LentValue* loan) {
    loan->next = returned_.load(std::memory_order_relaxed);
    while (!returned_.compare_exchange_weak(loan->next, loan, std::memory_order_release,
                                            std::memory_order_relaxed)) {
    }
  }

  store::Shard& shard_;
  uint64_t lent_ = 0;
  std::atomic<LentValue*> returned_{nullptr};
};

}  // namespace larder::server

#endif  // LARDER_SERVER_LENDER_H_
