#include "engine/verbs.h"

namespace larder::engine {

using stats::Counter;
using store::Item;
using store::Shard;

namespace {

Outcome Hit(Place place, const Item& item) {
  place.counters.Add(Counter::kGetHits);
  return Outcome{.status = Status::kHit,
                 .client_flags = item.client_flags(),
                 .cas = item.cas(),
                 .value = item.Value(),
                 .item = &item};
}

Outcome Miss(Place place) {
  place.counters.Add(Counter::kGetMisses);
  switch (place.shard.missed()) {
    case Shard::Missed::kAbsent:
      break;
    case Shard::Missed::kExpired:
      place.counters.Add(Counter::kGetExpired);
      break;
    case Shard::Missed::kFlushed:
      place.counters.Add(Counter::kGetFlushed);
      break;
  }
  return Outcome{.status = Status::kMiss};
}

}  // namespace

Outcome Get(Place place, const Command& command) {
  place.counters.Add(Counter::kCmdGet);
  const Item* item = place.shard.Find(command.key, command.hash, Shard::Access::kRead);
  return item != nullptr ? Hit(place, *item) : Miss(place);
}

Outcome GetAndTouch(Place place, const Command& command) {
  place.counters.Add(Counter::kCmdGet);
  place.counters.Add(Counter::kCmdTouch);
  Item* item = place.shard.Find(command.key, command.hash, Shard::Access::kRead);
  if (item == nullptr) {
    place.counters.Add(Counter::kTouchMisses);
    return Miss(place);
  }
  place.counters.Add(Counter::kTouchHits);
  item = place.shard.Touch(item, command.hash, ExpiryOf(command.exptime, place.shard.now()));
  if (item == nullptr) return Outcome{.status = Status::kNoMemory};
  return Hit(place, *item);
}

}  // namespace larder::engine
