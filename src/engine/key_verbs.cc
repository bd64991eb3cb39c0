#include "engine/verbs.h"

namespace larder::engine {

using stats::Counter;
using store::Item;
using store::Shard;

Outcome Delete(Place place, const Command& command) {
  if (place.shard.Erase(command.key, command.hash)) {
    place.counters.Add(Counter::kDeleteHits);
    return Outcome{.status = Status::kDeleted};
  }
  place.counters.Add(Counter::kDeleteMisses);
  return Outcome{.status = Status::kNotFound};
}

Outcome Touch(Place place, const Command& command) {
  place.counters.Add(Counter::kCmdTouch);
  Item* item = place.shard.Find(command.key, command.hash, Shard::Access::kPeek);
  if (item == nullptr) {
    place.counters.Add(Counter::kTouchMisses);
    return Outcome{.status = Status::kNotFound};
  }
  place.counters.Add(Counter::kTouchHits);
  item = place.shard.Touch(item, command.hash, ExpiryOf(command.exptime, place.shard.now()));
  if (item == nullptr) return Outcome{.status = Status::kNoMemory};
  return Outcome{
      .status = Status::kTouched, .client_flags = item->client_flags(), .cas = item->cas()};
}

Outcome ForgetRefused(Place place, const Command& command) {
  place.shard.Erase(command.key, command.hash);
  return Outcome{.status = command.rejection};
}

}  // namespace larder::engine
