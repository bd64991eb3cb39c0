// Goal: the server is told what the settings say.
#include "config/server_options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>
#include <string>
#include <vector>

#include "config/values.h"

namespace larder::config {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class ServerOptionsTest : public ::testing::Test {
 protected:
  ServerOptionsTest() { settings_.threads = 2; }

  // host:port of each place to listen.
  [[nodiscard]] std::vector<std::string> Places() {
    std::vector<std::string> places;
    for (const ServerOptions::Listen& listen : Options().listen) {
      places.push_back(listen.host + ":" + std::to_string(listen.port));
    }
    return places;
  }
  [[nodiscard]] ServerOptions Options() { return ServerOptionsOf(settings_, topology_, log_); }

  std::ostringstream lines_;
  util::Log log_{util::LogLevel::kInfo, lines_};
  runtime::Topology topology_{.cpus = {1, 3}, .cpu_quota = {}, .memory_limit_bytes = {}};
  Settings settings_ = DefaultSettings();
};

TEST_F(ServerOptionsTest, AnAddressWithoutAPortTakesTheOneOfP) {
  settings_.addresses = ParseAddresses("127.0.0.1,[::1]:7");
  EXPECT_THAT(Places(), ElementsAre("127.0.0.1:11211", "::1:7"));
  settings_.tcp_port = -1;
  EXPECT_THAT(Places(), ElementsAre("127.0.0.1:-1", "::1:7"));
  settings_.tcp_port = 0;
  EXPECT_THAT(Places(), ElementsAre("::1:7"));
}

TEST_F(ServerOptionsTest, AStarIsEveryAddress) {
  settings_.addresses = ParseAddresses("*,*:7");
  EXPECT_THAT(Places(), ElementsAre(":11211", ":7"));
}

TEST_F(ServerOptionsTest, AUnixSocketTurnsTcpOff) {
  settings_.unix_socket = "/run/larder.sock";
  settings_.unix_mask = 0770;
  EXPECT_THAT(Places(), IsEmpty());
  EXPECT_EQ(Options().unix_path, "/run/larder.sock");
  EXPECT_EQ(Options().unix_mode, 0770U);
}

TEST_F(ServerOptionsTest, ThreadsArePinnedWhenEachHasItsCpu) {
  EXPECT_THAT(Options().cpus, ElementsAre(1, 3));
  topology_.cpus = {1, 3, 4};
  EXPECT_THAT(Options().cpus, ElementsAre(1, 3));
  settings_.threads = 4;
  EXPECT_THAT(Options().cpus, IsEmpty());
}

TEST_F(ServerOptionsTest, OneThreadIsLeftToTheScheduler) {
  settings_.threads = 1;
  EXPECT_THAT(Options().cpus, IsEmpty());
  topology_.cpus = {0};
  EXPECT_THAT(Options().cpus, IsEmpty());
}

TEST_F(ServerOptionsTest, SwitchesThatDisableAreTurnedRound) {
  EXPECT_TRUE(Options().evict);
  EXPECT_TRUE(Options().flush_enabled);
  EXPECT_TRUE(Options().dumps_enabled);
  settings_.evictions_disabled = true;
  settings_.flush_disabled = true;
  settings_.dumps_disabled = true;
  EXPECT_FALSE(Options().evict);
  EXPECT_FALSE(Options().flush_enabled);
  EXPECT_FALSE(Options().dumps_enabled);
}

TEST_F(ServerOptionsTest, ItsLinesReachTheLog) {
  Options().log("as asked", false);
  Options().log("not as wished", true);
  EXPECT_THAT(lines_.str(), HasSubstr(" info: as asked\n"));
  EXPECT_THAT(lines_.str(), HasSubstr(" warning: not as wished\n"));
}

}  // namespace
}  // namespace larder::config
