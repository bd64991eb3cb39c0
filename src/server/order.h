// Whether all cores keep the commands of RESP clients in order (Keeper), and for how long: while
// some core wants it.
//
//   Join ──► kept? ──no──► tells every core ──► Establish
//     │        └──yes───────────────────────────────┴──► relies on it until Leave
//
// Who has joined and is told that it is kept may rely on it until it leaves. Once the last one has
// left, nothing is kept, and the next one has to tell every core again; a core that is told has
// joined behind it, so whoever finds nobody here may stop at once (IsWanted).
//
// Any thread may call. All is one word, so that "the last one leaves" and "it is kept" cannot come
// apart: who joins sees both, or neither.
#ifndef LARDER_SERVER_ORDER_H_
#define LARDER_SERVER_ORDER_H_

#include <atomic>
#include <cstdint>

#include "util/check.h"

namespace larder::server {

class Order {
 public:
  void Join() { word_.fetch_add(1, std::memory_order_acq_rel); }
  void Leave() {
    uint32_t word = word_.load(std::memory_order_relaxed);
    uint32_t left = 0;
    do {
      DCHECK_GT(word & ~kKept, 0U);
      left = (word & ~kKept) == 1 ? 0 : word - 1;
    } while (!word_.compare_exchange_weak(word, left, std::memory_order_acq_rel));
  }
  // Of who has joined: all cores have been told, and have said so. Released by who has heard it of
  // all of them; acquired by who relies on it.
  void Establish() { word_.fetch_or(kKept, std::memory_order_acq_rel); }
  [[nodiscard]] bool IsKept() const { return (word_.load(std::memory_order_acquire) & kKept) != 0; }
  // Has anybody joined?
  [[nodiscard]] bool IsWanted() const { return word_.load(std::memory_order_acquire) != 0; }

 private:
  static constexpr uint32_t kKept = 1U << 31;

  std::atomic<uint32_t> word_{0};  // how many have joined, and kKept
};

}  // namespace larder::server

#endif  // LARDER_SERVER_ORDER_H_
