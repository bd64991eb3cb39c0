#include "ctl/sample.h"

#include <absl/strings/numbers.h>

#include <algorithm>
#include <limits>
#include <optional>

#include "util/absl_view.h"

namespace larder::ctl {

using util::View;

namespace {

std::optional<double> Number(std::string_view text) {
  double value = 0;
  if (!absl::SimpleAtod(View(text), &value)) return std::nullopt;
  return value;
}

// A line of /metrics: name{label="value",…} number.
struct MetricLine {
  std::string_view name;
  std::map<std::string_view, std::string_view> labels;
  double value = 0;
};

std::optional<MetricLine> ParseLine(std::string_view line) {
  if (line.empty() || line.front() == '#') return std::nullopt;
  MetricLine metric;
  const size_t name_end = std::min(line.find_first_of("{ "), line.size());
  metric.name = line.substr(0, name_end);
  line.remove_prefix(name_end);
  while (!line.empty() && line.front() != '}' && line.front() != ' ') {
    line.remove_prefix(1);  // { or ,
    const size_t equals = line.find("=\"");
    const size_t end = line.find('"', equals == line.npos ? equals : equals + 2);
    if (end == line.npos) return std::nullopt;
    metric.labels[line.substr(0, equals)] = line.substr(equals + 2, end - equals - 2);
    line.remove_prefix(end + 1);
  }
  if (line.starts_with('}')) line.remove_prefix(1);
  if (!line.starts_with(' ')) return std::nullopt;
  const std::optional<double> value = Number(line.substr(1));
  if (!value) return std::nullopt;
  metric.value = *value;
  return metric;
}

std::string_view Label(const MetricLine& metric, std::string_view name) {
  const auto found = metric.labels.find(name);
  return found == metric.labels.end() ? std::string_view() : found->second;
}

void AddRequests(const MetricLine& metric, std::string_view part, Sample& sample) {
  const std::string name =
      std::string(Label(metric, "protocol")) + " " + std::string(Label(metric, "verb"));
  Durations& durations = sample.verbs[name];
  if (part == "count") durations.count = metric.value;
  if (part == "sum") durations.sum_s = metric.value;
  if (part == "bucket") {
    const std::optional<double> bound = Number(Label(metric, "le"));
    if (bound) durations.at_most[*bound] = metric.value;
  }
}

double Stat(const Sample& sample, const std::string& name) {
  const auto found = sample.stats.find(name);
  return found == sample.stats.end() ? 0 : found->second;
}

// The least bound that `share` of all kept.
double Quantile(const Durations& durations, double share) {
  double largest = 0;
  for (const auto& [bound, count] : durations.at_most) {
    if (count >= durations.count * share) {
      // Beyond the last bound there is only infinity: at least that bound, then.
      return bound < std::numeric_limits<double>::infinity() ? bound : largest;
    }
    largest = bound;
  }
  return largest;
}

Durations Minus(Durations now, const Durations& before) {
  now.count -= before.count;
  now.sum_s -= before.sum_s;
  for (auto& [bound, count] : now.at_most) {
    const auto found = before.at_most.find(bound);
    if (found != before.at_most.end()) count -= found->second;
  }
  return now;
}

std::vector<VerbFigures> CompareVerbs(const Sample* before, const Sample& now, double seconds) {
  std::vector<VerbFigures> figures;
  for (const auto& [name, durations] : now.verbs) {
    Durations since = durations;
    if (before != nullptr && before->verbs.contains(name)) {
      since = Minus(std::move(since), before->verbs.at(name));
    }
    if (since.count <= 0) continue;
    figures.push_back({.name = name,
                       .per_s = since.count / seconds,
                       .mean_s = since.sum_s / since.count,
                       .p99_s = Quantile(since, 0.99)});
  }
  std::stable_sort(figures.begin(), figures.end(), [](const auto& a, const auto& b) {
    return a.p99_s != b.p99_s ? a.p99_s > b.p99_s : a.mean_s > b.mean_s;
  });
  return figures;
}

}  // namespace

void AddStats(const Stats& stats, Sample& sample) {
  for (const auto& [name, text] : stats) {
    if (const std::optional<double> value = Number(text)) sample.stats[name] = *value;
    if (name == "larder_version") sample.version = text;
  }
}

void AddMetrics(std::string_view text, Sample& sample) {
  constexpr std::string_view kRequests = "larder_request_seconds_";
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::optional<MetricLine> metric = ParseLine(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (!metric) continue;
    if (metric->name == "larder_core_cpu_seconds_total") {
      int core = 0;
      if (absl::SimpleAtoi(View(Label(*metric, "core")), &core)) {
        sample.cpu_s[core] = metric->value;
      }
    } else if (metric->name.starts_with(kRequests)) {
      AddRequests(*metric, metric->name.substr(kRequests.size()), sample);
    }
  }
}

Figures Compare(const Sample* before, const Sample& now) {
  Figures figures;
  figures.version = now.version;
  figures.uptime_s = Stat(now, "uptime");
  figures.seconds = before == nullptr ? figures.uptime_s : now.at_s - before->at_s;
  const double seconds = std::max(figures.seconds, before == nullptr ? 1.0 : 0.001);
  const auto since = [&](const std::string& name) {
    return Stat(now, name) - (before == nullptr ? 0 : Stat(*before, name));
  };
  const double gets = since("get_hits") + since("get_misses");
  figures.hit_ratio = gets > 0 ? since("get_hits") / gets : 0;
  figures.gets_per_s = gets / seconds;
  figures.sets_per_s = since("cmd_set") / seconds;
  figures.deletes_per_s = (since("delete_hits") + since("delete_misses")) / seconds;
  figures.evictions_per_s = since("evictions") / seconds;
  figures.expiries_per_s = since("reclaimed") / seconds;
  figures.received_bytes_per_s = since("bytes_read") / seconds;
  figures.sent_bytes_per_s = since("bytes_written") / seconds;
  figures.clients_per_s = since("total_connections") / seconds;
  figures.clients = Stat(now, "curr_connections");
  figures.clients_max = Stat(now, "max_connections");
  figures.items = Stat(now, "curr_items");
  figures.live_bytes = Stat(now, "bytes");
  figures.dead_bytes = Stat(now, "larder_heap_dead_bytes");
  figures.overhead_bytes =
      Stat(now, "hash_bytes") + Stat(now, "read_buf_bytes") + Stat(now, "response_obj_bytes");
  figures.limit_bytes = Stat(now, "limit_maxbytes");
  for (const auto& [core, cpu_s] : now.cpu_s) {
    const bool known = before != nullptr && before->cpu_s.contains(core);
    figures.core_loads.push_back((cpu_s - (known ? before->cpu_s.at(core) : 0)) / seconds);
  }
  figures.verbs = CompareVerbs(before, now, seconds);
  return figures;
}

}  // namespace larder::ctl
