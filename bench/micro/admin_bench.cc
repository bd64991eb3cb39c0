// What the figures cost: a scrape on the admin door's thread, and the clock's share of a turn.
//
//   bin/admin_bench [--benchmark_filter=REGEX]
//
// A scrape's argument is the number of cores; each has counted something of every kind, so that its
// page is as long as pages get.
#include <benchmark/benchmark.h>

#include <memory>
#include <string>
#include <vector>

#include "admin/pages.h"
#include "stats/figures.h"

namespace larder::admin {
namespace {

class Cores {
 public:
  explicit Cores(size_t count) : cores_(count) {
    for (auto& core : cores_) {
      core = std::make_unique<Core>();
      for (const stats::CounterInfo& info : stats::AllCounters()) {
        core->counters.Set(info.counter, 1'234'567'890);
      }
      for (const uint64_t bytes : stats::kChunkBytes) core->sizes.Store(bytes);
      for (const stats::RequestKind kind : stats::AllRequestKinds()) {
        if (kind.index() % 8 == 0) core->times.Count(kind);
      }
      core->times.EndTurn(0, 5000);
      figures_.cores.push_back({.counters = &core->counters,
                                .size_classes = &core->sizes,
                                .times = &core->times,
                                .turn_age_ns = 1});
    }
  }
  [[nodiscard]] const stats::Figures& figures() const { return figures_; }

 private:
  struct Core {
    stats::CounterBlock counters;
    stats::SizeClasses sizes;
    stats::RequestTimes times;
  };
  std::vector<std::unique_ptr<Core>> cores_;
  stats::Figures figures_;
};

void Show(benchmark::State& state, const char* path, MoreNames more) {
  const Cores cores(static_cast<size_t>(state.range(0)));
  size_t bytes = 0;
  for (auto _ : state) {
    const Page page = PageAt(path, cores.figures(), more);
    bytes = page.body.size();
    benchmark::DoNotOptimize(bytes);
  }
  state.counters["bytes"] = static_cast<double>(bytes);
}

void BM_Metrics(benchmark::State& state) { Show(state, "/metrics", MoreNames::kRedis); }
BENCHMARK(BM_Metrics)->Arg(1)->Arg(16)->Unit(benchmark::kMicrosecond);

void BM_Json(benchmark::State& state) { Show(state, "/stats.json", MoreNames::kNone); }
BENCHMARK(BM_Json)->Arg(1)->Arg(16)->Unit(benchmark::kMicrosecond);

// Of a turn with so many requests of one kind: counting them, and its end.
void BM_TimeATurn(benchmark::State& state) {
  auto times = std::make_unique<stats::RequestTimes>();
  const stats::RequestKind get(stats::Dialect::kText, Verb::kGet);
  uint64_t now_ns = 0;
  for (auto _ : state) {
    for (int64_t i = 0; i < state.range(0); ++i) times->Count(get);
    now_ns += 5000;
    times->EndTurn(now_ns - 4000, now_ns);
    benchmark::ClobberMemory();
  }
}
BENCHMARK(BM_TimeATurn)->Arg(1)->Arg(16);

}  // namespace
}  // namespace larder::admin

BENCHMARK_MAIN();
