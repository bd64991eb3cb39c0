// Goal: settings.def is consistent; values read, write and show as they should; relations and the
// machine's limits hold; `stats settings` has memcached's names.
#include "config/settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "config/values.h"
#include "util/units.h"

namespace larder::config {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

bool Set(Settings& settings, std::string_view name, std::string_view text) {
  const SettingInfo* info = FindSetting(name);
  EXPECT_NE(info, nullptr) << name;
  return info != nullptr && info->read(*info, text, settings);
}

std::string PlainWhere(std::string_view name) { return std::string(name); }

TEST(SettingsTest, NamesAreUniqueAndHelpIsASentence) {
  std::set<std::string_view> seen;
  for (const SettingInfo& info : AllSettings()) {
    SCOPED_TRACE(info.long_name);
    EXPECT_TRUE(seen.insert(info.long_name).second);
    if (!info.flag.empty()) {
      EXPECT_TRUE(seen.insert(info.flag).second);
    }
    EXPECT_LE(info.flag.size(), 1U);
    EXPECT_GT(info.long_name.size(), 1U);
    EXPECT_TRUE(info.help.ends_with('.'));
    EXPECT_FALSE(info.group.empty());
    EXPECT_FALSE(info.Right().empty());
    EXPECT_EQ(FindSetting(info.long_name), &info);
  }
  EXPECT_EQ(FindSetting("p"), nullptr);
  EXPECT_EQ(FindSetting(""), nullptr);
}

TEST(SettingsTest, DefaultsAreWhatTheListSays) {
  const Settings settings = DefaultSettings();
  for (const SettingInfo& info : AllSettings()) {
    EXPECT_EQ(info.write(settings), info.default_text) << info.long_name;
  }
  EXPECT_EQ(settings.tcp_port, 11211);
  EXPECT_THAT(settings.addresses, ElementsAre(ListenAddress{.host = "127.0.0.1"}));
  EXPECT_EQ(settings.unix_mask, 0700U);
  EXPECT_EQ(settings.memory_bytes_max, 64 * util::kMiB);
  EXPECT_EQ(settings.item_bytes_max, util::kMiB);
  EXPECT_EQ(settings.connections_max, 1024U);
  EXPECT_EQ(settings.threads, kAutoThreads);
  EXPECT_EQ(settings.io, IoChoice::kAuto);
  EXPECT_EQ(settings.idle_timeout_s, 0U);
  EXPECT_FALSE(settings.evictions_disabled);
  EXPECT_EQ(CheckSettings(settings, PlainWhere), std::nullopt);
  EXPECT_EQ(ExposureWarning(settings), std::nullopt);
}

TEST(SettingsTest, VariablesAreNamedAfterFlags) {
  EXPECT_EQ(FindSetting("memory-limit")->Variable(), "LARDER_MEMORY_LIMIT");
  EXPECT_EQ(FindSetting("io")->Variable(), "LARDER_IO");
}

struct ValueCase {
  std::string_view name;
  std::string_view text;
  std::string_view written;  // empty: refused
};

TEST(SettingsTest, ValuesInAndOutOfBounds) {
  const std::vector<ValueCase> cases{
      {"port", "0", "0"},
      {"port", "-1", "-1"},
      {"port", "65535", "65535"},
      {"port", "65536", ""},
      {"port", "-2", ""},
      {"port", "", ""},
      {"port", "11211x", ""},
      {"udp-port", "0", "0"},
      {"udp-port", "1", ""},
      {"udp-port", "-1", ""},
      {"conn-limit", "1", "1"},
      {"conn-limit", "0", ""},
      {"conn-limit", "10000000", "10000000"},
      {"conn-limit", "10000001", ""},
      {"conn-limit", "99999999999999999999", ""},
      {"threads", "auto", "auto"},
      {"threads", "4096", "4096"},
      {"threads", "4097", ""},
      {"threads", "0", ""},
      {"memory-limit", "8", "8m"},
      {"memory-limit", "7", ""},
      {"memory-limit", "8191k", ""},
      {"memory-limit", "1g", "1g"},
      {"memory-limit", "8388609b", "8388609b"},
      {"memory-limit", "16t", "16t"},
      {"memory-limit", "17t", ""},
      {"memory-limit", "18446744073709551615", ""},
      {"max-item-size", "1024", "1k"},
      {"max-item-size", "1023", ""},
      {"max-item-size", "1025", "1025"},
      {"max-item-size", "1g", "1g"},
      {"max-item-size", "1073741825", ""},
      {"idle-timeout", "90", "90s"},
      {"idle-timeout", "10m", "10m"},
      {"idle-timeout", "366d", ""},
      {"unix-mask", "0777", "777"},
      {"unix-mask", "0", "0"},
      {"unix-mask", "1000", ""},
      {"unix-mask", "rwx", ""},
      {"disable-evictions", "yes", "true"},
      {"disable-evictions", "off", "false"},
      {"disable-evictions", "maybe", ""},
      {"disable-evictions", "", ""},
      {"verbose", "3", "3"},
      {"verbose", "4", ""},
      {"io", "uring", "uring"},
      {"io", "epoll", ""},
      {"user", "memcache", "memcache"},
      {"user", "a\nb", ""},
      {"pidfile", "/run/…", "/run/…"},
      {"listen", "localhost", "localhost"},
      {"listen", "::1, 10.0.0.1:3", "[::1],10.0.0.1:3"},
  };
  for (const ValueCase& c : cases) {
    SCOPED_TRACE(std::string(c.name) + " = " + std::string(c.text));
    Settings settings = DefaultSettings();
    EXPECT_EQ(Set(settings, c.name, c.text), !c.written.empty());
    if (c.written.empty()) {
      EXPECT_EQ(settings, DefaultSettings());
      continue;
    }
    EXPECT_EQ(FindSetting(c.name)->write(settings), c.written);
    Settings again = DefaultSettings();
    EXPECT_TRUE(Set(again, c.name, c.written));
    EXPECT_EQ(again, settings);
  }
}

TEST(AddressesTest, WhatIsAnAddress) {
  const std::map<std::string_view, std::string_view> cases{
      {"127.0.0.1", "127.0.0.1"},
      {"127.0.0.1:1", "127.0.0.1:1"},
      {"cache-1.example.org:65535", "cache-1.example.org:65535"},
      {"[::1]:11211", "[::1]:11211"},
      {"[::]", "[::]"},
      {"::", "[::]"},
      {"fe80::1%eth0", "[fe80::1%eth0]"},
      {"1:2:3:4:5:6:7:8", "[1:2:3:4:5:6:7:8]"},
      {"::ffff:10.0.0.1", "[::ffff:10.0.0.1]"},
      {"a,b", "a,b"},
      {"*", "*"},
      {"*:11212,::1", "*:11212,[::1]"},
  };
  for (const auto& [text, written] : cases) {
    EXPECT_EQ(FormatAddresses(ParseAddresses(text)), written) << text;
  }
  for (const std::string_view wrong : {"",
                                       ",",
                                       "a,",
                                       ",a",
                                       "a b",
                                       "256.0.0.1",
                                       "1.2.3",
                                       "1.2.3.4.5",
                                       "1.2.3.0004",
                                       "host:0",
                                       "host:65536",
                                       "host:",
                                       "host:x",
                                       ":11211",
                                       "[::1",
                                       "[::1]x",
                                       "[]",
                                       "[127.0.0.1]",
                                       "[::1]:",
                                       "1:2:3:4:5:6:7",
                                       "1:2:3:4:5:6:7:8:9",
                                       ":::",
                                       "1::2::3",
                                       "12345::",
                                       "::g",
                                       "1:2:3:4:5:6:7:",
                                       ":1:2:3:4:5:6:7",
                                       "::1.2.3",
                                       "-host",
                                       ".host",
                                       "host/x",
                                       "**",
                                       "[*]",
                                       "unix:/x",
                                       "notls:127.0.0.1:1"}) {
    EXPECT_THAT(ParseAddresses(wrong), IsEmpty()) << wrong;
  }
  EXPECT_THAT(ParseAddresses(std::string(254, 'a')), IsEmpty());
}

TEST(AddressesTest, WhoIsPrivate) {
  for (const char* host : {"127.0.0.1", "127.255.255.255", "10.1.2.3", "172.16.0.1",
                           "172.31.255.255", "192.168.0.1", "169.254.1.1", "100.64.0.1", "::1",
                           "fd00::1", "FC00::1", "fe80::1%eth0", "localhost", "cache.internal"}) {
    EXPECT_TRUE(IsPrivate({.host = host})) << host;
  }
  for (const char* host : {"0.0.0.0", "8.8.8.8", "172.15.0.1", "172.32.0.1", "192.169.0.1",
                           "100.128.0.1", "126.0.0.1", "*", "::", "2001:db8::1", "fc::1", "::2"}) {
    EXPECT_FALSE(IsPrivate({.host = host})) << host;
  }
}

TEST(CheckSettingsTest, AnItemFitsHalfTheMemory) {
  Settings settings = DefaultSettings();
  settings.memory_bytes_max = 8 * util::kMiB;
  settings.item_bytes_max = 4 * util::kMiB;
  EXPECT_EQ(CheckSettings(settings, PlainWhere), std::nullopt);
  ++settings.item_bytes_max;
  EXPECT_EQ(
      CheckSettings(settings, PlainWhere),
      "max-item-size: an item of 4194305 is over half of the memory limit of 8m; give at most "
      "4m, or raise -m (--memory-limit)");
}

TEST(CheckSettingsTest, EachThreadHasAddressesForItsMemory) {
  Settings settings = DefaultSettings();
  settings.memory_bytes_max = 40 * util::kGiB;
  EXPECT_EQ(CheckSettings(settings, PlainWhere), std::nullopt) << "not known yet";
  settings.threads = 3;
  EXPECT_EQ(CheckSettings(settings, PlainWhere), std::nullopt);
  settings.threads = 2;
  EXPECT_EQ(CheckSettings(settings, PlainWhere),
            "memory-limit: 40g needs at least 3 threads, for one uses 16g at most; give -t "
            "(--threads) 3 or more, or at most 32g");
  settings.memory_bytes_max = 32 * util::kGiB;
  EXPECT_EQ(CheckSettings(settings, PlainWhere), std::nullopt);
}

TEST(CheckSettingsTest, SomethingListens) {
  Settings settings = DefaultSettings();
  settings.tcp_port = 0;
  EXPECT_FALSE(settings.ServesTcp());
  EXPECT_EQ(CheckSettings(settings, PlainWhere),
            "port: 0 leaves nothing to listen on; give a port, or a UNIX socket with -s "
            "(--unix-socket)");
  settings.addresses = ParseAddresses("127.0.0.1:3");
  EXPECT_TRUE(settings.ServesTcp());
  EXPECT_EQ(CheckSettings(settings, PlainWhere), std::nullopt);
  settings = DefaultSettings();
  settings.tcp_port = 0;
  settings.unix_socket = "/run/larder.sock";
  EXPECT_FALSE(settings.ServesTcp());
  EXPECT_EQ(CheckSettings(settings, PlainWhere), std::nullopt);
}

TEST(CheckSettingsTest, AUnixPathFitsTheKernel) {
  Settings settings = DefaultSettings();
  settings.unix_socket = std::string(107, 'a');
  EXPECT_EQ(CheckSettings(settings, PlainWhere), std::nullopt);
  settings.unix_socket += 'a';
  EXPECT_EQ(CheckSettings(settings, PlainWhere),
            "unix-socket: the path has 108 bytes; give one of at most 107");
}

TEST(FitToMachineTest, AutomaticThreadsAreTheCpus) {
  Settings settings = DefaultSettings();
  EXPECT_THAT(FitToMachine({.cpus = 6}, settings), IsEmpty());
  EXPECT_EQ(settings.threads, 6U);
  EXPECT_THAT(FitToMachine({.cpus = 2}, settings), IsEmpty());
  EXPECT_EQ(settings.threads, 6U) << "a number stays";
  settings.threads = kAutoThreads;
  FitToMachine({.cpus = 100'000}, settings);
  EXPECT_EQ(settings.threads, 4096U);
  settings.threads = kAutoThreads;
  FitToMachine({.cpus = 0}, settings);
  EXPECT_EQ(settings.threads, 1U);
}

TEST(FitToMachineTest, MemoryStaysUnderTheCgroup) {
  Settings settings = DefaultSettings();
  settings.memory_bytes_max = util::kGiB;
  EXPECT_THAT(FitToMachine({.memory_limit_bytes = 2 * util::kGiB}, settings), IsEmpty());
  EXPECT_EQ(settings.memory_bytes_max, util::kGiB);
  EXPECT_THAT(
      FitToMachine({.memory_limit_bytes = 512 * util::kMiB}, settings),
      ElementsAre("memory limit: 1g does not fit under the cgroup's limit of 512m; using 470m, "
                  "give -m (--memory-limit) no more than that or raise the cgroup's limit"));
  EXPECT_EQ(settings.memory_bytes_max, 470 * util::kMiB);
  // What the process may become (F10): 1.05 × limit + 16 MB.
  EXPECT_LE(settings.memory_bytes_max / 20 * 21 + 16 * util::kMiB, 512 * util::kMiB);
  settings.memory_bytes_max = util::kGiB;
  EXPECT_EQ(FitToMachine({.memory_limit_bytes = 1}, settings).size(), 1U);
  EXPECT_EQ(settings.memory_bytes_max, 8 * util::kMiB) << "never under the least";
}

TEST(ExposureWarningTest, NamesTheAddressesInQuestion) {
  Settings settings = DefaultSettings();
  settings.addresses = ParseAddresses("127.0.0.1,0.0.0.0:3,[::]");
  EXPECT_THAT(ExposureWarning(settings).value_or(""), HasSubstr("listening on 0.0.0.0:3,[::]: "));
  settings.unix_socket = "/run/x";
  EXPECT_EQ(ExposureWarning(settings), std::nullopt) << "TCP is off";
}

std::map<std::string, std::string> Stats(const Settings& settings) {
  const auto lines = StatsSettings(settings);
  return {lines.begin(), lines.end()};
}

TEST(StatsSettingsTest, HasEveryNameOnce) {
  const auto lines = StatsSettings(DefaultSettings());
  std::set<std::string> names;
  for (const auto& [name, value] : lines) {
    EXPECT_TRUE(names.insert(name).second) << name;
    EXPECT_FALSE(value.empty()) << name;
  }
  for (const SettingInfo& info : AllSettings()) {
    std::string name(info.stats_name);
    if (name.starts_with('!')) name.erase(0, 1);
    if (!name.empty()) {
      EXPECT_EQ(names.count(name), 1U) << name;
    }
  }
  EXPECT_EQ(lines.front().first, "maxbytes");
  EXPECT_EQ(lines.size(), 79U);
}

TEST(StatsSettingsTest, DefaultsReadLikeMemcacheds) {
  Settings settings = DefaultSettings();
  settings.threads = 4;
  const auto stats = Stats(settings);
  for (const auto& [name, value] : std::map<std::string, std::string>{{"maxbytes", "67108864"},
                                                                      {"maxconns", "1024"},
                                                                      {"tcpport", "11211"},
                                                                      {"udpport", "0"},
                                                                      {"inter", "127.0.0.1"},
                                                                      {"verbosity", "0"},
                                                                      {"evictions", "on"},
                                                                      {"domain_socket", "NULL"},
                                                                      {"umask", "700"},
                                                                      {"shutdown_command", "no"},
                                                                      {"num_threads", "4"},
                                                                      {"reqs_per_event", "512"},
                                                                      {"tcp_backlog", "1024"},
                                                                      {"item_size_max", "1048576"},
                                                                      {"flush_enabled", "yes"},
                                                                      {"idle_timeout", "0"},
                                                                      {"ssl_enabled", "no"}}) {
    EXPECT_EQ(stats.at(name), value) << name;
  }
}

TEST(StatsSettingsTest, FollowsTheSettings) {
  Settings settings = DefaultSettings();
  settings.evictions_disabled = true;
  settings.flush_disabled = true;
  settings.shutdown_enabled = true;
  settings.unix_socket = "/run/x";
  settings.unix_mask = 0770;
  settings.addresses = ParseAddresses("10.0.0.1,::1");
  settings.idle_timeout_s = 60;
  settings.memory_bytes_max = 128 * util::kMiB;
  const auto stats = Stats(settings);
  EXPECT_EQ(stats.at("evictions"), "off");
  EXPECT_EQ(stats.at("flush_enabled"), "no");
  EXPECT_EQ(stats.at("shutdown_command"), "yes");
  EXPECT_EQ(stats.at("domain_socket"), "/run/x");
  EXPECT_EQ(stats.at("umask"), "770");
  EXPECT_EQ(stats.at("inter"), "10.0.0.1,[::1]");
  EXPECT_EQ(stats.at("idle_timeout"), "60");
  EXPECT_EQ(stats.at("maxbytes"), "134217728");
}

}  // namespace
}  // namespace larder::config
