// What an eviction policy is, to the shard.
//
// A policy has no memory of its own in items: it lives in the bits that a bucket has for it
// (frequency, ghosts; see bucket.h) and in what its object holds for the whole shard. The shard
// calls it at four moments, each with the entry's place, and takes its word.
//
//   OnInsert(place, hash)   a new entry has got its place
//   OnHit(place, hash)      a reader found it; on the way of every get: a few instructions, and no
//                           write if nothing changes
//   OnErase(place, hash)    it is about to leave, for a reason that is not the policy's
//   Judge(candidate)        memory is short and the entry's heap segment, among the oldest, is
//                           being emptied: may it stay? An entry that is dropped gets no OnErase:
//                           Judge is where a ghost is left. The shard may still drop one that was
//                           to be kept, when it cannot afford to move more.
//
// An overwritten item keeps its place and its bits: its new bytes are the youngest of the heap.
#ifndef LARDER_STORE_POLICY_H_
#define LARDER_STORE_POLICY_H_

#include <concepts>
#include <cstdint>

#include "store/segment.h"

namespace larder::store {

enum class Verdict : uint8_t { kKeep, kDrop };

struct Candidate {
  const Place& place;
  uint64_t hash;
  uint64_t item_bytes;
};

template <typename P>
concept EvictionPolicy = requires(P policy, const Place& place, uint64_t hash,
                                  const Candidate& candidate) {
  { policy.OnInsert(place, hash) } -> std::same_as<void>;
  { policy.OnHit(place, hash) } -> std::same_as<void>;
  { policy.OnErase(place, hash) } -> std::same_as<void>;
  { policy.Judge(candidate) } -> std::same_as<Verdict>;
};

}  // namespace larder::store

#endif  // LARDER_STORE_POLICY_H_
