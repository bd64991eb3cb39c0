#include "runtime/core_thread.h"

#include <pthread.h>
#include <sched.h>

#include <ctime>
#include <string>
#include <utility>

namespace larder::runtime {
namespace {

void PinTo(int cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(static_cast<size_t>(cpu), &set);
  // A cpuset may have changed since the CPUs were read; then the scheduler decides.
  (void)pthread_setaffinity_np(pthread_self(), sizeof(set), &set);
}

}  // namespace

CoreThread::CoreThread(const Options& options, std::function<void()> body)
    : thread_([options, body = std::move(body)] {
        pthread_setname_np(pthread_self(), ("core-" + std::to_string(options.index)).c_str());
        if (options.cpu.has_value()) PinTo(*options.cpu);
        body();
      }) {}

uint64_t CoreThread::CpuNs() const {
  clockid_t clock = 0;
  timespec used = {};
  if (pthread_getcpuclockid(thread_.native_handle(), &clock) != 0) return 0;
  (void)clock_gettime(clock, &used);
  return static_cast<uint64_t>(used.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(used.tv_nsec);
}

CoreThread::~CoreThread() { thread_.join(); }

}  // namespace larder::runtime
