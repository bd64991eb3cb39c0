#include "util/units.h"

#include <array>
#include <charconv>
#include <limits>
#include <span>

namespace larder::util {
namespace {

struct Unit {
  char letter;
  uint64_t factor;
};

// Smallest first. The first is the unit that a formatted number may leave out.
constexpr std::array<Unit, 5> kByteUnits{
    {{'b', 1}, {'k', kKiB}, {'m', kMiB}, {'g', kGiB}, {'t', kTiB}}};
constexpr std::array<Unit, 4> kTimeUnits{{{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}}};

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::optional<uint64_t> ParseInBase(std::string_view text, int base) {
  uint64_t number = 0;
  const char* end = text.data() + text.size();
  const auto [stopped_at, error] = std::from_chars(text.data(), end, number, base);
  if (error != std::errc{} || stopped_at != end) return std::nullopt;
  return number;
}

std::optional<uint64_t> ParseWithUnit(std::string_view text, std::span<const Unit> units,
                                      uint64_t factor) {
  if (text.empty()) return std::nullopt;
  for (const Unit& unit : units) {
    if (Lower(text.back()) != unit.letter) continue;
    factor = unit.factor;
    text.remove_suffix(1);
    break;
  }
  const std::optional<uint64_t> number = ParseUnsigned(text);
  if (!number || *number > std::numeric_limits<uint64_t>::max() / factor) return std::nullopt;
  return *number * factor;
}

const Unit& LargestDividing(uint64_t number, std::span<const Unit> units) {
  const Unit* best = &units.front();
  for (const Unit& unit : units) {
    if (number != 0 && number % unit.factor == 0) best = &unit;
  }
  return *best;
}

}  // namespace

std::optional<uint64_t> ParseUnsigned(std::string_view text) { return ParseInBase(text, 10); }

std::optional<uint64_t> ParseOctal(std::string_view text) { return ParseInBase(text, 8); }

std::optional<uint64_t> ParseBytes(std::string_view text, uint64_t unit_bytes) {
  return ParseWithUnit(text, kByteUnits, unit_bytes);
}

std::string FormatBytes(uint64_t bytes) {
  const Unit& unit = LargestDividing(bytes, kByteUnits);
  std::string text = std::to_string(bytes / unit.factor);
  if (unit.factor > 1) text += unit.letter;
  return text;
}

std::optional<uint64_t> ParseSeconds(std::string_view text) {
  return ParseWithUnit(text, kTimeUnits, 1);
}

std::string FormatSeconds(uint64_t seconds) {
  if (seconds == 0) return "0";
  const Unit& unit = LargestDividing(seconds, kTimeUnits);
  return std::to_string(seconds / unit.factor) + unit.letter;
}

}  // namespace larder::util
