// Goal: every flag and every -o sub-option of memcached 1.6.45 is known: it sets something, is
// ignored with a line, or is refused with a sentence; none is in two lists.
// Method: the two lists of memcached 1.6.45, written down here once more, against ours.
#include "config/memcached_flags.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "config/settings.h"

namespace larder::config {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// Flags that the command line itself knows.
const std::map<std::string_view, std::string_view> kOwn{
    {"h", "help"}, {"V", "version"}, {"i", "license"}, {"o", "extended"}};

// Of memcached 1.6.45, with the long name; an upper-case Y: it takes a value.
struct Known {
  std::string_view flag, long_name;
  bool takes_value;
};
const std::vector<Known> kMemcached{
    {"p", "port", true},
    {"U", "udp-port", true},
    {"s", "unix-socket", true},
    {"a", "unix-mask", true},
    {"A", "enable-shutdown", false},
    {"l", "listen", true},
    {"d", "daemon", false},
    {"r", "enable-coredumps", false},
    {"u", "user", true},
    {"m", "memory-limit", true},
    {"M", "disable-evictions", false},
    {"c", "conn-limit", true},
    {"k", "lock-memory", false},
    {"v", "verbose", false},
    {"h", "help", false},
    {"i", "license", false},
    {"V", "version", false},
    {"P", "pidfile", true},
    {"f", "slab-growth-factor", true},
    {"n", "slab-min-size", true},
    {"L", "enable-largepages", false},
    {"D", "", true},
    {"t", "threads", true},
    {"R", "max-reqs-per-event", true},
    {"C", "disable-cas", false},
    {"b", "listen-backlog", true},
    {"B", "protocol", true},
    {"I", "max-item-size", true},
    {"S", "enable-sasl", false},
    {"F", "disable-flush-all", false},
    {"X", "disable-dumping", false},
    {"W", "disable-watch", false},
    {"Y", "auth-file", true},
    {"e", "memory-file", true},
    {"Z", "enable-ssl", false},
    {"o", "extended", true},
    {"N", "napi-ids", true},
};

// How often a flag of memcached is known here, and that it is known alike.
int TimesKnown(const Known& known) {
  int times = 0;
  for (const SettingInfo& info : AllSettings()) {
    if (info.flag != known.flag) continue;
    ++times;
    if (!known.long_name.empty()) {
      EXPECT_EQ(info.long_name, known.long_name);
    }
    EXPECT_EQ(info.IsFlagOnly(), !known.takes_value);
  }
  for (const MemcachedFlag& flag : MemcachedFlags()) {
    if (flag.flag != known.flag) continue;
    ++times;
    EXPECT_EQ(flag.long_name, known.long_name);
    EXPECT_EQ(flag.takes_value, known.takes_value);
  }
  const auto own = kOwn.find(known.flag);
  if (own != kOwn.end()) {
    ++times;
    EXPECT_EQ(own->second, known.long_name);
  }
  return times;
}

TEST(MemcachedFlagsTest, EveryFlagIsKnownOnce) {
  for (const Known& known : kMemcached) EXPECT_EQ(TimesKnown(known), 1) << known.flag;
}

TEST(MemcachedFlagsTest, NoOtherFlagHasOneLetter) {
  std::set<std::string_view> flags;
  for (const Known& known : kMemcached) flags.insert(known.flag);
  for (const SettingInfo& info : AllSettings()) {
    EXPECT_TRUE(info.flag.empty() || flags.contains(info.flag)) << info.flag;
  }
  for (const MemcachedFlag& flag : MemcachedFlags()) {
    EXPECT_TRUE(flags.contains(flag.flag)) << flag.flag;
    EXPECT_FALSE(flag.why.empty());
    EXPECT_FALSE(flag.why.ends_with('.'));
  }
}

// Of memcached 1.6.45: those that take no value, or may, and those that must have one.
const std::vector<std::string> kPlain{
    "maxconns_fast",    "no_maxconns_fast",   "no_hashexpand",     "lru_crawler",
    "no_lru_crawler",   "resp_obj_mem_limit", "lru_maintainer",    "no_lru_maintainer",
    "slab_reassign",    "no_slab_reassign",   "slab_automove",     "no_slab_automove",
    "no_chunked_items", "track_sizes",        "inline_ascii_resp", "no_inline_ascii_resp",
    "modern",           "no_modern",          "drop_privileges",   "no_drop_privileges",
    "ext_drop_unread",  "ssl_session_cache",  "ssl_kernel_tls",    "proxy_uring",
    "proxy_memprofile"};
const std::vector<std::string> kValued{"hashpower",
                                       "tail_repair_time",
                                       "hash_algorithm",
                                       "lru_crawler_sleep",
                                       "lru_crawler_tocrawl",
                                       "read_buf_mem_limit",
                                       "hot_lru_pct",
                                       "warm_lru_pct",
                                       "hot_max_factor",
                                       "warm_max_factor",
                                       "temporary_ttl",
                                       "idle_timeout",
                                       "slab_sizes",
                                       "slab_chunk_max",
                                       "slab_automove_ratio",
                                       "slab_automove_window",
                                       "slab_automove_freeratio",
                                       "watcher_logbuf_size",
                                       "worker_logbuf_size",
                                       "sock_cookie_id",
                                       "ext_path",
                                       "ext_page_size",
                                       "ext_wbuf_size",
                                       "ext_threads",
                                       "ext_io_depth",
                                       "ext_item_size",
                                       "ext_item_age",
                                       "ext_low_ttl",
                                       "ext_recache_rate",
                                       "ext_compact_under",
                                       "ext_drop_under",
                                       "ext_max_frag",
                                       "ext_max_sleep",
                                       "ssl_chain_cert",
                                       "ssl_key",
                                       "ssl_keyformat",
                                       "ssl_verify_mode",
                                       "ssl_ciphers",
                                       "ssl_ca_cert",
                                       "ssl_wbuf_size",
                                       "ssl_min_version",
                                       "proxy_config",
                                       "proxy_arg"};

// What one text of -o comes to: "set", "ignored", "as it is", or the problem.
std::string Fate(const std::string& text) {
  const Extended extended = ReadExtended(text, "-o");
  if (!extended.problem.empty()) return extended.problem;
  EXPECT_LE(extended.settings.size() + extended.warnings.size(), 1U) << text;
  if (!extended.settings.empty()) return "set";
  return extended.warnings.empty() ? "as it is" : "ignored";
}

TEST(ExtendedTest, EverySubOptionOfMemcachedIsAccepted) {
  for (const std::string& name : kPlain) {
    const bool asked_for_what_is = name == "maxconns_fast" || name == "lru_crawler" ||
                                   name == "lru_maintainer" || name == "slab_reassign" ||
                                   name == "slab_automove" || name == "modern";
    EXPECT_EQ(Fate(name), asked_for_what_is ? "as it is" : "ignored") << name;
    EXPECT_EQ(Fate(name + "=1"), Fate(name)) << "as in memcached";
  }
  for (const std::string& name : kValued) {
    EXPECT_EQ(Fate(name + "=1"), name == "idle_timeout" ? "set" : "ignored") << name;
    EXPECT_EQ(Fate(name), "-o: " + name + " needs a value; give " + name + "=VALUE");
  }
  EXPECT_EQ(ExtendedNames().size(), kPlain.size() + kValued.size());
}

TEST(ExtendedTest, SettingsAreThoseOfTheList) {
  const Extended extended = ReadExtended("idle_timeout=90,modern", "-o");
  ASSERT_EQ(extended.settings.size(), 1U);
  EXPECT_NE(FindSetting(extended.settings[0].first), nullptr);
  EXPECT_EQ(extended.settings[0].first, "idle-timeout");
  EXPECT_EQ(extended.settings[0].second, "90");
}

TEST(ExtendedTest, WhatIsIgnoredSaysSoWithItsReason) {
  EXPECT_THAT(ReadExtended("hot_lru_pct=20,no_hashexpand", "-o (--extended)").warnings,
              ElementsAre(HasSubstr("-o (--extended): hot_lru_pct is ignored: there are no LRU"),
                          HasSubstr("-o (--extended): no_hashexpand is ignored: the table grows")));
}

TEST(ExtendedTest, CommasAreMemcacheds) {
  EXPECT_EQ(Fate(""), "as it is");
  EXPECT_EQ(Fate("modern,"), "as it is");
  EXPECT_EQ(Fate("modern,idle_timeout=5"), "set");
}

TEST(ExtendedTest, AnUnknownOneIsAProblem) {
  EXPECT_EQ(Fate("hash_algoritm=xxh3"),
            "-o: no sub-option is called \"hash_algoritm\"; did you mean hash_algorithm?");
  EXPECT_EQ(Fate("modern,fruit"), "-o: no sub-option is called \"fruit\"; leave it out");
  EXPECT_EQ(Fate("=3"), "-o: no sub-option is called \"\"; leave it out");
  EXPECT_EQ(Fate(" modern"), "-o: no sub-option is called \" modern\"; did you mean modern?");
}

}  // namespace
}  // namespace larder::config
