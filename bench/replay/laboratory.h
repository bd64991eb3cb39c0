// Many caches, one workload: a cell is one policy at one capacity, and each is one pass over the
// workload, on as many threads as are given.
#ifndef LARDER_BENCH_REPLAY_LABORATORY_H_
#define LARDER_BENCH_REPLAY_LABORATORY_H_

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bench/replay/capacities.h"
#include "bench/replay/lab_cache.h"
#include "bench/replay/workload.h"

namespace larder::bench {

// The policy of the server's own shard; all others are yardsticks.
inline constexpr std::string_view kAdaptive = "adaptive";
// All that can be asked for, the adaptive one first.
std::vector<std::string_view> PolicyNames();

struct LabPlan {
  std::vector<std::string> policies;
  std::vector<CapacitySetting> capacities;
  // Shares of a trace that are fewer objects than this are left out.
  uint64_t objects_min = 1;
  Expiry expiry = Expiry::kProactive;
  uint64_t seed = 0;
  uint32_t threads = 1;
  // Told now and then how far it is, 0 to 1; one call at a time.
  std::function<void(double)> progress = nullptr;
};

struct Cell {
  std::string policy;
  CapacitySetting setting;
  uint64_t capacity = 0;
  double share = 0;  // of the trace that the capacity is
  // Results.
  double miss_ratio = 0;
  std::string failure;  // one sentence, if it did
};

// All cells of the plan, capacity by capacity, each with the policies in their order.
std::vector<Cell> RunCells(const LabPlan& plan, const Workload& workload);

}  // namespace larder::bench

#endif  // LARDER_BENCH_REPLAY_LABORATORY_H_
