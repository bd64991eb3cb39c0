// Goal: exporters and tools that read memcached's `stats` find every name where they expect it.
// Method: names and order are pinned here a second time, as memcached 1.6.45 (Debian's, default
// options) answers; values come from blocks that the tests fill.
#include "stats/stats_text.h"

#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace larder::stats {
namespace {

using ::testing::ElementsAreArray;
using ::testing::IsEmpty;

const std::vector<std::string> kGeneral = {
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
    "idle_kicks",  // there with an idle timeout
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

const std::vector<std::string> kItemFields = {"number",
                                              "number_hot",
                                              "number_warm",
                                              "number_cold",
                                              "age_hot",
                                              "age_warm",
                                              "age",
                                              "mem_requested",
                                              "evicted",
                                              "evicted_nonzero",
                                              "evicted_time",
                                              "outofmemory",
                                              "tailrepairs",
                                              "reclaimed",
                                              "expired_unfetched",
                                              "evicted_unfetched",
                                              "evicted_active",
                                              "crawler_reclaimed",
                                              "crawler_items_checked",
                                              "lrutail_reflocked",
                                              "moves_to_cold",
                                              "moves_to_warm",
                                              "moves_within_lru",
                                              "direct_reclaims",
                                              "hits_to_hot",
                                              "hits_to_warm",
                                              "hits_to_cold",
                                              "hits_to_temp"};

const std::vector<std::string> kSlabFields = {
    "chunk_size",  "chunks_per_page", "total_pages", "total_chunks", "used_chunks",
    "free_chunks", "free_chunks_end", "get_hits",    "cmd_set",      "delete_hits",
    "incr_hits",   "decr_hits",       "cas_hits",    "cas_badval",   "touch_hits"};

std::vector<std::string> NamesOf(const StatList& list) {
  std::vector<std::string> names;
  for (const Stat& stat : list) names.push_back(stat.name);
  return names;
}

std::map<std::string, std::string> MapOf(const StatList& list) {
  std::map<std::string, std::string> map;
  for (const Stat& stat : list) map[stat.name] = stat.value;
  return map;
}

std::vector<std::string> WithPrefix(const std::string& prefix, std::vector<std::string> names) {
  for (std::string& name : names) name.insert(0, prefix);
  return names;
}

TEST(StatsText, GeneralNamesAreMemcachedsInItsOrderThenOurs) {
  EXPECT_EQ(kGeneral.size(), 94U);
  std::vector<std::string> names = kGeneral;
  names.emplace_back("larder_version");
  // The counters that memcached has no name for, as the list has them.
  const std::pair<std::string_view, std::string_view> counters[] = {
#define COUNTER(id, memcached, prometheus, help) {memcached, prometheus},
#define GAUGE(id, memcached, prometheus, help) {memcached, prometheus},
#include "stats/counters.def"
#undef COUNTER
#undef GAUGE
  };
  for (const auto& [memcached, prometheus] : counters) {
    if (!memcached.empty()) continue;
    const std::string_view name = prometheus.substr(0, prometheus.rfind("_total"));
    names.emplace_back(name);
  }
  EXPECT_THAT(NamesOf(GeneralList({}, {})), ElementsAreArray(names));
}

// Exporters alarm on response_obj_oom; a client that is made to wait is no failure.
TEST(StatsText, FlowControlIsNoFailureInMemcachedsWords) {
  CounterBlock block;
  block.Add(Counter::kRepliesPaused, 7);
  const std::vector<const CounterBlock*> blocks = {&block};
  const auto values = MapOf(GeneralList({}, blocks));
  EXPECT_EQ(values.at("response_obj_oom"), "0");
  EXPECT_EQ(values.at("larder_reply_pauses"), "7");
}

TEST(StatsText, EveryCounterWithANameInMemcachedIsInTheList) {
  for (const CounterInfo& info : AllCounters()) {
    if (info.memcached_name.empty()) continue;
    EXPECT_EQ(std::count(kGeneral.begin(), kGeneral.end(), info.memcached_name), 1)
        << info.memcached_name;
  }
}

// Method: every counter gets a sum of its own, so that no two can be mixed up.
TEST(StatsText, CountersAreSummedOverBlocks) {
  CounterBlock one;
  CounterBlock two;
  for (const CounterInfo& info : AllCounters()) {
    one.Add(info.counter, 1000 + static_cast<uint64_t>(info.counter));
    two.Add(info.counter, 1'000'000);
  }
  const std::vector<const CounterBlock*> blocks = {&one, &two};
  const auto values = MapOf(GeneralList({}, blocks));
  for (const CounterInfo& info : AllCounters()) {
    EXPECT_EQ(values.at(StatNameOf(info)),
              std::to_string(1'001'000 + static_cast<uint64_t>(info.counter)));
  }
  EXPECT_EQ(values.at("larder_loop_turns"),
            std::to_string(1'001'000 + static_cast<uint64_t>(Counter::kTurns)));
  EXPECT_EQ(values.at("connection_structures"), values.at("curr_connections"));
  EXPECT_EQ(values.at("lru_bumps_dropped"), "0");
}

TEST(StatsText, FiguresOfTheProcessAreShown) {
  GeneralStats stats;
  stats.pid = 42;
  stats.user_us = 12'000'345;
  stats.system_us = 7;
  stats.uptime_s = 3600;
  stats.unix_time_s = 1'700'000'000;
  stats.version = "1.6.45";
  stats.larder_version = "0.1.0";
  stats.libevent = "2.1.12-stable";
  stats.max_connections = 1024;
  stats.reserved_fds = 1;
  stats.limit_maxbytes = 64ULL << 20;
  stats.accepting_conns = 0;
  stats.threads = 4;
  const std::map<std::string, std::string> expected = {
      {"pid", "42"},
      {"rusage_user", "12.000345"},
      {"rusage_system", "0.000007"},
      {"uptime", "3600"},
      {"time", "1700000000"},
      {"version", "1.6.45"},
      {"larder_version", "0.1.0"},
      {"libevent", "2.1.12-stable"},
      {"pointer_size", "64"},
      {"max_connections", "1024"},
      {"reserved_fds", "1"},
      {"limit_maxbytes", "67108864"},
      {"accepting_conns", "0"},
      {"threads", "4"},
      {"slab_reassign_last_busy_status", "none"},
  };
  for (const Stat& stat : GeneralList(stats, {})) {
    const auto found = expected.find(stat.name);
    EXPECT_EQ(stat.value, found == expected.end() ? "0" : found->second) << stat.name;
  }
}

TEST(StatsText, ReadProcessFillsInItsOwnFieldsOnly) {
  GeneralStats stats;
  stats.threads = 3;
  ReadProcess(stats);
  EXPECT_GT(stats.pid, 0);
  EXPECT_GT(stats.user_us + stats.system_us, 0U);
  EXPECT_EQ(stats.threads, 3U);
}

TEST(StatsText, ItemsListHasOnlyClassesWithItems) {
  SizeClasses classes;
  classes.Store(100);
  classes.Store(110);
  classes.Store(3000);
  classes.Remove(3000);
  SizeTotals totals;
  EXPECT_THAT(ItemsList(totals), IsEmpty());
  classes.AddTo(totals);
  EXPECT_THAT(NamesOf(ItemsList(totals)), ElementsAreArray(WithPrefix("items:2:", kItemFields)));
}

TEST(StatsText, ItemsListShowsWhatIsCounted) {
  SizeTotals totals;
  for (size_t i = 0; i < kClassCounterCount; ++i) {
    totals.Add(39, static_cast<ClassCounter>(i), 10 + i);
  }
  const std::map<std::string, ClassCounter> expected = {
      {"items:39:number", ClassCounter::kItems},
      {"items:39:number_cold", ClassCounter::kItems},
      {"items:39:mem_requested", ClassCounter::kBytes},
      {"items:39:evicted", ClassCounter::kEvicted},
      {"items:39:evicted_nonzero", ClassCounter::kEvictedNonzero},
      {"items:39:evicted_unfetched", ClassCounter::kEvictedUnfetched},
      {"items:39:reclaimed", ClassCounter::kReclaimed},
      {"items:39:expired_unfetched", ClassCounter::kExpiredUnfetched},
      {"items:39:outofmemory", ClassCounter::kOutOfMemory},
  };
  for (const Stat& stat : ItemsList(totals)) {
    const auto found = expected.find(stat.name);
    const size_t value = found == expected.end() ? 0 : 10 + static_cast<size_t>(found->second);
    EXPECT_EQ(stat.value, std::to_string(value)) << stat.name;
  }
}

TEST(StatsText, SlabsListIsThatOfMemcached) {
  SizeClasses classes;
  for (int i = 0; i < 10923; ++i) classes.Store(90);
  SizeTotals totals;
  classes.AddTo(totals);
  const StatList list = SlabsList(totals, 5 << 20);
  std::vector<std::string> names = WithPrefix("1:", kSlabFields);
  names.insert(names.end(), {"active_slabs", "total_malloced"});
  EXPECT_THAT(NamesOf(list), ElementsAreArray(names));
  const auto values = MapOf(list);
  EXPECT_EQ(values.at("1:chunk_size"), "96");
  EXPECT_EQ(values.at("1:chunks_per_page"), "10922");
  EXPECT_EQ(values.at("1:total_pages"), "2");
  EXPECT_EQ(values.at("1:total_chunks"), "21844");
  EXPECT_EQ(values.at("1:used_chunks"), "10923");
  EXPECT_EQ(values.at("1:free_chunks"), "10921");
  EXPECT_EQ(values.at("1:cmd_set"), "10923");
  EXPECT_EQ(values.at("active_slabs"), "1");
  EXPECT_EQ(values.at("total_malloced"), "5242880");
}

TEST(StatsText, SlabsListTellsWhatWasAskedOfAClassThatIsEmptyNow) {
  SizeClasses classes;
  classes.Store(90);
  classes.Remove(90);
  classes.Store(100);
  const std::map<std::string, ClassCounter> rows = {
      {"touch_hits", ClassCounter::kTouchHits}, {"delete_hits", ClassCounter::kDeleteHits},
      {"incr_hits", ClassCounter::kIncrHits},   {"decr_hits", ClassCounter::kDecrHits},
      {"cas_hits", ClassCounter::kCasHits},     {"cas_badval", ClassCounter::kCasBadval}};
  for (const auto& [name, counter] : rows) {
    for (size_t i = 0; i <= static_cast<size_t>(counter); ++i) classes.Count(counter, 90);
  }
  SizeTotals totals;
  classes.AddTo(totals);
  const auto values = MapOf(SlabsList(totals, 0));
  for (const auto& [name, counter] : rows) {
    EXPECT_EQ(values.at("1:" + name), std::to_string(static_cast<size_t>(counter) + 1));
    EXPECT_EQ(values.at("2:" + name), "0");
  }
  EXPECT_EQ(values.at("1:get_hits"), "0") << "a name that exporters insist on";
  EXPECT_EQ(values.at("1:total_pages"), "0");
  EXPECT_EQ(values.at("2:total_pages"), "1");
  EXPECT_EQ(values.at("active_slabs"), "1");
}

// Method: chunks to a page, as memcached prints them at its start.
TEST(StatsText, ChunksToAPageAreThoseOfMemcached) {
  constexpr std::array<uint64_t, 39> kPerPage = {
      10922, 8738, 6898, 5461, 4369, 3449, 2730, 2184, 1747, 1394, 1110, 885, 708,
      564,   451,  361,  288,  230,  184,  147,  118,  94,   75,   60,   48,  38,
      30,    24,   19,   15,   12,   10,   8,    6,    5,    4,    3,    2,   2};
  SizeTotals totals;
  for (size_t i = 1; i < kSizeClassCount; ++i) totals.Add(i, ClassCounter::kItems, 1);
  const auto values = MapOf(SlabsList(totals, 0));
  for (size_t i = 1; i < kSizeClassCount; ++i) {
    EXPECT_EQ(values.at(std::to_string(i) + ":chunks_per_page"), std::to_string(kPerPage[i - 1]));
  }
  EXPECT_EQ(values.at("active_slabs"), "39");
}

TEST(StatsText, AnItemOverTheLargestChunkTakesSeveral) {
  SizeClasses classes;
  classes.Store(kChunkBytesMax * 3 - 5);
  SizeTotals totals;
  classes.AddTo(totals);
  const auto values = MapOf(SlabsList(totals, 0));
  EXPECT_EQ(values.at("39:used_chunks"), "3");
  EXPECT_EQ(values.at("39:total_pages"), "2");
  EXPECT_EQ(values.at("39:free_chunks"), "1");
}

TEST(StatsText, EmptyCacheHasNoSlabs) {
  EXPECT_EQ(StatText(SlabsList({}, 0)), "STAT active_slabs 0\r\nSTAT total_malloced 0\r\nEND\r\n");
}

TEST(StatsText, SizesAreNotTracked) {
  EXPECT_EQ(StatText(SizesStatus()), "STAT sizes_status enabled\r\nEND\r\n");
}

TEST(StatsText, ConnectionsHaveAnAddressAStateAndAnAge) {
  StatList list;
  ConnectionStats client;
  client.id = 23;
  client.address = "tcp:127.0.0.1:35286";
  client.listen_address = "tcp:127.0.0.1:11211";
  client.state = "conn_parse_cmd";
  AppendConnection(list, client);
  ConnectionStats listener;
  listener.id = 24;
  listener.address = "unix:/run/larder";
  listener.state = "conn_listening";
  listener.idle_s = 4;
  AppendConnection(list, listener);
  EXPECT_EQ(StatText(list),
            "STAT 23:addr tcp:127.0.0.1:35286\r\n"
            "STAT 23:listen_addr tcp:127.0.0.1:11211\r\n"
            "STAT 23:state conn_parse_cmd\r\n"
            "STAT 23:secs_since_last_cmd 0\r\n"
            "STAT 24:addr unix:/run/larder\r\n"
            "STAT 24:state conn_listening\r\n"
            "STAT 24:secs_since_last_cmd 4\r\n"
            "END\r\n");
}

TEST(StatsText, SettingsAreAListLikeAnyOther) {
  EXPECT_EQ(StatText({{"maxbytes", "67108864"}, {"inter", "127.0.0.1"}}),
            "STAT maxbytes 67108864\r\nSTAT inter 127.0.0.1\r\nEND\r\n");
  EXPECT_EQ(StatText({}), "END\r\n");
}

TEST(StatsText, FirstWordDecides) {
  EXPECT_EQ(StatsKindOf(""), StatsKind::kGeneral);
  EXPECT_EQ(StatsKindOf("  "), StatsKind::kGeneral);
  EXPECT_EQ(StatsKindOf("items"), StatsKind::kItems);
  EXPECT_EQ(StatsKindOf(" items noreply"), StatsKind::kItems);
  EXPECT_EQ(StatsKindOf("slabs"), StatsKind::kSlabs);
  EXPECT_EQ(StatsKindOf("sizes"), StatsKind::kSizes);
  EXPECT_EQ(StatsKindOf("sizes_enable"), StatsKind::kSizesStatus);
  EXPECT_EQ(StatsKindOf("settings x"), StatsKind::kSettings);
  EXPECT_EQ(StatsKindOf("conns"), StatsKind::kConns);
  EXPECT_EQ(StatsKindOf("reset x"), StatsKind::kReset);
  EXPECT_EQ(StatsKindOf("detail on"), StatsKind::kDetail);
  EXPECT_EQ(StatsKindOf("cachedump 1 0"), StatsKind::kCachedump);
  EXPECT_EQ(StatsKindOf("extstore"), StatsKind::kEmpty);
  EXPECT_EQ(StatsKindOf("proxy"), StatsKind::kEmpty);
  EXPECT_EQ(StatsKindOf("foo"), StatsKind::kUnknown);
  EXPECT_EQ(StatsKindOf("ITEMS"), StatsKind::kUnknown);
  EXPECT_EQ(StatsKindOf("item"), StatsKind::kUnknown);
  EXPECT_EQ(StatsKindOf("resetx"), StatsKind::kUnknown);
}

}  // namespace
}  // namespace larder::stats
