#include "stats/traffic.h"

#include <cmath>

namespace larder::stats {

namespace {

uint64_t RateOf(uint64_t before, uint64_t now, double seconds) {
  if (now < before) return 0;
  return static_cast<uint64_t>(std::llround(static_cast<double>(now - before) / seconds));
}

}  // namespace

void RecentTraffic::Look(uint64_t now_ns, const Traffic& totals) {
  if (now_ns <= looked_at_ns_) return;
  const double seconds = static_cast<double>(now_ns - looked_at_ns_) / 1e9;
  const auto set = [&](std::atomic<uint64_t>& rate, uint64_t before, uint64_t now) {
    rate.store(RateOf(before, now, seconds), std::memory_order_relaxed);
  };
  if (looked_at_ns_ != 0) {
    set(requests_, seen_.requests, totals.requests);
    set(received_bytes_, seen_.received_bytes, totals.received_bytes);
    set(sent_bytes_, seen_.sent_bytes, totals.sent_bytes);
  }
  looked_at_ns_ = now_ns;
  seen_ = totals;
}

Traffic RecentTraffic::PerSecond() const {
  return {.requests = requests_.load(std::memory_order_relaxed),
          .received_bytes = received_bytes_.load(std::memory_order_relaxed),
          .sent_bytes = sent_bytes_.load(std::memory_order_relaxed)};
}

}  // namespace larder::stats
