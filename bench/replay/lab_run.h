// A whole run of the laboratory: all traces, one after the other, each decoded once.
#ifndef LARDER_BENCH_REPLAY_LAB_RUN_H_
#define LARDER_BENCH_REPLAY_LAB_RUN_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "bench/replay/laboratory.h"

namespace larder::bench {

// As the command line has it.
struct LabSettings {
  std::vector<std::string> traces;
  std::vector<std::string> policies = {std::string(kAdaptive)};
  std::vector<std::string> objects;
  std::vector<std::string> bytes;
  std::string expiry = "proactive";
  uint64_t objects_min = 1;
  uint64_t seed = 0;
  uint32_t threads = 1;
  uint64_t requests_max = 0;
  std::string csv_path;
  std::string svg_path;
  bool progress = false;
};

// False if they make no sense, which is told in one sentence.
bool MakeLabPlan(const LabSettings& settings, LabPlan* plan, std::string* wrong);

// The exit status: 0 all is well, 1 something failed, 2 a file cannot be written; stderr was told.
int RunLab(const LabSettings& settings, LabPlan plan);

}  // namespace larder::bench

#endif  // LARDER_BENCH_REPLAY_LAB_RUN_H_
