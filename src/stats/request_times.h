// How long a core's turns take, and how long its clients' requests wait, by what was asked.
//
// A request's time begins with the turn in which all of it has come, and ends with the turn whose
// end hands its reply to the kernel. For a key of our own that is one turn; for one of another core
// it ends when that core's answer has come. So the clock is read once more a turn, at its end, and
// all requests of a turn share the reading: they do leave together.
//
// What it does not see: bytes that wait in the kernel while a turn goes on (the length of turns
// bounds that), and what a client has still to be told when its share of a turn is used up (-R):
// such requests count from the turn that they are executed in.
//
// One core counts; anyone may read the histograms. Counting a request costs two or three
// instructions, and each kind of request that a turn had some fifteen at its end.
#ifndef LARDER_STATS_REQUEST_TIMES_H_
#define LARDER_STATS_REQUEST_TIMES_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "larder/command.h"
#include "stats/duration_histogram.h"

namespace larder::stats {

// What a request was spelled in.
enum class Dialect : uint8_t { kText, kMeta, kBinary, kResp };
inline constexpr size_t kDialectCount = 4;
// "text", "meta", "binary", "resp". Static storage.
std::string_view DialectName(Dialect dialect);

// A dialect and a verb; kRejected is one, too.
class RequestKind {
 public:
  static constexpr size_t kVerbs = kVerbCount + 1;
  static constexpr size_t kCount = kDialectCount * kVerbs;

  constexpr RequestKind() = default;
  constexpr RequestKind(Dialect dialect, Verb verb)
      : index_(static_cast<uint16_t>(static_cast<size_t>(dialect) * kVerbs +
                                     static_cast<size_t>(verb))) {}

  [[nodiscard]] constexpr size_t index() const { return index_; }
  [[nodiscard]] constexpr Dialect dialect() const { return static_cast<Dialect>(index_ / kVerbs); }
  [[nodiscard]] constexpr Verb verb() const { return static_cast<Verb>(index_ % kVerbs); }

 private:
  uint16_t index_ = 0;
};

// Its verb, as the text protocol has it; "rejected".
std::string_view RequestVerbName(RequestKind kind);
std::array<RequestKind, RequestKind::kCount> AllRequestKinds();

class RequestTimes {
 public:
  // A moment in steps of 256 ns, modulo 18 minutes: what a request remembers while another core has
  // it. A request that takes longer than that counts as a shorter one.
  using Ticks = uint32_t;
  static constexpr uint32_t kTickShift = 8;
  static constexpr Ticks TicksOf(uint64_t ns) { return static_cast<Ticks>(ns >> kTickShift); }

  // Owner only, in a turn. A request that came in this turn is answered in it.
  void Count(RequestKind kind) {
    if (answered_[kind.index()]++ == 0) kinds_[kind_count_++] = kind;
  }
  // A request that came in the turn that began at `asked` is answered in this one.
  void CountLate(RequestKind kind, Ticks asked) { late_.push_back({kind, asked}); }
  void EndTurn(uint64_t begin_ns, uint64_t end_ns);
  // Owner only (`stats reset`).
  void Reset();

  // From any thread.
  // All requests that have been answered.
  [[nodiscard]] uint64_t count() const { return count_.load(std::memory_order_relaxed); }
  [[nodiscard]] const DurationHistogram& turns() const { return turns_; }
  [[nodiscard]] const DurationHistogram& Of(RequestKind kind) const {
    return requests_[kind.index()];
  }

 private:
  struct Late {
    RequestKind kind;
    Ticks asked;
  };

  // Of this turn.
  std::array<uint32_t, RequestKind::kCount> answered_{};
  std::array<RequestKind, RequestKind::kCount> kinds_{};  // those that are not 0
  size_t kind_count_ = 0;
  std::vector<Late> late_;  // as many as other cores answer in a turn; its memory is kept

  // Relaxed: the owner writes, and it says nothing about other memory.
  std::atomic<uint64_t> count_{0};
  DurationHistogram turns_;
  std::array<DurationHistogram, RequestKind::kCount> requests_;
};

}  // namespace larder::stats

#endif  // LARDER_STATS_REQUEST_TIMES_H_
