// Goal: each path has its page; health is what the cores' turns say; every counter is in /metrics,
// for every core.
#include "admin/pages.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <vector>

namespace larder::admin {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class PagesTest : public ::testing::Test {
 protected:
  PagesTest() {
    for (size_t i = 0; i < blocks_.size(); ++i) {
      figures_.cores.push_back({.counters = &blocks_[i],
                                .size_classes = &sizes_[i],
                                .times = &times_[i],
                                .turn_age_ns = 1});
    }
  }
  Page At(std::string_view path) { return PageAt(path, figures_); }

  std::array<stats::CounterBlock, 2> blocks_;
  std::array<stats::SizeClasses, 2> sizes_;
  std::array<stats::RequestTimes, 2> times_;
  stats::Figures figures_;
};

TEST_F(PagesTest, UnknownPathIsNotFound) {
  for (const std::string_view path : {"", "/x", "/metrics/", "/healthz/x", "metrics"}) {
    EXPECT_EQ(At(path).status, 404) << path;
  }
}

TEST_F(PagesTest, TheConsoleIsOnePage) {
  const Page page = At("/");
  EXPECT_EQ(page.status, 200);
  EXPECT_THAT(page.content_type, StartsWith("text/html"));
  EXPECT_THAT(page.body, StartsWith("<!doctype html>"));
  EXPECT_THAT(page.body, EndsWith("</html>\n"));
}

TEST_F(PagesTest, JsonHasEveryCounter) {
  blocks_[0].Set(stats::Counter::kGetHits, 5);
  blocks_[1].Set(stats::Counter::kGetHits, 7);
  figures_.cores[1].turn_age_ns = stats::CoreFigures::kNoTurn;
  const Page page = At("/stats.json");
  EXPECT_EQ(page.content_type, "application/json");
  EXPECT_THAT(page.body, HasSubstr("\"totals\":{\"get_commands\":0,"));
  EXPECT_THAT(page.body, HasSubstr(",\"get_hits\":12,"));
  EXPECT_THAT(page.body, HasSubstr(",\"get_hits\":5,"));
  EXPECT_THAT(page.body, HasSubstr(",\"turn_age_seconds\":null,"));
  EXPECT_THAT(page.body, HasSubstr("\"requests\":[]}\n"));
}

TEST_F(PagesTest, HealthyAndReady) {
  EXPECT_EQ(At("/healthz").status, 200);
  EXPECT_EQ(At("/healthz").body, "ok\n");
  EXPECT_EQ(At("/readyz").status, 200);
}

TEST_F(PagesTest, ACoreThatHasNotStartedIsNeither) {
  figures_.cores[1].turn_age_ns = stats::CoreFigures::kNoTurn;
  for (const std::string_view path : {"/healthz", "/readyz"}) {
    EXPECT_EQ(At(path).status, 503);
    EXPECT_EQ(At(path).body, "core 1 has not started yet\n");
  }
}

TEST_F(PagesTest, ACoreThatHangsIsNamed) {
  figures_.cores[0].turn_age_ns = kHangNs - 1;
  EXPECT_EQ(At("/healthz").status, 200);
  figures_.cores[0].turn_age_ns = kHangNs;
  EXPECT_EQ(At("/healthz").status, 503);
  EXPECT_EQ(At("/readyz").body, "core 0 has not turned for 5 s\n");
}

TEST_F(PagesTest, DrainingIsHealthyButNotReady) {
  figures_.draining = true;
  EXPECT_EQ(At("/healthz").status, 200);
  EXPECT_EQ(At("/readyz").status, 503);
  EXPECT_THAT(At("/metrics").body, HasSubstr("\nlarder_draining 1\n"));
}

TEST_F(PagesTest, EveryCounterOfEveryCoreIsInMetrics) {
  for (const stats::CounterInfo& info : stats::AllCounters()) {
    blocks_[0].Set(info.counter, 10 + static_cast<uint64_t>(info.counter));
    blocks_[1].Set(info.counter, 1000 + static_cast<uint64_t>(info.counter));
  }
  const Page page = At("/metrics");
  EXPECT_THAT(page.content_type, StartsWith("text/plain; version=0.0.4"));
  for (const stats::CounterInfo& info : stats::AllCounters()) {
    const std::string name(info.prometheus_name);
    const auto number = static_cast<uint64_t>(info.counter);
    EXPECT_THAT(page.body, HasSubstr("# HELP " + name + " " + std::string(info.help) + "\n"));
    EXPECT_THAT(page.body, HasSubstr("# TYPE " + name + (info.gauge ? " gauge\n" : " counter\n")));
    EXPECT_THAT(page.body,
                HasSubstr("\n" + name + "{core=\"0\"} " + std::to_string(10 + number) + "\n"));
    EXPECT_THAT(page.body,
                HasSubstr("\n" + name + "{core=\"1\"} " + std::to_string(1000 + number) + "\n"));
  }
}

// 16 cores, items of every size, twelve kinds of requests.
TEST_F(PagesTest, APageOfMetricsIsBounded) {
  std::vector<stats::RequestTimes> times(16);
  figures_.cores.assign(16, figures_.cores[0]);
  for (const uint64_t bytes : stats::kChunkBytes) sizes_[0].Store(bytes);
  size_t kinds = 0;
  for (const stats::RequestKind kind : stats::AllRequestKinds()) {
    if (kinds++ < 12) times[0].Count(kind);
  }
  times[0].EndTurn(0, 1000);
  for (size_t i = 0; i < times.size(); ++i) figures_.cores[i].times = &times[i];
  const std::string body = At("/metrics").body;
  EXPECT_THAT(body, HasSubstr("slab=\"39\""));
  EXPECT_LE(std::count(body.begin(), body.end(), '\n'), 5000);
}

TEST_F(PagesTest, LargeNumbersKeepTheirDigits) {
  blocks_[0].Set(stats::Counter::kBytesRead, 123'456'789'012'345);
  EXPECT_THAT(At("/metrics").body,
              HasSubstr("larder_received_bytes_total{core=\"0\"} 123456789012345\n"));
}

}  // namespace
}  // namespace larder::admin
