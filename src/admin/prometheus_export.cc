#include "admin/prometheus_export.h"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <string_view>
#include <utility>
#include <vector>

namespace larder::admin {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Labels = std::vector<ClientMetric::Label>;

ClientMetric Sample(MetricType type, double value, Labels labels = {}) {
  ClientMetric metric;
  metric.label = std::move(labels);
  (type == MetricType::Counter ? metric.counter.value : metric.gauge.value) = value;
  return metric;
}

MetricFamily Family(MetricType type, std::string_view name, std::string_view help) {
  return {.name = std::string(name), .help = std::string(help), .type = type, .metric = {}};
}

void AddGauge(std::vector<MetricFamily>& families, std::string_view name, std::string_view help,
              double value, Labels labels = {}) {
  families.push_back(Family(MetricType::Gauge, name, help));
  families.back().metric.push_back(Sample(MetricType::Gauge, value, std::move(labels)));
}

void AddCounters(std::vector<MetricFamily>& families, const stats::Figures& figures) {
  for (const stats::CounterInfo& info : stats::AllCounters()) {
    const MetricType type = info.gauge ? MetricType::Gauge : MetricType::Counter;
    MetricFamily& family = families.emplace_back(Family(type, info.prometheus_name, info.help));
    family.metric.reserve(figures.cores.size());
    for (size_t core = 0; core < figures.cores.size(); ++core) {
      const auto value = static_cast<double>(figures.cores[core].counters->Get(info.counter));
      family.metric.push_back(Sample(type, value, {{"core", std::to_string(core)}}));
    }
  }
}

void AddServer(std::vector<MetricFamily>& families, const stats::Figures& figures) {
  const stats::GeneralStats& general = figures.general;
  AddGauge(families, "larder_build_info", "The version that runs; always 1.", 1,
           {{"version", std::string(general.larder_version)}});
  AddGauge(families, "larder_start_time_seconds", "When the server started, in Unix time.",
           static_cast<double>(general.unix_time_s) - static_cast<double>(general.uptime_s));
  AddGauge(families, "larder_cores", "Cores that serve, one thread each.",
           static_cast<double>(figures.cores.size()));
  AddGauge(families, "larder_memory_limit_bytes", "Memory for everything that grows (-m).",
           static_cast<double>(general.limit_maxbytes));
  AddGauge(families, "larder_connections_max", "Most clients at once (-c).",
           static_cast<double>(general.max_connections));
  AddGauge(families, "larder_draining", "1 while the server ends: no new clients.",
           figures.draining ? 1 : 0);
}

}  // namespace

std::string PrometheusText(const stats::Figures& figures) {
  std::vector<MetricFamily> families;
  families.reserve(stats::kCounterCount + 16);
  AddServer(families, figures);
  AddCounters(families, figures);
  return prometheus::TextSerializer().Serialize(families);
}

}  // namespace larder::admin
