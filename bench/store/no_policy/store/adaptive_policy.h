// Found in place of src/store/adaptive_policy.h by store_bench_no_policy: the store with a policy
// that does nothing, first in, first out, to tell what the real one costs.
#ifndef LARDER_BENCH_STORE_NO_POLICY_STORE_ADAPTIVE_POLICY_H_
#define LARDER_BENCH_STORE_NO_POLICY_STORE_ADAPTIVE_POLICY_H_

#include <cstdint>

#include "store/policy.h"

namespace larder::store {

class AdaptivePolicy {
 public:
  Log LogForNew(const Newcomer& /*newcomer*/) { return Log::kMain; }
  void OnInsert(const Place& /*place*/, uint64_t /*hash*/, Log /*log*/) {}
  Log LogForOverwrite(const Place& /*place*/, uint64_t /*hash*/, Log log) { return log; }
  void OnOverwrite(const Place& /*place*/, uint64_t /*hash*/) {}
  void OnHit(const Place& /*place*/, uint64_t /*hash*/) {}
  void OnErase(const Place& /*place*/, uint64_t /*hash*/) {}
  Log HandToMove(const LogFills& /*fills*/) { return Log::kMain; }
  Verdict Judge(const Candidate& /*candidate*/) { return Verdict::kDrop; }
  [[nodiscard]] double ProbationShare() const { return 0; }
};

static_assert(EvictionPolicy<AdaptivePolicy>);

}  // namespace larder::store

#endif  // LARDER_BENCH_STORE_NO_POLICY_STORE_ADAPTIVE_POLICY_H_
