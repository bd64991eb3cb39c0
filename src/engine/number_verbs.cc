#include <charconv>
#include <cstring>
#include <optional>

#include "engine/verbs.h"

namespace larder::engine {

using stats::ClassCounter;
using stats::Counter;
using store::Item;
using store::Shard;

namespace {

// 2^64 - 1 has twenty digits.
constexpr size_t kNumberBytesMax = 20;

bool IsSpace(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

// A stored value as memcached reads a number: white space, an optional plus, digits, then the end
// or white space (decr pads with spaces, so that its result may be incremented again).
std::optional<uint64_t> NumberIn(std::string_view text) {
  while (!text.empty() && IsSpace(text.front())) text.remove_prefix(1);
  if (!text.empty() && text.front() == '+') text.remove_prefix(1);
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return std::nullopt;
  if (end != text.data() + text.size() && !IsSpace(*end)) return std::nullopt;
  return number;
}

struct NumberCounters {
  Counter hits;
  ClassCounter class_hits;
  Counter misses;
};

std::string_view DigitsOf(uint64_t number, char (&digits)[kNumberBytesMax]) {
  const auto written = std::to_chars(digits, digits + sizeof(digits), number);
  return {digits, static_cast<size_t>(written.ptr - digits)};
}

Outcome Changed(Place place, const Item& item, uint64_t number) {
  return Outcome{.status = Status::kNumber,
                 .cas = item.cas(),
                 .number = number,
                 .ttl_s = TtlOf(item, place.shard.now())};
}

// There is no number yet, and the command brings the first one.
Outcome CreateNumber(Place place, const Command& command) {
  const Extras& extras = *command.extras;
  char digits[kNumberBytesMax];
  const auto stored =
      place.shard.Put({.key = command.key,
                       .hash = command.hash,
                       .expire_at = ExpiryOf(extras.create_exptime, place.shard.now()),
                       .value = DigitsOf(extras.initial, digits)});
  const Outcome outcome = Stored(place, command, stored);
  if (outcome.status != Status::kStored) return outcome;
  if (stored.item != nullptr) return Changed(place, *stored.item, extras.initial);
  return Outcome{.status = Status::kNumber, .number = extras.initial, .ttl_s = 0};
}

// Writes the number over the old one where it fits, padded with spaces to the value's length, as
// the protocol has it. Null, and `failed` says why, if it does not fit and there is no room.
Item* Write(Place place, const Command& command, Item* item, uint64_t number, Outcome& failed) {
  char digits[kNumberBytesMax];
  const size_t bytes = DigitsOf(number, digits).size();
  const size_t old_bytes = item->Value().size();
  if (bytes <= old_bytes && old_bytes <= sizeof(digits)) {
    std::memset(digits + bytes, ' ', old_bytes - bytes);
    place.shard.Overwrite(item, {digits, old_bytes});
    return item;
  }
  const bool stale = item->stale();
  const bool won = item->won();
  const auto stored = place.shard.Put({.key = command.key,
                                       .hash = command.hash,
                                       .client_flags = item->client_flags(),
                                       .expire_at = item->expire_at(),
                                       .value = {digits, bytes}});
  if (stored.item == nullptr) {
    failed = Stored(place, command, stored);
    return nullptr;
  }
  stored.item->set_stale(stale);
  stored.item->set_won(won);
  return stored.item;
}

template <typename Step>
Outcome Change(Place place, const Command& command, NumberCounters counted, Step step) {
  Item* item = place.shard.Find(command.key, command.hash, Shard::Access::kPeek);
  if (item == nullptr) {
    if (Asks(command, Extras::kCreate)) return CreateNumber(place, command);
    place.counters.Add(counted.misses);
    return Outcome{.status = Status::kNotFound};
  }
  if (Mismatches(command, *item)) return Outcome{.status = Status::kExists};
  const std::optional<uint64_t> old = NumberIn(item->Value());
  if (!old.has_value()) return Outcome{.status = Status::kNonNumeric};
  place.counters.Add(counted.hits);
  place.shard.Count(counted.class_hits, item->CountedBytes());

  const uint64_t number = step(*old);
  Outcome failed;
  item = Write(place, command, item, number, failed);
  if (item == nullptr) return failed;
  if (Asks(command, Extras::kGiveCas)) item->set_cas(command.extras->give_cas);
  if (Asks(command, Extras::kTouch)) {
    item = place.shard.Touch(item, command.hash, ExpiryOf(command.exptime, place.shard.now()));
    if (item == nullptr) return Outcome{.status = Status::kNoMemory};
  }
  return Changed(place, *item, number);
}

}  // namespace

Outcome Increment(Place place, const Command& command) {
  return Change(place, command, {Counter::kIncrHits, ClassCounter::kIncrHits, Counter::kIncrMisses},
                [&](uint64_t old) { return old + command.number; });
}

Outcome Decrement(Place place, const Command& command) {
  return Change(place, command, {Counter::kDecrHits, ClassCounter::kDecrHits, Counter::kDecrMisses},
                [&](uint64_t old) { return old < command.number ? 0 : old - command.number; });
}

}  // namespace larder::engine
