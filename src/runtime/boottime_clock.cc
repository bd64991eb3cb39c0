#include "runtime/boottime_clock.h"

#include <ctime>

namespace larder::runtime {
namespace {

uint64_t NsOf(clockid_t clock) {
  timespec time;
  clock_gettime(clock, &time);
  return static_cast<uint64_t>(time.tv_sec) * kNsPerSecond + static_cast<uint64_t>(time.tv_nsec);
}

}  // namespace

BoottimeClock::BoottimeClock() : origin_ns_(NsOf(CLOCK_BOOTTIME) - kNsPerSecond) {}

Now BoottimeClock::Read() const {
  return Now{.ns = ReadNs(), .unix_ns = static_cast<int64_t>(NsOf(CLOCK_REALTIME))};
}

uint64_t BoottimeClock::ReadNs() const { return NsOf(CLOCK_BOOTTIME) - origin_ns_; }

}  // namespace larder::runtime
