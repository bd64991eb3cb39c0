#include "engine/verbs.h"
#include "util/check.h"

namespace larder::engine {

using stats::ClassCounter;
using stats::Counter;
using store::Item;
using store::PutResult;
using store::Shard;

namespace {

Outcome Put(Place place, const Command& command) {
  return Stored(place, command,
                place.shard.Put({.key = command.key,
                                 .hash = command.hash,
                                 .client_flags = command.client_flags,
                                 .expire_at = ExpiryOf(command, place.shard.now()),
                                 .value = command.value}));
}

Item* Existing(Place place, const Command& command) {
  place.counters.Add(Counter::kCmdSet);
  return place.shard.Find(command.key, command.hash, Shard::Access::kPeek);
}

Outcome Refused(const Command& command, Status why) {
  return Outcome{.status = why, .number = command.value.size()};
}

// A value from before the item was invalidated, or replaced: better than none, but stale. The item
// keeps its expiry, and whoever was told to store it anew still is.
Outcome PutStale(Place place, const Command& command, const Item& old) {
  const bool won = old.won();
  const auto stored = place.shard.Put({.key = command.key,
                                       .hash = command.hash,
                                       .client_flags = command.client_flags,
                                       .expire_at = old.expire_at(),
                                       .value = command.value});
  if (stored.item != nullptr) {
    stored.item->set_stale(true);
    stored.item->set_won(won);
  }
  return Stored(place, command, stored);
}

Outcome PutIfUnique(Place place, const Command& command, uint64_t unique) {
  const Item* old = Existing(place, command);
  if (old == nullptr) {
    place.counters.Add(Counter::kCasMisses);
    return Refused(command, Status::kNotFound);
  }
  if (old->cas() != unique) {
    if (Asks(command, Extras::kInvalidate) && unique < old->cas()) {
      return PutStale(place, command, *old);
    }
    place.counters.Add(Counter::kCasBadval);
    place.shard.Count(ClassCounter::kCasBadval, old->CountedBytes());
    return Refused(command, Status::kExists);
  }
  place.counters.Add(Counter::kCasHits);
  place.shard.Count(ClassCounter::kCasHits, old->CountedBytes());
  return Put(place, command);
}

enum class Side : uint8_t { kFront, kBack };

// The old value and the new one; flags and expiry stay.
Outcome Join(Place place, const Command& command, Side side) {
  const Item* old = Existing(place, command);
  if (old == nullptr) {
    if (!Asks(command, Extras::kCreate)) return Refused(command, Status::kNotStored);
    Command create = command;
    create.exptime = command.extras->create_exptime;
    return Put(place, create);
  }
  if (Mismatches(command, *old)) return Refused(command, Status::kExists);
  const bool front = side == Side::kFront;
  return Stored(place, command,
                place.shard.Put({.key = command.key,
                                 .hash = command.hash,
                                 .client_flags = old->client_flags(),
                                 .expire_at = old->expire_at(),
                                 .value = front ? command.value : old->Value(),
                                 .value_tail = front ? old->Value() : command.value}));
}

}  // namespace

Outcome Stored(Place place, const Command& command, const Shard::Stored& stored) {
  switch (stored.result) {
    case PutResult::kStored:
      break;
    case PutResult::kTooLarge:
      place.counters.Add(Counter::kStoreTooLarge);
      return Outcome{.status = Status::kTooLarge};
    case PutResult::kNoMemory:
      place.counters.Add(Counter::kStoreNoMemory);
      return Outcome{.status = Status::kNoMemory};
  }
  // Null: it had expired before it was stored.
  if (stored.item == nullptr) return Refused(command, Status::kStored);
  if (Asks(command, Extras::kGiveCas)) stored.item->set_cas(command.extras->give_cas);
  return Outcome{
      .status = Status::kStored, .cas = stored.item->cas(), .number = stored.item->Value().size()};
}

Outcome Set(Place place, const Command& command) {
  if (Asks(command, Extras::kMatchCas)) {
    return PutIfUnique(place, command, command.extras->match_cas);
  }
  place.counters.Add(Counter::kCmdSet);
  const Outcome outcome = Put(place, command);
  // The client believes that it replaced the old value: a stale one must not be served.
  if (outcome.status != Status::kStored) place.shard.Erase(command.key, command.hash);
  return outcome;
}

Outcome Add(Place place, const Command& command) {
  if (Asks(command, Extras::kMatchCas)) {
    return PutIfUnique(place, command, command.extras->match_cas);
  }
  if (Existing(place, command) != nullptr) return Refused(command, Status::kNotStored);
  return Put(place, command);
}

Outcome Replace(Place place, const Command& command) {
  if (Asks(command, Extras::kMatchCas)) {
    return PutIfUnique(place, command, command.extras->match_cas);
  }
  if (Existing(place, command) == nullptr) return Refused(command, Status::kNotStored);
  return Put(place, command);
}

Outcome Append(Place place, const Command& command) { return Join(place, command, Side::kBack); }

Outcome Prepend(Place place, const Command& command) { return Join(place, command, Side::kFront); }

Outcome CompareAndSwap(Place place, const Command& command) {
  return PutIfUnique(place, command, command.number);
}

}  // namespace larder::engine
