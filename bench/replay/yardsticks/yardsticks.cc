#include <array>

#include "bench/replay/yardsticks/yardstick.h"

namespace larder::bench {
namespace {

struct Named {
  std::string_view name;
  std::unique_ptr<Yardstick> (*make)(const YardstickOptions&);
};

constexpr Named kYardsticks[] = {
    {"lru", MakeLru}, {"fifo", MakeFifo},   {"s3fifo", MakeS3Fifo}, {"qdlp", MakeQdlp},
    {"arc", MakeArc}, {"sieve", MakeSieve}, {"gdsf", MakeGdsf},     {"belady", MakeBelady},
};

constexpr auto kNames = [] {
  std::array<std::string_view, std::size(kYardsticks)> names;
  for (size_t i = 0; i < names.size(); ++i) names[i] = kYardsticks[i].name;
  return names;
}();

}  // namespace

std::span<const std::string_view> YardstickNames() { return kNames; }

std::unique_ptr<Yardstick> MakeYardstick(std::string_view name, const YardstickOptions& options) {
  for (const Named& yardstick : kYardsticks) {
    if (yardstick.name == name) return yardstick.make(options);
  }
  return nullptr;
}

}  // namespace larder::bench
