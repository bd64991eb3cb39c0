// Goal: every duration has the right bucket; a turn's requests share its length, late ones have
// their own; a reader sees what was counted.
#include "stats/request_times.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <set>
#include <string>

namespace larder::stats {
namespace {

DurationCounts CountsOf(const DurationHistogram& histogram) {
  DurationCounts counts;
  histogram.AddTo(counts);
  return counts;
}

TEST(DurationHistogramTest, BucketsMeet) {
  EXPECT_EQ(DurationHistogram::BucketOf(0), 0U);
  for (size_t bucket = 0; bucket + 1 < DurationHistogram::kBuckets; ++bucket) {
    const uint64_t last = DurationHistogram::LastOf(bucket);
    EXPECT_EQ(DurationHistogram::BucketOf(last), bucket);
    EXPECT_EQ(DurationHistogram::BucketOf(last + 1), bucket + 1);
  }
  EXPECT_EQ(DurationHistogram::BucketOf(UINT64_MAX), DurationHistogram::kBuckets - 1);
}

TEST(DurationHistogramTest, RecordsMergeAndReset) {
  DurationHistogram one;
  DurationHistogram other;
  one.Record(1000, 3);
  other.Record(1'000'000);
  DurationCounts counts = CountsOf(one);
  other.AddTo(counts);
  EXPECT_EQ(counts.Count(), 4U);
  EXPECT_EQ(counts.sum_ns, 1'003'000U);
  EXPECT_EQ(counts.buckets[0], 3U);
  one.Reset();
  EXPECT_EQ(CountsOf(one).Count(), 0U);
  EXPECT_EQ(CountsOf(one).sum_ns, 0U);
}

TEST(DurationHistogramTest, QuantilesAreBounds) {
  EXPECT_EQ(DurationCounts().Quantile(0.5), 0U);
  DurationHistogram histogram;
  histogram.Record(1000, 50);
  histogram.Record(5000, 49);
  histogram.Record(1'000'000, 1);
  const DurationCounts counts = CountsOf(histogram);
  EXPECT_EQ(counts.Quantile(0.5), 1024U);
  EXPECT_EQ(counts.Quantile(0.51), 6144U);
  EXPECT_EQ(counts.Quantile(0.99), 6144U);
  EXPECT_EQ(counts.Quantile(1), 1'048'576U);
}

TEST(RequestKindTest, EachHasItsOwnPlaceAndName) {
  std::set<std::string> names;
  for (const RequestKind kind : AllRequestKinds()) {
    EXPECT_EQ(RequestKind(kind.dialect(), kind.verb()).index(), kind.index());
    EXPECT_TRUE(names
                    .insert(std::string(DialectName(kind.dialect())) + " " +
                            std::string(RequestVerbName(kind)))
                    .second);
  }
  EXPECT_EQ(names.size(), RequestKind::kCount);
  EXPECT_TRUE(names.contains("text get"));
  EXPECT_TRUE(names.contains("binary rejected"));
}

constexpr RequestKind kGet(Dialect::kText, Verb::kGet);
constexpr RequestKind kSet(Dialect::kMeta, Verb::kSet);

TEST(RequestTimesTest, RequestsOfATurnTakeItsLength) {
  RequestTimes times;
  for (int i = 0; i < 5; ++i) times.Count(kGet);
  times.Count(kSet);
  times.EndTurn(1'000'000, 1'003'000);
  times.Count(kGet);
  times.EndTurn(2'000'000, 2'000'500);
  times.EndTurn(3'000'000, 3'000'000);
  const DurationCounts gets = CountsOf(times.Of(kGet));
  EXPECT_EQ(gets.Count(), 6U);
  EXPECT_EQ(gets.sum_ns, 15'500U);
  EXPECT_EQ(gets.buckets[DurationHistogram::BucketOf(3000)], 5U);
  EXPECT_EQ(CountsOf(times.Of(kSet)).sum_ns, 3000U);
  EXPECT_EQ(CountsOf(times.turns()).Count(), 3U);
  EXPECT_EQ(CountsOf(times.turns()).sum_ns, 3500U);
}

TEST(RequestTimesTest, ALateRequestBeganInItsOwnTurn) {
  RequestTimes times;
  const uint64_t asked_ns = 0xffff'ff00ULL << RequestTimes::kTickShift;  // just before ticks wrap
  times.CountLate(kGet, RequestTimes::TicksOf(asked_ns));
  times.Count(kGet);
  const uint64_t begin_ns = asked_ns + 1'048'576;
  times.EndTurn(begin_ns, begin_ns + 1024);
  const DurationCounts gets = CountsOf(times.Of(kGet));
  EXPECT_EQ(gets.Count(), 2U);
  EXPECT_EQ(gets.buckets[0], 1U);
  EXPECT_EQ(gets.sum_ns, 1024U + 1024U + 1'048'576U);
  times.EndTurn(begin_ns, begin_ns);
  EXPECT_EQ(CountsOf(times.Of(kGet)).Count(), 2U);
}

TEST(RequestTimesTest, ResetForgetsWhatWasAndCountsOn) {
  RequestTimes times;
  times.Count(kGet);
  times.EndTurn(0, 1000);
  times.Count(kGet);
  times.Reset();
  times.EndTurn(0, 1000);
  EXPECT_EQ(CountsOf(times.Of(kGet)).Count(), 1U);
  EXPECT_EQ(CountsOf(times.turns()).Count(), 1U);
}

}  // namespace
}  // namespace larder::stats
