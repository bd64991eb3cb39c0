// Goal: numbers in text are read and written exactly, at every border, and nothing else is a
// number.
#include "util/bytes.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

namespace larder::util {
namespace {

std::string Written(uint64_t value) {
  std::array<char, kDecimalBytesMax> out;
  return {out.data(), AppendDecimal(out.data(), value)};
}

// Every power of ten and of two, and their neighbours.
template <typename Visit>
void ForBorderNumbers(Visit visit) {
  constexpr uint64_t kMax = std::numeric_limits<uint64_t>::max();
  for (uint64_t base : {uint64_t{2}, uint64_t{10}}) {
    for (uint64_t power = 1;; power *= base) {
      visit(power - 1);
      visit(power);
      visit(power + 1);
      if (power > kMax / base) {
        break;
      }
    }
  }
  visit(kMax - 1);
  visit(kMax);
}

TEST(Decimal, WrittenAsTheStandardLibraryWritesIt) {
  ForBorderNumbers([](uint64_t value) { EXPECT_EQ(Written(value), std::to_string(value)); });
}

TEST(Decimal, ReadsWhatItWrites) {
  ForBorderNumbers([](uint64_t value) { EXPECT_EQ(ParseUint64(Written(value)), value); });
}

TEST(Decimal, ReadsSignedNumbersOfBothSigns) {
  ForBorderNumbers([](uint64_t magnitude) {
    const std::string digits = std::to_string(magnitude);
    constexpr uint64_t kMax = std::numeric_limits<int64_t>::max();
    if (magnitude <= kMax) {
      EXPECT_EQ(ParseInt64(digits), static_cast<int64_t>(magnitude));
      EXPECT_EQ(ParseInt64("-" + digits), -static_cast<int64_t>(magnitude));
    } else {
      EXPECT_EQ(ParseInt64(digits), std::nullopt);
      EXPECT_EQ(ParseInt64("-" + digits),
                magnitude == kMax + 1 ? std::optional<int64_t>(std::numeric_limits<int64_t>::min())
                                      : std::nullopt);
    }
  });
}

TEST(Decimal, RefusesWhatDoesNotFit) {
  for (const std::string_view text :
       {"18446744073709551616", "18446744073709551620", "19000000000000000000",
        "99999999999999999999", "100000000000000000000", "000000000000000000001"}) {
    EXPECT_EQ(ParseUint64(text), std::nullopt) << text;
  }
  EXPECT_EQ(ParseInt64("9223372036854775808"), std::nullopt);
  EXPECT_EQ(ParseInt64("-9223372036854775809"), std::nullopt);
}

TEST(Decimal, RefusesEverythingButDigits) {
  using namespace std::string_view_literals;
  for (const std::string_view text : {""sv, "-"sv, "+5"sv, "0x10"sv, "5 "sv, " 5"sv, "5x"sv, "x"sv,
                                      "--5"sv, "1.0"sv, "1e3"sv, "5\0"sv, "\t5"sv, "5\xb2"sv}) {
    EXPECT_EQ(ParseUint64(text), std::nullopt) << text;
    EXPECT_EQ(ParseInt64(text), std::nullopt) << text;
  }
  EXPECT_EQ(ParseUint64("-0"), std::nullopt);
  EXPECT_EQ(ParseInt64("-0"), 0);
}

// Method: views that end in the middle of a longer number; what follows must not be looked at.
TEST(Decimal, ReadsNoFurtherThanTheView) {
  const std::string_view digits = "12345678901234567890";
  for (size_t size = 1; size <= digits.size(); ++size) {
    EXPECT_EQ(ParseUint64(digits.substr(0, size)),
              std::stoull(std::string(digits.substr(0, size))));
  }
}

TEST(Bytes, LoadsAtAnyAddress) {
  const std::array<char, 9> bytes = {0, 1, 0, 0, 0, 0, 0, 0, 0};
  EXPECT_EQ(LoadUnaligned<uint64_t>(&bytes[1]), 1U);
  EXPECT_EQ(LoadUnaligned<uint16_t>(&bytes[0]), 256U);
}

TEST(Bytes, AppendReturnsTheEnd) {
  std::array<char, 4> out = {'a', 'b', 'c', 'd'};
  EXPECT_EQ(Append(out.data(), "xyz"), &out[3]);
  EXPECT_EQ(std::string_view(out.data(), 4), "xyzd");
  EXPECT_EQ(Append(out.data(), ""), out.data());
}

}  // namespace
}  // namespace larder::util
