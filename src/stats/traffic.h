// How much a core's clients ask, send and are sent: in all, and of late.
#ifndef LARDER_STATS_TRAFFIC_H_
#define LARDER_STATS_TRAFFIC_H_

#include <atomic>
#include <cstdint>

namespace larder::stats {

// A plain value: totals, or so many a second.
struct Traffic {
  uint64_t requests = 0;
  uint64_t received_bytes = 0;
  uint64_t sent_bytes = 0;
};

// What a second brings, from looks at the totals about once a second. One core looks; anyone may
// read, each figure by itself.
class RecentTraffic {
 public:
  // `totals` at `now_ns`. Those that have fallen have been reset: nothing is known of that second.
  void Look(uint64_t now_ns, const Traffic& totals);
  [[nodiscard]] Traffic PerSecond() const;

 private:
  uint64_t looked_at_ns_ = 0;
  Traffic seen_;
  // Relaxed: figures that say nothing about other memory.
  std::atomic<uint64_t> requests_{0};
  std::atomic<uint64_t> received_bytes_{0};
  std::atomic<uint64_t> sent_bytes_{0};
};

}  // namespace larder::stats

#endif  // LARDER_STATS_TRAFFIC_H_
