// Time, as the cache sees it. Injected, so that tests own it.
#ifndef LARDER_CLOCK_H_
#define LARDER_CLOCK_H_

#include <cstdint>

namespace larder {

// Whole seconds on the cache's own clock, which starts near zero with the process, goes on during
// suspend and never steps. 136 years.
using CacheSeconds = uint32_t;

// "Never", as an expiry.
inline constexpr CacheSeconds kNever = 0;

inline constexpr int64_t kNsPerSecond = 1'000'000'000;
inline constexpr int64_t kMicrosPerSecond = 1'000'000;

// One reading of the clock. A turn of a loop takes one, and every command of the turn sees it.
struct Now {
  // Since the clock's start; at least one second, so that no item expires at kNever.
  uint64_t ns = 1'000'000'000;
  // Unix time at this moment; only for converting absolute times as they arrive.
  int64_t unix_ns = 0;

  // Completed seconds: an item with expiry E is dead if and only if FloorSeconds() >= E.
  [[nodiscard]] CacheSeconds FloorSeconds() const {
    return static_cast<CacheSeconds>(ns / kNsPerSecond);
  }
  // Rounded up: the base of an expiry, so that no item is gone before its time.
  [[nodiscard]] CacheSeconds CeilSeconds() const {
    return static_cast<CacheSeconds>((ns + 999'999'999) / 1'000'000'000);
  }
};

class Clock {
 public:
  Clock() = default;
  Clock(const Clock&) = delete;
  Clock& operator=(const Clock&) = delete;
  virtual ~Clock() = default;
  [[nodiscard]] virtual Now Read() const = 0;
  // Now::ns alone, for half the price.
  [[nodiscard]] virtual uint64_t ReadNs() const { return Read().ns; }
};

}  // namespace larder

#endif  // LARDER_CLOCK_H_
