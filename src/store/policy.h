// What an eviction policy is, to the shard.
//
// A policy has no memory of its own in items: it lives in the bits that a bucket has for it
// (frequency, ghosts; see bucket.h) and in what its object holds for the whole shard. It decides
// in which of two logs, probation and main, an item is, and which item goes. The shard calls it at
// these moments, each with what it has at hand, and takes its word.
//
//   LogForNew(newcomer)     a key that is not there is about to be stored: in which log?
//   OnInsert(place, hash, log)
//                           it has got its place there
//   LogForOverwrite(place, hash, log)
//                           a key that is there, in `log`, is about to be stored anew: where do its
//                           new bytes go? The entry keeps its place and its bits.
//   OnOverwrite(place, hash)
//                           it is stored anew now: there, or, if its size is the same, where it was
//   OnHit(place, hash)      a reader found it; on the way of every get: a few instructions, and no
//                           write if nothing changes
//   OnErase(place, hash)    it is about to leave, for a reason that is not the policy's
//   HandToMove(fills)       room is needed: which log's oldest item is to be judged? If that log
//                           has none that can be judged, the other's is
//   Judge(candidate)        what becomes of that item: it goes, or is copied to the young end of
//   one
//                           of the logs. An entry that goes gets no OnErase: Judge is where a ghost
//                           is left. If `must_go`, it goes whatever Judge says: so many were kept
//                           that the writer has waited long enough, or there is no room to move it.
#ifndef LARDER_STORE_POLICY_H_
#define LARDER_STORE_POLICY_H_

#include <array>
#include <concepts>
#include <cstdint>

#include "store/heap_segment.h"
#include "store/segment.h"

namespace larder::store {

enum class Verdict : uint8_t { kDrop, kToProbation, kToMain };

struct Newcomer {
  Bucket& home;  // of the key: where its ghosts are
  uint64_t hash;
  uint64_t item_bytes;
};

struct Candidate {
  const Place& place;
  uint64_t hash;
  uint64_t item_bytes;
  Log log;  // that it is in
  bool must_go;
};

// What lives in each log, by Log.
using LogFills = std::array<LogFill, kLogCount>;

template <typename P>
concept EvictionPolicy = requires(P policy, const Place& place, uint64_t hash, Log log,
                                  const Newcomer& newcomer, const LogFills& fills,
                                  const Candidate& candidate) {
  { policy.LogForNew(newcomer) } -> std::same_as<Log>;
  { policy.OnInsert(place, hash, log) } -> std::same_as<void>;
  { policy.LogForOverwrite(place, hash, log) } -> std::same_as<Log>;
  { policy.OnOverwrite(place, hash) } -> std::same_as<void>;
  { policy.OnHit(place, hash) } -> std::same_as<void>;
  { policy.OnErase(place, hash) } -> std::same_as<void>;
  { policy.HandToMove(fills) } -> std::same_as<Log>;
  { policy.Judge(candidate) } -> std::same_as<Verdict>;
};

}  // namespace larder::store

#endif  // LARDER_STORE_POLICY_H_
