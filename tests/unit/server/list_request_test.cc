// Goal: what a client asks to be listed is understood as memcached understands it, and every word
// that is missing or wrong is refused in memcached's words; pages spell keys and sizes as it does.
// Method: tables.
#include "server/list_request.h"

#include <algorithm>
#include <string>

#include "gtest/gtest.h"

namespace larder::server {
namespace {

using What = Selection::What;

ListRequest Crawler(std::string_view rest, Dumps dumps = Dumps::kAllowed) {
  return ParseListing({.verb = Verb::kLruCrawler, .key = rest}, dumps);
}
ListRequest Stats(std::string_view rest, Dumps dumps = Dumps::kAllowed) {
  return ParseListing({.verb = Verb::kStats, .key = rest}, dumps);
}

TEST(ListRequest, DumpsNameClassesByNumberOrAllOfThem) {
  for (const std::string_view all :
       {"metadump all", "metadump hash", "mgdump all", "mgdump hash"}) {
    const ListRequest request = Crawler(all);
    EXPECT_EQ(request.refusal, "") << all;
    EXPECT_EQ(request.selection.classes, UINT64_MAX) << all;
  }
  EXPECT_EQ(Crawler("metadump all").selection.what, What::kMetadump);
  EXPECT_EQ(Crawler("mgdump  hash").selection.what, What::kMgdump);
  EXPECT_EQ(Crawler("metadump 1").selection.classes, 2U);
  EXPECT_EQ(Crawler("metadump 1,3,3").selection.classes, 10U);
  EXPECT_EQ(Crawler("metadump ,1,,").selection.classes, 2U);
  EXPECT_EQ(Crawler("mgdump 63").selection.classes, uint64_t{1} << 63);
}

TEST(ListRequest, DumpsRefuseInMemcachedsWords) {
  for (const std::string_view wrong : {"metadump", "mgdump", "metadump all more", "mgdump 1 2"}) {
    EXPECT_EQ(Crawler(wrong).refusal, "ERROR\r\n") << wrong;
  }
  for (const std::string_view wrong :
       {"metadump 0", "metadump 64", "metadump ,", "metadump x", "mgdump -1",
        "mgdump 18446744073709551617", "mgdump 1,x", "metadump All"}) {
    EXPECT_EQ(Crawler(wrong).refusal, "BADCLASS invalid class id\r\n") << wrong;
  }
  EXPECT_EQ(Crawler("metadump all", Dumps::kForbidden).refusal, "ERROR metadump not allowed\r\n");
  EXPECT_EQ(Crawler("mgdump all", Dumps::kForbidden).refusal, "ERROR key dump not allowed\r\n");
  EXPECT_EQ(Crawler("mgdump", Dumps::kForbidden).refusal, "ERROR\r\n");
}

TEST(ListRequest, OtherVerbsAreNoListings) {
  for (const std::string_view rest : {"", "crawl all", "dump all", "METADUMP all", "metadumps"}) {
    EXPECT_FALSE(IsListing({.verb = Verb::kLruCrawler, .key = rest})) << rest;
  }
  EXPECT_TRUE(IsListing({.verb = Verb::kLruCrawler, .key = "mgdump"}));
  for (const std::string_view rest : {"", "items", "reset", "sizes_enable", "conn"}) {
    EXPECT_FALSE(IsListing({.verb = Verb::kStats, .key = rest})) << rest;
  }
  EXPECT_TRUE(IsListing({.verb = Verb::kStats, .key = "cachedump"}));
  EXPECT_TRUE(IsListing({.verb = Verb::kStats, .key = "sizes"}));
  EXPECT_FALSE(IsListing({.verb = Verb::kVersion}));
}

TEST(ListRequest, CachedumpHasOneClassAndTwoBounds) {
  const Selection selection = Stats("cachedump 3 100").selection;
  EXPECT_EQ(selection.what, What::kCachedump);
  EXPECT_EQ(selection.classes, 8U);
  EXPECT_EQ(selection.items_max, 100U);
  EXPECT_LT(selection.bytes_max, uint64_t{2} << 20);
  EXPECT_EQ(Stats("cachedump 3 0").selection.items_max, UINT64_MAX);
  EXPECT_EQ(Stats("cachedump 0 0").refusal, "");
  EXPECT_EQ(Stats("cachedump").refusal, "CLIENT_ERROR bad command line\r\n");
  EXPECT_EQ(Stats("cachedump 1").refusal, "CLIENT_ERROR bad command line\r\n");
  EXPECT_EQ(Stats("cachedump x 1").refusal, "CLIENT_ERROR bad command line format\r\n");
  EXPECT_EQ(Stats("cachedump 1 -1").refusal, "CLIENT_ERROR bad command line format\r\n");
  EXPECT_EQ(Stats("cachedump 64 1").refusal, "CLIENT_ERROR Illegal slab id\r\n");
  EXPECT_EQ(Stats("cachedump 1 1", Dumps::kForbidden).refusal,
            "CLIENT_ERROR stats cachedump not allowed\r\n");
}

TEST(ListRequest, WhatTellsNoKeysIsAlwaysAllowed) {
  EXPECT_EQ(Stats("conns", Dumps::kForbidden).selection.what, What::kConnections);
  EXPECT_EQ(Stats("sizes", Dumps::kForbidden).selection.what, What::kSizes);
}

TEST(Page, SizesAreOfStepsThatEndWhereMemcachedsDoAndGetCoarser) {
  EXPECT_EQ(SizeStep(1), 1U);
  EXPECT_EQ(SizeStep(32), 1U);
  EXPECT_EQ(SizeStep(33), 2U);
  EXPECT_EQ(SizeStep(16 << 10), 512U);
  uint32_t steps = 0;
  uint32_t last = 0;
  for (uint64_t bytes = 8; bytes <= uint64_t{1} << 30; bytes += bytes < 4096 ? 8 : bytes / 512) {
    const uint32_t step = SizeStep(bytes);
    ASSERT_GE(step, last) << bytes;
    ASSERT_GE(uint64_t{step} * 32, bytes);
    ASSERT_LE(uint64_t{step} * 32, bytes + std::max<uint64_t>(31, bytes / 128));
    if (step != last) ++steps;
    last = step;
  }
  EXPECT_LT(steps, 6000U);
}

TEST(Page, KeysAreEncodedByteByByte) {
  std::string text = "key=";
  AppendEncoded(text, "aZ09-._~%/ \xc3\xa9\n");
  EXPECT_EQ(text, "key=aZ09-._~%25%2F%20%C3%A9%0A");
}

}  // namespace
}  // namespace larder::server
