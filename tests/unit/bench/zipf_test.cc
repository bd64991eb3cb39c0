// Goal: ranks come as often as the Zipf distribution says. Method: many draws with a fixed seed
// against the exact probabilities of a small distribution.
#include "bench/load/zipf.h"

#include <cmath>
#include <cstdint>
#include <vector>

#include "gtest/gtest.h"

namespace larder::bench {
namespace {

class ZipfExponentTest : public testing::TestWithParam<double> {};

TEST_P(ZipfExponentTest, RanksComeAsOftenAsTheySay) {
  constexpr uint64_t kRanks = 50;
  constexpr double kDraws = 400'000;
  const Zipf zipf(kRanks, GetParam());
  Random random(11);
  std::vector<double> seen(kRanks);
  for (int i = 0; i < static_cast<int>(kDraws); ++i) {
    const uint64_t rank = zipf.Next(random);
    ASSERT_LT(rank, kRanks);
    ++seen[rank];
  }

  double sum = 0;
  for (uint64_t r = 0; r < kRanks; ++r) sum += std::pow(static_cast<double>(r + 1), -GetParam());
  for (uint64_t r = 0; r < kRanks; ++r) {
    const double p = std::pow(static_cast<double>(r + 1), -GetParam()) / sum;
    const double deviation = std::sqrt(kDraws * p * (1 - p));
    EXPECT_NEAR(seen[r], kDraws * p, 5 * deviation) << "rank " << r;
  }
}

INSTANTIATE_TEST_SUITE_P(Exponents, ZipfExponentTest,
                         testing::Values(0.2, 0.7, 0.99, 1.0, 1.0 + 1e-12, 1.2, 2.5));

TEST(ZipfTest, OneRankIsAlwaysThatOne) {
  const Zipf zipf(1, 1.0);
  Random random(1);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(zipf.Next(random), 0U);
}

TEST(ZipfTest, ManyRanksNeedNoTableAndReachTheTail) {
  constexpr uint64_t kRanks = 1'000'000'000;
  const Zipf zipf(kRanks, 0.8);
  Random random(2);
  uint64_t in_upper_half = 0;
  for (int i = 0; i < 10'000; ++i) {
    const uint64_t rank = zipf.Next(random);
    ASSERT_LT(rank, kRanks);
    in_upper_half += rank >= kRanks / 2 ? 1 : 0;
  }
  // 1 - (1/2)^0.2 of them, nearly: 12.9 %.
  EXPECT_NEAR(static_cast<double>(in_upper_half), 1313, 150);
}

TEST(RandomTest, BelowStaysBelowAndReachesEveryNumber) {
  Random random(3);
  std::vector<int> seen(7);
  for (int i = 0; i < 1000; ++i) {
    const uint64_t number = random.Below(7);
    ASSERT_LT(number, 7U);
    ++seen[number];
  }
  for (const int count : seen) EXPECT_GT(count, 100);
}

}  // namespace
}  // namespace larder::bench
