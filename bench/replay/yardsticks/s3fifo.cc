// S3-FIFO (Yang et al., "FIFO Queues are All You Need for Cache Eviction", SOSP 2023), and QD-LP
// (Yang et al., "FIFO Can Be Better than LRU", HotOS 2023), which is nearly the same.
//
//   new ──► small, 10 % ──► hit often enough? ──► main ──► hit since? ─┐
//                                 │ no              ▲         │ no     │ yes: once round again,
//                                 ▼                 └─────────┼────────┘ with one hit less
//                               ghost ──► comes again: main   ▼
//                                                           gone
//
// A hit counts up to 3 and moves nothing. S3-FIFO wants two hits while in small, QD-LP one. The
// ghost remembers as much as main may hold, by weight.
#include "bench/replay/yardsticks/queues.h"

namespace larder::bench {
namespace {

class S3Fifo final : public Yardstick {
 public:
  S3Fifo(const YardstickOptions& options, uint8_t hits_to_stay)
      : capacity_(options.capacity),
        main_max_(options.capacity - options.capacity / 10),
        hits_to_stay_(hits_to_stay),
        queues_(options.ids, kQueues),
        hits_(options.ids, 0) {}

  [[nodiscard]] bool Holds(uint32_t id) const override {
    return queues_.Where(id) == kSmall || queues_.Where(id) == kMain;
  }
  [[nodiscard]] uint64_t Used() const override {
    return queues_.Weight(kSmall) + queues_.Weight(kMain);
  }
  void Erase(uint32_t id) override { queues_.Remove(id); }

  void Hit(const Use& use) override {
    queues_.SetWeight(use.id, use.weight);
    if (hits_[use.id] < kHitsMax) ++hits_[use.id];
    MakeRoom(0);
  }

  void Insert(const Use& use) override {
    const bool known = queues_.Where(use.id) == kGhost;
    if (known) queues_.Remove(use.id);
    queues_.SetWeight(use.id, use.weight);
    MakeRoom(use.weight);
    hits_[use.id] = 0;
    queues_.PushHead(known ? kMain : kSmall, use.id);
  }

 private:
  enum : uint8_t { kSmall, kMain, kGhost, kQueues };
  static constexpr uint8_t kHitsMax = 3;

  void MakeRoom(uint64_t weight) {
    while (Used() + weight > capacity_) {
      if (queues_.Weight(kMain) > main_max_ || queues_.IsEmpty(kSmall)) {
        EvictFromMain();
      } else {
        EvictFromSmall();
      }
    }
  }

  void EvictFromMain() {
    uint32_t id = queues_.Tail(kMain);
    while (hits_[id] > 0) {
      --hits_[id];
      queues_.MoveToHead(kMain, id);
      id = queues_.Tail(kMain);
    }
    queues_.Remove(id);
  }

  // May evict nothing: if all of small has deserved to stay.
  void EvictFromSmall() {
    while (!queues_.IsEmpty(kSmall)) {
      const uint32_t id = queues_.Tail(kSmall);
      const bool stays = hits_[id] >= hits_to_stay_;
      hits_[id] = 0;
      queues_.MoveToHead(stays ? kMain : kGhost, id);
      if (!stays) break;
    }
    while (queues_.Weight(kGhost) > main_max_) queues_.Remove(queues_.Tail(kGhost));
  }

  const uint64_t capacity_;
  const uint64_t main_max_;
  const uint8_t hits_to_stay_;
  Queues queues_;
  std::vector<uint8_t> hits_;
};

}  // namespace

std::unique_ptr<Yardstick> MakeS3Fifo(const YardstickOptions& options) {
  return std::make_unique<S3Fifo>(options, uint8_t{2});
}

std::unique_ptr<Yardstick> MakeQdlp(const YardstickOptions& options) {
  return std::make_unique<S3Fifo>(options, uint8_t{1});
}

}  // namespace larder::bench
