#include "stats/stats_text.h"

#include <absl/strings/str_cat.h>
#include <absl/strings/str_format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <utility>

#include "util/absl_view.h"

namespace larder::stats {
namespace {

// In memcached's order; tools that show the reply as it comes rely on it.
constexpr std::array<std::string_view, 94> kGeneralNames = {
    "pid",
    "uptime",
    "time",
    "version",
    "libevent",
    "pointer_size",
    "rusage_user",
    "rusage_system",
    "max_connections",
    "curr_connections",
    "total_connections",
    "rejected_connections",
    "connection_structures",
    "response_obj_oom",
    "response_obj_count",
    "response_obj_bytes",
    "read_buf_count",
    "read_buf_bytes",
    "read_buf_bytes_free",
    "read_buf_oom",
    "reserved_fds",
    "cmd_get",
    "cmd_set",
    "cmd_flush",
    "cmd_touch",
    "cmd_meta",
    "get_hits",
    "get_misses",
    "get_expired",
    "get_flushed",
    "delete_misses",
    "delete_hits",
    "incr_misses",
    "incr_hits",
    "decr_misses",
    "decr_hits",
    "cas_misses",
    "cas_hits",
    "cas_badval",
    "touch_hits",
    "touch_misses",
    "store_too_large",
    "store_no_memory",
    "auth_cmds",
    "auth_errors",
    "idle_kicks",
    "bytes_read",
    "bytes_written",
    "limit_maxbytes",
    "accepting_conns",
    "listen_disabled_num",
    "time_in_listen_disabled_us",
    "threads",
    "conn_yields",
    "hash_power_level",
    "hash_bytes",
    "hash_is_expanding",
    "slab_reassign_rescues",
    "slab_reassign_chunk_rescues",
    "slab_reassign_inline_reclaim",
    "slab_reassign_busy_items",
    "slab_reassign_busy_deletes",
    "slab_reassign_busy_nomem",
    "slab_reassign_last_busy_status",
    "slab_reassign_running",
    "slabs_moved",
    "lru_crawler_running",
    "lru_crawler_starts",
    "lru_maintainer_juggles",
    "malloc_fails",
    "log_worker_dropped",
    "log_worker_written",
    "log_watcher_skipped",
    "log_watcher_sent",
    "log_watchers",
    "unexpected_napi_ids",
    "round_robin_fallback",
    "bytes",
    "curr_items",
    "total_items",
    "slab_global_page_pool",
    "expired_unfetched",
    "evicted_unfetched",
    "evicted_active",
    "evictions",
    "reclaimed",
    "crawler_reclaimed",
    "crawler_items_checked",
    "lrutail_reflocked",
    "moves_to_cold",
    "moves_to_warm",
    "moves_within_lru",
    "direct_reclaims",
    "lru_bumps_dropped",
};

// A line of `stats items` or `stats slabs`, and the counter behind it: kCount where Larder has
// none. Then it is 0, and not left out: Prometheus' exporter of memcached takes a server that
// leaves one out for down.
struct ClassRow {
  std::string_view name;
  ClassCounter counter = ClassCounter::kCount;
};

// number_cold is told as number: without LRU queues of its own, an item is where most of
// memcached's items end up.
constexpr ClassRow kItemRows[] = {
    {"number", ClassCounter::kItems},
    {"number_hot"},
    {"number_warm"},
    {"number_cold", ClassCounter::kItems},
    {"age_hot"},
    {"age_warm"},
    {"age"},
    {"mem_requested", ClassCounter::kBytes},
    {"evicted", ClassCounter::kEvicted},
    {"evicted_nonzero", ClassCounter::kEvictedNonzero},
    {"evicted_time"},
    {"outofmemory", ClassCounter::kOutOfMemory},
    {"tailrepairs"},
    {"reclaimed", ClassCounter::kReclaimed},
    {"expired_unfetched", ClassCounter::kExpiredUnfetched},
    {"evicted_unfetched", ClassCounter::kEvictedUnfetched},
    {"evicted_active"},
    {"crawler_reclaimed"},
    {"crawler_items_checked"},
    {"lrutail_reflocked"},
    {"moves_to_cold"},
    {"moves_to_warm"},
    {"moves_within_lru"},
    {"direct_reclaims"},
    {"hits_to_hot"},
    {"hits_to_warm"},
    {"hits_to_cold"},
    {"hits_to_temp"},
};

constexpr ClassRow kSlabRows[] = {
    {"get_hits"},
    {"cmd_set", ClassCounter::kStored},
    {"delete_hits", ClassCounter::kDeleteHits},
    {"incr_hits", ClassCounter::kIncrHits},
    {"decr_hits", ClassCounter::kDecrHits},
    {"cas_hits", ClassCounter::kCasHits},
    {"cas_badval", ClassCounter::kCasBadval},
    {"touch_hits", ClassCounter::kTouchHits},
};

void Append(StatList& list, std::string name, uint64_t value) {
  list.push_back({std::move(name), absl::StrCat(value)});
}

std::string SecondsText(uint64_t us) {
  return absl::StrFormat("%d.%06d", us / 1'000'000, us % 1'000'000);
}

uint64_t Sum(Counter counter, std::span<const CounterBlock* const> blocks) {
  uint64_t sum = 0;
  for (const CounterBlock* block : blocks) sum += block->Get(counter);
  return sum;
}

// The names whose values are no counters.
StatList ProcessFigures(const GeneralStats& stats, std::span<const CounterBlock* const> blocks) {
  return {
      {"pid", absl::StrCat(stats.pid)},
      {"uptime", absl::StrCat(stats.uptime_s)},
      {"time", absl::StrCat(stats.unix_time_s)},
      {"version", std::string(stats.version)},
      {"libevent", std::string(stats.libevent)},
      {"pointer_size", absl::StrCat(8 * sizeof(void*))},
      {"rusage_user", SecondsText(stats.user_us)},
      {"rusage_system", SecondsText(stats.system_us)},
      {"max_connections", absl::StrCat(stats.max_connections)},
      {"connection_structures", absl::StrCat(Sum(Counter::kCurrConnections, blocks))},
      {"reserved_fds", absl::StrCat(stats.reserved_fds)},
      {"limit_maxbytes", absl::StrCat(stats.limit_maxbytes)},
      {"accepting_conns", absl::StrCat(stats.accepting_conns)},
      {"threads", absl::StrCat(stats.threads)},
      {"slab_reassign_last_busy_status", "none"},
  };
}

void AppendRows(StatList& list, const std::string& prefix, std::span<const ClassRow> rows,
                const SizeTotals& totals, size_t size_class) {
  for (const ClassRow& row : rows) {
    const uint64_t value =
        row.counter == ClassCounter::kCount ? 0 : totals.Get(size_class, row.counter);
    Append(list, absl::StrCat(prefix, util::View(row.name)), value);
  }
}

constexpr uint64_t CeilDivide(uint64_t a, uint64_t b) { return a / b + (a % b != 0 ? 1 : 0); }

}  // namespace

StatsKind StatsKindOf(std::string_view rest_of_line) {
  constexpr std::pair<std::string_view, StatsKind> kWords[] = {
      {"", StatsKind::kGeneral},
      {"items", StatsKind::kItems},
      {"slabs", StatsKind::kSlabs},
      {"sizes", StatsKind::kSizes},
      {"sizes_enable", StatsKind::kSizesStatus},
      {"sizes_disable", StatsKind::kSizesStatus},
      {"settings", StatsKind::kSettings},
      {"conns", StatsKind::kConns},
      {"reset", StatsKind::kReset},
      {"detail", StatsKind::kDetail},
      {"cachedump", StatsKind::kCachedump},
      {"extstore", StatsKind::kEmpty},
      {"proxy", StatsKind::kEmpty},
  };
  rest_of_line.remove_prefix(std::min(rest_of_line.find_first_not_of(' '), rest_of_line.size()));
  const std::string_view word = rest_of_line.substr(0, rest_of_line.find(' '));
  for (const auto& [name, kind] : kWords) {
    if (name == word) return kind;
  }
  return StatsKind::kUnknown;
}

void ReadProcess(GeneralStats& stats) {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);  // cannot fail with these arguments
  const auto us = [](const timeval& time) {
    return static_cast<uint64_t>(time.tv_sec) * 1'000'000 + static_cast<uint64_t>(time.tv_usec);
  };
  stats.pid = getpid();
  stats.user_us = us(usage.ru_utime);
  stats.system_us = us(usage.ru_stime);
}

StatList GeneralList(const GeneralStats& stats, std::span<const CounterBlock* const> blocks) {
  const StatList figures = ProcessFigures(stats, blocks);
  StatList list;
  list.reserve(kGeneralNames.size() + 1 + kCounterCount);
  for (const std::string_view name : kGeneralNames) {
    const auto figure = std::find_if(figures.begin(), figures.end(),
                                     [name](const Stat& stat) { return stat.name == name; });
    if (figure != figures.end()) {
      list.push_back(*figure);
      continue;
    }
    const auto counters = AllCounters();
    const auto counter = std::find_if(counters.begin(), counters.end(), [name](const auto& info) {
      return info.memcached_name == name;
    });
    Append(list, std::string(name), counter == counters.end() ? 0 : Sum(counter->counter, blocks));
  }
  list.push_back({"larder_version", std::string(stats.larder_version)});
  for (const CounterInfo& info : AllCounters()) {
    if (info.memcached_name.empty()) Append(list, StatNameOf(info), Sum(info.counter, blocks));
  }
  return list;
}

StatList ItemsList(const SizeTotals& totals) {
  StatList list;
  for (size_t size_class = 1; size_class < kSizeClassCount; ++size_class) {
    if (totals.Get(size_class, ClassCounter::kItems) == 0) continue;
    AppendRows(list, absl::StrCat("items:", size_class, ":"), kItemRows, totals, size_class);
  }
  return list;
}

StatList SlabsList(const SizeTotals& totals, uint64_t heap_bytes) {
  StatList list;
  uint64_t classes = 0;
  for (size_t size_class = 1; size_class < kSizeClassCount; ++size_class) {
    // The second is more only in the last class, where an item may take several chunks.
    const uint64_t used =
        std::max(totals.Get(size_class, ClassCounter::kItems),
                 CeilDivide(totals.Get(size_class, ClassCounter::kBytes), kChunkBytes[size_class]));
    // An empty one is told for what it was asked: counters do not go back.
    if (used == 0 && totals.Get(size_class, ClassCounter::kStored) == 0) continue;
    if (used > 0) ++classes;
    const uint64_t per_page = kPageBytes / kChunkBytes[size_class];
    const uint64_t pages = CeilDivide(used, per_page);
    const std::string prefix = absl::StrCat(size_class, ":");
    Append(list, prefix + "chunk_size", kChunkBytes[size_class]);
    Append(list, prefix + "chunks_per_page", per_page);
    Append(list, prefix + "total_pages", pages);
    Append(list, prefix + "total_chunks", pages * per_page);
    Append(list, prefix + "used_chunks", used);
    Append(list, prefix + "free_chunks", pages * per_page - used);
    Append(list, prefix + "free_chunks_end", 0);
    AppendRows(list, prefix, kSlabRows, totals, size_class);
  }
  Append(list, "active_slabs", classes);
  Append(list, "total_malloced", heap_bytes);
  return list;
}

StatList SizesStatus() { return {{"sizes_status", "enabled"}}; }

void AppendConnection(StatList& list, const ConnectionStats& connection) {
  const std::string prefix = absl::StrCat(connection.id, ":");
  list.push_back({prefix + "addr", std::string(connection.address)});
  if (!connection.listen_address.empty()) {
    list.push_back({prefix + "listen_addr", std::string(connection.listen_address)});
  }
  list.push_back({prefix + "state", std::string(connection.state)});
  Append(list, prefix + "secs_since_last_cmd", connection.idle_s);
}

void AppendStatLines(const StatList& list, std::string& text) {
  for (const Stat& stat : list) absl::StrAppend(&text, "STAT ", stat.name, " ", stat.value, "\r\n");
}

std::string StatText(const StatList& list) {
  std::string text;
  AppendStatLines(list, text);
  text += "END\r\n";
  return text;
}

}  // namespace larder::stats
