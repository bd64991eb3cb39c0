#include "runtime/core_thread.h"

#include <pthread.h>
#include <sched.h>

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

CoreThread::~CoreThread() { thread_.join(); }

}  // namespace larder::runtime
