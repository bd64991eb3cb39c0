#include "bench/replay/lab_run.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "bench/replay/curves_svg.h"
#include "bench/replay/lab_report.h"
#include "bench/replay/progress_bar.h"

namespace larder::bench {
namespace {

constexpr uint32_t kThreadsMax = 256;

std::string Joined(const std::vector<std::string_view>& words) {
  std::string out;
  for (const auto word : words) out.append(out.empty() ? "" : ", ").append(word);
  return out;
}

bool CheckPolicies(const std::vector<std::string>& policies, std::string* wrong) {
  const auto known = PolicyNames();
  for (size_t i = 0; i < policies.size(); ++i) {
    if (std::ranges::find(known, policies[i]) == known.end()) {
      *wrong = "--policy knows " + Joined(known) + "; not " + policies[i];
      return false;
    }
    if (std::find(policies.begin(), policies.begin() + static_cast<ptrdiff_t>(i), policies[i]) !=
        policies.begin() + static_cast<ptrdiff_t>(i)) {
      *wrong = "--policy names " + policies[i] + " twice";
      return false;
    }
  }
  return true;
}

bool AddCapacities(CapacityKind kind, const std::vector<std::string>& texts, LabPlan* plan,
                   std::string* wrong) {
  for (const std::string& text : texts) {
    const auto setting = ParseCapacity(kind, text);
    if (!setting) {
      const bool bytes = kind == CapacityKind::kBytes;
      *wrong = std::string(bytes ? "--bytes" : "--objects") +
               " takes shares such as 0.01 (up to 1.0) and " +
               (bytes ? "sizes such as 64m" : "numbers such as 904") + ", not '" + text + "'";
      return false;
    }
    plan->capacities.push_back(*setting);
  }
  return true;
}

// A file that is written as results come. Closed by Close, which tells whether all went well.
class OutFile {
 public:
  bool Open(const std::string& path) {
    path_ = path;
    if (path.empty()) return true;
    file_ = std::fopen(path.c_str(), "we");
    return file_ != nullptr || Fail();
  }

  bool Close() {
    std::FILE* file = std::exchange(file_, nullptr);
    return file == nullptr || std::fclose(file) == 0 || Fail();
  }

  [[nodiscard]] std::FILE* get() const { return file_; }

 private:
  [[nodiscard]] bool Fail() const {
    std::fprintf(stderr, "larder-replay: cannot write %s\n", path_.c_str());
    return false;
  }

  std::string path_;
  std::FILE* file_ = nullptr;
};

// False if a cell failed.
bool TellFailures(const Workload& workload, const std::vector<Cell>& cells) {
  bool well = true;
  for (const Cell& cell : cells) {
    if (cell.failure.empty()) continue;
    well = false;
    std::fprintf(stderr, "larder-replay: FAILED: %s of %s with %llu %s: %s\n", cell.policy.c_str(),
                 workload.name.c_str(), static_cast<unsigned long long>(cell.capacity),
                 std::string(NameOf(cell.setting.kind)).c_str(), cell.failure.c_str());
  }
  return well;
}

class Lab {
 public:
  Lab(const LabSettings& settings, LabPlan plan) : settings_(settings), plan_(std::move(plan)) {}

  int Run() {
    if (!csv_.Open(settings_.csv_path) || !svg_.Open(settings_.svg_path)) return 2;
    if (csv_.get() != nullptr) WriteCsvHead(plan_.policies.size(), csv_.get());
    bool well = true;
    for (size_t i = 0; i < settings_.traces.size() && well; ++i) {
      Workload workload;
      if (i > 0) std::printf("\n");
      well = Read(i, &workload) && RunOne(i, workload);
    }
    if (svg_.get() != nullptr) {
      std::fputs(CurvesSvg(plan_.policies, panels_).c_str(), svg_.get());
    }
    const bool csv_well = csv_.Close();
    return svg_.Close() && csv_well && well ? 0 : 1;
  }

 private:
  [[nodiscard]] std::string NameOfStep(size_t trace, const char* step) const {
    return std::to_string(trace + 1) + "/" + std::to_string(settings_.traces.size()) + " " + step +
           TraceNameOf(settings_.traces[trace]);
  }

  bool Read(size_t trace, Workload* workload) {
    ProgressBar bar(NameOfStep(trace, "reading "), settings_.progress);
    WorkloadPlan plan = {.path = settings_.traces[trace], .requests_max = settings_.requests_max};
    plan.progress = [&bar](double fraction) { bar.Show(fraction); };
    std::string failure;
    const bool well = ReadWorkload(plan, workload, &failure);
    bar.Clear();
    if (!well) std::fprintf(stderr, "larder-replay: FAILED: %s\n", failure.c_str());
    return well;
  }

  bool RunOne(size_t trace, const Workload& workload) {
    if (!settings_.bytes.empty() && !workload.has_sizes) {
      std::fprintf(stderr, "larder-replay: FAILED: %s has no sizes: give --objects, not --bytes\n",
                   settings_.traces[trace].c_str());
      return false;
    }
    ProgressBar bar(NameOfStep(trace, ""), settings_.progress);
    plan_.progress = [&bar](double fraction) { bar.Show(fraction); };
    const std::vector<Cell> cells = RunCells(plan_, workload);
    bar.Clear();
    PrintTable(workload, cells, stdout);
    if (csv_.get() != nullptr) WriteCsv(workload.name, plan_.policies.size(), cells, csv_.get());
    AddPanels(workload, cells);
    return TellFailures(workload, cells);
  }

  void AddPanels(const Workload& workload, const std::vector<Cell>& cells) {
    for (const auto kind : {CapacityKind::kObjects, CapacityKind::kBytes}) {
      CurvePanel panel = {.trace = workload.name, .kind = kind, .cells = {}};
      std::ranges::copy_if(cells, std::back_inserter(panel.cells),
                           [kind](const Cell& cell) { return cell.setting.kind == kind; });
      panels_.push_back(std::move(panel));
    }
  }

  const LabSettings& settings_;
  LabPlan plan_;
  OutFile csv_;
  OutFile svg_;
  std::vector<CurvePanel> panels_;
};

}  // namespace

bool MakeLabPlan(const LabSettings& settings, LabPlan* plan, std::string* wrong) {
  plan->policies = settings.policies;
  plan->objects_min = settings.objects_min;
  plan->seed = settings.seed;
  plan->threads = settings.threads;
  if (settings.threads == 0 || settings.threads > kThreadsMax) {
    *wrong = "--threads must be 1 to " + std::to_string(kThreadsMax);
    return false;
  }
  if (settings.expiry != "proactive" && settings.expiry != "lazy") {
    *wrong = "--expiry is proactive or lazy, not " + settings.expiry;
    return false;
  }
  plan->expiry = settings.expiry == "lazy" ? Expiry::kLazy : Expiry::kProactive;
  return CheckPolicies(settings.policies, wrong) &&
         AddCapacities(CapacityKind::kObjects, settings.objects, plan, wrong) &&
         AddCapacities(CapacityKind::kBytes, settings.bytes, plan, wrong);
}

int RunLab(const LabSettings& settings, LabPlan plan) {
  return Lab(settings, std::move(plan)).Run();
}

}  // namespace larder::bench
