#include <charconv>
#include <cstring>
#include <optional>

#include "engine/verbs.h"

namespace larder::engine {

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
  Counter misses;
};

template <typename Step>
Outcome Change(Place place, const Command& command, NumberCounters counted, Step step) {
  Item* item = place.shard.Find(command.key, command.hash, Shard::Access::kPeek);
  if (item == nullptr) {
    place.counters.Add(counted.misses);
    return Outcome{.status = Status::kNotFound};
  }
  const std::optional<uint64_t> old = NumberIn(item->Value());
  if (!old.has_value()) return Outcome{.status = Status::kNonNumeric};
  place.counters.Add(counted.hits);

  const uint64_t number = step(*old);
  char digits[kNumberBytesMax];
  const auto written = std::to_chars(digits, digits + sizeof(digits), number);
  const size_t bytes = static_cast<size_t>(written.ptr - digits);
  const size_t old_bytes = item->Value().size();
  uint64_t cas = 0;
  if (bytes <= old_bytes && old_bytes <= sizeof(digits)) {
    // A shorter number keeps the value's length, padded with spaces, as the protocol has it.
    std::memset(digits + bytes, ' ', old_bytes - bytes);
    place.shard.Overwrite(item, {digits, old_bytes});
    cas = item->cas();
  } else {
    const auto stored = place.shard.Put({.key = command.key,
                                         .hash = command.hash,
                                         .client_flags = item->client_flags(),
                                         .expire_at = item->expire_at(),
                                         .value = {digits, bytes}});
    const Outcome outcome = Stored(place, stored);
    if (outcome.status != Status::kStored) return outcome;
    cas = outcome.cas;
  }
  return Outcome{.status = Status::kNumber, .cas = cas, .number = number};
}

}  // namespace

Outcome Increment(Place place, const Command& command) {
  return Change(place, command, {Counter::kIncrHits, Counter::kIncrMisses},
                [&](uint64_t old) { return old + command.number; });
}

Outcome Decrement(Place place, const Command& command) {
  return Change(place, command, {Counter::kDecrHits, Counter::kDecrMisses},
                [&](uint64_t old) { return old < command.number ? 0 : old - command.number; });
}

}  // namespace larder::engine
