// Sizes and times as people write them: "64m", "10s"; and back.
//
// A size is a whole number and perhaps one of b, k, m, g, t (powers of 1024, either case). A time
// is a whole number and perhaps one of s, m, h, d. Nothing else is accepted: no sign, no space, no
// fraction, no overflow. What Format… writes, Parse… reads back to the same number.
#ifndef LARDER_UTIL_UNITS_H_
#define LARDER_UTIL_UNITS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace larder::util {

inline constexpr uint64_t kKiB = uint64_t{1} << 10;
inline constexpr uint64_t kMiB = uint64_t{1} << 20;
inline constexpr uint64_t kGiB = uint64_t{1} << 30;
inline constexpr uint64_t kTiB = uint64_t{1} << 40;

// Decimal digits and nothing else.
std::optional<uint64_t> ParseUnsigned(std::string_view text);
// Octal digits and nothing else.
std::optional<uint64_t> ParseOctal(std::string_view text);

// Bytes. A number without a unit counts `unit_bytes`: 1, or kMiB for memcached's -m.
std::optional<uint64_t> ParseBytes(std::string_view text, uint64_t unit_bytes = 1);
// In the largest unit that divides it: "64m", "1536k", "1000".
std::string FormatBytes(uint64_t bytes);

// Seconds; a number without a unit is seconds.
std::optional<uint64_t> ParseSeconds(std::string_view text);
// In the largest unit that divides it: "10s", "5m", "2h", "1d"; zero is "0".
std::string FormatSeconds(uint64_t seconds);

}  // namespace larder::util

#endif  // LARDER_UTIL_UNITS_H_
