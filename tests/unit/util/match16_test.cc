// Goal: the fast comparison of sixteen bytes says what the plain one says, and reads no more than
// sixteen. Method: random bytes with few distinct values, in blocks of exactly sixteen bytes.
#include "util/match16.h"

#include <memory>

#include "gtest/gtest.h"
#include "util/prng.h"

namespace larder::util {
namespace {

TEST(Match16, AgreesWithThePlainComparison) {
  Prng prng(1);
  for (int round = 0; round < 2000; ++round) {
    const auto bytes = std::make_unique<uint8_t[]>(16);
    const uint64_t values = 1 + prng.Below(256);
    for (int i = 0; i < 16; ++i) bytes[i] = static_cast<uint8_t>(prng.Below(values));
    for (uint32_t value = 0; value < 256; ++value) {
      const auto byte = static_cast<uint8_t>(value);
      ASSERT_EQ(Match16(bytes.get(), byte), Match16Plain(bytes.get(), byte));
    }
  }
}

TEST(Match16, EachBitStandsForItsByte) {
  uint8_t bytes[16] = {};
  for (uint32_t i = 0; i < 16; ++i) {
    bytes[i] = 0xff;
    EXPECT_EQ(Match16(bytes, 0xff), 1U << i);
    EXPECT_EQ(Match16(bytes, 0), 0xffffU ^ (1U << i));
    bytes[i] = 0;
  }
}

}  // namespace
}  // namespace larder::util
