// Goal: incr and decr do memcached's arithmetic on memcached's idea of a number.
// Method: tables of values, and what becomes of them.
#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "engine_fixture.h"

namespace larder::engine {
namespace {

constexpr uint64_t kMax = std::numeric_limits<uint64_t>::max();

class NumberTest : public EngineTest {
 protected:
  Outcome Incr(std::string_view key, uint64_t delta) {
    return Do({.verb = Verb::kIncr, .number = delta, .key = key});
  }
  Outcome Decr(std::string_view key, uint64_t delta) {
    return Do({.verb = Verb::kDecr, .number = delta, .key = key});
  }
};

TEST_F(NumberTest, IncrWrapsAndDecrStopsAtZero) {
  Set("n", std::to_string(kMax));
  EXPECT_EQ(Incr("n", 1).number, 0U);
  EXPECT_EQ(Decr("n", 5).number, 0U);
  EXPECT_EQ(Incr("n", kMax).number, kMax);
  EXPECT_EQ(Incr("n", kMax).number, kMax - 1);
  EXPECT_EQ(Decr("n", kMax - 2).number, 1U);
}

TEST_F(NumberTest, AShorterResultIsPaddedWithSpaces) {
  Set("n", "100");
  EXPECT_EQ(Decr("n", 1).number, 99U);
  EXPECT_EQ(ValueOf("n"), "99 ");
  EXPECT_EQ(Decr("n", 95).number, 4U);
  EXPECT_EQ(ValueOf("n"), "4  ");
  EXPECT_EQ(Incr("n", 995).number, 999U);
  EXPECT_EQ(ValueOf("n"), "999");
  EXPECT_EQ(Incr("n", 1).number, 1000U);
  EXPECT_EQ(ValueOf("n"), "1000");
}

TEST_F(NumberTest, WrappingToZeroKeepsTheLength) {
  Set("n", std::to_string(kMax));
  EXPECT_EQ(Incr("n", 1).status, Status::kNumber);
  EXPECT_EQ(ValueOf("n"), "0" + std::string(19, ' '));
}

TEST_F(NumberTest, WhatIsANumber) {
  const struct {
    std::string value;
    uint64_t number;
  } kNumbers[] = {{"0", 0},
                  {"007", 7},
                  {" 12", 12},
                  {"12 ", 12},
                  {"\t12\r", 12},
                  {"12 monkeys", 12},
                  {"+12", 12},
                  {std::to_string(kMax), kMax},
                  {"9223372036854775808", 1ULL << 63}};
  for (const auto& [value, number] : kNumbers) {
    SCOPED_TRACE(value);
    Set("n", value);
    const Outcome outcome = Incr("n", 0);
    EXPECT_EQ(outcome.status, Status::kNumber);
    EXPECT_EQ(outcome.number, number);
  }
}

TEST_F(NumberTest, WhatIsNone) {
  for (const std::string& value :
       {std::string(), std::string(" "), std::string(300, ' '), std::string("x"),
        std::string("12x"), std::string("-1"), std::string("1.5"), std::string("0x10"),
        std::string("++1"), std::string("18446744073709551616"),
        std::string("99999999999999999999999999"), std::string("\0", 1), std::string("1\0", 2)}) {
    SCOPED_TRACE(value);
    Set("n", value);
    EXPECT_EQ(Incr("n", 1).status, Status::kNonNumeric);
    EXPECT_EQ(Decr("n", 1).status, Status::kNonNumeric);
    EXPECT_EQ(ValueOf("n"), value);
  }
}

TEST_F(NumberTest, AbsentAndExpiredAreNotFound) {
  EXPECT_EQ(Incr("n", 1).status, Status::kNotFound);
  Set("n", "5", 1);
  Advance(5 * kSecond);
  EXPECT_EQ(Decr("n", 1).status, Status::kNotFound);
}

TEST_F(NumberTest, FlagsStayAndTheUniqueChanges) {
  Do({.verb = Verb::kSet, .client_flags = 77, .key = "n", .value = "9"});
  const uint64_t before = Do({.verb = Verb::kGets, .key = "n"}).cas;
  Incr("n", 0);
  const Outcome in_place = Do({.verb = Verb::kGets, .key = "n"});
  EXPECT_EQ(in_place.client_flags, 77U);
  EXPECT_NE(in_place.cas, before);
  const uint64_t in_place_cas = in_place.cas;
  Incr("n", 1);  // longer
  const Outcome longer = Do({.verb = Verb::kGets, .key = "n"});
  EXPECT_EQ(longer.client_flags, 77U);
  EXPECT_NE(longer.cas, in_place_cas);
}

}  // namespace
}  // namespace larder::engine
