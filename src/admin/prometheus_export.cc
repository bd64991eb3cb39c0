#include "admin/prometheus_export.h"

#include <prometheus/text_serializer.h>

#include <string_view>

#include "admin/prometheus_families.h"
#include "larder/clock.h"

namespace larder::admin {
namespace {

using stats::DurationCounts;
using stats::Figures;

Labels OfCore(size_t core) { return {{"core", std::to_string(core)}}; }

void AddServer(Families& families, const Figures& figures) {
  const stats::GeneralStats& general = figures.general;
  const auto gauge = [&](std::string_view name, std::string_view help, double value) {
    AddSingle(families, MetricType::Gauge, name, help, value);
  };
  AddSample(AddFamily(families, MetricType::Gauge, "larder_build_info",
                      "The version that runs; always 1."),
            1, {{"version", std::string(general.larder_version)}});
  gauge("larder_start_time_seconds", "When the server started, in Unix time.",
        static_cast<double>(general.unix_time_s) - static_cast<double>(general.uptime_s));
  gauge("larder_cores", "Cores that serve, one thread each.",
        static_cast<double>(figures.cores.size()));
  gauge("larder_memory_limit_bytes", "Memory for everything that grows (-m).",
        static_cast<double>(general.limit_maxbytes));
  gauge("larder_connections_max", "Most clients at once (-c).",
        static_cast<double>(general.max_connections));
  gauge("larder_draining", "1 while the server ends: no new clients.", figures.draining ? 1 : 0);
}

void AddCounters(Families& families, const Figures& figures) {
  for (const stats::CounterInfo& info : stats::AllCounters()) {
    const MetricType type = info.gauge ? MetricType::Gauge : MetricType::Counter;
    auto& family = AddFamily(families, type, info.prometheus_name, info.help);
    family.metric.reserve(figures.cores.size());
    for (size_t core = 0; core < figures.cores.size(); ++core) {
      const uint64_t value = figures.cores[core].counters->Get(info.counter);
      AddSample(family, static_cast<double>(value), OfCore(core));
    }
  }
}

void AddCores(Families& families, const Figures& figures) {
  auto& cpu = AddFamily(families, MetricType::Counter, "larder_core_cpu_seconds_total",
                        "Processor time of the core's thread, the kernel's for it included.");
  for (size_t core = 0; core < figures.cores.size(); ++core) {
    AddSample(cpu, static_cast<double>(figures.cores[core].cpu_ns) / kNsPerSecond, OfCore(core));
  }
  auto& age = AddFamily(families, MetricType::Gauge, "larder_turn_age_seconds",
                        "Since the core's last turn began; an idle core has one every second.");
  for (size_t core = 0; core < figures.cores.size(); ++core) {
    const uint64_t age_ns = figures.cores[core].turn_age_ns;
    if (age_ns == stats::CoreFigures::kNoTurn) continue;
    AddSample(age, static_cast<double>(age_ns) / kNsPerSecond, OfCore(core));
  }
  auto& turns = AddFamily(families, MetricType::Histogram, "larder_turn_seconds",
                          "Length of the turns of a core's loop, without its system call.");
  for (size_t core = 0; core < figures.cores.size(); ++core) {
    DurationCounts counts;
    figures.cores[core].times->turns().AddTo(counts);
    AddSample(turns, counts, OfCore(core));
  }
}

// Summed over the cores. Kinds that nobody has asked for have no lines.
void AddRequests(Families& families, const Figures& figures) {
  auto& requests = AddFamily(families, MetricType::Histogram, "larder_request_seconds",
                             "From the turn in which a request has come to its reply's way out.");
  for (const stats::RequestKind kind : stats::AllRequestKinds()) {
    const DurationCounts counts = figures.RequestsOf(kind);
    if (counts.Count() == 0) continue;
    AddSample(requests, counts,
              {{"protocol", std::string(DialectName(kind.dialect()))},
               {"verb", std::string(RequestVerbName(kind))}});
  }
}

}  // namespace

std::string PrometheusText(const Figures& figures, MoreNames more) {
  Families families;
  families.reserve(stats::kCounterCount + 128);
  AddServer(families, figures);
  AddCounters(families, figures);
  AddCores(families, figures);
  AddRequests(families, figures);
  AddMemcachedFamilies(families, figures);
  if (more == MoreNames::kRedis) AddRedisFamilies(families, figures);
  return prometheus::TextSerializer().Serialize(families);
}

}  // namespace larder::admin
