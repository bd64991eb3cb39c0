#include "stats/size_classes.h"

namespace larder::stats {

void SizeClasses::Reset() {
  for (auto& size_class : cells_) {
    for (size_t i = static_cast<size_t>(ClassCounter::kStored); i < kClassCounterCount; ++i) {
      size_class[i].store(0, std::memory_order_relaxed);
    }
  }
}

void SizeClasses::RemoveAll() {
  for (auto& size_class : cells_) {
    size_class[static_cast<size_t>(ClassCounter::kItems)].store(0, std::memory_order_relaxed);
    size_class[static_cast<size_t>(ClassCounter::kBytes)].store(0, std::memory_order_relaxed);
  }
}

void SizeClasses::AddTo(SizeTotals& totals) const {
  for (size_t size_class = 1; size_class < kSizeClassCount; ++size_class) {
    for (size_t i = 0; i < kClassCounterCount; ++i) {
      const auto counter = static_cast<ClassCounter>(i);
      totals.Add(size_class, counter, Get(size_class, counter));
    }
  }
}

}  // namespace larder::stats
