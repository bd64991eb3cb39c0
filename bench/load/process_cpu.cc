#include "bench/load/process_cpu.h"

#include <dirent.h>
#include <unistd.h>

#include <cstdio>
#include <sstream>
#include <string>

namespace larder::bench {
namespace {

// Files of /proc are read in one go: they have no size.
std::optional<std::string> ReadSmallFile(const std::string& path) {
  std::FILE* file = std::fopen(path.c_str(), "re");
  if (file == nullptr) return std::nullopt;
  std::string text(4096, '\0');
  text.resize(std::fread(text.data(), 1, text.size(), file));
  std::fclose(file);
  return text;
}

uint64_t RunNs(const std::string& folder) {
  DIR* tasks = opendir((folder + "/task").c_str());
  if (tasks == nullptr) return 0;
  uint64_t sum = 0;
  while (const dirent* task = readdir(tasks)) {
    if (task->d_name[0] == '.') continue;
    const auto text = ReadSmallFile(folder + "/task/" + task->d_name + "/schedstat");
    if (!text) continue;
    uint64_t run_ns = 0;
    std::istringstream(*text) >> run_ns;
    sum += run_ns;
  }
  closedir(tasks);
  return sum;
}

}  // namespace

std::optional<ProcessCpu> ProcessCpu::Of(pid_t pid) {
  const std::string folder = "/proc/" + std::to_string(pid);
  const auto stat = ReadSmallFile(folder + "/stat");
  if (!stat) return std::nullopt;
  // The name, in parentheses, may hold anything; utime and stime are fields 14 and 15.
  const size_t name_end = stat->rfind(')');
  if (name_end == std::string::npos) return std::nullopt;
  std::istringstream fields(stat->substr(name_end + 1));
  std::string skipped;
  for (int field = 3; field < 14; ++field) fields >> skipped;
  uint64_t user = 0;
  uint64_t system = 0;
  if (!(fields >> user >> system)) return std::nullopt;
  const auto tick_ns = 1'000'000'000 / static_cast<uint64_t>(sysconf(_SC_CLK_TCK));
  return ProcessCpu{
      .run_ns = RunNs(folder), .user_ns = user * tick_ns, .system_ns = system * tick_ns};
}

}  // namespace larder::bench
