// Goal: every setting by every way; flag over environment over file over default; every wrong word
// stops the start with one sentence: what, where, and what would be right.
#include "config/cli.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/help.h"
#include "larder/version.h"
#include "util/units.h"

namespace larder::config {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// A process's surroundings: a command line, variables, and perhaps a file at `file_path`.
class CliTest : public ::testing::Test {
 protected:
  CliTest()
      : file_path_(::testing::TempDir() + "larder_cli_" +
                   std::to_string(reinterpret_cast<uintptr_t>(this)) + "_" +
                   ::testing::UnitTest::GetInstance()->current_test_info()->name() + ".conf") {}
  ~CliTest() override { std::filesystem::remove(file_path_); }

  void WriteFile(std::string_view text) { std::ofstream(file_path_, std::ios::binary) << text; }

  [[nodiscard]] static ParseResult Parse(const std::vector<std::string>& arguments,
                                         const std::vector<std::string>& environment = {},
                                         const Machine& machine = {.cpus = 3}) {
    std::vector<const char*> argv{"larderd"};
    for (const std::string& argument : arguments) argv.push_back(argument.c_str());
    std::vector<const char*> variables;
    for (const std::string& variable : environment) variables.push_back(variable.c_str());
    variables.push_back(nullptr);
    return ParseSettings(static_cast<int>(argv.size()), argv.data(), variables.data(), machine);
  }

  // The sentence of a refused start.
  [[nodiscard]] static std::string Wrong(const std::vector<std::string>& arguments,
                                         const std::vector<std::string>& environment = {}) {
    const ParseResult result = Parse(arguments, environment);
    EXPECT_EQ(result.start, Start::kWrong);
    return result.text;
  }
  // The same, of a start with `text` in the file; the file's path is cut out.
  [[nodiscard]] std::string WrongFile(std::string_view text) {
    WriteFile(text);
    std::string sentence = Wrong({"--config", file_path_});
    const size_t at = sentence.find(file_path_);
    EXPECT_NE(at, std::string::npos) << sentence;
    if (at != std::string::npos) sentence.replace(at, file_path_.size(), "FILE");
    return sentence;
  }
  [[nodiscard]] static Settings Right(const std::vector<std::string>& arguments,
                                      const std::vector<std::string>& environment = {}) {
    ParseResult result = Parse(arguments, environment);
    EXPECT_EQ(result.start, Start::kRun) << result.text;
    return result.settings;
  }

  std::string file_path_;
};

std::vector<std::string> Words(std::string_view line) {
  std::vector<std::string> words;
  while (!line.empty()) {
    const size_t end = std::min(line.find(' '), line.size());
    if (end > 0) words.emplace_back(line.substr(0, end));
    line.remove_prefix(std::min(end + 1, line.size()));
  }
  return words;
}

// A value for each setting that is not its default.
const std::map<std::string_view, std::string>& OtherValues() {
  static const std::map<std::string_view, std::string> values{
      {"port", "1234"},
      {"listen", "127.0.0.1:7,[::1]"},
      {"unix-socket", "/run/larder.sock"},
      {"unix-mask", "770"},
      {"udp-port", "0"},
      {"conn-limit", "7"},
      {"listen-backlog", "8"},
      {"protocol", "ascii"},
      {"idle-timeout", "9s"},
      {"admin-listen", "localhost:0"},
      {"http-on-main-port", "true"},
      {"redis-metrics", "true"},
      {"memory-limit", "100m"},
      {"max-item-size", "2m"},
      {"disable-evictions", "true"},
      {"threads", "5"},
      {"max-reqs-per-event", "6"},
      {"io", "event"},
      {"enable-shutdown", "true"},
      {"disable-flush-all", "true"},
      {"prefix-delimiter", "."},
      {"auth-file", "/etc/larder/users"},
      {"enable-sasl", "true"},
      {"disable-dumping", "true"},
      {"disable-watch", "true"},
      {"redis-port", "6379"},
      {"requirepass", "secret"},
      {"databases", "4"},
      {"keys-output-limit", "100"},
      {"cluster-mode", "emulated"},
      {"cluster-announce-ip", "cache.example"},
      {"enable-debug-command", "true"},
      {"user", "nobody"},
      {"lock-memory", "true"},
      {"enable-coredumps", "true"},
      {"pidfile", "/run/larder.pid"},
      {"daemon", "true"},
      {"verbose", "1"},
  };
  return values;
}

TEST_F(CliTest, NothingGivesTheDefaults) {
  Settings expected = DefaultSettings();
  expected.threads = 3;
  EXPECT_EQ(Right({}), expected);
  const ParseResult bare = ParseSettings(0, nullptr, nullptr, {});
  EXPECT_EQ(bare.start, Start::kRun);
  EXPECT_THAT(bare.warnings, IsEmpty());
}

TEST_F(CliTest, EverySettingByEveryWay) {
  for (const SettingInfo& info : AllSettings()) {
    SCOPED_TRACE(info.long_name);
    ASSERT_EQ(OtherValues().count(info.long_name), 1U);
    const std::string value = OtherValues().at(info.long_name);
    Settings expected = Right({});
    ASSERT_TRUE(info.read(info, value, expected));
    const std::string long_flag = "--" + std::string(info.long_name);
    if (info.IsFlagOnly()) {
      EXPECT_EQ(Right({long_flag}), expected);
    } else {
      EXPECT_EQ(Right({long_flag, value}), expected);
    }
    EXPECT_EQ(Right({long_flag + "=" + value}), expected);
    if (!info.flag.empty()) {
      const std::string flag = "-" + std::string(info.flag);
      EXPECT_EQ(info.IsFlagOnly() ? Right({flag}) : Right({flag, value}), expected);
      if (!info.IsFlagOnly()) {
        EXPECT_EQ(Right({flag + value}), expected);
      }
    }
    EXPECT_EQ(Right({}, {info.Variable() + "=" + value}), expected);
    for (const std::string& text :
         {value, "\"" + value + "\"", "'" + value + "'", "['" + value + "']"}) {
      WriteFile(std::string(info.long_name) + " = " + text + "\n");
      EXPECT_EQ(Right({"--config", file_path_}), expected) << text;
    }
  }
}

TEST_F(CliTest, FlagOverEnvironmentOverFileOverDefault) {
  // Method: each of the eight combinations of sources, for a value of each shape.
  struct Case {
    std::string_view name, flag_value, environment_value, file_value;
  };
  for (const Case& c : std::vector<Case>{{"port", "1", "2", "3"},
                                         {"memory-limit", "11m", "12m", "13m"},
                                         {"listen", "127.0.0.1", "127.0.0.2", "127.0.0.3"},
                                         {"user", "a", "b", "c"},
                                         {"io", "uring", "event", "auto"},
                                         {"verbose", "1", "2", "3"},
                                         {"daemon", "true", "false", "true"},
                                         {"daemon", "false", "true", "false"}}) {
    const SettingInfo& info = *FindSetting(c.name);
    for (int sources = 0; sources < 8; ++sources) {
      std::vector<std::string> arguments{"--config", file_path_};
      std::vector<std::string> environment;
      std::string expected(info.default_text);
      WriteFile((sources & 1) != 0
                    ? std::string(c.name) + " = \"" + std::string(c.file_value) + "\"\n"
                    : "# nothing\n");
      if ((sources & 1) != 0) expected = c.file_value;
      if ((sources & 2) != 0) {
        environment.push_back(info.Variable() + "=" + std::string(c.environment_value));
        expected = c.environment_value;
      }
      if ((sources & 4) != 0) {
        arguments.push_back("--" + std::string(c.name) + "=" + std::string(c.flag_value));
        expected = c.flag_value;
      }
      EXPECT_EQ(info.write(Right(arguments, environment)), expected) << c.name << " " << sources;
    }
  }
}

TEST_F(CliTest, TheFileComesByFlagOrVariable) {
  WriteFile("port = 5\n");
  EXPECT_EQ(Right({}, {"LARDER_CONFIG=" + file_path_}).tcp_port, 5);
  EXPECT_EQ(Right({"--config=" + file_path_}, {"LARDER_CONFIG=/nonexistent"}).tcp_port, 5);
  EXPECT_EQ(Right({"--config", "/nonexistent", "--config", file_path_}).tcp_port, 5);
}

TEST_F(CliTest, AnEmptyVariableIsNotSet) {
  EXPECT_EQ(Right({}, {"LARDER_PORT=", "LARDER_CONFIG=", "OTHER=1"}).tcp_port, 11211);
}

TEST_F(CliTest, OfAFlagGivenTwiceTheLastCounts) {
  const Settings settings = Right(Words("-p 1 -m 10 --port 2 -m20m"));
  EXPECT_EQ(settings.tcp_port, 2);
  EXPECT_EQ(settings.memory_bytes_max, 20 * util::kMiB);
  EXPECT_TRUE(Right(Words("-d -d")).daemon);
  EXPECT_FALSE(Right(Words("-d --daemon=false")).daemon);
}

TEST_F(CliTest, AddressesAddUpWithinTheFlags) {
  EXPECT_EQ(FindSetting("listen")->write(Right(Words("-l 127.0.0.1 -l ::1,localhost:3"))),
            "127.0.0.1,[::1],localhost:3");
  EXPECT_EQ(FindSetting("listen")->write(Right(Words("-l [::1]:2 -l[::1]:3"))), "[::1]:2,[::1]:3");
  EXPECT_EQ(Right({"-l", "::1"}, {"LARDER_LISTEN=10.0.0.1"}).addresses.size(), 1U);
  WriteFile("listen = [\"127.0.0.1\",\n '::1']\n");
  EXPECT_EQ(Right({"--config", file_path_}).addresses.size(), 2U);
}

TEST_F(CliTest, VerbosityCounts) {
  EXPECT_EQ(Right({"-v"}).verbosity, 1U);
  EXPECT_EQ(Right({"-vv"}).verbosity, 2U);
  EXPECT_EQ(Right({"-v", "-vv"}).verbosity, 3U);
  EXPECT_EQ(Right({"-vvvvvvvv"}).verbosity, 3U);
  EXPECT_EQ(Right({"--verbose", "--verbose"}).verbosity, 2U);
  EXPECT_EQ(Right({"--verbose=2"}).verbosity, 2U);
}

TEST_F(CliTest, FlagsStandTogetherAsInMemcached) {
  const Settings settings = Right(Words("-vMAFdp1 -c2"));
  EXPECT_EQ(settings.verbosity, 1U);
  EXPECT_TRUE(settings.evictions_disabled);
  EXPECT_TRUE(settings.shutdown_enabled);
  EXPECT_TRUE(settings.flush_disabled);
  EXPECT_TRUE(settings.daemon);
  EXPECT_EQ(settings.tcp_port, 1);
  EXPECT_EQ(settings.connections_max, 2U);
}

TEST_F(CliTest, DebiansUsualLinesAreTaken) {
  const Settings settings =
      Right(Words("-m 64 -p 11211 -u memcache -l 127.0.0.1 -l ::1 -P /run/memcached.pid -U 0"));
  EXPECT_EQ(settings.user, "memcache");
  EXPECT_EQ(settings.addresses.size(), 2U);
}

TEST_F(CliTest, NegativeOneIsAPortNotAFlag) {
  EXPECT_EQ(Right(Words("-p -1")).tcp_port, -1);
  EXPECT_EQ(Right({"--port=-1"}).tcp_port, -1);
  EXPECT_EQ(Right({"-p-1"}).tcp_port, -1);
}

TEST_F(CliTest, InformationIsPrinted) {
  for (const char* flag : {"-h", "--help"}) {
    const ParseResult result = Parse({flag});
    EXPECT_EQ(result.start, Start::kPrint);
    EXPECT_EQ(result.text, HelpText());
  }
  for (const char* flag : {"-V", "--version"}) {
    const ParseResult result = Parse({flag});
    EXPECT_EQ(result.start, Start::kPrint);
    EXPECT_EQ(result.text, std::string("memcached 1.6.45\nlarderd ") + kVersion + "\n");
  }
  for (const char* flag : {"-i", "--license"}) {
    const ParseResult result = Parse({flag});
    EXPECT_EQ(result.start, Start::kPrint);
    EXPECT_EQ(result.text, LicenseText());
  }
  EXPECT_EQ(Parse({"--print-config"}).text, ConfigTemplate());
  EXPECT_EQ(Parse(Words("-h --nonsense -p x"), {"LARDER_X=1"}).start, Start::kPrint)
      << "who asks for help gets it";
}

TEST_F(CliTest, WrongFlags) {
  const std::map<std::string_view, std::string_view> cases{
      {"-t 0",
       "-t (--threads): \"0\" is not possible; give a whole number from 1 to 4096, or auto."},
      {"-c 0", "-c (--conn-limit): \"0\" is not possible; give a whole number from 1 to 10000000."},
      {"-c -1",
       "-c (--conn-limit): \"-1\" is not possible; give a whole number from 1 to 10000000."},
      {"-l foo:bar",
       "-l (--listen): \"foo:bar\" is not possible; give addresses such as 127.0.0.1, "
       "10.0.0.1:11212 or [::1]:11211, separated by commas."},
      {"-l 127.0.0.1 -l 1.2.3.400",
       "-l (--listen): \"127.0.0.1,1.2.3.400\" is not possible; give addresses such as 127.0.0.1, "
       "10.0.0.1:11212 or [::1]:11211, separated by commas."},
      {"-I 1000",
       "-I (--max-item-size): \"1000\" is not possible; give a size from 1k to 1g, such as 512k."},
      {"-I 2g",
       "-I (--max-item-size): \"2g\" is not possible; give a size from 1k to 1g, such as 512k."},
      {"-I 33m",
       "-I (--max-item-size): an item of 33m is over half of the memory limit of 64m; give "
       "at most 32m, or raise -m (--memory-limit)."},
      {"-U 11211",
       "-U (--udp-port): \"11211\" is not possible; give 0: there is no UDP, because one forged "
       "packet to a cache makes it send 51,000 times as much to a victim."},
      {"-m 0",
       "-m (--memory-limit): \"0\" is not possible; give megabytes, or a size with a unit such "
       "as 512m or 2g, from 8m to 16t."},
      {"-p 70000",
       "-p (--port): \"70000\" is not possible; give a port from 1 to 65535, 0 for none, "
       "or -1 for any free one."},
      {"-p 0",
       "-p (--port): 0 leaves nothing to listen on; give a port, or a UNIX socket with -s "
       "(--unix-socket)."},
      {"-a 999",
       "-a (--unix-mask): \"999\" is not possible; give octal permissions from 0 to 777."},
      {"-R 0",
       "-R (--max-reqs-per-event): \"0\" is not possible; give a whole number from 1 to 1000000."},
      {"-b 0",
       "-b (--listen-backlog): \"0\" is not possible; give a whole number from 1 to 65535."},
      {"--io=epoll", "--io: \"epoll\" is not possible; give auto, uring or event."},
      {"--idle-timeout 5x",
       "--idle-timeout: \"5x\" is not possible; give a time up to 365d, such as "
       "90s or 10m, or 0 for never."},
      {"--daemon=maybe", "-d (--daemon): \"maybe\" is not possible; give true or false."},
      {"--verbose=4", "-v (--verbose): \"4\" is not possible; give a whole number from 0 to 3."},
      {"-B http",
       "-B (--protocol): \"http\" is not possible; give auto, ascii or binary; a cache is no web "
       "server."},
      {"--enable-ssl",
       "-Z (--enable-ssl): larderd does not speak TLS yet; leave it out, and listen where nobody "
       "else does."},
      {"-vvZ",
       "-Z (--enable-ssl): larderd does not speak TLS yet; leave it out, and listen where nobody "
       "else does."},
      {"-e /x",
       "-e (--memory-file): larderd cannot keep its items over a restart yet; leave it out."},
      {"-D ab", "-D (--prefix-delimiter): \"ab\" is not possible; give one byte, such as a colon."},
      {"-o modrn", "-o (--extended): no sub-option is called \"modrn\"; did you mean modern?"},
      {"-o idle_timeout=x",
       "-o (--extended): idle-timeout: \"x\" is not possible; give a time up to 365d, such as 90s "
       "or 10m, or 0 for never."},
      {"-o hashpower", "-o (--extended): hashpower needs a value; give hashpower=VALUE."},
      {"-o", "-o: no value follows; give one."},
      {"-f", "-f: no value follows; give one."},
      {"-z", "-z: no such flag; larderd -h lists them."},
      {"-1", "-1: no such flag; larderd -h lists them."},
      {"--porrt 3", "--porrt: no such flag; did you mean --port?"},
      {"--memory_limit=3", "--memory_limit: no such flag; did you mean --memory-limit?"},
      {"--hlep", "--hlep: no such flag; did you mean --help?"},
      {"--fruit", "--fruit: no such flag; larderd -h lists them."},
      {"extra", "\"extra\": larderd takes flags only; larderd -h lists them."},
      {"-d no", "\"no\": larderd takes flags only; larderd -h lists them."},
      {"-m",
       "-m (--memory-limit): no value follows; give megabytes, or a size with a unit such as "
       "512m or 2g, from 8m to 16t."},
      {"-vp",
       "-p (--port): no value follows; give a port from 1 to 65535, 0 for none, or -1 for any "
       "free one."},
      {"--io", "--io: no value follows; give auto, uring or event."},
      {"--config", "--config: no value follows; give one."},
      {"--port= 3",
       "-p (--port): no value after =; give a port from 1 to 65535, 0 for none, or -1 "
       "for any free one."},
      {"--config /nonexistent/larder.conf",
       "/nonexistent/larder.conf: cannot be read (No such file or directory); give --config a file "
       "that larderd may read."},
      {"--config /", "/: cannot be read; give --config a regular file."},
      {"--http-on-main-port --requirepass=x",
       "--http-on-main-port: a browser cannot say who it is there, as all clients have to; leave "
       "it "
       "out, and look at --admin-listen."},
      {"--memcached-conf /nonexistent/m.conf",
       "/nonexistent/m.conf: cannot be read (No such file or directory); give --memcached-conf a "
       "file that larderd may read."},
      {"--memcached-conf /", "/: cannot be read; give --memcached-conf a regular file."},
  };
  for (const auto& [line, sentence] : cases) {
    const std::string expected = "larderd: " + std::string(sentence) + "\n";
    EXPECT_EQ(Wrong(Words(line)), expected) << line;
  }
}

TEST_F(CliTest, BytesOfTheCommandLineAreEscaped) {
  EXPECT_THAT(Wrong({"-u", "a\x1b\n"}),
              HasSubstr("-u (--user): \"a\\x1b\\n\" is not possible; give a text "
                        "without control characters."));
  EXPECT_THAT(Wrong({"-p", std::string(5000, 'x')}),
              HasSubstr("x\"… (5000 bytes) is not possible"));
  EXPECT_THAT(Wrong({"--no\nsuch"}), HasSubstr("--no\\nsuch: no such flag"));
  EXPECT_THAT(Wrong({""}), HasSubstr("\"\": larderd takes flags only"));
}

TEST_F(CliTest, WrongVariables) {
  const std::map<std::string_view, std::string_view> cases{
      {"LARDER_PORT=x",
       "LARDER_PORT (environment): \"x\" is not possible; give a port from 1 to "
       "65535, 0 for none, or -1 for any free one."},
      {"LARDER_THREADS=0",
       "LARDER_THREADS (environment): \"0\" is not possible; give a whole number "
       "from 1 to 4096, or auto."},
      {"LARDER_MAX_ITEM_SIZE=40m",
       "LARDER_MAX_ITEM_SIZE (environment): an item of 40m is over half of the memory limit of "
       "64m; "
       "give at most 32m, or raise -m (--memory-limit)."},
      {"LARDER_PROT=1", "LARDER_PROT (environment): no such setting; did you mean LARDER_PORT?"},
      {"LARDER_MEMORYLIMIT=",
       "LARDER_MEMORYLIMIT (environment): no such setting; did you mean "
       "LARDER_MEMORY_LIMIT?"},
      {"LARDER_=1",
       "LARDER_ (environment): no such setting; larderd -h lists them, unset it if it is not meant "
       "for larderd."},
      {"LARDER_SOMETHING_ELSE=1",
       "LARDER_SOMETHING_ELSE (environment): no such setting; larderd -h lists them, unset it if "
       "it "
       "is not meant for larderd."},
  };
  for (const auto& [variable, sentence] : cases) {
    EXPECT_EQ(Wrong({}, {std::string(variable)}), "larderd: " + std::string(sentence) + "\n");
  }
}

TEST_F(CliTest, WrongFiles) {
  const std::map<std::string_view, std::string_view> cases{
      {"\n# c\nprot = 3\n", "FILE:3: no setting is called \"prot\"; did you mean port?"},
      {"fruit = 3", "FILE:1: no setting is called \"fruit\"; larderd --print-config lists them."},
      {"p = 3", "FILE:1: no setting is called \"p\"; did you mean port?"},
      {"config = 'x'",
       "FILE:1: no setting is called \"config\"; a file cannot name another; give "
       "--config as a flag."},
      {"port = 1\nio = \"auto\"\nport = 2",
       "FILE:3: port was given in line 1 already; keep one of the two."},
      {"port = 1\nport = 1", "FILE:2: port was given in line 1 already; keep one of the two."},
      {"port = true",
       "FILE:1: port: \"true\" is not possible; give a port from 1 to 65535, 0 for "
       "none, or -1 for any free one."},
      {"port",
       "FILE:1: port: \"true\" is not possible; give a port from 1 to 65535, 0 for none, or "
       "-1 for any free one."},
      {"\n\nthreads = 5000",
       "FILE:3: threads: \"5000\" is not possible; give a whole number from 1 "
       "to 4096, or auto."},
      {"daemon = 'perhaps'", "FILE:1: daemon: \"perhaps\" is not possible; give true or false."},
      {"memory-limit = 1.5g",
       "FILE:1: memory-limit: \"1.5g\" is not possible; give megabytes, or a "
       "size with a unit such as 512m or 2g, from 8m to 16t."},
      {"memory-limit = 10\nmax-item-size = '6m'",
       "FILE:2: max-item-size: an item of 6m is over half of the memory limit of 10m; give at most "
       "5m, or raise -m (--memory-limit)."},
      {"port = [1, 2]",
       "FILE:1: port: a list has no meaning here; give a port from 1 to 65535, 0 for "
       "none, or -1 for any free one."},
      {"port = []",
       "FILE:1: port: a list has no meaning here; give a port from 1 to 65535, 0 for "
       "none, or -1 for any free one."},
      {"listen = []",
       "FILE:1: listen: \"\" is not possible; give addresses such as 127.0.0.1, "
       "10.0.0.1:11212 or [::1]:11211, separated by commas."},
      {"port = 1\n[net]",
       "FILE:2: \"[net]\" opens a section, and there are none; give every setting "
       "as name = value."},
      {"user = \"x", "FILE:1: a quoted text has no end; close it with \"."},
  };
  for (const auto& [text, sentence] : cases) {
    EXPECT_EQ(WrongFile(text), "larderd: " + std::string(sentence) + "\n") << text;
  }
}

TEST_F(CliTest, AWrongValueIsWrongEvenWhereItWouldNotCount) {
  WriteFile("port = 70000\n");
  EXPECT_EQ(Parse({"--config", file_path_, "-p", "1"}).start, Start::kWrong);
  EXPECT_EQ(Parse({"-p", "1"}, {"LARDER_PORT=x"}).start, Start::kWrong);
}

TEST_F(CliTest, AFileThatIsNoConfigurationIsNotReadWhole) {
  WriteFile(std::string((1 << 20) + 1, '\n'));
  EXPECT_THAT(Wrong({"--config", file_path_}),
              HasSubstr("is over 1 MiB; give --config a configuration file"));
  WriteFile(std::string(1 << 20, '\n'));
  EXPECT_EQ(Parse({"--config", file_path_}).start, Start::kRun);
}

TEST_F(CliTest, TheMachineIsRespectedWithAWord) {
  const ParseResult result = Parse({"-m", "1g"}, {}, {.cpus = 2, .memory_limit_bytes = util::kGiB});
  ASSERT_EQ(result.start, Start::kRun);
  EXPECT_EQ(result.settings.threads, 2U);
  EXPECT_EQ(result.settings.memory_bytes_max, 956 * util::kMiB);
  EXPECT_THAT(result.warnings,
              ElementsAre(HasSubstr("does not fit under the cgroup's limit of 1g; using 956m")));
}

TEST_F(CliTest, ALoweredLimitIsCheckedAgain) {
  const ParseResult result = Parse(Words("-m 1g -I 500m"), {}, {.memory_limit_bytes = util::kGiB});
  EXPECT_EQ(result.start, Start::kWrong);
  EXPECT_THAT(result.text, HasSubstr("an item of 500m is over half of the memory limit of 956m"));
}

TEST_F(CliTest, WhatHasNoMeaningIsIgnoredWithALine) {
  const ParseResult result =
      Parse(Words("-C -L -f 1.25 -n48 -N 2 -o hot_lru_pct=30,modern --slab-min-size=48 -p 5"));
  EXPECT_EQ(result.start, Start::kRun) << result.text;
  EXPECT_EQ(result.settings.tcp_port, 5);
  EXPECT_THAT(result.warnings,
              ElementsAre(HasSubstr("-C (--disable-cas) is ignored: every item keeps its unique"),
                          HasSubstr("-L (--enable-largepages) is ignored: huge pages"),
                          HasSubstr("-f (--slab-growth-factor) is ignored: there are no slab"),
                          HasSubstr("-n (--slab-min-size) is ignored: there are no slab"),
                          HasSubstr("-N (--napi-ids) is ignored: clients are spread"),
                          HasSubstr("-o (--extended): hot_lru_pct is ignored: there are no LRU")));
}

TEST_F(CliTest, ASubOptionSetsItsSettingUnderTheFlag) {
  EXPECT_EQ(Right(Words("-o idle_timeout=90")).idle_timeout_s, 90U);
  EXPECT_EQ(Right(Words("-o modern -o idle_timeout=90,maxconns_fast")).idle_timeout_s, 90U);
  EXPECT_EQ(Right(Words("-o idle_timeout=90"), {"LARDER_IDLE_TIMEOUT=5"}).idle_timeout_s, 90U);
  EXPECT_EQ(Right(Words("--idle-timeout=7 -o idle_timeout=90")).idle_timeout_s, 7U);
}

// ---- Debian's file ----

TEST_F(CliTest, DebiansFileIsTaken) {
  // As Debian 12 ships it, without its comments.
  WriteFile(
      "# memcached default config file\n\n-d\nlogfile /var/log/memcached.log\n# -v\n-m 64\n"
      "-p 11211\n-u memcache\n-l 127.0.0.1\n-l ::1\n# -c 1024\n"
      "-P /var/run/memcached/memcached.pid\n");
  const ParseResult result = Parse({"--memcached-conf", file_path_});
  ASSERT_EQ(result.start, Start::kRun) << result.text;
  EXPECT_THAT(result.warnings, IsEmpty());
  Settings expected = Right({});
  expected.user = "memcache";
  expected.addresses = {{.host = "127.0.0.1"}, {.host = "::1"}};
  expected.pid_file = "/var/run/memcached/memcached.pid";
  EXPECT_EQ(result.settings, expected);
  EXPECT_EQ(Right({}, {"LARDER_MEMCACHED_CONF=" + file_path_}), expected);
  EXPECT_TRUE(Right({"-d", "--memcached-conf", file_path_}).daemon);
}

TEST_F(CliTest, LinesOfDebiansFileAreOneCommandLine) {
  WriteFile("-v\n-d -h -m 10\n-vv\n-m 20\n-l 10.0.0.1\n-l ::1,10.0.0.2\n-MFc7\n--io event\n");
  const Settings settings = Right({"--memcached-conf", file_path_});
  EXPECT_EQ(settings.verbosity, 3U);
  EXPECT_EQ(settings.memory_bytes_max, 20 * util::kMiB);
  EXPECT_EQ(settings.addresses.size(), 3U);
  EXPECT_TRUE(settings.evictions_disabled);
  EXPECT_TRUE(settings.flush_disabled);
  EXPECT_EQ(settings.connections_max, 7U);
  EXPECT_EQ(settings.io, IoChoice::kEvent);
  EXPECT_FALSE(settings.daemon);
}

TEST_F(CliTest, EverythingCountsBeforeDebiansFile) {
  WriteFile("-c 3\n-l 10.0.0.1\n-o idle_timeout=9\n");
  const std::string own = file_path_ + ".own";
  std::ofstream(own) << "conn-limit = 4\n";
  EXPECT_EQ(Right({"--memcached-conf", file_path_}).connections_max, 3U);
  EXPECT_EQ(Right({"--memcached-conf", file_path_, "--config", own}).connections_max, 4U);
  EXPECT_EQ(Right({"--memcached-conf", file_path_}, {"LARDER_CONN_LIMIT=5"}).connections_max, 5U);
  const Settings settings = Right({"-l", "::1", "--memcached-conf", file_path_});
  EXPECT_EQ(settings.addresses.size(), 1U);
  EXPECT_EQ(settings.idle_timeout_s, 9U);
  std::filesystem::remove(own);
}

TEST_F(CliTest, WhatDebiansFileIgnoresNamesItsLine) {
  WriteFile("-m 64\n-C\n-o no_hashexpand\n");
  EXPECT_THAT(Parse({"--memcached-conf", file_path_}).warnings,
              ElementsAre(HasSubstr(".conf:2: -C (--disable-cas) is ignored: "),
                          HasSubstr(".conf:3: -o (--extended): no_hashexpand is ignored: ")));
}

TEST_F(CliTest, WrongLinesOfDebiansFile) {
  const std::map<std::string_view, std::string_view> cases{
      {"-m 64\n-t 0\n",
       ":2: -t (--threads): \"0\" is not possible; give a whole number from 1 to 4096, or auto."},
      {"-l 127.0.0.1\n-l 1.2.3.400\n",
       ":2: -l (--listen): \"1.2.3.400\" is not possible; give addresses such as 127.0.0.1, "
       "10.0.0.1:11212 or [::1]:11211, separated by commas."},
      {"-m 64\n\n-z\n", ":3: -z: no such flag; larderd -h lists them."},
      {"-m\n64\n",
       ":1: -m (--memory-limit): no value follows; give megabytes, or a size with a unit such as "
       "512m or 2g, from 8m to 16t."},
      {"-m 64 mb\n", ":1: \"mb\": larderd takes flags only; larderd -h lists them."},
      {"port 3\n", ":1: \"port\" is no flag; give memcached's flags, such as -m 64."},
      {"-Z\n",
       ":1: -Z (--enable-ssl): larderd does not speak TLS yet; leave it out, and listen where "
       "nobody else does."},
      {"-o fruit\n", ":1: -o (--extended): no sub-option is called \"fruit\"; leave it out."},
      {"-m 10\n-I 6m\n",
       ":2: -I (--max-item-size): an item of 6m is over half of the memory limit of 10m; give at "
       "most 5m, or raise -m (--memory-limit)."},
      {"--config /x\n", ":1: what the file says is for a command line; leave the line out."},
      {"-V\n", ":1: what the file says is for a command line; leave the line out."},
      {"-s '/x\n", ":1: a quoted text has no end; close it with '."},
  };
  for (const auto& [text, sentence] : cases) {
    WriteFile(text);
    EXPECT_EQ(Wrong({"--memcached-conf", file_path_}),
              "larderd: " + file_path_ + std::string(sentence) + "\n")
        << text;
  }
}

TEST_F(CliTest, APublicAddressBringsOneWarning) {
  EXPECT_THAT(Parse({"-l", "0.0.0.0"}).warnings, ElementsAre(HasSubstr("listening on 0.0.0.0:")));
  EXPECT_THAT(Parse({"-l", "*"}).warnings, ElementsAre(HasSubstr("listening on *: whoever")));
  EXPECT_THAT(Parse({"-l", "10.0.0.1,localhost"}).warnings, IsEmpty());
}

}  // namespace
}  // namespace larder::config
