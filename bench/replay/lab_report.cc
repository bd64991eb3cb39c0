#include "bench/replay/lab_report.h"

#include <string_view>

namespace larder::bench {
namespace {

using Count = unsigned long long;

void PrintHead(const Workload& workload, std::span<const Cell> cells, std::FILE* out) {
  std::fprintf(out, "%s: %llu requests, %llu gets; at most %llu objects alive",
               workload.name.c_str(), static_cast<Count>(workload.requests.size()),
               static_cast<Count>(workload.gets), static_cast<Count>(workload.peak.objects));
  if (workload.has_sizes) {
    std::fprintf(out, ", %llu bytes", static_cast<Count>(workload.peak.bytes));
  }
  std::fprintf(out, "\n");
  if (cells.empty()) std::fprintf(out, "  no capacity is large enough\n");
}

// A new line of the table begins where the capacity changes, a new head where its kind does.
bool IsSameLine(const Cell& a, const Cell& b) {
  return a.setting.kind == b.setting.kind && a.capacity == b.capacity;
}

void PrintColumns(std::span<const Cell> cells, CapacityKind kind, std::FILE* out) {
  std::fprintf(out, "  %14s %8s", std::string(NameOf(kind)).c_str(), "");
  for (size_t i = 0; i < cells.size() && IsSameLine(cells[i], cells[0]); ++i) {
    std::fprintf(out, " %9s", cells[i].policy.c_str());
  }
}

}  // namespace

void PrintTable(const Workload& workload, std::span<const Cell> cells, std::FILE* out) {
  PrintHead(workload, cells, out);
  for (size_t i = 0; i < cells.size(); ++i) {
    const Cell& cell = cells[i];
    if (i == 0 || cell.setting.kind != cells[i - 1].setting.kind) {
      PrintColumns(cells.subspan(i), cell.setting.kind, out);
    }
    if (i == 0 || !IsSameLine(cell, cells[i - 1])) {
      std::fprintf(out, "\n  %14llu %6.1f %%", static_cast<Count>(cell.capacity), 100 * cell.share);
    }
    std::fprintf(out, " %9.4f", cell.miss_ratio);
    const bool last = i + 1 == cells.size() || cells[i + 1].setting.kind != cell.setting.kind;
    if (last) std::fprintf(out, "\n");
  }
  std::fflush(out);
}

void WriteCsvHead(size_t policies, std::FILE* out) {
  std::fprintf(out, "trace,capacity_kind,capacity,miss_ratio%s\n", policies > 1 ? ",policy" : "");
}

void WriteCsv(const std::string& trace, size_t policies, std::span<const Cell> cells,
              std::FILE* out) {
  for (const Cell& cell : cells) {
    std::fprintf(out, "%s,%s,%llu,%.6f", trace.c_str(),
                 std::string(NameOf(cell.setting.kind)).c_str(), static_cast<Count>(cell.capacity),
                 cell.miss_ratio);
    if (policies > 1) std::fprintf(out, ",%s", cell.policy.c_str());
    std::fprintf(out, "\n");
  }
  std::fflush(out);
}

}  // namespace larder::bench
