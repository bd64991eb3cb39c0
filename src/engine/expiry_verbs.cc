// When items expire: asked, and changed under conditions.
#include <cstdint>

#include "engine/verbs.h"
#include "larder/clock.h"

namespace larder::engine {

using store::Item;
using store::Shard;

namespace {

// Would the item get what the command's conditions want?
bool Wanted(const Extras& extras, const Item& item, CacheSeconds expiry) {
  const bool expires = item.expire_at() != kNever;
  if (extras.Asks(Extras::kIfAbsent) && expires) return false;
  if (extras.Asks(Extras::kIfPresent) && !expires) return false;
  if (extras.Asks(Extras::kIfLater)) {
    return expires && (expiry == kNever || expiry > item.expire_at());
  }
  if (extras.Asks(Extras::kIfSooner)) {
    return !expires || (expiry != kNever && expiry < item.expire_at());
  }
  return true;
}

}  // namespace

Outcome Expire(Place place, const Command& command) {
  const Now now = place.shard.now();
  Item* item = place.shard.Find(command.key, command.hash, Shard::Access::kPeek);
  if (item == nullptr) return Outcome{.status = Status::kNotFound};
  const CacheSeconds expiry = ExpiryOf(command, now);
  if (!Wanted(*command.extras, *item, expiry)) return Outcome{.status = Status::kNotStored};
  if (expiry != kNever && expiry <= now.FloorSeconds()) {
    place.shard.Erase(command.key, command.hash);
  } else if (place.shard.Touch(item, command.hash, expiry) == nullptr) {
    return Outcome{.status = Status::kNoMemory};
  }
  return Outcome{.status = Status::kTouched};
}

Outcome Deadline(Place place, const Command& command) {
  const Now now = place.shard.now();
  const Item* item = place.shard.Find(command.key, command.hash, Shard::Access::kPeek);
  if (item == nullptr) return Outcome{.status = Status::kMiss};
  const int64_t remaining_ns =
      int64_t{item->expire_at()} * kNsPerSecond - static_cast<int64_t>(now.ns);
  // Expiries are rounded up: a whole second of Unix time that was asked for is this one.
  const int64_t unix_s = (now.unix_ns + remaining_ns) / kNsPerSecond;
  return Outcome{
      .status = Status::kHit, .number = static_cast<uint64_t>(unix_s), .ttl_s = TtlOf(*item, now)};
}

}  // namespace larder::engine
