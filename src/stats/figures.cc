#include "stats/figures.h"

namespace larder::stats {

std::vector<const CounterBlock*> Figures::Counters() const {
  std::vector<const CounterBlock*> blocks;
  blocks.reserve(cores.size());
  for (const CoreFigures& core : cores) blocks.push_back(core.counters);
  return blocks;
}

uint64_t Figures::Sum(Counter counter) const {
  uint64_t sum = 0;
  for (const CoreFigures& core : cores) sum += core.counters->Get(counter);
  return sum;
}

SizeTotals Figures::Sizes() const {
  SizeTotals totals;
  for (const CoreFigures& core : cores) core.size_classes->AddTo(totals);
  return totals;
}

DurationCounts Figures::RequestsOf(RequestKind kind) const {
  DurationCounts counts;
  for (const CoreFigures& core : cores) core.times->Of(kind).AddTo(counts);
  return counts;
}

}  // namespace larder::stats
