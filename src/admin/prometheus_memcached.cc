// The metrics of prometheus/memcached_exporter, so that dashboards made for it fill without one:
// its names and labels, filled from what `stats`, `stats settings`, `stats items` and `stats slabs`
// answer, as the exporter does. Where a name does not say that it is a counter as promtool wants it
// to, the type is gauge.
#include <absl/container/flat_hash_map.h>

#include <algorithm>
#include <charconv>
#include <span>
#include <utility>

#include "admin/prometheus_families.h"
#include "stats/stats_text.h"

namespace larder::admin {
namespace {

using stats::Figures;
using stats::StatList;

// A metric, and the line that it is in.
struct Row {
  MetricType type;
  std::string_view metric;
  std::string_view stat;
  std::string_view help;
};
// A sample of a metric that has more labels.
struct CommandRow {
  std::string_view command;
  std::string_view status;
  std::string_view stat;
};
struct LruRow {
  std::string_view lru;
  std::string_view stat;
};

// Of `stats`.
constexpr Row kGeneral[] = {
    {kGauge, "memcached_uptime_seconds", "uptime", "Seconds since the server started."},
    {kGauge, "memcached_time_seconds", "time", "Unix time of the server."},
    {kCounter, "memcached_read_bytes_total", "bytes_read", "Bytes received from clients."},
    {kCounter, "memcached_written_bytes_total", "bytes_written", "Bytes sent to clients."},
    {kGauge, "memcached_current_connections", "curr_connections", "Open client connections."},
    {kCounter, "memcached_connections_total", "total_connections",
     "Client connections ever accepted."},
    {kCounter, "memcached_connections_rejected_total", "rejected_connections",
     "Clients turned away by the connection limit."},
    {kCounter, "memcached_connections_yielded_total", "conn_yields",
     "Times that a client had had its share of a turn."},
    {kCounter, "memcached_connections_listener_disabled_total", "listen_disabled_num",
     "Times that accepting paused."},
    {kGauge, "memcached_accepting_connections", "accepting_conns",
     "1 while new clients are accepted."},
    {kGauge, "memcached_current_bytes", "bytes", "Bytes of all items."},
    {kGauge, "memcached_limit_bytes", "limit_maxbytes", "The memory limit."},
    {kGauge, "memcached_current_items", "curr_items", "Items in the cache."},
    {kCounter, "memcached_items_total", "total_items", "Items ever stored."},
    {kCounter, "memcached_items_evicted_total", "evictions", "Live items dropped to make room."},
    {kCounter, "memcached_items_reclaimed_total", "reclaimed",
     "Expired items whose memory was taken back."},
    {kCounter, "memcached_item_too_large_total", "store_too_large",
     "Values refused as over the item limit."},
    {kCounter, "memcached_item_no_memory_total", "store_no_memory",
     "Values refused for lack of memory."},
    {kCounter, "memcached_direct_reclaims_total", "direct_reclaims", "Always 0: none such."},
    {kCounter, "memcached_lru_crawler_starts_total", "lru_crawler_starts",
     "Always 0: there is no crawler."},
    {kCounter, "memcached_lru_crawler_reclaimed_total", "crawler_reclaimed",
     "Always 0: there is no crawler."},
    {kCounter, "memcached_lru_crawler_items_checked_total", "crawler_items_checked",
     "Always 0: there is no crawler."},
    {kCounter, "memcached_lru_crawler_moves_to_cold_total", "moves_to_cold",
     "Always 0: there are no such queues."},
    {kCounter, "memcached_lru_crawler_moves_to_warm_total", "moves_to_warm",
     "Always 0: there are no such queues."},
    {kCounter, "memcached_lru_crawler_moves_within_lru_total", "moves_within_lru",
     "Always 0: there are no such queues."},
    {kCounter, "memcached_process_user_cpu_seconds_total", "rusage_user",
     "CPU time of the process."},
    {kCounter, "memcached_process_system_cpu_seconds_total", "rusage_system",
     "CPU time of the kernel for the process."},
};

// Of `stats settings`.
constexpr Row kSettings[] = {
    {kGauge, "memcached_max_connections", "maxconns", "Most clients at once."},
    {kGauge, "memcached_lru_crawler_enabled", "lru_crawler", "As `stats settings` tells it."},
    {kGauge, "memcached_lru_crawler_sleep", "lru_crawler_sleep", "As `stats settings` tells it."},
    {kGauge, "memcached_lru_crawler_to_crawl", "lru_crawler_tocrawl",
     "As `stats settings` tells it."},
    {kGauge, "memcached_lru_crawler_maintainer_thread", "lru_maintainer_thread",
     "As `stats settings` tells it."},
    {kGauge, "memcached_lru_crawler_hot_percent", "hot_lru_pct", "As `stats settings` tells it."},
    {kGauge, "memcached_lru_crawler_warm_percent", "warm_lru_pct", "As `stats settings` tells it."},
    {kGauge, "memcached_lru_crawler_hot_max_factor", "hot_max_factor",
     "As `stats settings` tells it."},
    {kGauge, "memcached_lru_crawler_warm_max_factor", "warm_max_factor",
     "As `stats settings` tells it."},
};

// memcached_commands_total, of `stats`; and `set`, which is what is left.
constexpr CommandRow kCommands[] = {
    {"get", "hit", "get_hits"},        {"get", "miss", "get_misses"},
    {"delete", "hit", "delete_hits"},  {"delete", "miss", "delete_misses"},
    {"incr", "hit", "incr_hits"},      {"incr", "miss", "incr_misses"},
    {"decr", "hit", "decr_hits"},      {"decr", "miss", "decr_misses"},
    {"cas", "hit", "cas_hits"},        {"cas", "miss", "cas_misses"},
    {"cas", "badval", "cas_badval"},   {"touch", "hit", "touch_hits"},
    {"touch", "miss", "touch_misses"}, {"flush", "hit", "cmd_flush"},
};

// Of `stats items` and `stats slabs`, a sample a class.
constexpr Row kClassRows[] = {
    {kGauge, "memcached_slab_current_items", "number", "Items of this class."},
    {kGauge, "memcached_slab_mem_requested_bytes", "mem_requested", "Bytes of the class's items."},
    {kGauge, "memcached_slab_items_age_seconds", "age", "Always 0: not known."},
    {kCounter, "memcached_slab_items_crawler_reclaimed_total", "crawler_reclaimed",
     "Always 0: there is no crawler."},
    {kCounter, "memcached_slab_items_evicted_total", "evicted", "Live items dropped to make room."},
    {kCounter, "memcached_slab_items_evicted_nonzero_total", "evicted_nonzero",
     "Evicted items that had an expiry."},
    {kGauge, "memcached_slab_items_evicted_time_seconds", "evicted_time", "Always 0: not known."},
    {kCounter, "memcached_slab_items_evicted_unfetched_total", "evicted_unfetched",
     "Evicted items that nobody had read."},
    {kCounter, "memcached_slab_items_expired_unfetched_total", "expired_unfetched",
     "Expired items that nobody had read."},
    {kCounter, "memcached_slab_items_outofmemory_total", "outofmemory",
     "Values refused for lack of memory."},
    {kCounter, "memcached_slab_items_reclaimed_total", "reclaimed",
     "Expired items whose memory was taken back."},
    {kCounter, "memcached_slab_items_tailrepairs_total", "tailrepairs", "Always 0: none such."},
    {kGauge, "memcached_slab_items_moves_to_cold", "moves_to_cold",
     "Always 0: there are no such queues."},
    {kGauge, "memcached_slab_items_moves_to_warm", "moves_to_warm",
     "Always 0: there are no such queues."},
    {kGauge, "memcached_slab_items_moves_within_lru", "moves_within_lru",
     "Always 0: there are no such queues."},
    {kGauge, "memcached_slab_hot_items", "number_hot", "Always 0: there is no such queue."},
    {kGauge, "memcached_slab_warm_items", "number_warm", "Always 0: there is no such queue."},
    {kGauge, "memcached_slab_cold_items", "number_cold", "Items of this class."},
    {kGauge, "memcached_slab_hot_age_seconds", "age_hot", "Always 0: not known."},
    {kGauge, "memcached_slab_warm_age_seconds", "age_warm", "Always 0: not known."},
    {kGauge, "memcached_slab_chunk_size_bytes", "chunk_size", "Largest item of this class."},
    {kGauge, "memcached_slab_chunks_per_page", "chunks_per_page",
     "So many of them are a megabyte."},
    {kGauge, "memcached_slab_current_pages", "total_pages",
     "Megabytes that memcached would need for the class."},
    {kGauge, "memcached_slab_current_chunks", "total_chunks", "So many items would fit there."},
    {kGauge, "memcached_slab_chunks_used", "used_chunks", "Items of this class."},
    {kGauge, "memcached_slab_chunks_free", "free_chunks", "More items that would fit there."},
    {kGauge, "memcached_slab_chunks_free_end", "free_chunks_end", "Always 0: none such."},
};

// memcached_slab_lru_hits_total
constexpr LruRow kLruHits[] = {
    {"hot", "hits_to_hot"},
    {"warm", "hits_to_warm"},
    {"cold", "hits_to_cold"},
    {"temporary", "hits_to_temp"},
};

// memcached_slab_commands_total; hits of get are not counted by class.
constexpr CommandRow kClassCommands[] = {
    {"delete", "hit", "delete_hits"}, {"incr", "hit", "incr_hits"},
    {"decr", "hit", "decr_hits"},     {"cas", "hit", "cas_hits"},
    {"cas", "badval", "cas_badval"},  {"touch", "hit", "touch_hits"},
};

// Texts by name. The texts live elsewhere.
using Texts = absl::flat_hash_map<std::string_view, std::string_view>;

// A line of `stats items` or `stats slabs` that is about a class.
struct ClassStat {
  std::string size_class;
  std::string name;
  double value;
};

// A number, or "yes" for 1; anything else is 0.
double NumberIn(std::string_view text) {
  if (text == "yes") return 1;
  double value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

double Find(const Texts& texts, std::string_view name) {
  const auto found = texts.find(name);
  return found == texts.end() ? 0 : NumberIn(found->second);
}

// "items:5:number" or "5:chunk_size": the class is before the last colon.
void AppendClassStats(const StatList& list, std::vector<ClassStat>& found) {
  found.reserve(found.size() + list.size());
  for (const stats::Stat& stat : list) {
    const std::string_view text = stat.name;
    const size_t colon = text.rfind(':');
    if (colon == std::string_view::npos) continue;
    const std::string_view before = text.substr(0, colon);
    found.push_back({.size_class = std::string(before.substr(before.rfind(':') + 1)),
                     .name = std::string(text.substr(colon + 1)),
                     .value = NumberIn(stat.value)});
  }
}

// A sample for each class that has `stat`.
void AddClassSamples(prometheus::MetricFamily& family, const std::vector<ClassStat>& classes,
                     std::string_view stat, const Labels& more = {}) {
  for (const ClassStat& each : classes) {
    if (each.name != stat) continue;
    Labels labels = {{"slab", each.size_class}};
    labels.insert(labels.end(), more.begin(), more.end());
    AddSample(family, each.value, std::move(labels));
  }
}

void AddRows(Families& families, std::span<const Row> rows, const Texts& texts) {
  for (const Row& row : rows) {
    AddSingle(families, row.type, row.metric, row.help, Find(texts, row.stat));
  }
}

Labels OfCommand(std::string_view command, std::string_view status) {
  return {{"command", std::string(command)}, {"status", std::string(status)}};
}

void AddCommands(Families& families, const Texts& stats) {
  auto& commands = AddFamily(families, kCounter, "memcached_commands_total",
                             "Commands, and keys of gets, by what came of them.");
  for (const CommandRow& row : kCommands) {
    AddSample(commands, Find(stats, row.stat), OfCommand(row.command, row.status));
  }
  // cmd_set counts cas as well.
  const double cas =
      Find(stats, "cas_hits") + Find(stats, "cas_misses") + Find(stats, "cas_badval");
  AddSample(commands, std::max(0.0, Find(stats, "cmd_set") - cas), OfCommand("set", "hit"));
}

void AddClasses(Families& families, const std::vector<ClassStat>& stats) {
  for (const Row& row : kClassRows) {
    AddClassSamples(AddFamily(families, row.type, row.metric, row.help), stats, row.stat);
  }
  auto& hits = AddFamily(families, kCounter, "memcached_slab_lru_hits_total",
                         "Always 0: there are no such queues.");
  for (const LruRow& row : kLruHits) {
    AddClassSamples(hits, stats, row.stat, {{"lru", std::string(row.lru)}});
  }
  auto& commands = AddFamily(families, kCounter, "memcached_slab_commands_total",
                             "What was done to items, by class; reads are not counted by class.");
  for (const CommandRow& row : kClassCommands) {
    AddClassSamples(commands, stats, row.stat, OfCommand(row.command, row.status));
  }
  AddClassSamples(commands, stats, "cmd_set", OfCommand("set", "hit"));
}

}  // namespace

void AddMemcachedFamilies(Families& families, const Figures& figures) {
  const StatList general = stats::GeneralList(figures.general, figures.Counters());
  Texts by_name;
  for (const stats::Stat& stat : general) by_name.emplace(stat.name, stat.value);
  Texts settings;
  for (const auto& [name, value] : figures.settings) settings.emplace(name, value);
  const stats::SizeTotals sizes = figures.Sizes();
  const uint64_t heap_bytes = figures.Sum(stats::Counter::kHeapBytes);
  std::vector<ClassStat> classes;
  AppendClassStats(stats::ItemsList(sizes), classes);
  AppendClassStats(stats::SlabsList(sizes, heap_bytes), classes);

  AddSingle(families, kGauge, "memcached_up", "Always 1: who answers is up.", 1);
  AddSample(AddFamily(families, kGauge, "memcached_version", "What is spoken; always 1."), 1,
            {{"version", std::string(figures.general.version)}});
  AddSingle(families, kGauge, "memcached_malloced_bytes", "Memory that the item heap holds.",
            static_cast<double>(heap_bytes));
  AddRows(families, kGeneral, by_name);
  AddRows(families, kSettings, settings);
  AddCommands(families, by_name);
  AddClasses(families, classes);
}

}  // namespace larder::admin
