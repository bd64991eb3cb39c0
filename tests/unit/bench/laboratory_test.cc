// Goal: what the laboratory says of a policy is so. Method: figures of another simulator for a
// trace that is made here; workloads of a few requests whose misses can be counted by hand; and
// what must hold of any policy.
#include "bench/replay/laboratory.h"

#include <gmock/gmock.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "bench/replay/curves_svg.h"
#include "bench/replay/lab_run.h"
#include "gtest/gtest.h"
#include "util/prng.h"

namespace larder::bench {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr TraceRecord Get(uint32_t time, uint64_t id, uint32_t ttl_s = 0, uint32_t size = 10) {
  return {.time = time, .id = id, .size = size, .ttl_s = ttl_s, .key_size = 4, .op = TraceOp::kGet};
}

constexpr TraceRecord With(TraceRecord record, TraceOp op) {
  record.op = op;
  return record;
}

LabPlan PlanOf(std::vector<std::string> policies, std::vector<std::string> objects,
               std::vector<std::string> bytes) {
  LabSettings settings;
  settings.policies = std::move(policies);
  settings.objects = std::move(objects);
  settings.bytes = std::move(bytes);
  LabPlan plan;
  std::string wrong;
  EXPECT_TRUE(MakeLabPlan(settings, &plan, &wrong)) << wrong;
  return plan;
}

std::vector<std::string> AllPolicies() {
  const auto names = PolicyNames();
  return {names.begin(), names.end()};
}

// Few keys are asked for often, many rarely; a third lives for ever, the rest 50 to 249 seconds.
Workload MadeWorkload() {
  util::Prng random(7);
  std::vector<TraceRecord> records;
  for (uint32_t i = 0; i < 40'000; ++i) {
    const uint64_t among = 1 + random.Below(20'000);
    const auto id = static_cast<uint32_t>(random.Below(among));
    const uint64_t what = random.Below(20);
    TraceRecord record;
    record.time = i / 100;
    record.id = id;
    record.size = 1 + id * 37 % 400;
    record.ttl_s = id % 3 == 0 ? 0 : 50 + id % 200;
    record.key_size = 10;
    record.op = what == 0 ? TraceOp::kDelete : what < 3 ? TraceOp::kSet : TraceOp::kGet;
    records.push_back(record);
  }
  return MakeWorkload("made", records);
}

struct Figures {
  double objects;
  double bytes;
};

void ExpectFigures(Expiry expiry, const std::map<std::string, Figures>& wanted) {
  std::vector<std::string> policies;
  for (const auto& [policy, figures] : wanted) policies.push_back(policy);
  LabPlan plan = PlanOf(policies, {"0.3"}, {"0.3"});
  plan.expiry = expiry;
  const Workload workload = MadeWorkload();
  EXPECT_EQ(workload.peak.objects, 8'588U);
  EXPECT_EQ(workload.peak.bytes, 1'803'139U);
  for (const Cell& cell : RunCells(plan, workload)) {
    const bool objects = cell.setting.kind == CapacityKind::kObjects;
    EXPECT_EQ(cell.capacity, objects ? 2'576U : 540'941U);
    const Figures& figures = wanted.at(cell.policy);
    EXPECT_NEAR(cell.miss_ratio, objects ? figures.objects : figures.bytes, 1e-6) << cell.policy;
  }
}

// The figures are of a simulator with no line in common with this one, whose own figures agree with
// libCacheSim's.
TEST(LaboratoryTest, AgreesWithAnotherSimulatorWhereTheDeadLeaveAtOnce) {
  ExpectFigures(Expiry::kProactive, {{"lru", {0.768445, 0.768445}},
                                     {"fifo", {0.779517, 0.779517}},
                                     {"s3fifo", {0.739162, 0.740396}},
                                     {"qdlp", {0.733083, 0.733876}},
                                     {"arc", {0.736460, 0.737165}},
                                     {"sieve", {0.744948, 0.744214}},
                                     {"gdsf", {0.753701, 0.697427}},
                                     {"belady", {0.501145, 0.501410}}});
}

TEST(LaboratoryTest, AgreesWithAnotherSimulatorWhereTheDeadLeaveWhenMet) {
  ExpectFigures(Expiry::kLazy, {{"lru", {0.768738, 0.768650}},
                                {"fifo", {0.779517, 0.779517}},
                                {"s3fifo", {0.749794, 0.750676}},
                                {"qdlp", {0.746299, 0.746799}},
                                {"arc", {0.746740, 0.746681}},
                                {"sieve", {0.767211, 0.766066}},
                                {"gdsf", {0.756667, 0.703947}},
                                {"belady", {0.501145, 0.501410}}});
}

TEST(LaboratoryTest, WithRoomForAllThatLivesNoPolicyMatters) {
  const Workload workload = MadeWorkload();
  const auto cells = RunCells(PlanOf(AllPolicies(), {"1.0"}, {"1.0"}), workload);
  ASSERT_EQ(cells.size(), 2 * AllPolicies().size());
  for (const Cell& cell : cells) {
    EXPECT_EQ(cell.failure, "") << cell.policy;
    EXPECT_EQ(cell.miss_ratio, cells.front().miss_ratio) << cell.policy;
  }
}

TEST(LaboratoryTest, TheAdaptivePolicyKeepsToItsCapacityAndIsNoOracle) {
  const Workload workload = MadeWorkload();
  const auto cells = RunCells(
      PlanOf({"adaptive", "belady", "fifo"}, {"0.1", "0.3", "1000"}, {"0.1", "300k"}), workload);
  ASSERT_EQ(cells.size(), 15U);
  for (size_t i = 0; i < cells.size(); i += 3) {
    EXPECT_EQ(cells[i].failure, "") << cells[i].capacity;
    EXPECT_GT(cells[i].miss_ratio, cells[i + 1].miss_ratio) << cells[i].capacity;
    EXPECT_LT(cells[i].miss_ratio, cells[i + 2].miss_ratio + 0.02) << cells[i].capacity;
  }
}

TEST(LaboratoryTest, ThreadsChangeNothing) {
  const Workload workload = MadeWorkload();
  LabPlan plan = PlanOf({"adaptive", "lru", "gdsf"}, {"0.1", "500"}, {});
  const auto alone = RunCells(plan, workload);
  plan.threads = 3;
  double last = 0;
  plan.progress = [&last](double fraction) {
    EXPECT_GE(fraction, last);
    last = fraction;
  };
  const auto together = RunCells(plan, workload);
  EXPECT_EQ(last, 1.0);
  ASSERT_EQ(alone.size(), together.size());
  for (size_t i = 0; i < alone.size(); ++i) {
    EXPECT_EQ(alone[i].policy, together[i].policy);
    EXPECT_EQ(alone[i].miss_ratio, together[i].miss_ratio);
  }
}

// --- what a request does ------------------------------------------------------------------------

// Misses of the gets of `records` in each policy with room for all; they must be the same.
void ExpectMisses(uint64_t misses, const std::vector<TraceRecord>& records) {
  const Workload workload = MakeWorkload("few", records);
  for (const auto expiry : {Expiry::kProactive, Expiry::kLazy}) {
    LabPlan plan = PlanOf(AllPolicies(), {"100"}, {"10k"});
    plan.expiry = expiry;
    for (const Cell& cell : RunCells(plan, workload)) {
      const double ratio = static_cast<double>(misses) / static_cast<double>(workload.gets);
      EXPECT_EQ(cell.failure, "");
      EXPECT_NEAR(cell.miss_ratio, ratio, 1e-9) << cell.policy;
    }
  }
}

TEST(LaboratoryTest, AMissIsStored) { ExpectMisses(1, {Get(1, 7), Get(1, 7), Get(9, 7)}); }

TEST(LaboratoryTest, AnItemLivesToTheSecondOfItsTime) {
  ExpectMisses(1, {Get(100, 7, 5), Get(104, 7, 5)});
  ExpectMisses(2, {Get(100, 7, 5), Get(105, 7, 5)});
}

TEST(LaboratoryTest, AHitDoesNotProlongALifeButASetDoes) {
  ExpectMisses(2, {Get(100, 7, 5), Get(103, 7, 5), Get(106, 7, 5)});
  ExpectMisses(1, {Get(100, 7, 5), With(Get(103, 7, 5), TraceOp::kSet), Get(106, 7, 5)});
}

TEST(LaboratoryTest, ADeletedItemIsGone) {
  ExpectMisses(2, {Get(1, 7), With(Get(1, 7), TraceOp::kDelete), Get(1, 7), Get(2, 7)});
  ExpectMisses(0, {With(Get(1, 7), TraceOp::kDelete), With(Get(1, 7), TraceOp::kSet), Get(2, 7)});
}

TEST(LaboratoryTest, LongPausesInATraceArePausesOfTheCache) {
  ExpectMisses(2, {Get(0, 7, 1000), Get(5, 8, 0), Get(900, 7, 1000), Get(5000, 8, 0)});
}

TEST(LaboratoryTest, WhatIsLargerThanTheCacheIsNotStoredAndWhatWasThereIsGone) {
  const std::vector<TraceRecord> records = {Get(1, 7), With(Get(1, 7, 0, 5000), TraceOp::kSet),
                                            Get(2, 8), Get(2, 8), Get(3, 7, 0, 5000)};
  const auto cells = RunCells(PlanOf(AllPolicies(), {}, {"1000"}), MakeWorkload("few", records));
  for (const Cell& cell : cells) {
    EXPECT_EQ(cell.failure, "") << cell.policy;
    EXPECT_NEAR(cell.miss_ratio, 0.75, 1e-9) << cell.policy;
  }
}

// --- workloads ----------------------------------------------------------------------------------

TEST(WorkloadTest, NumbersIdsAndFindsTheNextUse) {
  const std::vector<TraceRecord> records = {Get(1, 900), Get(2, UINT64_MAX), Get(2, 900),
                                            Get(3, 0)};
  const Workload workload = MakeWorkload("few", records);
  ASSERT_EQ(workload.ids, 3U);
  const uint32_t ids[] = {0, 1, 0, 2};
  const uint32_t next[] = {2, kNoRequest, kNoRequest, kNoRequest};
  for (size_t i = 0; i < records.size(); ++i) {
    EXPECT_EQ(workload.requests[i].id, ids[i]);
    EXPECT_EQ(workload.requests[i].next, next[i]);
  }
}

TEST(WorkloadTest, ThePeakIsOfWhatIsAlive) {
  const std::vector<TraceRecord> records = {Get(1, 1, 10, 96), Get(2, 2, 2, 6),
                                            Get(3, 3, 0, 6),  // 100 + 10 + 10 bytes
                                            Get(4, 4, 0, 16),  With(Get(4, 4), TraceOp::kDelete),
                                            Get(11, 5, 0, 6),  Get(11, 6, 0, 6)};
  const Workload workload = MakeWorkload("few", records);
  EXPECT_EQ(workload.peak.objects, 3U);
  EXPECT_EQ(workload.peak.bytes, 130U) << "number 2 dies in the second in which 4 comes";
}

TEST(WorkloadTest, TimeNeverGoesBack) {
  const Workload workload = MakeWorkload("few", std::vector{Get(5, 1), Get(3, 2), Get(6, 3)});
  EXPECT_EQ(workload.requests[1].time_s, 5U);
  EXPECT_EQ(workload.requests[2].time_s, 6U);
}

TEST(WorkloadTest, KeyAndValueAreTogetherWhatTheTraceSays) {
  TraceRecord sized = {.id = 1, .size = 4096};
  TraceRecord tiny = {.id = 2, .size = 1};
  TraceRecord smaller = {.id = 1, .size = 2};
  TraceRecord long_key = Get(1, 3, 0, 100);
  long_key.key_size = 300;
  const Workload workload = MakeWorkload("few", std::vector{sized, tiny, long_key, smaller});
  EXPECT_EQ(workload.requests[0].bytes, 4096U);
  EXPECT_EQ(workload.requests[0].key_size, kAssumedKeyBytes);
  EXPECT_EQ(workload.requests[1].bytes, 1U);
  EXPECT_EQ(workload.requests[2].bytes, 400U);
  EXPECT_EQ(workload.requests[2].key_size, 250U) << "the longest that the protocols take";
  EXPECT_EQ(workload.requests[3].bytes, 2U);
  EXPECT_EQ(workload.requests[3].key_size, kAssumedKeyBytes) << "an id has one key";
  EXPECT_TRUE(workload.has_sizes);
  EXPECT_FALSE(MakeWorkload("few", std::vector{tiny, tiny}).has_sizes);
}

TEST(WorkloadTest, ATraceIsNamedAfterItsFile) {
  EXPECT_EQ(TraceNameOf("/some/where/arc_OLTP.oracleGeneral.zst"), "arc_OLTP");
  EXPECT_EQ(TraceNameOf("kv.kv1"), "kv");
}

// --- settings -----------------------------------------------------------------------------------

TEST(LabSettingsTest, CapacitiesAreSharesOrAmounts) {
  const Workload workload = MadeWorkload();
  const auto amount = [&](CapacityKind kind, std::string_view text) {
    const auto setting = ParseCapacity(kind, text);
    return setting ? setting->AmountFor(workload) : 0;
  };
  EXPECT_EQ(amount(CapacityKind::kObjects, "0.3"), 2'576U);
  EXPECT_EQ(amount(CapacityKind::kObjects, "1.0"), 8'588U);
  EXPECT_EQ(amount(CapacityKind::kObjects, "1"), 1U);
  EXPECT_EQ(amount(CapacityKind::kObjects, "904"), 904U);
  EXPECT_EQ(amount(CapacityKind::kBytes, "0.3"), 540'941U);
  EXPECT_EQ(amount(CapacityKind::kBytes, "10808682"), 10'808'682U);
  EXPECT_EQ(amount(CapacityKind::kBytes, "64m"), 64U << 20);
}

TEST(LabSettingsTest, NonsenseIsRefused) {
  for (const std::string_view text :
       {"", "0", "0.0", "1.1", "-1", "-0.5", "0.1x", "x", "1e-2", "0.1.2", "nan", ".", "1.5m"}) {
    EXPECT_EQ(ParseCapacity(CapacityKind::kObjects, text), std::nullopt) << text;
    EXPECT_EQ(ParseCapacity(CapacityKind::kBytes, text), std::nullopt) << text;
  }
  EXPECT_EQ(ParseCapacity(CapacityKind::kObjects, "64m"), std::nullopt);
}

TEST(LabSettingsTest, SharesThatAreTooFewObjectsAreLeftOut) {
  LabPlan plan = PlanOf({"lru"}, {"0.01", "0.1", "50"}, {"0.01", "0.1"});
  plan.objects_min = 840;
  const auto cells = RunCells(plan, MadeWorkload());
  ASSERT_EQ(cells.size(), 3U);
  EXPECT_EQ(cells[0].capacity, 858U);
  EXPECT_EQ(cells[1].capacity, 50U) << "somebody wanted exactly that";
  EXPECT_EQ(cells[2].capacity, 180'313U);
}

// `change` of settings that are well; returns what is said.
template <typename Change>
std::string WrongAfter(const Change& change) {
  LabSettings settings;
  settings.objects = {"0.1"};
  change(settings);
  LabPlan plan;
  std::string wrong;
  EXPECT_FALSE(MakeLabPlan(settings, &plan, &wrong));
  return wrong;
}

TEST(LabSettingsTest, WhatIsWrongIsSaidInOneSentence) {
  EXPECT_EQ(
      WrongAfter([](LabSettings& s) {
        s.policies = {"lru", "clock"};
      }),
      "--policy knows adaptive, lru, fifo, s3fifo, qdlp, arc, sieve, gdsf, belady; not clock");
  EXPECT_EQ(WrongAfter([](LabSettings& s) {
              s.policies = {"lru", "arc", "lru"};
            }),
            "--policy names lru twice");
  EXPECT_EQ(WrongAfter([](LabSettings& s) { s.objects = {"64m"}; }),
            "--objects takes shares such as 0.01 (up to 1.0) and numbers such as 904, not '64m'");
  EXPECT_EQ(WrongAfter([](LabSettings& s) { s.bytes = {"2.5"}; }),
            "--bytes takes shares such as 0.01 (up to 1.0) and sizes such as 64m, not '2.5'");
  EXPECT_EQ(WrongAfter([](LabSettings& s) { s.expiry = "never"; }),
            "--expiry is proactive or lazy, not never");
  EXPECT_EQ(WrongAfter([](LabSettings& s) { s.threads = 0; }), "--threads must be 1 to 256");
}

// --- the picture --------------------------------------------------------------------------------

Cell CellOf(const std::string& policy, double share, double miss_ratio) {
  Cell cell;
  cell.policy = policy;
  cell.share = share;
  cell.miss_ratio = miss_ratio;
  return cell;
}

size_t CountOf(std::string_view what, const std::string& in) {
  size_t count = 0;
  for (size_t at = in.find(what); at != std::string::npos; at = in.find(what, at + 1)) ++count;
  return count;
}

TEST(CurvesSvgTest, HasAPanelForEachTraceAndALineForEachPolicy) {
  const CurvePanel first = {.trace = "a<b&c",
                            .cells = {CellOf("lru", 0.01, 0.5), CellOf("adaptive", 0.01, 0.4),
                                      CellOf("lru", 0.1, 0.3), CellOf("adaptive", 0.1, 0.2)}};
  const CurvePanel second = {.trace = "one", .cells = {CellOf("lru", 0.01, 1.0)}};
  const CurvePanel none = {.trace = "none", .cells = {}};
  const std::string svg = CurvesSvg({"adaptive", "lru"}, {first, none, second});
  EXPECT_THAT(svg, HasSubstr("a&lt;b&amp;c"));
  EXPECT_THAT(svg, HasSubstr(">one<"));
  EXPECT_THAT(svg, Not(HasSubstr("none<")));
  EXPECT_THAT(svg, Not(HasSubstr("nan")));
  EXPECT_THAT(svg, Not(HasSubstr("inf")));
  EXPECT_EQ(CountOf("<g ", svg), 2U);
  EXPECT_EQ(CountOf("</g>", svg), 2U);
  EXPECT_EQ(CountOf("class=\"line lru\"", svg), 3U) << "the legend and two panels";
  EXPECT_EQ(CountOf("class=\"line adaptive\"", svg), 2U);
  EXPECT_EQ(CountOf("<circle", svg), 5U);
  EXPECT_TRUE(svg.ends_with("</svg>\n"));
}

}  // namespace
}  // namespace larder::bench
