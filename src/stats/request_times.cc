#include "stats/request_times.h"

#include "util/check.h"

namespace larder::stats {

std::string_view DialectName(Dialect dialect) {
  switch (dialect) {
    case Dialect::kText:
      return "text";
    case Dialect::kMeta:
      return "meta";
    case Dialect::kBinary:
      return "binary";
    case Dialect::kResp:
      return "resp";
  }
  CHECK(false);
}

std::string_view RequestVerbName(RequestKind kind) {
  return kind.verb() == Verb::kRejected ? "rejected" : VerbText(kind.verb());
}

std::array<RequestKind, RequestKind::kCount> AllRequestKinds() {
  std::array<RequestKind, RequestKind::kCount> kinds{};
  for (size_t i = 0; i < kinds.size(); ++i) {
    kinds[i] = RequestKind(static_cast<Dialect>(i / RequestKind::kVerbs),
                           static_cast<Verb>(i % RequestKind::kVerbs));
  }
  return kinds;
}

void RequestTimes::EndTurn(uint64_t begin_ns, uint64_t end_ns) {
  const uint64_t turn_ns = end_ns > begin_ns ? end_ns - begin_ns : 0;
  turns_.Record(turn_ns);
  uint64_t count = count_.load(std::memory_order_relaxed) + late_.size();
  for (size_t i = 0; i < kind_count_; ++i) {
    const size_t kind = kinds_[i].index();
    requests_[kind].Record(turn_ns, answered_[kind]);
    count += answered_[kind];
    answered_[kind] = 0;
  }
  count_.store(count, std::memory_order_relaxed);
  kind_count_ = 0;
  const Ticks now = TicksOf(end_ns);
  for (const Late& late : late_) {
    // Modulo 2^32, as the ticks are.
    requests_[late.kind.index()].Record(uint64_t{now - late.asked} << kTickShift);
  }
  late_.clear();
}

void RequestTimes::Reset() {
  count_.store(0, std::memory_order_relaxed);
  turns_.Reset();
  for (DurationHistogram& histogram : requests_) histogram.Reset();
}

}  // namespace larder::stats
