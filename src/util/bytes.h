// Bytes and the numbers written in them: unaligned loads, integers in network order, and decimal
// integers to and from text.
//
// Independent of any locale, bounded by the view, and checked: a number that does not fit is no
// number. The grammar is one for all protocols: digits, with a '-' before them where negative
// numbers make sense; no '+', no blanks, no hexadecimal, no empty number.
//
// Costs (bench/micro/protocol_bench): a nanosecond or two for the short numbers of a request line.
#ifndef LARDER_UTIL_BYTES_H_
#define LARDER_UTIL_BYTES_H_

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <optional>
#include <string_view>

namespace larder::util {

// Longest decimal text of a uint64_t.
inline constexpr size_t kDecimalBytesMax = 20;

// An integer as it lies in memory, at any address.
template <typename Integer>
inline Integer LoadUnaligned(const char* from) {
  Integer value;
  std::memcpy(&value, from, sizeof(value));
  return value;
}

// An integer from the order of this machine to the network's, or back.
template <typename Integer>
constexpr Integer SwapToNetwork(Integer value) {
  if constexpr (std::endian::native == std::endian::big || sizeof(Integer) == 1) {
    return value;
  } else if constexpr (sizeof(Integer) == 2) {
    return static_cast<Integer>(__builtin_bswap16(value));
  } else if constexpr (sizeof(Integer) == 4) {
    return static_cast<Integer>(__builtin_bswap32(value));
  } else {
    static_assert(sizeof(Integer) == 8);
    return static_cast<Integer>(__builtin_bswap64(value));
  }
}

// An integer in network order, at any address.
template <typename Integer>
inline Integer LoadNetwork(const char* from) {
  return SwapToNetwork(LoadUnaligned<Integer>(from));
}

// Writes `value` at `out` in network order; returns the end.
template <typename Integer>
inline char* AppendNetwork(char* out, Integer value) {
  value = SwapToNetwork(value);
  std::memcpy(out, &value, sizeof(value));
  return out + sizeof(value);
}

// Copies `text` to `out` and returns the end of the copy.
inline char* Append(char* out, std::string_view text) {
  if (!text.empty()) {  // an empty view may point nowhere, which memcpy does not allow
    std::memcpy(out, text.data(), text.size());
  }
  return out + text.size();
}

constexpr std::optional<uint64_t> ParseUint64(std::string_view text) {
  if (text.empty() || text.size() > kDecimalBytesMax) {
    return std::nullopt;
  }
  uint64_t value = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const uint64_t digit = static_cast<uint8_t>(text[i]) - uint64_t{'0'};
    if (digit > 9) {
      return std::nullopt;
    }
    // Nineteen digits always fit; the twentieth may not.
    constexpr uint64_t kMax = std::numeric_limits<uint64_t>::max();
    if (i == kDecimalBytesMax - 1 && value > (kMax - digit) / 10) {
      return std::nullopt;
    }
    value = value * 10 + digit;
  }
  return value;
}

constexpr std::optional<int64_t> ParseInt64(std::string_view text) {
  const bool negative = !text.empty() && text.front() == '-';
  const std::optional<uint64_t> magnitude = ParseUint64(text.substr(negative ? 1 : 0));
  // The most negative number is one further from zero than the most positive one.
  constexpr uint64_t kMax = std::numeric_limits<int64_t>::max();
  if (!magnitude || *magnitude > kMax + (negative ? 1 : 0)) {
    return std::nullopt;
  }
  return static_cast<int64_t>(negative ? 0 - *magnitude : *magnitude);
}

namespace internal {

// "00", "01", … "99", so that a division yields two digits.
inline constexpr std::array<char, 200> kDigitPairs = [] {
  std::array<char, 200> pairs{};
  for (size_t i = 0; i < 100; ++i) {
    pairs[2 * i] = static_cast<char>('0' + i / 10);
    pairs[2 * i + 1] = static_cast<char>('0' + i % 10);
  }
  return pairs;
}();

}  // namespace internal

// Writes `value` at `out`, where kDecimalBytesMax bytes are free; returns the end of the text.
inline char* AppendDecimal(char* out, uint64_t value) {
  if (value < 10) {  // client flags, mostly
    *out = static_cast<char>('0' + value);
    return out + 1;
  }
  std::array<char, kDecimalBytesMax> digits;
  size_t first = digits.size();
  while (value >= 10) {
    first -= 2;
    std::memcpy(&digits[first], &internal::kDigitPairs[2 * (value % 100)], 2);
    value /= 100;
  }
  if (value > 0) {
    digits[--first] = static_cast<char>('0' + value);
  }
  return Append(out, std::string_view(&digits[first], digits.size() - first));
}

}  // namespace larder::util

#endif  // LARDER_UTIL_BYTES_H_
