// Goal: whoever starts the server learns from one line where it is, and who can reach it.
#include "config/start_line.h"

#include <gtest/gtest.h>

#include "config/values.h"

namespace larder::config {
namespace {

TEST(StartLine, SaysThatTheDefaultIsThisHostOnly) {
  Settings settings = DefaultSettings();
  settings.threads = 1;
  EXPECT_EQ(StartLine(settings, {.addresses = {{.ipv6 = false, .port = 7, .text = "127.0.0.1:7"}}},
                      "uring"),
            "listening on 127.0.0.1:7 (this host only; -l opens it to others); loop uring, "
            "1 thread, 64m of memory");
}

TEST(StartLine, NamesEveryAddressThatWasChosen) {
  Settings settings = DefaultSettings();
  settings.threads = 4;
  settings.memory_bytes_max = 2ULL << 30;
  settings.addresses = ParseAddresses("10.0.0.1,[::1]");
  EXPECT_EQ(StartLine(settings,
                      {.addresses = {{.ipv6 = false, .port = 7, .text = "10.0.0.1:7"},
                                     {.ipv6 = true, .port = 7, .text = "[::1]:7"}}},
                      "event"),
            "listening on 10.0.0.1:7, [::1]:7; loop event, 4 threads, 2g of memory");
}

TEST(StartLine, AUnixSocketIsNoAddress) {
  Settings settings = DefaultSettings();
  settings.threads = 2;
  settings.unix_socket = "/run/s";
  EXPECT_EQ(
      StartLine(settings, {.addresses = {{.ipv6 = false, .port = 0, .text = "/run/s"}}}, "uring"),
      "listening on /run/s; loop uring, 2 threads, 64m of memory");
}

TEST(StartLine, SaysThatTheSocketsWerePassed) {
  Settings settings = DefaultSettings();
  settings.threads = 2;
  EXPECT_EQ(
      StartLine(settings,
                {.addresses = {{.ipv6 = false, .port = 7, .text = "127.0.0.1:7"}}, .passed = true},
                "uring"),
      "listening on 127.0.0.1:7 (passed by the service manager); loop uring, 2 threads, 64m of "
      "memory");
}

}  // namespace
}  // namespace larder::config
