#include "stats/counters.h"

namespace larder::stats {
namespace {

constexpr std::array<CounterInfo, kCounterCount> kCounters = {{
#define COUNTER(id, memcached, prometheus, help) \
  {Counter::k##id, memcached, prometheus, help, false},
#define GAUGE(id, memcached, prometheus, help) {Counter::k##id, memcached, prometheus, help, true},
#include "stats/counters.def"
#undef COUNTER
#undef GAUGE
}};

}  // namespace

std::span<const CounterInfo, kCounterCount> AllCounters() { return kCounters; }

std::string StatNameOf(const CounterInfo& info) {
  if (!info.memcached_name.empty()) return std::string(info.memcached_name);
  constexpr std::string_view kEnd = "_total";
  std::string_view name = info.prometheus_name;
  if (name.ends_with(kEnd)) name.remove_suffix(kEnd.size());
  return std::string(name);
}

void CounterBlock::ResetCounters() {
  for (const CounterInfo& info : kCounters) {
    if (!info.gauge) Set(info.counter, 0);
  }
}

}  // namespace larder::stats
