// A whole load: connect, store the keys, warm up, measure.
//
// The server's CPU time is read before and after the measured phase, while no request is on its
// way: divided by the requests, it is the cost of one of them, whatever the machine was doing
// besides.
#ifndef LARDER_BENCH_LOAD_LOAD_RUN_H_
#define LARDER_BENCH_LOAD_LOAD_RUN_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "bench/load/dialect.h"
#include "bench/load/key_space.h"
#include "bench/load/process_cpu.h"
#include "bench/load/worker.h"

namespace larder::bench {

struct LoadOptions {
  std::string server = "127.0.0.1:11211";
  const DialectName* dialect = &kDialects[0];
  KeySpace::Options keys;
  Worker::Options worker;     // `connections` of one thread, `seed` of the first
  uint32_t connections = 50;  // of all threads
  uint32_t threads = 1;
  std::vector<uint32_t> cpus;  // thread i is pinned to cpus[i % size]; empty: not pinned
  bool preload = false;
  double warmup_s = 0;
  uint64_t requests = 0;  // 0: for `duration_s`
  double duration_s = 5;
  double rate_per_s = 0;
  pid_t server_pid = 0;  // 0: unknown
  bool require_hits = false;
  bool progress = false;  // a line per second on stderr
};

struct LoadResult {
  std::string failure;  // one sentence; empty if all is well
  Tally tally;
  double seconds = 0;
  std::optional<ProcessCpu> server_cpu;  // of the measured phase
  uint64_t client_cpu_ns = 0;            // likewise

  // Those that were answered.
  [[nodiscard]] uint64_t Requests() const { return tally.get_ns.Count() + tally.set_ns.Count(); }
};

LoadResult RunLoad(const LoadOptions& options);

// What a person reads, and what a program reads.
void PrintTable(const LoadOptions& options, const LoadResult& result);
std::string ToJson(const LoadOptions& options, const LoadResult& result);

}  // namespace larder::bench

#endif  // LARDER_BENCH_LOAD_LOAD_RUN_H_
