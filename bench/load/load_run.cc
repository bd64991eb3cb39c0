#include "bench/load/load_run.h"

#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <memory>
#include <thread>

namespace larder::bench {
namespace {

using Workers = std::vector<std::unique_ptr<Worker>>;

// Deep enough that storing a million keys takes a second or two.
constexpr uint32_t kPreloadDepth = 32;

uint64_t ThisProcessCpuNs() {
  timespec used;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  return static_cast<uint64_t>(used.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(used.tv_nsec);
}

bool PinThisThread(uint32_t cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  return pthread_setaffinity_np(pthread_self(), sizeof(set), &set) == 0;
}

// Part `index` of `whole` in `parts` parts that differ by at most one.
uint64_t Share(uint64_t whole, uint32_t index, uint32_t parts) {
  return whole * (index + 1) / parts - whole * index / parts;
}

class LoadRun {
 public:
  explicit LoadRun(const LoadOptions& options)
      : options_(options), keys_(options.keys), dialect_(options.dialect->make(keys_)) {}

  LoadResult Run() {
    if (options_.preload && !Preload()) return Failed();
    workers_ = MakeWorkers(options_.worker.depth);
    if (!AllConnect()) return Failed();
    if (options_.warmup_s > 0 && !RunPhase("warm-up", Measured(0, options_.warmup_s))) {
      return Failed();
    }
    return Measure();
  }

 private:
  Workers MakeWorkers(uint32_t depth) {
    Workers workers;
    for (uint32_t i = 0; i < options_.threads; ++i) {
      Worker::Options one = options_.worker;
      one.connections = static_cast<uint32_t>(Share(options_.connections, i, options_.threads));
      one.depth = depth;
      one.seed = Mix(options_.worker.seed + i);
      workers.push_back(std::make_unique<Worker>(one, keys_, *dialect_, stop_));
    }
    return workers;
  }

  // Each on a thread of its own, on its CPU: servers may look where a client comes from.
  template <typename Work>
  std::vector<std::thread> OnThreads(const Work& work) {
    std::vector<std::thread> threads;
    for (uint32_t i = 0; i < options_.threads; ++i) {
      threads.emplace_back([this, i, work] {
        const auto& cpus = options_.cpus;
        if (!cpus.empty() && !PinThisThread(cpus[i % cpus.size()])) {
          std::fprintf(stderr, "cannot pin a thread to CPU %u\n", cpus[i % cpus.size()]);
        }
        work(i);
      });
    }
    return threads;
  }

  bool AllConnect() {
    std::atomic<bool> well{true};
    for (std::thread& thread : OnThreads([this, &well](uint32_t i) {
           if (!workers_[i]->Connect()) well = false;
         })) {
      thread.join();
    }
    return well;
  }

  // On connections of its own, which are closed before the measured ones open.
  bool Preload() {
    workers_ = MakeWorkers(kPreloadDepth);
    if (!AllConnect()) return false;
    std::vector<Worker::Plan> plans(options_.threads);
    uint32_t begin = 0;
    for (uint32_t i = 0; i < options_.threads; ++i) {
      plans[i].preload_begin = begin;
      begin += static_cast<uint32_t>(Share(keys_.Keys(), i, options_.threads));
      plans[i].preload_end = begin;
    }
    if (!RunPhase("preload", plans)) return false;
    for (const auto& worker : workers_) {
      if (worker->tally().refused == 0) continue;
      failure_ = "the server refused to store " + std::to_string(worker->tally().refused) +
                 " keys of the preload";
      return false;
    }
    return true;
  }

  std::vector<Worker::Plan> Measured(uint64_t requests, double seconds) const {
    std::vector<Worker::Plan> plans(options_.threads);
    for (uint32_t i = 0; i < options_.threads; ++i) {
      plans[i].requests = Share(requests, i, options_.threads);
      plans[i].duration_ns = requests > 0 ? 0 : static_cast<uint64_t>(seconds * 1e9);
      plans[i].rate_per_s = options_.rate_per_s / options_.threads;
    }
    return plans;
  }

  bool RunPhase(const char* name, const std::vector<Worker::Plan>& plans) {
    std::vector<std::thread> threads =
        OnThreads([this, &plans](uint32_t i) { workers_[i]->Run(plans[i]); });
    std::thread reporter;
    std::atomic<bool> over{false};
    if (options_.progress) reporter = std::thread([&] { Report(name, over); });
    for (std::thread& thread : threads) thread.join();
    over = true;
    if (reporter.joinable()) reporter.join();
    return std::all_of(workers_.begin(), workers_.end(),
                       [](const auto& worker) { return worker->failure().empty(); });
  }

  // A line per second, and none for a phase that is shorter.
  void Report(const char* name, const std::atomic<bool>& over) const {
    uint64_t before = 0;
    for (int tenths = 1; !over; ++tenths) {
      usleep(100'000);
      if (tenths % 10 != 0) continue;
      uint64_t answered = 0;
      for (const auto& worker : workers_) answered += worker->Answered();
      std::fprintf(stderr, "%-8s %4d s %12llu requests %10llu/s\n", name, tenths / 10,
                   static_cast<unsigned long long>(answered),
                   static_cast<unsigned long long>(answered - std::min(before, answered)));
      before = answered;
    }
  }

  LoadResult Measure() {
    LoadResult result;
    const auto server_before = ServerCpu();
    const uint64_t client_before = ThisProcessCpuNs();
    const uint64_t begin_ns = MonotonicNs();
    const bool ran = RunPhase("measure", Measured(options_.requests, options_.duration_s));
    result.seconds = static_cast<double>(MonotonicNs() - begin_ns) / 1e9;
    result.client_cpu_ns = ThisProcessCpuNs() - client_before;
    const auto server_after = ServerCpu();
    if (server_before && server_after) {
      result.server_cpu =
          ProcessCpu{.run_ns = server_after->run_ns - server_before->run_ns,
                     .user_ns = server_after->user_ns - server_before->user_ns,
                     .system_ns = server_after->system_ns - server_before->system_ns};
    }
    for (const auto& worker : workers_) result.tally.Merge(worker->tally());
    result.failure = ran ? Judge(result) : Failed().failure;
    return result;
  }

  [[nodiscard]] std::optional<ProcessCpu> ServerCpu() const {
    return options_.server_pid == 0 ? std::nullopt : ProcessCpu::Of(options_.server_pid);
  }

  // A load that ran to its end may still have gone wrong.
  [[nodiscard]] std::string Judge(const LoadResult& result) const {
    const Tally& tally = result.tally;
    if (tally.refused > 0) {
      return "the server answered " + std::to_string(tally.refused) + " requests with an error";
    }
    if (options_.require_hits && tally.misses > 0) {
      return std::to_string(tally.misses) + " keys were missing, and --require-hits is set";
    }
    if (result.Requests() == 0) return "not one request was answered";
    if (options_.server_pid != 0 && !result.server_cpu) {
      return "there is no process " + std::to_string(options_.server_pid) + " (--server-pid)";
    }
    return "";
  }

  [[nodiscard]] LoadResult Failed() const {
    LoadResult result;
    result.failure = failure_;
    for (const auto& worker : workers_) {
      if (!worker->failure().empty()) result.failure = worker->failure();
    }
    return result;
  }

  const LoadOptions& options_;
  const KeySpace keys_;
  const std::unique_ptr<Dialect> dialect_;
  std::atomic<bool> stop_{false};
  std::string failure_;
  Workers workers_;
};

}  // namespace

LoadResult RunLoad(const LoadOptions& options) { return LoadRun(options).Run(); }

}  // namespace larder::bench
