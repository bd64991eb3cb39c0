// Goal: texts for sizes and times mean one number, and only well-formed ones mean anything.
#include "util/units.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>

namespace larder::util {
namespace {

constexpr uint64_t kMax = std::numeric_limits<uint64_t>::max();

TEST(UnitsTest, SizesTakeUnitsInEitherCase) {
  EXPECT_EQ(ParseBytes("0"), 0U);
  EXPECT_EQ(ParseBytes("1000"), 1000U);
  EXPECT_EQ(ParseBytes("7b"), 7U);
  EXPECT_EQ(ParseBytes("512k"), 512U * 1024);
  EXPECT_EQ(ParseBytes("64m"), 64 * kMiB);
  EXPECT_EQ(ParseBytes("64M"), 64 * kMiB);
  EXPECT_EQ(ParseBytes("2G"), 2 * kGiB);
  EXPECT_EQ(ParseBytes("3t"), 3 * kTiB);
  EXPECT_EQ(ParseBytes("18446744073709551615"), kMax);
}

TEST(UnitsTest, ABareNumberCountsTheGivenUnit) {
  EXPECT_EQ(ParseBytes("64", kMiB), 64 * kMiB);
  EXPECT_EQ(ParseBytes("64k", kMiB), 64 * kKiB);
  EXPECT_EQ(ParseBytes("64b", kMiB), 64U);
}

TEST(UnitsTest, NothingElseIsASize) {
  for (const char* text :
       {"", "k", "-1", "+1", " 1", "1 ", "1 k", "1.5m", "0x10", "1kk", "1kb", "m1",
        "18446744073709551616", "18446744073709551615k", "16777216t", "1e3"}) {
    EXPECT_EQ(ParseBytes(text), std::nullopt) << text;
  }
  EXPECT_EQ(ParseBytes("18446744073709551615", kMiB), std::nullopt);
  EXPECT_EQ(ParseBytes(std::string_view("1\0", 2)), std::nullopt);
}

TEST(UnitsTest, TimesTakeUnits) {
  EXPECT_EQ(ParseSeconds("0"), 0U);
  EXPECT_EQ(ParseSeconds("10"), 10U);
  EXPECT_EQ(ParseSeconds("10s"), 10U);
  EXPECT_EQ(ParseSeconds("5m"), 300U);
  EXPECT_EQ(ParseSeconds("2h"), 7200U);
  EXPECT_EQ(ParseSeconds("1D"), 86400U);
  for (const char* text : {"", "s", "10ms", "-1s", "1k", "213503982334602d"}) {
    EXPECT_EQ(ParseSeconds(text), std::nullopt) << text;
  }
}

TEST(UnitsTest, TheLargestUnitThatDividesIsWritten) {
  EXPECT_EQ(FormatBytes(0), "0");
  EXPECT_EQ(FormatBytes(1), "1");
  EXPECT_EQ(FormatBytes(1023), "1023");
  EXPECT_EQ(FormatBytes(1024), "1k");
  EXPECT_EQ(FormatBytes(1536 * 1024), "1536k");
  EXPECT_EQ(FormatBytes(64 * kMiB), "64m");
  EXPECT_EQ(FormatBytes(kTiB), "1t");
  EXPECT_EQ(FormatSeconds(0), "0");
  EXPECT_EQ(FormatSeconds(61), "61s");
  EXPECT_EQ(FormatSeconds(60), "1m");
  EXPECT_EQ(FormatSeconds(7200), "2h");
  EXPECT_EQ(FormatSeconds(86400), "1d");
}

TEST(UnitsTest, WhatIsWrittenReadsBack) {
  for (uint64_t power = 0; power < 64; ++power) {
    for (const uint64_t delta : {uint64_t{0}, uint64_t{1}, kMax}) {
      const uint64_t number = (uint64_t{1} << power) + delta;
      EXPECT_EQ(ParseBytes(FormatBytes(number)), number);
      EXPECT_EQ(ParseSeconds(FormatSeconds(number)), number);
    }
  }
}

TEST(UnitsTest, OctalTakesOctalDigitsOnly) {
  EXPECT_EQ(ParseOctal("700"), 0700U);
  EXPECT_EQ(ParseOctal("0770"), 0770U);
  for (const char* text : {"", "8", "7a", "-7", "0o7"}) {
    EXPECT_EQ(ParseOctal(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace larder::util
