// The cache's clock: CLOCK_BOOTTIME, which goes on during suspend and never steps;
// it begins at one second.
#ifndef LARDER_RUNTIME_BOOTTIME_CLOCK_H_
#define LARDER_RUNTIME_BOOTTIME_CLOCK_H_

#include <cstdint>

#include "larder/clock.h"

namespace larder::runtime {

class BoottimeClock final : public Clock {
 public:
  BoottimeClock();
  // Two readings without a system call, some 40 ns.
  [[nodiscard]] Now Read() const override;
  [[nodiscard]] uint64_t ReadNs() const override;

 private:
  uint64_t origin_ns_;
};

}  // namespace larder::runtime

#endif  // LARDER_RUNTIME_BOOTTIME_CLOCK_H_
