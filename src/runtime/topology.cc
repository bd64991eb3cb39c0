#include "runtime/topology.h"

#include <sched.h>

#include <algorithm>
#include <fstream>
#include <string_view>

#include "util/check.h"
#include "util/units.h"

namespace larder::runtime {
namespace {

// Version 1 writes "no limit" as the largest multiple of a page; anything near it means none.
constexpr uint64_t kNoMemoryLimit = uint64_t{1} << 60;
// CPUs asked of the kernel at first, and at most: its own bound is 8192.
constexpr size_t kCpusFirst = 1024;
constexpr size_t kCpusMax = size_t{1} << 16;

std::vector<int> AffinityOfThisProcess() {
  for (size_t cpus = kCpusFirst; cpus <= kCpusMax; cpus *= 2) {
    std::vector<cpu_set_t> mask(CPU_ALLOC_SIZE(cpus) / sizeof(cpu_set_t));
    const size_t bytes = mask.size() * sizeof(cpu_set_t);
    // EINVAL: the kernel knows more CPUs than the mask has bits.
    if (sched_getaffinity(0, bytes, mask.data()) != 0) continue;
    std::vector<int> found;
    for (size_t cpu = 0; cpu < cpus; ++cpu) {
      if (CPU_ISSET_S(cpu, bytes, mask.data())) found.push_back(static_cast<int>(cpu));
    }
    return found;
  }
  return {};
}

// The first line, or nothing.
std::optional<std::string> ReadLine(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  if (!std::getline(file, line)) return std::nullopt;
  return line;
}

std::optional<uint64_t> ReadNumber(const std::string& path) {
  const std::optional<std::string> line = ReadLine(path);
  return line ? util::ParseUnsigned(*line) : std::nullopt;
}

template <typename T>
void Tighten(std::optional<T>& limit, T value) {
  limit = limit ? std::min(*limit, value) : value;
}

std::optional<uint32_t> CpusOf(std::optional<uint64_t> quota_us,
                               std::optional<uint64_t> period_us) {
  if (!quota_us || !period_us || *quota_us == 0 || *period_us == 0) return std::nullopt;
  const uint64_t cpus = *quota_us / *period_us + (*quota_us % *period_us != 0 ? 1 : 0);
  return static_cast<uint32_t>(std::min<uint64_t>(cpus, kCpusMax));
}

// "max 100000" or "150000 100000".
std::optional<uint32_t> CpusOfMax(std::string_view line) {
  const size_t space = line.find(' ');
  if (space == std::string_view::npos) return std::nullopt;
  return CpusOf(util::ParseUnsigned(line.substr(0, space)),
                util::ParseUnsigned(line.substr(space + 1)));
}

// Everything that one folder of a cgroup tree may say; both versions, since their names differ.
void ReadFolder(const std::string& folder, Topology& topology) {
  if (const auto line = ReadLine(folder + "/cpu.max")) {
    if (const auto cpus = CpusOfMax(*line)) Tighten(topology.cpu_quota, *cpus);
  }
  const auto cpus =
      CpusOf(ReadNumber(folder + "/cpu.cfs_quota_us"), ReadNumber(folder + "/cpu.cfs_period_us"));
  if (cpus) Tighten(topology.cpu_quota, *cpus);
  for (const char* name : {"/memory.max", "/memory.limit_in_bytes"}) {
    const std::optional<uint64_t> bytes = ReadNumber(folder + name);
    if (bytes && *bytes < kNoMemoryLimit) Tighten(topology.memory_limit_bytes, *bytes);
  }
}

// From `mount`/`path` up to `mount`. In a container, `path` may be the host's and not exist here;
// then the mount's own files are ours.
void ReadUpwards(const std::string& mount, std::string_view path, Topology& topology) {
  // Seen from inside a cgroup namespace, a path outside it begins with "/.."; the mount is all we
  // may read then.
  if (path.find("..") != std::string_view::npos) path = "";
  while (!path.empty()) {
    if (path != "/") ReadFolder(mount + std::string(path), topology);
    path = path.substr(0, path.rfind('/'));
  }
  ReadFolder(mount, topology);
}

// One line of /proc/self/cgroup: "0::/path" (version 2) or "4:cpu,cpuacct:/path" (version 1,
// mounted under the list of its controllers or a link of one controller's name).
void ReadCgroup(const std::string& root, std::string_view line, Topology& topology) {
  const size_t first = line.find(':');
  const size_t second = first == std::string_view::npos ? first : line.find(':', first + 1);
  if (second == std::string_view::npos) return;
  std::string_view controllers = line.substr(first + 1, second - first - 1);
  const std::string_view path = line.substr(second + 1);
  if (controllers.empty()) {
    ReadUpwards(root, path, topology);
    ReadUpwards(root + "/unified", path, topology);
    return;
  }
  ReadUpwards(root + "/" + std::string(controllers), path, topology);
  while (!controllers.empty()) {
    const size_t comma = controllers.find(',');
    ReadUpwards(root + "/" + std::string(controllers.substr(0, comma)), path, topology);
    if (comma == std::string_view::npos) return;
    controllers.remove_prefix(comma + 1);
  }
}

}  // namespace

uint32_t Topology::UsableCpus() const {
  CHECK(!cpus.empty());
  const auto by_affinity = static_cast<uint32_t>(cpus.size());
  return cpu_quota ? std::clamp<uint32_t>(*cpu_quota, 1, by_affinity) : by_affinity;
}

Topology ReadTopology(const TopologySources& sources) {
  Topology topology;
  topology.cpus = sources.affinity ? *sources.affinity : AffinityOfThisProcess();
  // A kernel that does not answer still runs us somewhere.
  if (topology.cpus.empty()) topology.cpus.push_back(0);
  std::ifstream cgroups(sources.own_cgroups);
  for (std::string line; std::getline(cgroups, line);) {
    ReadCgroup(sources.cgroup_root, line, topology);
  }
  return topology;
}

}  // namespace larder::runtime
