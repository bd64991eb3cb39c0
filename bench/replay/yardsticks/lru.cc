// Least recently used, and first in, first out: one queue; a hit moves an item to its head, or
// does not.
#include "bench/replay/yardsticks/queues.h"

namespace larder::bench {
namespace {

enum class OnHit : uint8_t { kMove, kStay };

class OneQueue final : public Yardstick {
 public:
  OneQueue(const YardstickOptions& options, OnHit on_hit)
      : capacity_(options.capacity), on_hit_(on_hit), queues_(options.ids, 1) {}

  [[nodiscard]] bool Holds(uint32_t id) const override { return queues_.Where(id) == kAll; }
  [[nodiscard]] uint64_t Used() const override { return queues_.Weight(kAll); }
  void Erase(uint32_t id) override { queues_.Remove(id); }

  void Hit(const Use& use) override {
    queues_.SetWeight(use.id, use.weight);
    if (on_hit_ == OnHit::kMove) queues_.MoveToHead(kAll, use.id);
    Evict();
  }

  void Insert(const Use& use) override {
    queues_.SetWeight(use.id, use.weight);
    queues_.PushHead(kAll, use.id);
    Evict();
  }

 private:
  static constexpr uint8_t kAll = 0;

  void Evict() {
    while (Used() > capacity_) queues_.Remove(queues_.Tail(kAll));
  }

  const uint64_t capacity_;
  const OnHit on_hit_;
  Queues queues_;
};

}  // namespace

std::unique_ptr<Yardstick> MakeLru(const YardstickOptions& options) {
  return std::make_unique<OneQueue>(options, OnHit::kMove);
}

std::unique_ptr<Yardstick> MakeFifo(const YardstickOptions& options) {
  return std::make_unique<OneQueue>(options, OnHit::kStay);
}

}  // namespace larder::bench
