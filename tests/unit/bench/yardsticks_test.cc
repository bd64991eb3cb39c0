// Goal: a yardstick is the policy of its paper; otherwise what is measured with it is worth
// nothing. Method: the paper once more, in the plainest form that one can write (vectors that are
// searched), and random uses of items of different weights; after each, both hold the same items.
// What such a test cannot find is a paper misread twice: laboratory_test has figures of another
// simulator.
#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "bench/replay/workload.h"
#include "bench/replay/yardsticks/yardstick.h"
#include "gtest/gtest.h"
#include "util/prng.h"

namespace larder::bench {
namespace {

// --- models -------------------------------------------------------------------------------------

// Items with weights in order, the oldest first.
class Row {
 public:
  [[nodiscard]] bool Has(uint32_t id) const { return Find(id) != items_.end(); }
  [[nodiscard]] bool IsEmpty() const { return items_.empty(); }
  [[nodiscard]] uint64_t Weight() const {
    uint64_t sum = 0;
    for (const Entry& item : items_) sum += item.weight;
    return sum;
  }
  [[nodiscard]] uint32_t WeightOf(uint32_t id) const { return Find(id)->weight; }
  void SetWeight(uint32_t id, uint32_t weight) { Find(id)->weight = weight; }
  void Push(uint32_t id, uint32_t weight) { items_.push_back({id, weight}); }
  bool Drop(uint32_t id) {
    return std::erase_if(items_, [id](const Entry& item) { return item.id == id; }) > 0;
  }
  struct Entry {
    uint32_t id;
    uint32_t weight;
  };
  Entry Pop() {
    const Entry first = items_.front();
    items_.erase(items_.begin());
    return first;
  }
  [[nodiscard]] size_t Size() const { return items_.size(); }
  [[nodiscard]] const Entry& At(size_t i) const { return items_[i]; }

 private:
  [[nodiscard]] std::vector<Entry>::const_iterator Find(uint32_t id) const {
    return std::ranges::find(items_, id, &Entry::id);
  }
  std::vector<Entry>::iterator Find(uint32_t id) {
    return std::ranges::find(items_, id, &Entry::id);
  }

  std::vector<Entry> items_;
};

class Model {
 public:
  explicit Model(uint64_t capacity) : capacity_(capacity) {}
  Model(const Model&) = delete;
  Model& operator=(const Model&) = delete;
  virtual ~Model() = default;
  [[nodiscard]] virtual bool Holds(uint32_t id) const = 0;
  virtual void Hit(const Use& use) = 0;
  virtual void Insert(const Use& use) = 0;
  virtual void Erase(uint32_t id) = 0;

 protected:
  const uint64_t capacity_;
};

class LruModel final : public Model {
 public:
  using Model::Model;
  [[nodiscard]] bool Holds(uint32_t id) const override { return row_.Has(id); }
  void Erase(uint32_t id) override { row_.Drop(id); }
  void Insert(const Use& use) override {
    row_.Push(use.id, use.weight);
    while (row_.Weight() > capacity_) row_.Pop();
  }
  void Hit(const Use& use) override {
    row_.Drop(use.id);
    Insert(use);
  }

 private:
  Row row_;
};

class FifoModel final : public Model {
 public:
  using Model::Model;
  [[nodiscard]] bool Holds(uint32_t id) const override { return row_.Has(id); }
  void Erase(uint32_t id) override { row_.Drop(id); }
  void Insert(const Use& use) override {
    row_.Push(use.id, use.weight);
    while (row_.Weight() > capacity_) row_.Pop();
  }
  void Hit(const Use& use) override {
    row_.SetWeight(use.id, use.weight);
    while (row_.Weight() > capacity_) row_.Pop();
  }

 private:
  Row row_;
};

class S3FifoModel final : public Model {
 public:
  S3FifoModel(uint64_t capacity, int enough) : Model(capacity), enough_(enough) {}
  [[nodiscard]] bool Holds(uint32_t id) const override { return small_.Has(id) || main_.Has(id); }
  void Erase(uint32_t id) override {
    small_.Drop(id);
    main_.Drop(id);
  }
  void Hit(const Use& use) override {
    (small_.Has(use.id) ? small_ : main_).SetWeight(use.id, use.weight);
    hits_[use.id] = std::min(hits_[use.id] + 1, 3);
    MakeRoom(0);
  }
  void Insert(const Use& use) override {
    const bool ghost = ghost_.Drop(use.id);
    MakeRoom(use.weight);
    hits_[use.id] = 0;
    (ghost ? main_ : small_).Push(use.id, use.weight);
  }

 private:
  void MakeRoom(uint64_t weight) {
    while (small_.Weight() + main_.Weight() + weight > capacity_) {
      const bool from_main = main_.Weight() > capacity_ - capacity_ / 10 || small_.IsEmpty();
      from_main ? Main() : Small();
    }
  }
  void Main() {
    const Row::Entry item = main_.Pop();
    if (hits_[item.id] == 0) return;
    --hits_[item.id];
    main_.Push(item.id, item.weight);
  }
  void Small() {
    const Row::Entry item = small_.Pop();
    const bool stays = hits_[item.id] >= enough_;
    hits_[item.id] = 0;
    (stays ? main_ : ghost_).Push(item.id, item.weight);
    while (ghost_.Weight() > capacity_ - capacity_ / 10) ghost_.Pop();
    // The paper's loop goes on with small until something has left it.
    if (stays && !small_.IsEmpty()) Small();
  }

  const int enough_;
  Row small_, main_, ghost_;
  std::map<uint32_t, int> hits_;
};

class SieveModel final : public Model {
 public:
  using Model::Model;
  [[nodiscard]] bool Holds(uint32_t id) const override { return row_.Has(id); }
  void Erase(uint32_t id) override {
    if (!Holds(id)) return;
    if (IndexOf(id) < hand_) --hand_;
    row_.Drop(id);
    if (hand_ >= row_.Size()) hand_ = 0;
  }
  void Hit(const Use& use) override {
    row_.SetWeight(use.id, use.weight);
    visited_.insert(use.id);
    MakeRoom(0);
  }
  void Insert(const Use& use) override {
    MakeRoom(use.weight);
    visited_.erase(use.id);
    row_.Push(use.id, use.weight);
  }

 private:
  [[nodiscard]] size_t IndexOf(uint32_t id) const {
    size_t i = 0;
    while (row_.At(i).id != id) ++i;
    return i;
  }
  void MakeRoom(uint64_t weight) {
    while (row_.Weight() + weight > capacity_) {
      const uint32_t id = row_.At(hand_).id;
      if (visited_.erase(id) > 0) {
        hand_ = (hand_ + 1) % row_.Size();
      } else {
        Erase(id);
      }
    }
  }

  Row row_;
  std::set<uint32_t> visited_;
  size_t hand_ = 0;
};

class ArcModel final : public Model {
 public:
  using Model::Model;
  [[nodiscard]] bool Holds(uint32_t id) const override { return t1_.Has(id) || t2_.Has(id); }
  void Erase(uint32_t id) override {
    t1_.Drop(id);
    t2_.Drop(id);
  }
  void Hit(const Use& use) override {
    Erase(use.id);
    t2_.Push(use.id, use.weight);
    while (t1_.Weight() + t2_.Weight() > capacity_) Replace(false);
  }
  void Insert(const Use& use) override {
    const bool in_b1 = b1_.Has(use.id);
    const bool in_b2 = b2_.Has(use.id);
    if (in_b1) b1_.SetWeight(use.id, use.weight);
    if (in_b2) b2_.SetWeight(use.id, use.weight);
    const auto b1 = static_cast<double>(b1_.Weight());
    const auto b2 = static_cast<double>(b2_.Weight());
    const auto capacity = static_cast<double>(capacity_);
    if (in_b1) p_ = std::min(capacity, p_ + (b1 >= b2 ? 1 : b2 / b1) * use.weight);
    if (in_b2) p_ = std::max(0.0, p_ - (b2 >= b1 ? 1 : b1 / b2) * use.weight);
    b1_.Drop(use.id);
    b2_.Drop(use.id);
    if (!in_b1 && !in_b2) {
      while (t1_.Weight() + b1_.Weight() + use.weight > capacity_) {
        (b1_.IsEmpty() ? t1_ : b1_).Pop();
      }
      while (t1_.Weight() + t2_.Weight() + b1_.Weight() + b2_.Weight() + use.weight >
                 2 * capacity_ &&
             !b2_.IsEmpty()) {
        b2_.Pop();
      }
    }
    while (t1_.Weight() + t2_.Weight() + use.weight > capacity_) Replace(in_b2);
    (in_b1 || in_b2 ? t2_ : t1_).Push(use.id, use.weight);
  }

 private:
  void Replace(bool asked_for_b2) {
    const auto t1 = static_cast<double>(t1_.Weight());
    const bool from_t1 = !t1_.IsEmpty() && (t1 > p_ || (asked_for_b2 && t1 >= p_) || t2_.IsEmpty());
    const Row::Entry item = (from_t1 ? t1_ : t2_).Pop();
    (from_t1 ? b1_ : b2_).Push(item.id, item.weight);
  }

  Row t1_, t2_, b1_, b2_;
  double p_ = 0;
};

// Of policies that give items a number: the lowest leaves, the oldest of those with the same.
class RankModel : public Model {
 public:
  using Model::Model;
  [[nodiscard]] bool Holds(uint32_t id) const override { return row_.Has(id); }
  void Erase(uint32_t id) override { row_.Drop(id); }

 protected:
  void Place(const Use& use, double rank) {
    row_.Drop(use.id);
    row_.Push(use.id, use.weight);
    ranks_[use.id] = rank;
  }
  void MakeRoom(uint64_t weight) {
    while (row_.Weight() + weight > capacity_) {
      size_t lowest = 0;
      for (size_t i = 1; i < row_.Size(); ++i) {
        if (ranks_[row_.At(i).id] < ranks_[row_.At(lowest).id]) lowest = i;
      }
      last_rank_ = ranks_[row_.At(lowest).id];
      row_.Drop(row_.At(lowest).id);
    }
  }
  [[nodiscard]] double last_rank() const { return last_rank_; }

 private:
  Row row_;
  std::map<uint32_t, double> ranks_;
  double last_rank_ = 0;
};

class GdsfModel final : public RankModel {
 public:
  using RankModel::RankModel;
  void Hit(const Use& use) override {
    Place(use, last_rank() + static_cast<double>(++uses_[use.id]) / use.weight);
    MakeRoom(0);
  }
  void Insert(const Use& use) override {
    MakeRoom(use.weight);
    uses_[use.id] = 1;
    Place(use, last_rank() + 1.0 / use.weight);
  }

 private:
  std::map<uint32_t, int> uses_;
};

class BeladyModel final : public RankModel {
 public:
  using RankModel::RankModel;
  void Hit(const Use& use) override {
    Place(use, -static_cast<double>(use.next));
    MakeRoom(0);
  }
  void Insert(const Use& use) override {
    if (use.next == kNoRequest) return;
    MakeRoom(use.weight);
    Place(use, -static_cast<double>(use.next));
  }
};

std::unique_ptr<Model> MakeModel(std::string_view name, uint64_t capacity) {
  if (name == "lru") return std::make_unique<LruModel>(capacity);
  if (name == "fifo") return std::make_unique<FifoModel>(capacity);
  if (name == "s3fifo") return std::make_unique<S3FifoModel>(capacity, 2);
  if (name == "qdlp") return std::make_unique<S3FifoModel>(capacity, 1);
  if (name == "arc") return std::make_unique<ArcModel>(capacity);
  if (name == "sieve") return std::make_unique<SieveModel>(capacity);
  if (name == "gdsf") return std::make_unique<GdsfModel>(capacity);
  if (name == "belady") return std::make_unique<BeladyModel>(capacity);
  return nullptr;
}

// --- random uses --------------------------------------------------------------------------------

struct Step {
  uint32_t id;
  uint32_t weight;
  bool erase;
};

// Three in four from a small hot set, so that there are hits; one in 50 is a deletion.
std::vector<Step> RandomSteps(uint64_t seed, uint32_t ids, uint32_t weight_max) {
  util::Prng random(seed);
  std::vector<Step> steps(3000);
  for (Step& step : steps) {
    const uint32_t among = random.OneIn(4) ? ids : 1 + ids / 6;
    step.id = static_cast<uint32_t>(random.Below(among));
    step.weight = 1 + static_cast<uint32_t>(random.Below(weight_max));
    step.erase = random.OneIn(50);
  }
  return steps;
}

uint32_t NextUse(const std::vector<Step>& steps, size_t at) {
  for (size_t i = at + 1; i < steps.size(); ++i) {
    if (steps[i].id == steps[at].id) return static_cast<uint32_t>(i);
  }
  return kNoRequest;
}

class YardstickTest : public testing::TestWithParam<std::string_view> {
 protected:
  static constexpr uint32_t kIds = 60;

  // Whether the sets are the same, and the weight is what the model would say.
  void ExpectSame(const std::vector<Step>& steps, uint64_t capacity) const {
    const auto yardstick = MakeYardstick(GetParam(), {kIds, capacity});
    const auto model = MakeModel(GetParam(), capacity);
    ASSERT_NE(yardstick, nullptr);
    ASSERT_NE(model, nullptr);
    std::vector<uint32_t> weights(kIds, 0);
    for (size_t i = 0; i < steps.size(); ++i) {
      const Step& step = steps[i];
      if (step.erase) {
        if (yardstick->Holds(step.id)) yardstick->Erase(step.id);
        model->Erase(step.id);
      } else if (step.weight <= capacity) {
        const Use use = {step.id, step.weight, NextUse(steps, i)};
        weights[step.id] = step.weight;
        yardstick->Holds(step.id) ? yardstick->Hit(use) : yardstick->Insert(use);
        model->Holds(step.id) ? model->Hit(use) : model->Insert(use);
      }
      uint64_t used = 0;
      for (uint32_t id = 0; id < kIds; ++id) {
        ASSERT_EQ(yardstick->Holds(id), model->Holds(id)) << "item " << id << " after step " << i;
        used += yardstick->Holds(id) ? weights[id] : 0;
      }
      ASSERT_EQ(yardstick->Used(), used);
      ASSERT_LE(used, capacity);
    }
  }
};

TEST_P(YardstickTest, HoldsWhatTheModelHoldsWhenObjectsCount) {
  for (uint64_t seed = 0; seed < 4; ++seed) {
    for (const uint64_t capacity : {1, 2, 7, 20, 45}) {
      SCOPED_TRACE(std::to_string(seed) + " with " + std::to_string(capacity));
      ExpectSame(RandomSteps(seed, kIds, 1), capacity);
    }
  }
}

TEST_P(YardstickTest, HoldsWhatTheModelHoldsWhenBytesCount) {
  for (uint64_t seed = 0; seed < 4; ++seed) {
    for (const uint64_t capacity : {1, 9, 30, 100, 300}) {
      SCOPED_TRACE(std::to_string(seed) + " with " + std::to_string(capacity));
      ExpectSame(RandomSteps(100 + seed, kIds, 12), capacity);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, YardstickTest,
                         testing::ValuesIn(YardstickNames().begin(), YardstickNames().end()),
                         [](const auto& test) { return std::string(test.param); });

}  // namespace
}  // namespace larder::bench
