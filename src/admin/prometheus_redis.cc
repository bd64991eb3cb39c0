// The metrics of oliver006/redis_exporter that the usual dashboards for Redis ask for, Grafana's
// 763 among them, so that they fill without it: its names and labels, for --redis-metrics. Commands
// of all protocols count, each by its verb.
#include <array>
#include <string>
#include <utility>

#include "admin/prometheus_families.h"
#include "larder/clock.h"

namespace larder::admin {
namespace {

using prometheus::MetricFamily;
using stats::Counter;
using stats::DurationCounts;
using stats::Figures;
using stats::RequestKind;

struct CounterRow {
  MetricType type;
  std::string_view metric;
  Counter counter;
  std::string_view help;
};

constexpr CounterRow kCounterRows[] = {
    {kGauge, "redis_connected_clients", Counter::kCurrConnections, "Open client connections."},
    {kCounter, "redis_connections_received_total", Counter::kTotalConnections,
     "Client connections ever accepted."},
    {kCounter, "redis_rejected_connections_total", Counter::kRejectedConnections,
     "Clients turned away by the connection limit."},
    {kCounter, "redis_keyspace_hits_total", Counter::kGetHits, "Keys asked for and found."},
    {kCounter, "redis_keyspace_misses_total", Counter::kGetMisses, "Keys asked for and not found."},
    {kCounter, "redis_expired_keys_total", Counter::kReclaimed,
     "Expired items whose memory was taken back."},
    {kCounter, "redis_evicted_keys_total", Counter::kEvictions, "Live items dropped to make room."},
    {kCounter, "redis_net_input_bytes_total", Counter::kBytesRead, "Bytes received from clients."},
    {kCounter, "redis_net_output_bytes_total", Counter::kBytesWritten, "Bytes sent to clients."},
};

// Requests by verb, whatever they were spelled in.
using Verbs = std::array<DurationCounts, RequestKind::kVerbs>;

Verbs RequestsByVerb(const Figures& figures) {
  Verbs verbs{};
  for (const RequestKind kind : stats::AllRequestKinds()) {
    for (const stats::CoreFigures& core : figures.cores) {
      core.times->Of(kind).AddTo(verbs[static_cast<size_t>(kind.verb())]);
    }
  }
  return verbs;
}

void AddCommands(Families& families, const Verbs& verbs) {
  MetricFamily calls = {
      .name = "redis_commands_total", .help = "Requests by verb.", .type = kCounter, .metric = {}};
  MetricFamily seconds = {
      .name = "redis_commands_duration_seconds_total",
      .help = "The time that they took, from their coming to the reply's way out.",
      .type = kCounter,
      .metric = {}};
  uint64_t all = 0;
  for (size_t verb = 0; verb < verbs.size(); ++verb) {
    const uint64_t count = verbs[verb].Count();
    all += count;
    if (count == 0) continue;
    const RequestKind kind(stats::Dialect::kResp, static_cast<Verb>(verb));
    const Labels labels = {{"cmd", std::string(RequestVerbName(kind))}};
    AddSample(calls, static_cast<double>(count), labels);
    AddSample(seconds, static_cast<double>(verbs[verb].sum_ns) / kNsPerSecond, labels);
  }
  families.push_back(std::move(calls));
  families.push_back(std::move(seconds));
  AddSingle(families, kCounter, "redis_commands_processed_total", "Requests.",
            static_cast<double>(all));
}

double MemoryUsed(const Figures& figures) {
  uint64_t bytes = 0;
  for (const Counter counter : {Counter::kHeapBytes, Counter::kTableBytes,
                                Counter::kReadBufferBytes, Counter::kReplyBytes}) {
    bytes += figures.Sum(counter);
  }
  return static_cast<double>(bytes);
}

}  // namespace

void AddRedisFamilies(Families& families, const Figures& figures) {
  const stats::GeneralStats& general = figures.general;
  const auto gauge = [&](std::string_view metric, std::string_view help, double value) {
    AddSingle(families, kGauge, metric, help, value);
  };
  gauge("redis_up", "Always 1: who answers is up.", 1);
  gauge("redis_uptime_in_seconds", "Seconds since the server started.",
        static_cast<double>(general.uptime_s));
  gauge("redis_blocked_clients", "Always 0: nothing blocks.", 0);
  gauge("redis_connected_slaves", "Always 0: there are no replicas.", 0);
  gauge("redis_config_maxclients", "Most clients at once.",
        static_cast<double>(general.max_connections));
  gauge("redis_memory_used_bytes", "Memory of items, table and buffers.", MemoryUsed(figures));
  gauge("redis_memory_max_bytes", "The memory limit.", static_cast<double>(general.limit_maxbytes));
  AddSingle(families, kCounter, "redis_cpu_user_seconds_total", "CPU time of the process.",
            static_cast<double>(general.user_us) / kMicrosPerSecond);
  AddSingle(families, kCounter, "redis_cpu_sys_seconds_total",
            "CPU time of the kernel for the process.",
            static_cast<double>(general.system_us) / kMicrosPerSecond);
  const Labels database = {{"db", "db0"}};
  AddSample(AddFamily(families, kGauge, "redis_db_keys", "Items in the cache."),
            static_cast<double>(figures.Sum(Counter::kCurrItems)), database);
  AddSample(AddFamily(families, kGauge, "redis_db_keys_expiring", "Those that have an expiry."),
            static_cast<double>(figures.Sum(Counter::kExpiringItems)), database);
  for (const CounterRow& row : kCounterRows) {
    AddSingle(families, row.type, row.metric, row.help,
              static_cast<double>(figures.Sum(row.counter)));
  }
  AddCommands(families, RequestsByVerb(figures));
}

}  // namespace larder::admin
