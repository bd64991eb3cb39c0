// Items in the order of a number that each is given, those with the same number in the order in
// which they got it. A heap whose entries stay when an item gets another number or leaves; they are
// known by their serial number, passed over, and swept out when they are most of it.
#ifndef LARDER_BENCH_REPLAY_YARDSTICKS_RANKING_H_
#define LARDER_BENCH_REPLAY_YARDSTICKS_RANKING_H_

#include <algorithm>
#include <cstdint>
#include <vector>

#include "util/check.h"

namespace larder::bench {

class Ranking {
 public:
  struct Entry {
    double rank;
    uint64_t serial;
    uint32_t id;
  };

  explicit Ranking(uint32_t ids) : items_(ids) {}

  [[nodiscard]] bool Holds(uint32_t id) const { return items_[id].serial != kAbsent; }
  // Of all items that are held.
  [[nodiscard]] uint64_t Weight() const { return weight_; }

  // In its place, or in a new one.
  void Place(uint32_t id, uint32_t weight, double rank) {
    if (Holds(id)) Remove(id);
    items_[id] = {++last_serial_, weight};
    weight_ += weight;
    ++count_;
    heap_.push_back({rank, last_serial_, id});
    std::push_heap(heap_.begin(), heap_.end(), IsLater);
    if (heap_.size() > 2 * count_ + 1024) Sweep();
  }

  void Remove(uint32_t id) {
    DCHECK(Holds(id));
    items_[id].serial = kAbsent;
    weight_ -= items_[id].weight;
    --count_;
  }

  // The first in order; there must be one.
  Entry First() {
    DCHECK_GT(count_, 0U);
    while (items_[heap_.front().id].serial != heap_.front().serial) {
      std::pop_heap(heap_.begin(), heap_.end(), IsLater);
      heap_.pop_back();
    }
    return heap_.front();
  }

 private:
  static constexpr uint64_t kAbsent = 0;

  struct Item {
    uint64_t serial = kAbsent;
    uint32_t weight = 0;
  };

  static bool IsLater(const Entry& a, const Entry& b) {
    return a.rank != b.rank ? a.rank > b.rank : a.serial > b.serial;
  }

  void Sweep() {
    std::erase_if(heap_, [this](const Entry& e) { return items_[e.id].serial != e.serial; });
    std::make_heap(heap_.begin(), heap_.end(), IsLater);
  }

  std::vector<Item> items_;
  std::vector<Entry> heap_;
  uint64_t last_serial_ = kAbsent;
  uint64_t count_ = 0;
  uint64_t weight_ = 0;
};

}  // namespace larder::bench

#endif  // LARDER_BENCH_REPLAY_YARDSTICKS_RANKING_H_
