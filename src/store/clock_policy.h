// Second chances by two bits: an item that was read since it was stored or last judged goes round
// once more, as often as it was read, up to three times. First in, first out otherwise.
#ifndef LARDER_STORE_CLOCK_POLICY_H_
#define LARDER_STORE_CLOCK_POLICY_H_

#include "store/policy.h"

namespace larder::store {

class ClockPolicy {
 public:
  void OnInsert(const Place& place, uint64_t hash) {
    (void)place;  // Bucket::Add has set its frequency to 0
    (void)hash;
  }
  void OnHit(const Place& place, uint64_t hash) {
    (void)hash;
    const uint32_t frequency = place.bucket->Frequency(place.slot);
    if (frequency < Bucket::kFrequencyMax) place.bucket->SetFrequency(place.slot, frequency + 1);
  }
  void OnErase(const Place& place, uint64_t hash) {
    (void)place;
    (void)hash;
  }
  Verdict Judge(const Candidate& candidate) {
    const Place& place = candidate.place;
    const uint32_t frequency = place.bucket->Frequency(place.slot);
    if (frequency == 0) return Verdict::kDrop;
    place.bucket->SetFrequency(place.slot, frequency - 1);
    return Verdict::kKeep;
  }
};

static_assert(EvictionPolicy<ClockPolicy>);

}  // namespace larder::store

#endif  // LARDER_STORE_CLOCK_POLICY_H_
