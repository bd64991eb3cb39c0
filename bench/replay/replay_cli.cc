// larder-replay: the command line of the trace replayer. Exit status: 0 all is well, 1 a replay
// failed (a wrong value, a refused set, a broken trace, a lost connection), 2 wrong usage. Compiled
// with exceptions, which CLI11 needs.
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "bench/common/endpoint.h"
#include "bench/replay/replay.h"
#include "util/units.h"

namespace larder::bench {
namespace {

// The smallest shard that can work at all.
constexpr uint64_t kMemoryBytesMin = util::kMiB;

struct ReplayOptions {
  std::vector<std::string> traces;
  std::string server;  // empty: in this process
  std::string memory = "64m";
  std::string csv_path;
  uint32_t window = 64;
  uint32_t value_size = 0;
  uint64_t requests_max = 0;
  bool flush = false;
  bool progress = isatty(STDERR_FILENO) == 1;
};

// A bar that is drawn over itself:  arc_OLTP [########            ] 41 %  ETA 3 s
class ProgressBar {
 public:
  ProgressBar(std::string name, bool shown) : name_(std::move(name)), shown_(shown) {}

  void Show(double fraction, uint64_t requests) {
    const auto now = Clock::now();
    if (!shown_ || now - drawn_ < std::chrono::milliseconds(200)) return;
    drawn_ = now;
    const double spent_s = std::chrono::duration<double>(now - begin_).count();
    std::string bar(kWidth, ' ');
    bar.replace(0, static_cast<size_t>(fraction * kWidth), static_cast<size_t>(fraction * kWidth),
                '#');
    std::fprintf(stderr, "\r\033[K%s [%s] %3.0f %%  %llu requests", name_.c_str(), bar.c_str(),
                 100 * fraction, static_cast<unsigned long long>(requests));
    if (fraction > 0) std::fprintf(stderr, "  ETA %.0f s", spent_s * (1 - fraction) / fraction);
  }

  void Clear() const {
    if (shown_) std::fprintf(stderr, "\r\033[K");
  }

 private:
  using Clock = std::chrono::steady_clock;
  static constexpr size_t kWidth = 30;

  const std::string name_;
  const bool shown_;
  const Clock::time_point begin_ = Clock::now();
  Clock::time_point drawn_ = begin_;
};

void AddFlags(CLI::App& app, ReplayOptions& options) {
  app.add_option("traces", options.traces, "oracleGeneral files, plain or .zst")->required();
  app.add_option("-s,--server", options.server,
                 "HOST:PORT or a Unix socket's path; otherwise a cache in this process");
  app.add_option("-m,--memory", options.memory, "of the cache in this process, such as 64m")
      ->capture_default_str();
  app.add_flag("--flush", options.flush, "empty the server before each trace (flush_all)");
  app.add_option("--window", options.window,
                 "requests that go to a server together; 1 keeps their exact order")
      ->capture_default_str();
  app.add_option("--value-size", options.value_size,
                 "bytes of every value (default: as the trace says; 64 where it says 1)");
  app.add_option("-n,--requests", options.requests_max, "stop each trace after so many");
  app.add_option("--csv", options.csv_path,
                 "write trace,capacity_kind,capacity,miss_ratio lines to this file too");
  app.add_flag("--progress", options.progress, "a bar on stderr (default: if it is a tty)");
}

// "/some/where/arc_OLTP.oracleGeneral.zst" as "arc_OLTP".
std::string NameOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  const std::string file = slash == std::string::npos ? path : path.substr(slash + 1);
  return file.substr(0, file.find('.'));
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
  plan.path = options.traces[trace];
  plan.trace = trace;
  plan.window = options.window;
  plan.value_size = options.value_size;
  plan.requests_max = options.requests_max;
  ProgressBar bar(NameOf(plan.path), options.progress);
  plan.progress = [&bar](double fraction, uint64_t requests) { bar.Show(fraction, requests); };
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
  for (uint32_t trace = 0; trace < options.traces.size(); ++trace) {
    const ReplayResult result = ReplayOne(options, trace, target);
    if (!result.failure.empty()) {
      std::fprintf(stderr, "larder-replay: FAILED: %s\n", result.failure.c_str());
      return 1;
    }
    PrintRow(NameOf(options.traces[trace]), result);
    std::fflush(stdout);
    if (csv != nullptr) WriteCsvLine(csv, NameOf(options.traces[trace]), result);
    // A cache has to make room; one that refuses has failed, though the rest can be measured.
    if (result.counts.refused > 0) status = 1;
  }
  return status;
}

int Main(int argc, char** argv) {
  ReplayOptions options;
  CLI::App app("Replays traces against a cache: get, and on a miss set.", "larder-replay");
  AddFlags(app, options);
  CLI11_PARSE(app, argc, argv);
  std::string wrong;
  const auto target = MakeTarget(options, &wrong);
  if (target == nullptr) {
    std::fprintf(stderr, "larder-replay: %s\n", wrong.c_str());
    return 2;
  }
  std::FILE* csv = nullptr;
  if (!options.csv_path.empty()) {
    csv = std::fopen(options.csv_path.c_str(), "we");
    if (csv == nullptr) {
      std::fprintf(stderr, "larder-replay: cannot write %s\n", options.csv_path.c_str());
      return 2;
    }
  }
  const int status = RunAll(options, *target, csv);
  const bool written = csv == nullptr || std::fclose(csv) == 0;
  if (!written) std::fprintf(stderr, "larder-replay: cannot write %s\n", options.csv_path.c_str());
  return written ? status : 1;
}

}  // namespace
}  // namespace larder::bench

int main(int argc, char** argv) { return larder::bench::Main(argc, argv); }
