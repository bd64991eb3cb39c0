#include "engine/verbs.h"
#include "stats/size_classes.h"

namespace larder::engine {

using stats::Counter;
using store::Item;
using store::Shard;

namespace {

Outcome Found(const Item& item) {
  return Outcome{.status = Status::kHit,
                 .client_flags = item.client_flags(),
                 .cas = item.cas(),
                 .value = item.Value(),
                 .item = &item};
}

Outcome Hit(Place place, const Item& item) {
  place.counters.Add(Counter::kGetHits);
  return Found(item);
}

Outcome Absent(Place place) {
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

// On its own: what a hit has to step over costs it 3 of 48 ns (a get in the engine, of 2000 items).
[[gnu::noinline]] Outcome Miss(Place place) {
  place.counters.Add(Counter::kGetMisses);
  return Absent(place);
}

// A miss that makes an empty item, which tells the next ones to wait: whoever made it is to store
// it anew.
Outcome CreateEmpty(Place place, const Command& command) {
  const Extras& extras = *command.extras;
  const Now now = place.shard.now();
  const Shard::Stored stored = place.shard.Put({.key = command.key,
                                                .hash = command.hash,
                                                .expire_at = ExpiryOf(extras.create_exptime, now)});
  const Outcome outcome = Stored(place, command, stored);
  if (stored.item == nullptr) return Outcome{.status = Status::kMiss};
  stored.item->set_won(true);
  if (!extras.Asks(Extras::kNoBump)) stored.item->NoteRead(now.FloorSeconds());
  return Outcome{.status = Status::kHit,
                 .marks = {.won = true},
                 .cas = outcome.cas,
                 .ttl_s = TtlOf(*stored.item, now)};
}

// Of a stale item, and of one that expires soon, the first reader is told to store it anew, and the
// others that somebody has been told.
Marks MarksFor(const Item& item, const Command& command, const Shard::Before& before, Now now) {
  Marks marks = {.fetched = before.fetched, .stale = item.stale(), .won_before = item.won()};
  const Extras& extras = *command.extras;
  const bool expires_soon = extras.Asks(Extras::kRecache) && item.expire_at() != kNever &&
                            item.expire_at() < ExpiryOf(extras.recache_exptime, now);
  marks.won = !marks.won_before && (marks.stale || expires_soon);
  return marks;
}

// As memcached counts: whoever touches what it reads has touched it, and has not got it. That is
// not for Redis' clients, whose hits are all of one kind.
bool CountsAsTouch(const Command& command, const Item* item) {
  if (command.verb == Verb::kGat || command.verb == Verb::kGats) return true;
  const Extras& extras = *command.extras;
  return item != nullptr && extras.Asks(Extras::kTouch) && extras.spelling != Spelling::kResp;
}

Outcome GetWithExtras(Place place, const Command& command) {
  const Extras& extras = *command.extras;
  const bool touches =
      extras.Asks(Extras::kTouch) || command.verb == Verb::kGat || command.verb == Verb::kGats;
  const Now now = place.shard.now();
  Shard::Before before;
  Item* item = place.shard.Find(
      command.key, command.hash,
      extras.Asks(Extras::kNoBump) ? Shard::Access::kPeek : Shard::Access::kRead, before);
  const bool touched = CountsAsTouch(command, item);
  if (touched) {
    CountTouch(place, item);
  } else {
    place.counters.Add(Counter::kCmdGet);
  }
  if (item == nullptr) {
    const Outcome miss = touched ? Absent(place) : Miss(place);
    return extras.Asks(Extras::kCreate) ? CreateEmpty(place, command) : miss;
  }
  // What it was before the touch decides.
  const Marks marks = MarksFor(*item, command, before, now);
  if (touches) {
    item = place.shard.Touch(item, command.hash, ExpiryOf(command, now));
    if (item == nullptr) return Outcome{.status = Status::kNoMemory};
  }
  if (marks.won) item->set_won(true);
  Outcome outcome = touched ? Found(*item) : Hit(place, *item);
  outcome.marks = marks;
  outcome.ttl_s = TtlOf(*item, now);
  outcome.idle_s = before.idle_s;
  if (extras.Asks(Extras::kNoValue)) outcome.item = nullptr;
  return outcome;
}

}  // namespace

uint32_t TtlOf(const Item& item, Now now) {
  if (item.expire_at() == kNever) return Outcome::kForever;
  // From the same end as an expiry begins, so that one that has just been set is whole.
  const CacheSeconds begin = now.CeilSeconds();
  return item.expire_at() > begin ? item.expire_at() - begin : 0;
}

Outcome Describe(Place place, const Command& command) {
  if (command.extras == nullptr || command.extras->spelling == Spelling::kMeta) {
    place.counters.Add(Counter::kCmdMeta);
  }
  Shard::Before before;
  const Item* item = place.shard.Find(command.key, command.hash, Shard::Access::kPeek, before);
  if (item == nullptr) return Outcome{.status = Status::kMiss};
  const uint64_t bytes = item->CountedBytes();
  return Outcome{.status = Status::kHit,
                 .marks = {.fetched = before.fetched, .stale = item->stale()},
                 .size_class = static_cast<uint8_t>(stats::ClassOf(bytes)),
                 .client_flags = item->client_flags(),
                 .cas = item->cas(),
                 .number = bytes,
                 .ttl_s = TtlOf(*item, place.shard.now()),
                 .idle_s = before.idle_s};
}

Outcome Get(Place place, const Command& command) {
  if (command.extras != nullptr) return GetWithExtras(place, command);
  return GetItem(place, command);
}

Outcome GetItem(Place place, const Command& command) {
  place.counters.Add(Counter::kCmdGet);
  const Item* item = place.shard.Find(command.key, command.hash, Shard::Access::kRead);
  return item != nullptr ? Hit(place, *item) : Miss(place);
}

Outcome GetAndTouch(Place place, const Command& command) {
  if (command.extras != nullptr) return GetWithExtras(place, command);
  Item* item = place.shard.Find(command.key, command.hash, Shard::Access::kRead);
  CountTouch(place, item);
  if (item == nullptr) return Absent(place);
  item = place.shard.Touch(item, command.hash, ExpiryOf(command.exptime, place.shard.now()));
  // It is gone; and of a get of many keys, an error would be taken for the end of the reply.
  if (item == nullptr) return Outcome{.status = Status::kMiss};
  return Found(*item);
}

}  // namespace larder::engine
