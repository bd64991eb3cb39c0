// Capacities as the command line has them: "0.001,0.01,0.3" are shares of the trace, "904,64m" are
// what they are.
#ifndef LARDER_BENCH_REPLAY_CAPACITIES_H_
#define LARDER_BENCH_REPLAY_CAPACITIES_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bench/replay/lab_cache.h"

namespace larder::bench {

// One capacity, of whatever trace.
struct CapacitySetting {
  CapacityKind kind = CapacityKind::kObjects;
  // A share of the peak of the trace's live items or their bytes, if `amount` is 0.
  double share = 0;
  uint64_t amount = 0;

  // Of this trace, rounded down.
  [[nodiscard]] uint64_t AmountFor(const Workload& workload) const;
  // The share of this trace's peak that it is; above 1 if it is more.
  [[nodiscard]] double ShareOf(const Workload& workload) const;
};

// A number with a point is a share, up to 1.0. Of kBytes, an amount is a size such as 64m.
std::optional<CapacitySetting> ParseCapacity(CapacityKind kind, std::string_view text);

// "objects" or "bytes".
std::string_view NameOf(CapacityKind kind);

}  // namespace larder::bench

#endif  // LARDER_BENCH_REPLAY_CAPACITIES_H_
