// Goal: the tightest limit counts, whichever cgroup version and level states it, and nothing that
// is missing or odd limits anything. Method: a tree of files in a folder of the test's own.
#include "runtime/topology.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>

namespace larder::runtime {
namespace {

class TopologyTest : public ::testing::Test {
 protected:
  TopologyTest()
      : folder_(::testing::TempDir() + "larder_topology_" +
                std::to_string(reinterpret_cast<uintptr_t>(this)) + "_" +
                ::testing::UnitTest::GetInstance()->current_test_info()->name()) {
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
  }
  ~TopologyTest() override { std::filesystem::remove_all(folder_); }

  void Write(const std::string& path, const std::string& text) {
    const std::filesystem::path whole = folder_ + "/" + path;
    std::filesystem::create_directories(whole.parent_path());
    std::ofstream(whole) << text;
  }

  [[nodiscard]] Topology Read(std::vector<int> affinity = {0, 1, 2, 3, 4, 5, 6, 7}) const {
    return ReadTopology({.own_cgroups = folder_ + "/cgroup",
                         .cgroup_root = folder_ + "/sys",
                         .affinity = std::move(affinity)});
  }

  std::string folder_;
};

TEST_F(TopologyTest, WithoutCgroupsAffinityCounts) {
  const Topology topology = Read({1, 3, 5});
  EXPECT_THAT(topology.cpus, ::testing::ElementsAre(1, 3, 5));
  EXPECT_EQ(topology.cpu_quota, std::nullopt);
  EXPECT_EQ(topology.memory_limit_bytes, std::nullopt);
  EXPECT_EQ(topology.UsableCpus(), 3U);
}

TEST_F(TopologyTest, Version2QuotaIsRoundedUp) {
  Write("cgroup", "0::/system.slice/larderd.service\n");
  const std::string own = "sys/system.slice/larderd.service";
  Write(own + "/memory.max", "104857600\n");
  for (const auto& [text, cpus] : {std::pair{"150000 100000\n", 2U},
                                   {"200000 100000\n", 2U},
                                   {"200001 100000\n", 3U},
                                   {"1000 100000\n", 1U}}) {
    Write(own + "/cpu.max", text);
    EXPECT_EQ(Read().cpu_quota, cpus) << text;
    EXPECT_EQ(Read().UsableCpus(), cpus) << text;
  }
  EXPECT_EQ(Read().memory_limit_bytes, 104857600U);
}

TEST_F(TopologyTest, MaxIsNoLimit) {
  Write("cgroup", "0::/a\n");
  Write("sys/a/cpu.max", "max 100000\n");
  Write("sys/a/memory.max", "max\n");
  const Topology topology = Read();
  EXPECT_EQ(topology.cpu_quota, std::nullopt);
  EXPECT_EQ(topology.memory_limit_bytes, std::nullopt);
  EXPECT_EQ(topology.UsableCpus(), 8U);
}

TEST_F(TopologyTest, AParentsTighterLimitCounts) {
  Write("cgroup", "0::/a/b/c\n");
  Write("sys/a/b/c/cpu.max", "max 100000\n");
  Write("sys/a/b/cpu.max", "600000 100000\n");
  Write("sys/a/cpu.max", "250000 100000\n");
  Write("sys/a/b/c/memory.max", "2000\n");
  Write("sys/a/memory.max", "1000\n");
  const Topology topology = Read();
  EXPECT_EQ(topology.cpu_quota, 3U);
  EXPECT_EQ(topology.memory_limit_bytes, 1000U);
}

TEST_F(TopologyTest, InAContainerTheMountIsOurs) {
  // The path is the host's; only the mount's own files are there.
  Write("cgroup", "0::/docker/0123456789abcdef\n");
  Write("sys/cpu.max", "300000 100000\n");
  Write("sys/memory.max", "5000\n");
  EXPECT_EQ(Read().cpu_quota, 3U);
  EXPECT_EQ(Read().memory_limit_bytes, 5000U);
  Write("cgroup", "0::/\n");
  EXPECT_EQ(Read().cpu_quota, 3U);
}

TEST_F(TopologyTest, APathOutsideTheNamespaceIsNotFollowed) {
  Write("cgroup", "0::/../../other\n");
  Write("other/cpu.max", "100000 100000\n");
  Write("sys/deep/cpu.max", "100000 100000\n");
  EXPECT_EQ(Read().cpu_quota, std::nullopt);
}

TEST_F(TopologyTest, Version1IsReadUnderEitherName) {
  Write("cgroup", "9:name=systemd:/x\n4:memory:/job\n3:cpu,cpuacct:/job\n");
  Write("sys/cpu,cpuacct/job/cpu.cfs_quota_us", "250000\n");
  Write("sys/cpu,cpuacct/job/cpu.cfs_period_us", "100000\n");
  Write("sys/memory/job/memory.limit_in_bytes", "64000\n");
  Write("sys/memory/memory.limit_in_bytes", "9223372036854771712\n");
  EXPECT_EQ(Read().cpu_quota, 3U);
  EXPECT_EQ(Read().memory_limit_bytes, 64000U);
  std::filesystem::rename(folder_ + "/sys/cpu,cpuacct", folder_ + "/sys/cpu");
  EXPECT_EQ(Read().cpu_quota, 3U);
}

TEST_F(TopologyTest, Version1WithoutLimits) {
  Write("cgroup", "4:memory:/job\n3:cpu:/job\n");
  Write("sys/cpu/job/cpu.cfs_quota_us", "-1\n");
  Write("sys/cpu/job/cpu.cfs_period_us", "100000\n");
  Write("sys/memory/job/memory.limit_in_bytes", "9223372036854771712\n");
  EXPECT_EQ(Read().cpu_quota, std::nullopt);
  EXPECT_EQ(Read().memory_limit_bytes, std::nullopt);
}

TEST_F(TopologyTest, HybridMountsVersion2Aside) {
  Write("cgroup", "4:memory:/\n0::/job\n");
  Write("sys/unified/job/cpu.max", "100000 100000\n");
  EXPECT_EQ(Read().cpu_quota, 1U);
}

TEST_F(TopologyTest, NonsenseLimitsNothing) {
  Write("cgroup", "\n:\n::\nnothing\n0::\n0::/a//b\n3:,,:/\n");
  Write("sys/cpu.max", "0 100000\n");
  Write("sys/a/cpu.max", "100000 0\n");
  Write("sys/a/memory.max", "lots\n");
  Write("sys/memory.max", "");
  const Topology topology = Read();
  EXPECT_EQ(topology.cpu_quota, std::nullopt);
  EXPECT_EQ(topology.memory_limit_bytes, std::nullopt);
}

TEST_F(TopologyTest, QuotaNeverExceedsAffinity) {
  Write("cgroup", "0::/\n");
  Write("sys/cpu.max", "1600000 100000\n");
  EXPECT_EQ(Read({2, 3}).UsableCpus(), 2U);
}

TEST_F(TopologyTest, AtLeastOneCpu) { EXPECT_EQ(Read({}).UsableCpus(), 1U); }

TEST(TopologyHereTest, ThisProcessMayUseSomething) {
  const Topology topology = ReadTopology();
  EXPECT_GE(topology.UsableCpus(), 1U);
  EXPECT_TRUE(std::is_sorted(topology.cpus.begin(), topology.cpus.end()));
}

}  // namespace
}  // namespace larder::runtime
