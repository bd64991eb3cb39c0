// How much CPU time a process has used, from /proc.
//
// Two sources. The sum over /proc/PID/task/*/schedstat is exact to the nanosecond for threads that
// sleep, but forgets threads that have ended, and leaves out what the kernel has not yet booked for
// one that runs (at most a tick). utime + stime of /proc/PID/stat are in ticks of 10 ms, and split
// the time between program and kernel.
#ifndef LARDER_BENCH_LOAD_PROCESS_CPU_H_
#define LARDER_BENCH_LOAD_PROCESS_CPU_H_

#include <sys/types.h>

#include <cstdint>
#include <optional>

namespace larder::bench {

struct ProcessCpu {
  uint64_t run_ns = 0;     // by schedstat; 0 where the kernel keeps none
  uint64_t user_ns = 0;    // by stat
  uint64_t system_ns = 0;  // by stat

  // Nothing if there is no such process.
  static std::optional<ProcessCpu> Of(pid_t pid);
};

}  // namespace larder::bench

#endif  // LARDER_BENCH_LOAD_PROCESS_CPU_H_
