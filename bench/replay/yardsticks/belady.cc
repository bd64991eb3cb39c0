// Bélády's MIN ("A study of replacement algorithms for a virtual-storage computer", IBM Systems
// Journal 1966): it knows the future, and the item whose next use is furthest away leaves. What has
// no use any more is not stored. The best that is possible where all weights are equal and nothing
// expires; otherwise a good guess at it.
#include "bench/replay/workload.h"
#include "bench/replay/yardsticks/ranking.h"
#include "bench/replay/yardsticks/yardstick.h"

namespace larder::bench {
namespace {

class Belady final : public Yardstick {
 public:
  explicit Belady(const YardstickOptions& options)
      : capacity_(options.capacity), ranking_(options.ids) {}

  [[nodiscard]] bool Holds(uint32_t id) const override { return ranking_.Holds(id); }
  [[nodiscard]] uint64_t Used() const override { return ranking_.Weight(); }
  void Erase(uint32_t id) override { ranking_.Remove(id); }

  void Hit(const Use& use) override {
    ranking_.Place(use.id, use.weight, RankOf(use));
    MakeRoom(0);
  }

  void Insert(const Use& use) override {
    if (use.next == kNoRequest) return;
    MakeRoom(use.weight);
    ranking_.Place(use.id, use.weight, RankOf(use));
  }

 private:
  static double RankOf(const Use& use) { return -static_cast<double>(use.next); }

  void MakeRoom(uint64_t weight) {
    while (Used() + weight > capacity_) ranking_.Remove(ranking_.First().id);
  }

  const uint64_t capacity_;
  Ranking ranking_;
};

}  // namespace

std::unique_ptr<Yardstick> MakeBelady(const YardstickOptions& options) {
  return std::make_unique<Belady>(options);
}

}  // namespace larder::bench
