// Numbers with a sign, and with a fraction: what is stored is their text, as short as it can be.
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>

#include "engine/verbs.h"
#include "util/bytes.h"

namespace larder::engine {

using stats::Counter;
using store::Item;
using store::Shard;

namespace {

// Longer texts are no numbers.
constexpr size_t kFloatBytesMax = 5 * 1024;
// An x87's range has five thousand digits in front of the point; seventeen are told behind it.
constexpr size_t kFloatTextBytesMax = 5 * 1024;

// Blanks at the end are decr's: it pads with them.
std::optional<int64_t> IntegerIn(std::string_view text) {
  while (text.ends_with(' ')) text.remove_suffix(1);
  const std::string_view digits = text.starts_with('-') ? text.substr(1) : text;
  if (digits.empty() || (digits.front() == '0' && text.size() > 1)) return std::nullopt;
  return util::ParseInt64(text);
}

std::optional<long double> FloatIn(std::string_view text) {
  while (text.ends_with(' ')) text.remove_suffix(1);
  if (text.empty() || text.size() >= kFloatBytesMax || text.front() == ' ' ||
      (text.front() >= '\t' && text.front() <= '\r')) {
    return std::nullopt;
  }
  const std::string copy(text);
  char* end = nullptr;
  const long double number = std::strtold(copy.c_str(), &end);
  const bool whole = end == copy.c_str() + copy.size();
  if (!whole || std::isnan(number)) return std::nullopt;
  return number;
}

std::string FloatText(long double number) {
  std::string text(kFloatTextBytesMax, '\0');
  const int size = std::snprintf(text.data(), text.size(), "%.17Lf", number);
  text.resize(static_cast<size_t>(size));
  text.erase(text.find_last_not_of('0') + 1);
  if (text.ends_with('.')) text.pop_back();
  return text == "-0" ? "0" : text;
}

// Stores `text` as the value of the counter, which keeps its flags and its expiry.
Outcome StoreText(Place place, const Command& command, const Item* old, std::string_view text) {
  place.counters.Add(old == nullptr ? Counter::kIncrMisses : Counter::kIncrHits);
  if (old != nullptr) place.shard.Count(stats::ClassCounter::kIncrHits, old->CountedBytes());
  return Stored(place, command,
                place.shard.Put({.key = command.key,
                                 .hash = command.hash,
                                 .client_flags = old == nullptr ? 0 : old->client_flags(),
                                 .expire_at = old == nullptr ? kNever : old->expire_at(),
                                 .value = text}));
}

}  // namespace

Outcome Sum(Place place, const Command& command) {
  const Item* old = place.shard.Find(command.key, command.hash, Shard::Access::kPeek);
  const std::optional<int64_t> number = old == nullptr ? 0 : IntegerIn(old->Value());
  if (!number) return Outcome{.status = Status::kNonNumeric};
  int64_t sum = 0;
  if (__builtin_add_overflow(*number, static_cast<int64_t>(command.number), &sum)) {
    return Outcome{.status = Status::kOverflow};
  }
  char digits[1 + util::kDecimalBytesMax];
  char* end = digits;
  const auto bits = static_cast<uint64_t>(sum);
  if (sum < 0) *end++ = '-';
  end = util::AppendDecimal(end, sum < 0 ? 0 - bits : bits);
  const Outcome stored =
      StoreText(place, command, old, {digits, static_cast<size_t>(end - digits)});
  if (stored.status != Status::kStored) return stored;
  return Outcome{.status = Status::kNumber, .cas = stored.cas, .number = bits};
}

Outcome SumFloat(Place place, const Command& command) {
  const Item* old = place.shard.Find(command.key, command.hash, Shard::Access::kPeek);
  const std::optional<long double> number = old == nullptr ? 0.0L : FloatIn(old->Value());
  const std::optional<long double> delta =
      command.value.ends_with(' ') ? std::nullopt : FloatIn(command.value);
  if (!number || !delta) return Outcome{.status = Status::kNonFloat};
  const long double sum = *number + *delta;
  if (!std::isfinite(sum)) return Outcome{.status = Status::kNotFinite};
  place.scratch = FloatText(sum);
  const Outcome stored = StoreText(place, command, old, place.scratch);
  if (stored.status != Status::kStored) return stored;
  return Outcome{.status = Status::kHit, .cas = stored.cas, .value = place.scratch};
}

}  // namespace larder::engine
