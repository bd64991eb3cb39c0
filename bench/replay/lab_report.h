// What the laboratory found, for eyes and for programs.
#ifndef LARDER_BENCH_REPLAY_LAB_REPORT_H_
#define LARDER_BENCH_REPLAY_LAB_REPORT_H_

#include <cstdio>
#include <span>
#include <string>
#include <vector>

#include "bench/replay/laboratory.h"

namespace larder::bench {

// Miss ratios: a line for each capacity, a column for each policy.
void PrintTable(const Workload& workload, std::span<const Cell> cells, std::FILE* out);

// Lines "trace,capacity_kind,capacity,miss_ratio"; with several policies a fifth column has its
// name.
void WriteCsvHead(size_t policies, std::FILE* out);
void WriteCsv(const std::string& trace, size_t policies, std::span<const Cell> cells,
              std::FILE* out);

}  // namespace larder::bench

#endif  // LARDER_BENCH_REPLAY_LAB_REPORT_H_
