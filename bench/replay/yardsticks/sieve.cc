// SIEVE (Zhang et al., "SIEVE is Simpler than LRU", NSDI 2024): one queue in order of arrival, a
// bit that a hit sets, and a hand that goes from the tail to the head and round again. It clears
// bits, and evicts the first item whose bit is clear; items stay where they are.
#include "bench/replay/yardsticks/queues.h"

namespace larder::bench {
namespace {

class Sieve final : public Yardstick {
 public:
  explicit Sieve(const YardstickOptions& options)
      : capacity_(options.capacity), queues_(options.ids, 1), visited_(options.ids, 0) {}

  [[nodiscard]] bool Holds(uint32_t id) const override { return queues_.Where(id) == kAll; }
  [[nodiscard]] uint64_t Used() const override { return queues_.Weight(kAll); }

  void Erase(uint32_t id) override {
    if (id == hand_) hand_ = queues_.Newer(id);
    queues_.Remove(id);
  }

  void Hit(const Use& use) override {
    queues_.SetWeight(use.id, use.weight);
    visited_[use.id] = 1;
    MakeRoom(0);
  }

  void Insert(const Use& use) override {
    queues_.SetWeight(use.id, use.weight);
    MakeRoom(use.weight);
    visited_[use.id] = 0;
    queues_.PushHead(kAll, use.id);
  }

 private:
  static constexpr uint8_t kAll = 0;

  void MakeRoom(uint64_t weight) {
    while (Used() + weight > capacity_) {
      if (hand_ == Queues::kNobody) hand_ = queues_.Tail(kAll);
      if (visited_[hand_] == 0) {
        Erase(hand_);
      } else {
        visited_[hand_] = 0;
        hand_ = queues_.Newer(hand_);
      }
    }
  }

  const uint64_t capacity_;
  Queues queues_;
  std::vector<uint8_t> visited_;
  uint32_t hand_ = Queues::kNobody;  // then it begins at the tail
};

}  // namespace

std::unique_ptr<Yardstick> MakeSieve(const YardstickOptions& options) {
  return std::make_unique<Sieve>(options);
}

}  // namespace larder::bench
