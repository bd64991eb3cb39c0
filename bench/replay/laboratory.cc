#include "bench/replay/laboratory.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <thread>
#include <utility>

#include "util/check.h"

namespace larder::bench {
namespace {

// Requests after which progress is told, and the cache is looked at.
constexpr size_t kLookEvery = 16'384;

std::vector<Cell> CellsOf(const LabPlan& plan, const Workload& workload) {
  std::vector<Cell> cells;
  for (const CapacitySetting& setting : plan.capacities) {
    const double share = setting.ShareOf(workload);
    const uint64_t capacity = setting.AmountFor(workload);
    const auto objects =
        static_cast<uint64_t>(setting.share * static_cast<double>(workload.peak.objects));
    if (capacity == 0 || (setting.amount == 0 && objects < plan.objects_min)) continue;
    for (const std::string& policy : plan.policies) {
      cells.push_back({.policy = policy,
                       .setting = setting,
                       .capacity = capacity,
                       .share = share,
                       .failure = {}});
    }
  }
  return cells;
}

std::unique_ptr<LabCache> MakeCache(const Cell& cell, const LabCacheOptions& options) {
  if (cell.policy == kAdaptive) return MakeShardCache(options);
  auto yardstick = MakeYardstick(cell.policy, {options.workload.ids, options.capacity});
  CHECK(yardstick != nullptr);
  return MakeYardstickCache(std::move(yardstick), options);
}

// Takes cells from a common list until none is left.
class Runner {
 public:
  Runner(const LabPlan& plan, const Workload& workload, std::span<Cell> cells)
      : plan_(plan), workload_(workload), cells_(cells) {}

  void RunSome() {
    // Relaxed: the counter hands out cells and orders nothing else; the join does.
    for (size_t i = 0; (i = next_.fetch_add(1, std::memory_order_relaxed)) < cells_.size();) {
      Run(cells_[i]);
    }
  }

 private:
  void Run(Cell& cell) {
    const auto cache = MakeCache(cell, {.workload = workload_,
                                        .kind = cell.setting.kind,
                                        .capacity = cell.capacity,
                                        .expiry = plan_.expiry,
                                        .seed = plan_.seed});
    uint64_t hits = 0;
    size_t told = 0;
    for (size_t i = 0; i < workload_.requests.size(); ++i) {
      hits += cache->Serve(workload_.requests[i]) ? 1 : 0;
      if (i + 1 - told < kLookEvery && i + 1 < workload_.requests.size()) continue;
      LookAt(*cache, cell);
      Tell(i + 1 - std::exchange(told, i + 1));
    }
    cell.miss_ratio =
        static_cast<double>(workload_.gets - hits) / static_cast<double>(workload_.gets);
  }

  static void LookAt(const LabCache& cache, Cell& cell) {
    if (!cell.failure.empty()) return;
    cell.failure = cache.Failure();
    if (cell.failure.empty() && cache.Used() > cell.capacity) {
      cell.failure = "it holds more than its capacity: " + std::to_string(cache.Used());
    }
  }

  void Tell(size_t requests) {
    if (!plan_.progress) return;
    const std::lock_guard lock(mutex_);
    done_ += requests;
    const size_t all = cells_.size() * workload_.requests.size();
    plan_.progress(static_cast<double>(done_) / static_cast<double>(all));
  }

  const LabPlan& plan_;
  const Workload& workload_;
  const std::span<Cell> cells_;
  std::atomic<size_t> next_ = 0;
  std::mutex mutex_;
  size_t done_ = 0;  // requests, of all cells
};

}  // namespace

std::vector<std::string_view> PolicyNames() {
  std::vector<std::string_view> names = {kAdaptive};
  const auto yardsticks = YardstickNames();
  names.insert(names.end(), yardsticks.begin(), yardsticks.end());
  return names;
}

std::vector<Cell> RunCells(const LabPlan& plan, const Workload& workload) {
  std::vector<Cell> cells = CellsOf(plan, workload);
  Runner runner(plan, workload, cells);
  std::vector<std::thread> others;
  const size_t threads = std::min<size_t>(plan.threads, cells.size());
  for (size_t i = 1; i < threads; ++i) others.emplace_back([&runner] { runner.RunSome(); });
  runner.RunSome();
  for (std::thread& other : others) other.join();
  return cells;
}

}  // namespace larder::bench
