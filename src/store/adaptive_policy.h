// The eviction policy: two logs and a share that adapts, the sizes of items, and 7.6 bits an entry.
// docs/policy.md is its paper: why each rule is there, and what was tried and lost.
//
//   new key ---------------> probation --- read since --------------> main <--+
//       |                     |  ^  |                                 |  |    |
//       |                     |  +--+ small: goes round               |  +----+ read since
//       | its ghost is found  v                                       v
//       +-------------------> a ghost (six a bucket)                  a ghost (one a bucket)
//
//   - Two bits an entry count its reads since it was stored, or last judged.
//   - An item that goes from probation leaves a ghost. A key whose ghost is still there when it is
//     stored again goes to main at once.
//   - The newest ghosts of both logs steer the share of probation: a key that comes back to one of
//     probation's says that it was too small, a key that comes back to main's that it was too
//     large. Where a byte more is worth the same in both, the share stays.
//   - Sizes: an item has a price in reads, 1 for one of average size. Large ones have to pay more;
//     small ones need not pay now and then.
//
// Cost: a hit is one conditional write to a bucket that the lookup has loaded; Judge reads nothing
// but the bucket, and divides once.
#ifndef LARDER_STORE_ADAPTIVE_POLICY_H_
#define LARDER_STORE_ADAPTIVE_POLICY_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "store/policy.h"

namespace larder::store {

class AdaptivePolicy {
 public:
  Log LogForNew(const Newcomer& newcomer);
  void OnInsert(const Place& place, uint64_t hash, Log log) {
    (void)place;  // Bucket::Add has set its frequency to 0
    (void)hash;
    (void)log;
  }
  Log LogForOverwrite(const Place& place, uint64_t hash, Log log) {
    (void)place;
    (void)hash;
    return log;
  }
  // Storing a key anew is an access like a read, but does not show that anybody reads.
  void OnOverwrite(const Place& place, uint64_t hash) {
    (void)hash;
    CountAccess(place);
  }
  void OnHit(const Place& place, uint64_t hash) {
    (void)hash;
    ++period_hits_;
    CountAccess(place);
  }
  void OnErase(const Place& place, uint64_t hash) {
    (void)place;  // what its user deletes, or what dies, is not missed
    (void)hash;
  }
  Log HandToMove(const LogFills& fills);
  Verdict Judge(const Candidate& candidate);

  // The part of the live bytes that probation is given, of 1.
  [[nodiscard]] double ProbationShare() const { return share_; }
  // Of new items, lately.
  [[nodiscard]] uint64_t MeanBytes() const { return mean_bytes_scaled_ / kMeanScale; }

 private:
  static constexpr uint64_t kMeanScale = 1024;  // and so many items are "lately"

  static void CountAccess(const Place& place) {
    const uint32_t frequency = place.bucket->Frequency(place.slot);
    if (frequency < Bucket::kFrequencyMax) place.bucket->SetFrequency(place.slot, frequency + 1);
  }
  void Steer(double items, uint64_t item_bytes);
  [[nodiscard]] uint32_t PriceOf(const Candidate& candidate);
  Verdict JudgeInProbation(const Place& place, uint32_t price);
  Verdict JudgeInMain(const Candidate& candidate, uint32_t price);
  void NoteInsert(uint64_t item_bytes);

  double share_ = 0.1;
  uint32_t signals_ = 0;  // that have steered the share; counted as long as it matters
  bool probation_has_its_share_ = false;  // and no more, when a hand was last to move
  uint64_t live_bytes_ = 0;               // then
  // Main ages while nobody reads: its hand moves as far as probation's. Of the current period, in
  // which half of the cache and 8192 items are stored anew:
  uint64_t period_hits_ = 0;
  uint64_t period_inserts_ = 0;
  uint64_t period_bytes_ = 0;
  bool unread_ = false;    // the last period had no hits to speak of
  uint64_t age_debt_ = 0;  // bytes that main's hand is behind that of probation
  uint64_t mean_bytes_scaled_ = 0;
  std::array<uint64_t, kLogCount> price_rests_{};  // fractions of a read not charged yet
};

static_assert(EvictionPolicy<AdaptivePolicy>);

}  // namespace larder::store

#endif  // LARDER_STORE_ADAPTIVE_POLICY_H_
