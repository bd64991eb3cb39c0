// Numbers: one block of counters per core.
//
// Only the core that owns a block writes it; anyone may read a value that is a moment old. A total
// is the sum over the blocks of all cores.
#ifndef LARDER_STATS_COUNTERS_H_
#define LARDER_STATS_COUNTERS_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace larder::stats {

enum class Counter : uint8_t {
#define COUNTER(id, memcached, prometheus, help) k##id,
#define GAUGE(id, memcached, prometheus, help) k##id,
#include "stats/counters.def"
#undef COUNTER
#undef GAUGE
  kCount
};

inline constexpr size_t kCounterCount = static_cast<size_t>(Counter::kCount);

struct CounterInfo {
  Counter counter;
  std::string_view memcached_name;  // empty where memcached has none; see StatNameOf
  std::string_view prometheus_name;
  std::string_view help;
  bool gauge;
};

// All counters, in the order of counters.def.
std::span<const CounterInfo, kCounterCount> AllCounters();

// In `stats`: memcached's name or, where it has none, larder_… as for Prometheus, without _total.
std::string StatNameOf(const CounterInfo& info);

class alignas(64) CounterBlock {
 public:
  // Owner only. Load-then-store, not fetch_add: with one writer that is exact,
  // and costs no locked instruction.
  void Add(Counter counter, uint64_t n = 1) {
    auto& cell = cells_[static_cast<size_t>(counter)];
    cell.store(cell.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }
  // Owner only; of gauges.
  void Subtract(Counter counter, uint64_t n) {
    auto& cell = cells_[static_cast<size_t>(counter)];
    cell.store(cell.load(std::memory_order_relaxed) - n, std::memory_order_relaxed);
  }
  void Set(Counter counter, uint64_t value) {
    cells_[static_cast<size_t>(counter)].store(value, std::memory_order_relaxed);
  }
  // From any thread.
  [[nodiscard]] uint64_t Get(Counter counter) const {
    return cells_[static_cast<size_t>(counter)].load(std::memory_order_relaxed);
  }
  // Owner only: what `stats reset` means, as memcached has it. Every COUNTER begins again at zero,
  // total_connections and total_items with them; a GAUGE says what is now, and stays.
  void ResetCounters();

 private:
  std::array<std::atomic<uint64_t>, kCounterCount> cells_{};
};

}  // namespace larder::stats

#endif  // LARDER_STATS_COUNTERS_H_
