// GDSF, Greedy-Dual-Size-Frequency (Cherkasova, HP Laboratories report HPL-98-69, 1998): an item's
// rank is L + hits / weight, and the lowest rank leaves. L is the rank of the last one that left,
// so that what was popular long ago ages. It prefers small items, and makes many hits with few
// bytes.
#include "bench/replay/yardsticks/ranking.h"
#include "bench/replay/yardsticks/yardstick.h"

namespace larder::bench {
namespace {

class Gdsf final : public Yardstick {
 public:
  explicit Gdsf(const YardstickOptions& options)
      : capacity_(options.capacity), ranking_(options.ids), hits_(options.ids, 0) {}

  [[nodiscard]] bool Holds(uint32_t id) const override { return ranking_.Holds(id); }
  [[nodiscard]] uint64_t Used() const override { return ranking_.Weight(); }
  void Erase(uint32_t id) override { ranking_.Remove(id); }

  void Hit(const Use& use) override {
    ++hits_[use.id];
    ranking_.Place(use.id, use.weight, RankOf(use));
    MakeRoom(0);
  }

  void Insert(const Use& use) override {
    MakeRoom(use.weight);
    hits_[use.id] = 1;
    ranking_.Place(use.id, use.weight, RankOf(use));
  }

 private:
  [[nodiscard]] double RankOf(const Use& use) const {
    return age_ + static_cast<double>(hits_[use.id]) / use.weight;
  }

  void MakeRoom(uint64_t weight) {
    while (Used() + weight > capacity_) {
      const Ranking::Entry first = ranking_.First();
      age_ = first.rank;
      ranking_.Remove(first.id);
    }
  }

  const uint64_t capacity_;
  double age_ = 0;  // L
  Ranking ranking_;
  std::vector<uint32_t> hits_;
};

}  // namespace

std::unique_ptr<Yardstick> MakeGdsf(const YardstickOptions& options) {
  return std::make_unique<Gdsf>(options);
}

}  // namespace larder::bench
