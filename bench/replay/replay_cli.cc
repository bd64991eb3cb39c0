// larder-replay: the command line of the trace replayer. Exit status: 0 all is well, 1 a replay
// failed (a wrong value, a refused set, a broken trace, a lost connection), 2 wrong usage. Compiled
// with exceptions, which CLI11 needs.
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "CLI/CLI.hpp"
#include "bench/common/endpoint.h"
#include "bench/replay/lab_run.h"
#include "bench/replay/progress_bar.h"
#include "bench/replay/replay.h"
#include "util/units.h"

namespace larder::bench {
namespace {

// The smallest shard that can work at all.
constexpr uint64_t kMemoryBytesMin = util::kMiB;

constexpr const char* kAbout =
    "Replays traces against a cache: get, and on a miss set.\n\n"
    "  larder-replay TRACE ... [--policy=NAME,...] --objects=N,... | --bytes=SIZE,...\n"
    "      many caches in this process, to compare policies\n"
    "  larder-replay TRACE ... [--memory=SIZE | --server=ADDRESS]\n"
    "      one cache: a shard in this process, or a server\n";
constexpr const char* kExamples =
    "\nTraces are libCacheSim's oracleGeneral, or kv1 where the name ends in .kv1 or .kv1.zst;\n"
    "plain or compressed with zstd.\n\n"
    "Examples\n"
    "  larder-replay --policy=adaptive,lru,s3fifo,belady --objects=0.001,0.01,0.1,0.3 web.zst\n"
    "  larder-replay --bytes=0.1,64m --csv=results.csv --svg=curves.svg *.kv1\n"
    "  larder-replay --server 127.0.0.1:11211 --flush web.zst\n";

constexpr const char* kLabGroup = "To compare policies";
constexpr const char* kCacheGroup = "To ask one cache";

struct ReplayOptions {
  LabSettings lab;     // the traces, too
  std::string server;  // empty: in this process
  std::string memory = "64m";
  uint32_t window = 64;
  uint32_t value_size = 0;
  bool flush = false;
};

void AddFlags(CLI::App& app, ReplayOptions& options) {
  LabSettings& lab = options.lab;
  app.add_option("traces", lab.traces, "trace files")->required()->option_text("TRACE ...");
  app.add_option("-n,--requests", lab.requests_max, "stop each trace after so many")
      ->option_text("N");
  app.add_option("--csv", lab.csv_path,
                 "write lines trace,capacity_kind,capacity,miss_ratio to this file;\n"
                 "a fifth column has the policy, where there are several")
      ->option_text("FILE");
  app.add_flag("--progress", lab.progress, "a bar on stderr (default: if it is a tty)");
}

void AddLabFlags(CLI::App& app, LabSettings& lab) {
  const auto add = [&app](const std::string& name, auto& value, const char* text,
                          const std::string& about) {
    return app.add_option(name, value, about)->option_text(text)->group(kLabGroup);
  };
  // Several values need commas: a word that follows is a trace.
  const auto add_list = [&add](const std::string& name, auto& value, const char* text,
                               const std::string& about) {
    add(name, value, text, about)->delimiter(',')->allow_extra_args(false);
  };
  add_list("--policy", lab.policies, "NAME,...",
           "adaptive, which is the server's own shard; or a yardstick: lru, fifo,\n"
           "s3fifo, qdlp, arc, sieve, gdsf, belady. Default: adaptive");
  add_list("--objects", lab.objects, "N,...",
           "capacities in items: 904; or 0.01 for a hundredth of the most that are\n"
           "ever alive in the trace (all of its objects, if nothing expires)");
  add_list("--bytes", lab.bytes, "SIZE,...",
           "capacities in bytes of keys and values: 64m; or 0.01 as above");
  add("--objects-min", lab.objects_min, "N", "leave out shares of a trace that are fewer objects");
  add("--expiry", lab.expiry, "HOW",
      "of the yardsticks: proactive, in the second of death (default); or lazy,\n"
      "when met");
  add("--threads", lab.threads, "N", "caches that run at a time (default: as many as CPUs)");
  add("--seed", lab.seed, "N", "of the hash of the adaptive policy's keys (default: 0)");
  add("--svg", lab.svg_path, "FILE", "draw hit ratio over capacity into this file");
}

void AddCacheFlags(CLI::App& app, ReplayOptions& options) {
  const auto add = [&app](const std::string& name, auto& value, const char* text,
                          const std::string& about) {
    app.add_option(name, value, about)->option_text(text)->group(kCacheGroup);
  };
  add("-s,--server", options.server, "ADDRESS",
      "HOST:PORT or a Unix socket's path; otherwise a cache in this process");
  add("-m,--memory", options.memory, "SIZE", "of the cache in this process (default: 64m)");
  app.add_flag("--flush", options.flush, "empty the server before each trace (flush_all)")
      ->group(kCacheGroup);
  add("--window", options.window, "N",
      "requests that go to a server together; 1 keeps their exact order\n(default: 64)");
  add("--value-size", options.value_size, "N",
      "bytes of every value (default: as the trace says; 64 where it says 1)");
}

std::unique_ptr<ReplayTarget> MakeTarget(const ReplayOptions& options, std::string* wrong) {
  if (options.window == 0 || options.window > 65'536) {
    *wrong = "--window must be 1 to 65536";
    return nullptr;
  }
  if (!options.server.empty()) {
    const auto endpoint = Endpoint::Parse(options.server);
    if (endpoint) return MakeSocketTarget(*endpoint, options.flush);
    *wrong = "--server takes HOST:PORT or a path, not " + options.server;
    return nullptr;
  }
  const auto memory = util::ParseBytes(options.memory);
  if (memory && *memory >= kMemoryBytesMin) return MakeShardTarget(*memory);
  *wrong = "--memory takes a size of at least 1m, such as 64m, not " + options.memory;
  return nullptr;
}

ReplayResult ReplayOne(const ReplayOptions& options, uint32_t trace, ReplayTarget& target) {
  ReplayPlan plan;
  plan.path = options.lab.traces[trace];
  plan.trace = trace;
  plan.window = options.window;
  plan.value_size = options.value_size;
  plan.requests_max = options.lab.requests_max;
  ProgressBar bar(TraceNameOf(plan.path), options.lab.progress);
  plan.progress = [&bar](double fraction, uint64_t) { bar.Show(fraction); };
  ReplayResult result = Replay(plan, target);
  bar.Clear();
  return result;
}

void PrintHead() {
  std::printf("%-20s %14s %14s %10s %10s %9s %12s\n", "trace", "requests", "hits", "hit ratio",
              "memory", "seconds", "per second");
}

void PrintRow(const std::string& name, const ReplayResult& result) {
  const ReplayCounts& counts = result.counts;
  const bool known = result.capacity.kind == "memory";
  std::printf("%-20s %14llu %14llu %10.4f %10s %9.2f %12.0f\n", name.c_str(),
              static_cast<unsigned long long>(counts.requests),
              static_cast<unsigned long long>(counts.hits), counts.HitRatio(),
              known ? util::FormatBytes(result.capacity.amount).c_str() : "?", result.seconds,
              result.seconds > 0 ? static_cast<double>(counts.requests) / result.seconds : 0);
  if (counts.too_large > 0) {
    std::printf("  %llu misses could not be stored: too large for an item\n",
                static_cast<unsigned long long>(counts.too_large));
  }
  if (counts.refused > 0) {
    std::printf("  %llu misses could not be stored: %s\n",
                static_cast<unsigned long long>(counts.refused), counts.last_refusal.c_str());
  }
}

void WriteCsvLine(std::FILE* csv, const std::string& name, const ReplayResult& result) {
  std::fprintf(csv, "%s,%s,%llu,%.6f\n", name.c_str(), result.capacity.kind.c_str(),
               static_cast<unsigned long long>(result.capacity.amount),
               1 - result.counts.HitRatio());
}

int RunAll(const ReplayOptions& options, ReplayTarget& target, std::FILE* csv) {
  int status = 0;
  PrintHead();
  if (csv != nullptr) std::fprintf(csv, "trace,capacity_kind,capacity,miss_ratio\n");
  for (uint32_t trace = 0; trace < options.lab.traces.size(); ++trace) {
    const ReplayResult result = ReplayOne(options, trace, target);
    if (!result.failure.empty()) {
      std::fprintf(stderr, "larder-replay: FAILED: %s\n", result.failure.c_str());
      return 1;
    }
    PrintRow(TraceNameOf(options.lab.traces[trace]), result);
    std::fflush(stdout);
    if (csv != nullptr) WriteCsvLine(csv, TraceNameOf(options.lab.traces[trace]), result);
    // A cache has to make room; one that refuses has failed, though the rest can be measured.
    if (result.counts.refused > 0) status = 1;
  }
  return status;
}

int RunOneCache(const ReplayOptions& options, ReplayTarget& target) {
  std::FILE* csv = nullptr;
  const std::string& path = options.lab.csv_path;
  if (!path.empty()) {
    csv = std::fopen(path.c_str(), "we");
    if (csv == nullptr) {
      std::fprintf(stderr, "larder-replay: cannot write %s\n", path.c_str());
      return 2;
    }
  }
  const int status = RunAll(options, target, csv);
  const bool written = csv == nullptr || std::fclose(csv) == 0;
  if (!written) std::fprintf(stderr, "larder-replay: cannot write %s\n", path.c_str());
  return written ? status : 1;
}

// What belongs to the other of the two kinds of run; empty if all is well.
std::string Misplaced(const CLI::App& app, const std::string& group) {
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_group() == group && option->count() > 0) return option->get_name();
  }
  return {};
}

int Main(int argc, char** argv) {
  ReplayOptions options;
  options.lab.progress = isatty(STDERR_FILENO) == 1;
  options.lab.threads = std::max(1U, std::thread::hardware_concurrency());
  CLI::App app(kAbout, "larder-replay");
  app.footer(kExamples);
  AddFlags(app, options);
  AddLabFlags(app, options.lab);
  AddCacheFlags(app, options);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;  // --help is no error
  }
  const bool compares = !options.lab.objects.empty() || !options.lab.bytes.empty();
  std::string wrong = Misplaced(app, compares ? kCacheGroup : kLabGroup);
  if (!wrong.empty()) {
    wrong += compares ? " does not go with --objects or --bytes" : " needs --objects or --bytes";
  }
  LabPlan plan;
  std::unique_ptr<ReplayTarget> target;
  if (wrong.empty() && compares) MakeLabPlan(options.lab, &plan, &wrong);
  if (wrong.empty() && !compares) target = MakeTarget(options, &wrong);
  if (!wrong.empty()) {
    std::fprintf(stderr, "larder-replay: %s\n", wrong.c_str());
    return 2;
  }
  return compares ? RunLab(options.lab, std::move(plan)) : RunOneCache(options, *target);
}

}  // namespace
}  // namespace larder::bench

int main(int argc, char** argv) { return larder::bench::Main(argc, argv); }
