// Goal: what `top` shows is what happened between two looks, whatever is missing in one of them.
#include "ctl/sample.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace larder::ctl {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

Sample At(double at_s, const Stats& stats, std::string_view metrics = {}) {
  Sample sample;
  sample.at_s = at_s;
  AddStats(stats, sample);
  AddMetrics(metrics, sample);
  return sample;
}

TEST(CompareTest, RatesAreOfTheTimeBetween) {
  const Sample before = At(100, {{"get_hits", "1000"}, {"get_misses", "0"}, {"cmd_set", "50"}});
  const Sample now = At(102, {{"get_hits", "1090"},
                              {"get_misses", "10"},
                              {"cmd_set", "54"},
                              {"curr_items", "7"},
                              {"uptime", "3600"},
                              {"larder_version", "0.1.0"}});
  const Figures figures = Compare(&before, now);
  EXPECT_DOUBLE_EQ(figures.seconds, 2);
  EXPECT_DOUBLE_EQ(figures.hit_ratio, 0.9);
  EXPECT_DOUBLE_EQ(figures.gets_per_s, 50);
  EXPECT_DOUBLE_EQ(figures.sets_per_s, 2);
  EXPECT_DOUBLE_EQ(figures.items, 7);
  EXPECT_EQ(figures.version, "0.1.0");
}

TEST(CompareTest, TheFirstLookIsSinceTheStart) {
  const Figures figures = Compare(nullptr, At(5, {{"uptime", "10"}, {"get_misses", "30"}}));
  EXPECT_DOUBLE_EQ(figures.gets_per_s, 3);
  EXPECT_DOUBLE_EQ(figures.hit_ratio, 0);
}

TEST(CompareTest, AnIdleServerHasNoRatio) {
  const Sample same = At(1, {{"get_hits", "9"}});
  EXPECT_DOUBLE_EQ(Compare(&same, same).hit_ratio, 0);
}

TEST(CompareTest, CoresByTheirProcessorTime) {
  const std::string metrics =
      "# HELP larder_core_cpu_seconds_total Processor time.\n"
      "# TYPE larder_core_cpu_seconds_total counter\n";
  const Sample before = At(10, {},
                           metrics +
                               "larder_core_cpu_seconds_total{core=\"0\"} 1\n"
                               "larder_core_cpu_seconds_total{core=\"1\"} 5.5\n");
  const Sample now = At(14, {},
                        metrics +
                            "larder_core_cpu_seconds_total{core=\"0\"} 3\n"
                            "larder_core_cpu_seconds_total{core=\"1\"} 5.5\n");
  EXPECT_THAT(Compare(&before, now).core_loads, ElementsAre(0.5, 0));
  EXPECT_THAT(Compare(&before, At(14, {})).core_loads, IsEmpty());
}

std::string Requests(const std::string& protocol, const std::string& verb, int fast, int slow) {
  const std::string labels = "{protocol=\"" + protocol + "\",verb=\"" + verb + "\"";
  const std::string name = "larder_request_seconds";
  return name + "_count" + labels + "} " + std::to_string(fast + slow) + "\n" + name + "_sum" +
         labels + "} " + std::to_string(fast * 1e-4 + slow * 1e-2) + "\n" + name + "_bucket" +
         labels + ",le=\"0.0001\"} " + std::to_string(fast) + "\n" + name + "_bucket" + labels +
         ",le=\"0.01\"} " + std::to_string(fast + slow) + "\n" + name + "_bucket" + labels +
         ",le=\"+Inf\"} " + std::to_string(fast + slow) + "\n";
}

TEST(CompareTest, VerbsThatWereAskedForTheSlowestFirst) {
  const Sample before = At(0, {}, Requests("text", "get", 500, 100) + Requests("meta", "mg", 5, 5));
  const Sample now = At(10, {},
                        Requests("text", "get", 1500, 100) + Requests("meta", "mg", 5, 5) +
                            Requests("binary", "set", 90, 10));
  const std::vector<VerbFigures> verbs = Compare(&before, now).verbs;
  ASSERT_EQ(verbs.size(), 2U);
  EXPECT_EQ(verbs[0].name, "binary set");
  EXPECT_DOUBLE_EQ(verbs[0].p99_s, 0.01);
  EXPECT_DOUBLE_EQ(verbs[0].per_s, 10);
  EXPECT_NEAR(verbs[0].mean_s, (90 * 1e-4 + 10 * 1e-2) / 100, 1e-9);
  EXPECT_EQ(verbs[1].name, "text get");
  EXPECT_DOUBLE_EQ(verbs[1].p99_s, 0.0001);
  EXPECT_DOUBLE_EQ(verbs[1].per_s, 100);
}

TEST(AddMetricsTest, LinesThatMakeNoSenseAreNone) {
  Sample sample;
  AddMetrics(
      "larder_core_cpu_seconds_total\n"
      "larder_core_cpu_seconds_total{core=\"0\n"
      "larder_core_cpu_seconds_total{core=\"x\"} 1\n"
      "larder_core_cpu_seconds_total{core=\"1\"} many\n"
      "{} 3\n}\n{\n",
      sample);
  EXPECT_THAT(sample.cpu_s, IsEmpty());
}

}  // namespace
}  // namespace larder::ctl
