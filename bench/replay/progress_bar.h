// A bar on stderr that is drawn over itself:   arc_OLTP [########          ]  41 %  ETA 3 s
#ifndef LARDER_BENCH_REPLAY_PROGRESS_BAR_H_
#define LARDER_BENCH_REPLAY_PROGRESS_BAR_H_

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <string>

namespace larder::bench {

class ProgressBar {
 public:
  ProgressBar(std::string name, bool shown) : name_(std::move(name)), shown_(shown) {}

  // May be called as often as one likes. `fraction` is 0 to 1.
  void Show(double fraction) {
    const auto now = Clock::now();
    if (!shown_ || now - drawn_ < std::chrono::milliseconds(200)) return;
    drawn_ = now;
    const double spent_s = std::chrono::duration<double>(now - begin_).count();
    const auto done = static_cast<size_t>(std::clamp(fraction, 0.0, 1.0) * kWidth);
    const std::string bar = std::string(done, '#') + std::string(kWidth - done, ' ');
    std::fprintf(stderr, "\r\033[K%s [%s] %3.0f %%", name_.c_str(), bar.c_str(), 100 * fraction);
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

}  // namespace larder::bench

#endif  // LARDER_BENCH_REPLAY_PROGRESS_BAR_H_
