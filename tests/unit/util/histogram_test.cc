// Goal: percentiles are right to better than 1 %, for values of any size and histograms merged from
// many. Method: the same values in a sorted vector.
#include "util/histogram.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

#include "gtest/gtest.h"

namespace larder::util {
namespace {

uint64_t ExactPercentile(const std::vector<uint64_t>& sorted, double percent) {
  const auto rank =
      static_cast<size_t>(std::ceil(static_cast<double>(sorted.size()) * percent / 100));
  return sorted[std::clamp<size_t>(rank, 1, sorted.size()) - 1];
}

TEST(HistogramTest, EmptyIsAllZero) {
  const Histogram histogram;
  histogram.CheckInvariants();
  EXPECT_EQ(histogram.Count(), 0U);
  EXPECT_EQ(histogram.Min(), 0U);
  EXPECT_EQ(histogram.Max(), 0U);
  EXPECT_EQ(histogram.Mean(), 0.0);
  EXPECT_EQ(histogram.Percentile(99), 0U);
}

TEST(HistogramTest, SmallValuesAreExact) {
  Histogram histogram;
  for (uint64_t value = 0; value < 256; ++value) histogram.Record(value);
  for (uint64_t value = 0; value < 256; ++value) {
    EXPECT_EQ(histogram.Percentile(100.0 * static_cast<double>(value + 1) / 256), value);
  }
  EXPECT_EQ(histogram.Mean(), 127.5);
}

TEST(HistogramTest, ExtremesOfTheRangeHaveABucket) {
  Histogram histogram;
  for (const uint64_t value : {uint64_t{0}, uint64_t{1}, UINT64_MAX - 1, UINT64_MAX}) {
    histogram.Record(value);
    histogram.CheckInvariants();
  }
  EXPECT_EQ(histogram.Min(), 0U);
  EXPECT_EQ(histogram.Max(), UINT64_MAX);
  EXPECT_EQ(histogram.Percentile(25), 0U);
  EXPECT_EQ(histogram.Percentile(50), 1U);
  EXPECT_EQ(histogram.Percentile(100), UINT64_MAX);
}

TEST(HistogramTest, EveryPowerOfTwoAndItsNeighboursAreNearTheTruth) {
  for (int bit = 1; bit < 64; ++bit) {
    for (const int64_t beside : {-1, 0, 1}) {
      const uint64_t value = (1ULL << bit) + static_cast<uint64_t>(beside);
      Histogram histogram;
      histogram.Record(value);
      // A second, larger value, so that the percentile is not simply the maximum.
      histogram.Record(UINT64_MAX);
      const uint64_t found = histogram.Percentile(50);
      EXPECT_GE(found, value);
      EXPECT_LE(static_cast<double>(found - value), static_cast<double>(value) * 0.01) << value;
    }
  }
}

TEST(HistogramTest, PercentilesOfManyMergedValuesAreNearTheTruth) {
  std::mt19937_64 random(20);
  std::vector<Histogram> parts(4);
  std::vector<uint64_t> values;
  for (int i = 0; i < 20'000; ++i) {
    const uint64_t value = random() >> (random() % 60);
    values.push_back(value);
    parts[static_cast<size_t>(i) % parts.size()].Record(value);
  }
  std::sort(values.begin(), values.end());

  Histogram whole;
  for (const Histogram& part : parts) whole.Merge(part);
  whole.CheckInvariants();
  EXPECT_EQ(whole.Count(), values.size());
  EXPECT_EQ(whole.Min(), values.front());
  EXPECT_EQ(whole.Max(), values.back());
  for (const double percent : {0.0, 1.0, 10.0, 50.0, 90.0, 99.0, 99.9, 100.0}) {
    const uint64_t exact = ExactPercentile(values, percent);
    const uint64_t found = whole.Percentile(percent);
    EXPECT_GE(found, exact) << percent;
    EXPECT_LE(static_cast<double>(found - exact), static_cast<double>(exact) * 0.01) << percent;
  }
}

TEST(HistogramTest, MergingAnEmptyOneChangesNothing) {
  Histogram histogram;
  histogram.Record(7);
  histogram.Merge(Histogram());
  EXPECT_EQ(histogram.Min(), 7U);
  EXPECT_EQ(histogram.Max(), 7U);
  EXPECT_EQ(histogram.Count(), 1U);
}

TEST(HistogramTest, ClearForgetsEverything) {
  Histogram histogram;
  histogram.Record(1'000'000);
  histogram.Clear();
  histogram.CheckInvariants();
  EXPECT_EQ(histogram.Count(), 0U);
  histogram.Record(3);
  EXPECT_EQ(histogram.Percentile(50), 3U);
  EXPECT_EQ(histogram.Max(), 3U);
}

}  // namespace
}  // namespace larder::util
