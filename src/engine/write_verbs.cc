#include "engine/verbs.h"
#include "util/check.h"

namespace larder::engine {

using stats::Counter;
using store::Item;
using store::PutResult;
using store::Shard;

namespace {

Outcome Put(Place place, const Command& command) {
  return Stored(place, place.shard.Put({.key = command.key,
                                        .hash = command.hash,
                                        .client_flags = command.client_flags,
                                        .expire_at = ExpiryOf(command.exptime, place.shard.now()),
                                        .value = command.value}));
}

Item* Existing(Place place, const Command& command) {
  place.counters.Add(Counter::kCmdSet);
  return place.shard.Find(command.key, command.hash, Shard::Access::kPeek);
}

// The old value and the new one, in the given order; flags and expiry stay.
Outcome Join(Place place, const Command& command, const Item& old, std::string_view first,
             std::string_view second) {
  return Stored(place, place.shard.Put({.key = command.key,
                                        .hash = command.hash,
                                        .client_flags = old.client_flags(),
                                        .expire_at = old.expire_at(),
                                        .value = first,
                                        .value_tail = second}));
}

}  // namespace

Outcome Stored(Place place, const Shard::Stored& stored) {
  switch (stored.result) {
    case PutResult::kStored:
      return Outcome{.status = Status::kStored,
                     .cas = stored.item == nullptr ? 0 : stored.item->cas()};
    case PutResult::kTooLarge:
      place.counters.Add(Counter::kStoreTooLarge);
      return Outcome{.status = Status::kTooLarge};
    case PutResult::kNoMemory:
      place.counters.Add(Counter::kStoreNoMemory);
      return Outcome{.status = Status::kNoMemory};
  }
  CHECK(false);
}

Outcome Set(Place place, const Command& command) {
  place.counters.Add(Counter::kCmdSet);
  const Outcome outcome = Put(place, command);
  // The client believes that it replaced the old value: a stale one must not be served.
  if (outcome.status != Status::kStored) place.shard.Erase(command.key, command.hash);
  return outcome;
}

Outcome Add(Place place, const Command& command) {
  if (Existing(place, command) != nullptr) return Outcome{.status = Status::kNotStored};
  return Put(place, command);
}

Outcome Replace(Place place, const Command& command) {
  if (Existing(place, command) == nullptr) return Outcome{.status = Status::kNotStored};
  return Put(place, command);
}

Outcome Append(Place place, const Command& command) {
  const Item* old = Existing(place, command);
  if (old == nullptr) return Outcome{.status = Status::kNotStored};
  return Join(place, command, *old, old->Value(), command.value);
}

Outcome Prepend(Place place, const Command& command) {
  const Item* old = Existing(place, command);
  if (old == nullptr) return Outcome{.status = Status::kNotStored};
  return Join(place, command, *old, command.value, old->Value());
}

Outcome CompareAndSwap(Place place, const Command& command) {
  const Item* old = Existing(place, command);
  if (old == nullptr) {
    place.counters.Add(Counter::kCasMisses);
    return Outcome{.status = Status::kNotFound};
  }
  if (old->cas() != command.number) {
    place.counters.Add(Counter::kCasBadval);
    return Outcome{.status = Status::kExists};
  }
  place.counters.Add(Counter::kCasHits);
  return Put(place, command);
}

}  // namespace larder::engine
