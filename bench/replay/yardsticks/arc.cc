// ARC (Megiddo, Modha, "ARC: A Self-Tuning, Low Overhead Replacement Cache", FAST 2003).
//
//   ghosts of T1 ◄── T1: came once │ T2: came again ──► ghosts of T2
//       B1            ◄── target ──►                        B2
//
// T1 and T2 are held, by recency. A hit in B1 says that T1 is too small and moves the target up, a
// hit in B2 moves it down: by the ratio of the two lists, at least 1. Weights other than 1 count
// for as many objects; the paper has none.
#include <algorithm>

#include "bench/replay/yardsticks/queues.h"

namespace larder::bench {
namespace {

class Arc final : public Yardstick {
 public:
  explicit Arc(const YardstickOptions& options)
      : capacity_(options.capacity), queues_(options.ids, kQueues) {}

  [[nodiscard]] bool Holds(uint32_t id) const override {
    return queues_.Where(id) == kT1 || queues_.Where(id) == kT2;
  }
  [[nodiscard]] uint64_t Used() const override { return queues_.Weight(kT1) + queues_.Weight(kT2); }
  void Erase(uint32_t id) override { queues_.Remove(id); }

  // The paper's case I.
  void Hit(const Use& use) override {
    queues_.SetWeight(use.id, use.weight);
    queues_.MoveToHead(kT2, use.id);
    while (Used() > capacity_) Replace(Asked::kNoGhost);
  }

  void Insert(const Use& use) override {
    const uint8_t was = queues_.Where(use.id);
    queues_.SetWeight(use.id, use.weight);
    if (was == Queues::kNowhere) {
      TrimGhosts(use.weight);
    } else {
      MoveTarget(was, use.weight);
      queues_.Remove(use.id);
    }
    const Asked asked = was == kB2 ? Asked::kB2Ghost : Asked::kNoGhost;
    while (Used() + use.weight > capacity_) Replace(asked);
    queues_.PushHead(was == Queues::kNowhere ? kT1 : kT2, use.id);
  }

 private:
  enum : uint8_t { kT1, kT2, kB1, kB2, kQueues };
  enum class Asked : uint8_t { kNoGhost, kB2Ghost };

  [[nodiscard]] double WeightOf(uint8_t queue) const {
    return static_cast<double>(queues_.Weight(queue));
  }

  // Cases II and III.
  void MoveTarget(uint8_t ghost, uint32_t weight) {
    const double b1 = WeightOf(kB1);
    const double b2 = WeightOf(kB2);
    if (ghost == kB1) {
      const double step = std::max(1.0, b2 / std::max(b1, 1.0)) * weight;
      target_ = std::min(target_ + step, static_cast<double>(capacity_));
    } else {
      const double step = std::max(1.0, b1 / std::max(b2, 1.0)) * weight;
      target_ = std::max(target_ - step, 0.0);
    }
  }

  // Case IV: T1 and its ghosts together keep to the capacity, all four lists to twice that.
  void TrimGhosts(uint32_t weight) {
    while (queues_.Weight(kT1) + queues_.Weight(kB1) + weight > capacity_) {
      queues_.Remove(queues_.Tail(queues_.IsEmpty(kB1) ? kT1 : kB1));
    }
    while (!queues_.IsEmpty(kB2) &&
           Used() + queues_.Weight(kB1) + queues_.Weight(kB2) + weight > 2 * capacity_) {
      queues_.Remove(queues_.Tail(kB2));
    }
  }

  // The paper's REPLACE: one leaves from the list that is above its share, and becomes a ghost.
  void Replace(Asked asked) {
    const double t1 = WeightOf(kT1);
    const bool above = t1 > target_ || (asked == Asked::kB2Ghost && t1 >= target_);
    if (!queues_.IsEmpty(kT1) && (above || queues_.IsEmpty(kT2))) {
      queues_.MoveToHead(kB1, queues_.Tail(kT1));
    } else {
      queues_.MoveToHead(kB2, queues_.Tail(kT2));
    }
  }

  const uint64_t capacity_;
  double target_ = 0;  // of T1
  Queues queues_;
};

}  // namespace

std::unique_ptr<Yardstick> MakeArc(const YardstickOptions& options) {
  return std::make_unique<Arc>(options);
}

}  // namespace larder::bench
