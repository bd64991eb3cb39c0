// Verbs that take a value apart, put it together, or hand out the one that was there before.
#include <algorithm>
#include <cstdint>

#include "engine/verbs.h"

namespace larder::engine {

using stats::Counter;
using store::Item;
using store::Shard;

namespace {

// A copy of a value that is about to go, as a hit.
Outcome Old(Place place, const Item& item) {
  place.scratch.assign(item.Value());
  return Outcome{
      .status = Status::kHit, .client_flags = item.client_flags(), .value = place.scratch};
}

// The part of `value` from byte `first` to byte `last`; those below zero count from the end.
std::string_view Part(std::string_view value, int64_t first, int64_t last) {
  const auto size = static_cast<int64_t>(value.size());
  if (first < 0 && last < 0 && first > last) return {};
  const int64_t begin = std::max<int64_t>(first < 0 ? first + size : first, 0);
  const int64_t until = std::max<int64_t>(last < 0 ? last + size : last, 0);
  const int64_t end = std::min(until, size - 1) + 1;
  if (begin >= end) return {};
  return value.substr(static_cast<size_t>(begin), static_cast<size_t>(end - begin));
}

}  // namespace

Outcome Range(Place place, const Command& command) {
  Outcome outcome = GetItem(place, command);
  outcome.value = Part(outcome.value, command.extras->first, command.extras->last);
  return outcome;
}

Outcome Exchange(Place place, const Command& command) {
  place.counters.Add(Counter::kCmdSet);
  const Extras& extras = *command.extras;
  const Item* old = place.shard.Find(command.key, command.hash, Shard::Access::kPeek);
  const bool was_there = old != nullptr;
  Outcome before = {.status = Status::kMiss};
  if (was_there && extras.Asks(Extras::kGiveOld)) before = Old(place, *old);
  if (!extras.Asks(was_there ? Extras::kIfAbsent : Extras::kIfPresent)) {
    const bool keeps = was_there && extras.Asks(Extras::kKeepExpiry);
    const auto stored = place.shard.Put(
        {.key = command.key,
         .hash = command.hash,
         .client_flags = command.client_flags,
         .expire_at = keeps ? old->expire_at() : ExpiryOf(command, place.shard.now()),
         .value = command.value});
    const Outcome outcome = Stored(place, command, stored);
    if (outcome.status != Status::kStored || !extras.Asks(Extras::kGiveOld)) return outcome;
  } else if (!extras.Asks(Extras::kGiveOld)) {
    return Outcome{.status = Status::kNotStored};
  }
  return before;
}

Outcome Take(Place place, const Command& command) {
  const Outcome found = GetItem(place, command);
  if (found.status != Status::kHit) return found;
  const Outcome before = Old(place, *found.item);
  place.shard.Erase(command.key, command.hash);
  return before;
}

Outcome WriteRange(Place place, const Command& command) {
  place.counters.Add(Counter::kCmdSet);
  const Item* old = place.shard.Find(command.key, command.hash, Shard::Access::kPeek);
  const std::string_view before = old == nullptr ? std::string_view{} : old->Value();
  if (command.value.empty()) return Outcome{.status = Status::kStored, .number = before.size()};
  const auto first = static_cast<uint64_t>(command.extras->first);
  // Before anything of that size is made.
  if (first + command.value.size() > place.shard.ItemBytesMax()) {
    return Outcome{.status = Status::kTooLarge};
  }
  std::string& value = place.scratch;
  value.assign(before);
  value.resize(std::max<uint64_t>(before.size(), first + command.value.size()), '\0');
  std::copy(command.value.begin(), command.value.end(), value.begin() + command.extras->first);
  return Stored(place, command,
                place.shard.Put({.key = command.key,
                                 .hash = command.hash,
                                 .client_flags = old == nullptr ? 0 : old->client_flags(),
                                 .expire_at = old == nullptr ? kNever : old->expire_at(),
                                 .value = value}));
}

}  // namespace larder::engine
