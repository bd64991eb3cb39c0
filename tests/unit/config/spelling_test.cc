// Goal: a slip of a finger is recognised, an unrelated word is not.
#include "config/spelling.h"

#include <gtest/gtest.h>

#include <array>
#include <limits>
#include <string>

namespace larder::config {
namespace {

TEST(SpellingTest, DistanceCountsSlips) {
  EXPECT_EQ(EditDistance("", ""), 0U);
  EXPECT_EQ(EditDistance("port", "port"), 0U);
  EXPECT_EQ(EditDistance("", "port"), 4U);
  EXPECT_EQ(EditDistance("prt", "port"), 1U);
  EXPECT_EQ(EditDistance("porrt", "port"), 1U);
  EXPECT_EQ(EditDistance("pprt", "port"), 1U);
  EXPECT_EQ(EditDistance("prot", "port"), 1U);
  EXPECT_EQ(EditDistance("memory_limit", "memory-limit"), 1U);
  EXPECT_EQ(EditDistance("kitten", "sitting"), 3U);
}

TEST(SpellingTest, LongWordsAreFarFromEverything) {
  EXPECT_EQ(EditDistance(std::string(64, 'a'), std::string(64, 'b')), 64U);
  EXPECT_EQ(EditDistance(std::string(65, 'a'), "a"), std::numeric_limits<size_t>::max());
}

TEST(SpellingTest, TheNearestIsOfferedIfItIsNear) {
  const std::array<std::string, 4> known{"port", "udp-port", "memory-limit", "io"};
  EXPECT_EQ(Nearest("prot", known), "port");
  EXPECT_EQ(Nearest("memorylimit", known), "memory-limit");
  EXPECT_EQ(Nearest("oi", known), "io");
  EXPECT_EQ(Nearest("fruit", known), "");
  EXPECT_EQ(Nearest("", known), "");
  EXPECT_EQ(Nearest("port", {}), "");
}

}  // namespace
}  // namespace larder::config
