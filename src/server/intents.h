// Which keys of one core are kept for whom, and who waits for them: what makes transactions over
// several cores atomic (after VLL: Ren, Thomson, Abadi, VLDB 2013).
//
//   key   a: [ 7 holds ][ 9 waits ]      an owner is granted its keys when it is the first at each
//   key   b: [ 7 holds ]                 of them
//   key   c: [ 9 first, and waits for a ]
//
// An owner joins the queues of all of its keys at once, so on one core nobody waits in a circle.
// Over several, transactions go from core to core in the order of their numbers, and have all that
// they want of one before they ask the next.
//
// Keys are known by their hashes: two with the same one wait for each other without need.
// Empty in the common case: commands with keys of one core need none of this, but for looking.
#ifndef LARDER_SERVER_INTENTS_H_
#define LARDER_SERVER_INTENTS_H_

#include <absl/container/flat_hash_map.h>

#include <cstdint>
#include <deque>
#include <span>
#include <vector>

namespace larder::server {

class Intents {
 public:
  // Whoever holds keys or waits for them. Numbers are their users' business.
  using Owner = uint64_t;

  [[nodiscard]] bool empty() const { return keys_.empty(); }
  // Is the key kept for anybody?
  [[nodiscard]] bool IsKept(uint64_t hash) const { return keys_.contains(hash); }

  // Joins the queues of `hashes`, one of which may come twice. True if they are granted at once.
  // The owner has none so far.
  [[nodiscard]] bool Acquire(Owner owner, std::span<const uint64_t> hashes);
  // Gives up all that the owner has or waits for. Whoever is granted its keys by that is added to
  // `granted`.
  void Release(Owner owner, std::vector<Owner>& granted);

  void CheckInvariants() const;

 private:
  struct Wants {
    std::vector<uint64_t> hashes;
    uint32_t missing = 0;  // queues in which others are before it
  };
  using Queue = std::deque<Owner>;

  absl::flat_hash_map<uint64_t, Queue> keys_;
  absl::flat_hash_map<Owner, Wants> owners_;
};

}  // namespace larder::server

#endif  // LARDER_SERVER_INTENTS_H_
