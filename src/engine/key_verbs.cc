#include "engine/execute.h"
#include "engine/verbs.h"

namespace larder::engine {

using stats::ClassCounter;
using stats::Counter;
using store::Item;
using store::Shard;

namespace {

// The item stays, without its value and its client flags, and under its CAS unique. Null if there
// was no room for it: then it stays as it was.
Item* DropValue(Place place, const Command& command, const Item& item) {
  const uint64_t unique = item.cas();
  const bool stale = item.stale();
  const bool won = item.won();
  const CacheSeconds expire_at = Asks(command, Extras::kTouch)
                                     ? ExpiryOf(command.exptime, place.shard.now())
                                     : item.expire_at();
  Item* fresh =
      place.shard.Put({.key = command.key, .hash = command.hash, .expire_at = expire_at}).item;
  if (fresh == nullptr) return nullptr;
  fresh->set_cas(unique);
  fresh->set_stale(stale);
  fresh->set_won(won);
  return fresh;
}

void CountDelete(Place place, uint64_t item_bytes) {
  place.counters.Add(Counter::kDeleteHits);
  place.shard.Count(ClassCounter::kDeleteHits, item_bytes);
}

Outcome DeleteWithExtras(Place place, const Command& command) {
  const Extras& extras = *command.extras;
  const Outcome gone{.status = Status::kDeleted};
  Item* item = place.shard.Find(command.key, command.hash, Shard::Access::kPeek);
  if (item == nullptr || Mismatches(command, *item)) {
    place.counters.Add(Counter::kDeleteMisses);
    return Outcome{.status = item == nullptr ? Status::kNotFound : Status::kExists};
  }
  const bool invalidate = extras.Asks(Extras::kInvalidate);
  // It is no delete if the item lives on with its value.
  if (!invalidate) CountDelete(place, item->CountedBytes());
  if (!invalidate && !extras.Asks(Extras::kDropValue)) {
    place.shard.Erase(command.key, command.hash);
    return gone;
  }
  // An expiry that has passed ends the item whatever else is asked for.
  const Now now = place.shard.now();
  const bool touches = extras.Asks(Extras::kTouch);
  if (touches && ExpiryOf(command.exptime, now) != kNever &&
      ExpiryOf(command.exptime, now) <= now.FloorSeconds()) {
    place.shard.Erase(command.key, command.hash);
    return gone;
  }
  if (extras.Asks(Extras::kDropValue)) {
    item = DropValue(place, command, *item);
  } else if (touches) {
    item = place.shard.Touch(item, command.hash, ExpiryOf(command.exptime, now));
  }
  if (item == nullptr) return Outcome{.status = Status::kNoMemory};
  if (invalidate) {
    item->set_stale(true);
    item->set_won(false);
    item->set_cas(place.shard.NextUnique());
  }
  if (extras.Asks(Extras::kGiveCas)) item->set_cas(extras.give_cas);
  return Outcome{.status = Status::kDeleted, .cas = item->cas()};
}

}  // namespace

Outcome Delete(Place place, const Command& command) {
  if (command.extras != nullptr) return DeleteWithExtras(place, command);
  if (const uint64_t bytes = place.shard.Erase(command.key, command.hash); bytes > 0) {
    CountDelete(place, bytes);
    return Outcome{.status = Status::kDeleted};
  }
  place.counters.Add(Counter::kDeleteMisses);
  return Outcome{.status = Status::kNotFound};
}

void CountTouch(Place place, const Item* item) {
  place.counters.Add(Counter::kCmdTouch);
  if (item == nullptr) {
    place.counters.Add(Counter::kTouchMisses);
    return;
  }
  place.counters.Add(Counter::kTouchHits);
  place.shard.Count(ClassCounter::kTouchHits, item->CountedBytes());
}

Outcome Touch(Place place, const Command& command) {
  Item* item = place.shard.Find(command.key, command.hash, Shard::Access::kPeek);
  CountTouch(place, item);
  if (item == nullptr) return Outcome{.status = Status::kNotFound};
  item = place.shard.Touch(item, command.hash, ExpiryOf(command.exptime, place.shard.now()));
  if (item == nullptr) return Outcome{.status = Status::kNoMemory};
  return Outcome{
      .status = Status::kTouched, .client_flags = item->client_flags(), .cas = item->cas()};
}

Outcome ForgetRefused(Place place, const Command& command) {
  CountRefused(place.counters, command.rejection);
  place.shard.Erase(command.key, command.hash);
  return Outcome{.status = command.rejection};
}

}  // namespace larder::engine
