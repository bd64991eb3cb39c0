// What this process may use of the machine: CPUs by affinity and by cgroup quota, memory by cgroup
// limit. Read once, at the start.
//
// A cgroup's limits hold for its whole subtree, so the tightest one on the way from our cgroup up
// to the root counts. Both hierarchies are read: version 2 (cpu.max, memory.max) and version 1
// (cpu.cfs_quota_us, memory.limit_in_bytes). What cannot be read limits nothing.
//
//   /proc/self/cgroup                  0::/system.slice/larderd.service
//   /sys/fs/cgroup                     system.slice/larderd.service/cpu.max   "150000 100000" -> 2
#ifndef LARDER_RUNTIME_TOPOLOGY_H_
#define LARDER_RUNTIME_TOPOLOGY_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace larder::runtime {

struct Topology {
  // The CPUs of our affinity mask, in ascending order; at least one.
  std::vector<int> cpus;
  // CPUs' worth of time that the cgroups grant, rounded up; none where they set no limit.
  std::optional<uint32_t> cpu_quota;
  // Bytes of memory that the cgroups grant; none where they set no limit.
  std::optional<uint64_t> memory_limit_bytes;

  // How many threads can run at once: at least 1.
  [[nodiscard]] uint32_t UsableCpus() const;
};

// Where to look; the defaults are the real places.
struct TopologySources {
  std::string own_cgroups = "/proc/self/cgroup";
  std::string cgroup_root = "/sys/fs/cgroup";
  // In place of the kernel's answer.
  std::optional<std::vector<int>> affinity = std::nullopt;
};

Topology ReadTopology(const TopologySources& sources = {});

}  // namespace larder::runtime

#endif  // LARDER_RUNTIME_TOPOLOGY_H_
