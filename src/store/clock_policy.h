// Second chances by two bits: an item that was read since it was stored or last judged goes round
// once more, as often as it was read, up to three times. First in, first out otherwise. All is in
// the main log.
#ifndef LARDER_STORE_CLOCK_POLICY_H_
#define LARDER_STORE_CLOCK_POLICY_H_

#include "store/policy.h"

namespace larder::store {

class ClockPolicy {
 public:
  Log LogForNew(const Newcomer& newcomer) {
    (void)newcomer;
    return Log::kMain;
  }
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
  // New bytes are as good as a read: where they stay in place, they would be no younger.
  void OnOverwrite(const Place& place, uint64_t hash) { OnHit(place, hash); }
  void OnHit(const Place& place, uint64_t hash) {
    (void)hash;
    const uint32_t frequency = place.bucket->Frequency(place.slot);
    if (frequency < Bucket::kFrequencyMax) place.bucket->SetFrequency(place.slot, frequency + 1);
  }
  void OnErase(const Place& place, uint64_t hash) {
    (void)place;
    (void)hash;
  }
  Log HandToMove(const LogFills& fills) {
    (void)fills;
    return Log::kMain;
  }
  Verdict Judge(const Candidate& candidate) {
    const Place& place = candidate.place;
    const uint32_t frequency = place.bucket->Frequency(place.slot);
    if (frequency == 0 || candidate.must_go) return Verdict::kDrop;
    place.bucket->SetFrequency(place.slot, frequency - 1);
    return Verdict::kToMain;
  }
};

static_assert(EvictionPolicy<ClockPolicy>);

}  // namespace larder::store

#endif  // LARDER_STORE_CLOCK_POLICY_H_
