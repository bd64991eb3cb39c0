// Goal: counts belong to the prefix of their key, cores add up, and a million prefixes cost no more
// than a thousand.
#include "stats/prefix_stats.h"

#include <gtest/gtest.h>

#include <string>

namespace larder::stats {
namespace {

PrefixStats::Table TableOf(const PrefixStats& stats) {
  PrefixStats::Table table;
  stats.AddTo(table);
  return table;
}

TEST(PrefixStatsTest, APrefixEndsAtTheFirstDelimiter) {
  PrefixStats stats(':');
  stats.Count("a:b:c", {.gets = 1, .hits = 1});
  stats.Count("a:x", {.gets = 1});
  stats.Count("a:", {.sets = 1});
  stats.Count("none", {.gets = 1});
  stats.Count(":empty", {.gets = 1});
  stats.Count("b:k", {.deletes = 1});
  EXPECT_EQ(PrefixText(TableOf(stats)),
            "PREFIX a get 2 hit 1 set 1 del 0\r\nPREFIX b get 0 hit 0 set 0 del 1\r\nEND\r\n");
  stats.Clear();
  EXPECT_EQ(PrefixText(TableOf(stats)), "END\r\n");
}

TEST(PrefixStatsTest, CoresAddUp) {
  PrefixStats one('.');
  PrefixStats other('.');
  one.Count("a.k", {.gets = 1});
  other.Count("a.l", {.gets = 2, .hits = 2});
  PrefixStats::Table table;
  one.AddTo(table);
  other.AddTo(table);
  EXPECT_EQ(table.at("a"), (PrefixCounts{.gets = 3, .hits = 2}));
}

TEST(PrefixStatsTest, FurtherPrefixesAreCountedTogether) {
  PrefixStats stats(':');
  constexpr size_t kMore = 500;
  for (size_t i = 0; i < PrefixStats::kPrefixesMax + kMore; ++i) {
    stats.Count("p" + std::to_string(i) + ":k", {.sets = 1});
  }
  stats.Count("p0:k", {.sets = 1});
  const PrefixStats::Table table = TableOf(stats);
  EXPECT_EQ(table.size(), PrefixStats::kPrefixesMax + 1);
  EXPECT_EQ(table.at(":").sets, kMore);
  EXPECT_EQ(table.at("p0").sets, 2U);
}

}  // namespace
}  // namespace larder::stats
