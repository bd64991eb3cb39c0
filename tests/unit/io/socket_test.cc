// Goal: a port and a path belong to one instance, and what accepted sockets need is inherited.
// Method: real sockets on loopback with free ports; Unix paths in a folder of the test's own.
#include "io/socket.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <thread>

namespace larder::io {
namespace {

using testing::HasSubstr;

TEST(ParseHostPort, Forms) {
  struct Case {
    const char* text;
    const char* host;
    uint16_t port;
  };
  for (const Case& it :
       {Case{"127.0.0.1:1", "127.0.0.1", 1}, Case{"localhost", "localhost", 7},
        Case{"[::1]:65535", "::1", 65535}, Case{"[::1]", "::1", 7}, Case{"::1", "::1", 7},
        Case{":0", "", 0}, Case{"*:12", "", 12}, Case{"*", "", 7}}) {
    SCOPED_TRACE(it.text);
    const absl::StatusOr<HostPort> parsed = ParseHostPort(it.text, 7);
    ASSERT_TRUE(parsed.ok()) << parsed.status();
    EXPECT_EQ(parsed->host, it.host);
    EXPECT_EQ(parsed->port, it.port);
  }
  for (const char* text : {"", "a:", "a:x", "a:65536", "a:-1", "a:1 ", "[::1", "[::1]1"}) {
    EXPECT_FALSE(ParseHostPort(text, 7).ok()) << text;
  }
}

int Connect(uint16_t port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  EXPECT_EQ(connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  return fd;
}

int Accept(const Listener& listener) {
  pollfd ready = {.fd = listener.fd.get(), .events = POLLIN, .revents = 0};
  if (poll(&ready, 1, 10'000) != 1) return -1;
  return accept(listener.fd.get(), nullptr, nullptr);
}

int Option(int fd, int level, int option) {
  int value = -1;
  socklen_t size = sizeof(value);
  EXPECT_EQ(getsockopt(fd, level, option, &value, &size), 0);
  return value;
}

TEST(ListenTcp, AllSocketsShareThePortAndAcceptedOnesInherit) {
  const auto listeners = ListenTcp({.host = "127.0.0.1", .port = 0}, {.sockets = 3});
  ASSERT_TRUE(listeners.ok()) << listeners.status();
  ASSERT_EQ(listeners->size(), 3U);
  const uint16_t port = (*listeners)[0].port;
  EXPECT_NE(port, 0);
  for (const Listener& listener : *listeners) {
    EXPECT_EQ(listener.port, port);
    EXPECT_EQ(listener.address, "127.0.0.1:" + std::to_string(port));
  }
  int accepted = 0;
  for (int i = 0; i < 30; ++i) {
    const int client = Connect(port);
    for (const Listener& listener : *listeners) {
      const int fd = accept(listener.fd.get(), nullptr, nullptr);
      if (fd < 0) continue;
      ++accepted;
      EXPECT_NE(Option(fd, IPPROTO_TCP, TCP_NODELAY), 0);
      EXPECT_NE(Option(fd, SOL_SOCKET, SO_KEEPALIVE), 0);
      EXPECT_EQ(PeerName(fd), LocalName(client));
      EXPECT_EQ(LocalName(fd), "tcp:127.0.0.1:" + std::to_string(port));
      close(fd);
    }
    close(client);
  }
  EXPECT_EQ(accepted, 30);
}

TEST(ListenTcp, SecondInstanceIsRefusedAndTheFirstServesOn) {
  for (const uint32_t sockets : {1U, 2U}) {
    auto first = ListenTcp({.host = "127.0.0.1", .port = 0}, {.sockets = sockets});
    ASSERT_TRUE(first.ok()) << first.status();
    const auto second = ListenTcp({.host = "127.0.0.1", .port = (*first)[0].port},
                                  {.sockets = sockets, .in_use_wait_ms = 20});
    EXPECT_TRUE(absl::IsAlreadyExists(second.status())) << second.status();
    EXPECT_THAT(std::string(second.status().message()), HasSubstr("in use"));
  }
}

TEST(ListenTcp, WaitsForASocketThatIsJustGoing) {
  auto first = ListenTcp({.host = "127.0.0.1", .port = 0}, {});
  ASSERT_TRUE(first.ok()) << first.status();
  const uint16_t port = (*first)[0].port;
  std::thread ending([&] {
    (void)poll(nullptr, 0, 50);  // the other server takes its time to go
    first->clear();
  });
  const auto second = ListenTcp({.host = "127.0.0.1", .port = port}, {.sockets = 2});
  ending.join();
  EXPECT_TRUE(second.ok()) << second.status();
}

TEST(ListenTcp, OfTwoStartingAtOnceOneWins) {
  // Both ask for the same free port at the same time, each with two sockets.
  for (int round = 0; round < 2; ++round) {
    uint16_t port = 0;
    {
      const auto free_one = ListenTcp({.host = "127.0.0.1", .port = 0}, {});
      ASSERT_TRUE(free_one.ok());
      port = (*free_one)[0].port;
    }
    const auto start = [port](absl::StatusOr<std::vector<Listener>>* result) {
      *result =
          ListenTcp({.host = "127.0.0.1", .port = port}, {.sockets = 2, .in_use_wait_ms = 20});
    };
    absl::StatusOr<std::vector<Listener>> results[2];
    std::thread other(start, &results[0]);
    start(&results[1]);
    other.join();
    EXPECT_NE(results[0].ok(), results[1].ok());
  }
}

TEST(ListenTcp, IPv6AndNames) {
  const auto v6 = ListenTcp({.host = "::1", .port = 0}, {});
  if (v6.ok()) {  // a machine may have none; then the name must still work
    EXPECT_THAT((*v6)[0].address, HasSubstr("[::1]:"));
    EXPECT_EQ(LocalName((*v6)[0].fd.get()), "tcp6:" + (*v6)[0].address);
  }
  const auto named = ListenTcp({.host = "localhost", .port = 0}, {.sockets = 2});
  ASSERT_TRUE(named.ok()) << named.status();
  for (const Listener& listener : *named) EXPECT_EQ(listener.port, (*named)[0].port);
  const auto unknown = ListenTcp({.host = "no such host", .port = 0}, {});
  EXPECT_TRUE(absl::IsInvalidArgument(unknown.status())) << unknown.status();
  const auto foreign = ListenTcp({.host = "192.0.2.1", .port = 0}, {});
  EXPECT_FALSE(foreign.ok());
}

TEST(AttachReuseportByCpu, TheCpuChoosesTheSocket) {
  const auto listeners = ListenTcp({.host = "127.0.0.1", .port = 0}, {.sockets = 2});
  ASSERT_TRUE(listeners.ok()) << listeners.status();
  const absl::Status attached = AttachReuseportByCpu((*listeners)[0].fd.get(), 2);
  ASSERT_TRUE(attached.ok()) << attached;
  cpu_set_t before;
  ASSERT_EQ(sched_getaffinity(0, sizeof(before), &before), 0);
  for (size_t cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (!CPU_ISSET(cpu, &before)) continue;
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    ASSERT_EQ(sched_setaffinity(0, sizeof(one), &one), 0);
    // Over loopback, packets arrive on the CPU that sends them.
    const int client = Connect((*listeners)[0].port);
    const int fd = Accept((*listeners)[cpu % 2]);
    EXPECT_GE(fd, 0) << cpu;
    close(fd);
    close(client);
  }
  ASSERT_EQ(sched_setaffinity(0, sizeof(before), &before), 0);
}

TEST(ListenPrivate, OnlyWhoHasItFindsIt) {
  const auto listener = ListenPrivate(2);
  const auto other = ListenPrivate(2);
  ASSERT_TRUE(listener.ok()) << listener.status();
  ASSERT_TRUE(other.ok()) << other.status();
  const UniqueFd client = ConnectPrivate(*listener);
  ASSERT_GE(client.get(), 0);
  EXPECT_LT(accept4(other->fd.get(), nullptr, nullptr, SOCK_CLOEXEC), 0);
  const UniqueFd accepted(accept4(listener->fd.get(), nullptr, nullptr, SOCK_CLOEXEC));
  ASSERT_GE(accepted.get(), 0);
  EXPECT_EQ(write(client.get(), "x", 1), 1);
  char byte = 0;
  EXPECT_EQ(read(accepted.get(), &byte, 1), 1);
  EXPECT_EQ(byte, 'x');
}

TEST(ListenPrivate, NobodyWaitsForRoom) {
  const auto listener = ListenPrivate(1);
  ASSERT_TRUE(listener.ok()) << listener.status();
  std::vector<UniqueFd> clients;
  for (int i = 0; i < 4; ++i) clients.push_back(ConnectPrivate(*listener));
  EXPECT_GE(clients.front().get(), 0);
  EXPECT_LT(clients.back().get(), 0);
}

class ListenUnixTest : public testing::Test {
 protected:
  ListenUnixTest() {
    std::string name = testing::TempDir() + "larder-io-XXXXXX";
    EXPECT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
    path_ = folder_ + "/s";
  }
  ~ListenUnixTest() override {
    unlink(path_.c_str());
    rmdir(folder_.c_str());
  }
  std::string folder_;
  std::string path_;
};

TEST_F(ListenUnixTest, HasItsModeWhateverTheUmask) {
  const mode_t before = umask(077);
  const auto listener = ListenUnix(path_, {.mode = 0760});
  umask(before);
  ASSERT_TRUE(listener.ok()) << listener.status();
  struct stat file = {};
  ASSERT_EQ(stat(path_.c_str(), &file), 0);
  EXPECT_EQ(file.st_mode & 0777, 0760U);
  EXPECT_EQ(listener->address, path_);
}

TEST_F(ListenUnixTest, ANamelessPeerIsCalledByThePath) {
  const auto listener = ListenUnix(path_, {});
  ASSERT_TRUE(listener.ok()) << listener.status();
  EXPECT_EQ(LocalName(listener->fd.get()), "unix:" + path_);
  const UniqueFd client(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  path_.copy(address.sun_path, sizeof(address.sun_path) - 1);
  ASSERT_EQ(connect(client.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  const UniqueFd accepted(Accept(*listener));
  EXPECT_EQ(PeerName(accepted.get()), "unix:" + path_);
  EXPECT_EQ(PeerName(listener->fd.get()), "?");
}

TEST(PeerName, IsKnownAfterAReset) {
  const auto listeners = ListenTcp({.host = "127.0.0.1", .port = 0}, {});
  ASSERT_TRUE(listeners.ok()) << listeners.status();
  const Listener& listener = listeners->front();
  const int client = Connect(listener.port);
  const std::string name = LocalName(client);
  const UniqueFd accepted(Accept(listener));
  EXPECT_EQ(PeerName(accepted.get()), name);
  const linger at_once = {.l_onoff = 1, .l_linger = 0};
  ASSERT_EQ(setsockopt(client, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once)), 0);
  close(client);
  pollfd ready = {.fd = accepted.get(), .events = POLLIN, .revents = 0};
  ASSERT_EQ(poll(&ready, 1, 10'000), 1);
  char byte = 0;
  ASSERT_LT(recv(accepted.get(), &byte, 1, 0), 0);
  EXPECT_EQ(PeerName(accepted.get()), name);
}

TEST_F(ListenUnixTest, ReplacesAStaleSocketAndRefusesALiveOne) {
  // As after a kill: the descriptor is closed, the path stays.
  SocketPath left_behind;
  {
    auto first = ListenUnix(path_, {});
    ASSERT_TRUE(first.ok()) << first.status();
    const auto second = ListenUnix(path_, {});
    EXPECT_TRUE(absl::IsAlreadyExists(second.status())) << second.status();
    left_behind = std::move(first->path);
  }
  ASSERT_EQ(access(path_.c_str(), F_OK), 0);
  EXPECT_TRUE(ListenUnix(path_, {}).ok());
}

TEST(AdoptListener, ServesWhatWasMadeElsewhere) {
  const int made = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(bind(made, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  ASSERT_EQ(listen(made, 10), 0);
  const absl::StatusOr<Listener> adopted = AdoptListener(made);
  ASSERT_TRUE(adopted.ok()) << adopted.status();
  EXPECT_NE(adopted->port, 0);
  EXPECT_EQ(adopted->address, "127.0.0.1:" + std::to_string(adopted->port));
  EXPECT_NE(fcntl(made, F_GETFL) & O_NONBLOCK, 0);
  EXPECT_NE(fcntl(made, F_GETFD) & FD_CLOEXEC, 0);
  const int client = Connect(adopted->port);
  const int accepted = Accept(*adopted);
  EXPECT_NE(Option(accepted, IPPROTO_TCP, TCP_NODELAY), 0);
  close(accepted);
  close(client);
}

TEST_F(ListenUnixTest, AnAdoptedPathStays) {
  const auto made = ListenUnix(path_, {});
  ASSERT_TRUE(made.ok()) << made.status();
  {
    const auto adopted = AdoptListener(dup(made->fd.get()));
    ASSERT_TRUE(adopted.ok()) << adopted.status();
    EXPECT_EQ(adopted->address, path_);
    EXPECT_EQ(adopted->port, 0);
  }
  EXPECT_EQ(access(path_.c_str(), F_OK), 0);
}

TEST(AdoptListener, RefusesWhatDoesNotListen) {
  const int mute = socket(AF_INET, SOCK_STREAM, 0);
  const int datagrams = socket(AF_INET, SOCK_DGRAM, 0);
  for (const int fd : {mute, datagrams, open("/dev/null", O_RDONLY), -1}) {
    const absl::StatusOr<Listener> adopted = AdoptListener(fd);
    ASSERT_FALSE(adopted.ok());
    EXPECT_THAT(std::string(adopted.status().message()), HasSubstr("no listening stream socket"));
  }
  EXPECT_EQ(fcntl(mute, F_GETFD), -1) << "it is taken all the same";
}

TEST(StopListening, WhoConnectsIsRefused) {
  const auto listeners = ListenTcp({.host = "127.0.0.1", .port = 0}, {});
  ASSERT_TRUE(listeners.ok()) << listeners.status();
  const UniqueFd client(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address = {};
  socklen_t size = sizeof(address);
  auto* any = reinterpret_cast<sockaddr*>(&address);
  ASSERT_EQ(getsockname((*listeners)[0].fd.get(), any, &size), 0);
  StopListening((*listeners)[0].fd.get());
  EXPECT_NE(connect(client.get(), any, size), 0);
  EXPECT_EQ(errno, ECONNREFUSED);
}

TEST_F(ListenUnixTest, ThePathGoesWithTheListener) {
  ASSERT_TRUE(ListenUnix(path_, {}).ok());
  EXPECT_NE(access(path_.c_str(), F_OK), 0);
}

TEST_F(ListenUnixTest, APathThatIsAnothersByNowStays) {
  {
    const auto listener = ListenUnix(path_, {});
    ASSERT_TRUE(listener.ok()) << listener.status();
    ASSERT_EQ(unlink(path_.c_str()), 0);
    std::ofstream(path_) << "precious";
  }
  EXPECT_EQ(access(path_.c_str(), F_OK), 0);
}

TEST_F(ListenUnixTest, RefusesAFile) {
  std::ofstream(path_) << "precious";
  const auto listener = ListenUnix(path_, {});
  EXPECT_TRUE(absl::IsAlreadyExists(listener.status())) << listener.status();
  std::string content;
  std::ifstream(path_) >> content;
  EXPECT_EQ(content, "precious");
}

TEST_F(ListenUnixTest, RefusesAPathThatDoesNotFit) {
  EXPECT_TRUE(absl::IsInvalidArgument(ListenUnix(std::string(108, 'x'), {}).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(ListenUnix("", {}).status()));
}

// In a child: no descriptor is left, and a client still hears why.
int SpendTheReserve() {
  const auto listeners = ListenTcp({.host = "127.0.0.1", .port = 0}, {});
  if (!listeners.ok()) return __LINE__;
  const int listening = (*listeners)[0].fd.get();
  ReserveFd reserve;
  const int client = Connect((*listeners)[0].port);
  const rlimit few = {.rlim_cur = static_cast<rlim_t>(client) + 1,
                      .rlim_max = static_cast<rlim_t>(client) + 1};
  if (setrlimit(RLIMIT_NOFILE, &few) != 0) return __LINE__;
  while (dup(client) >= 0) {
  }
  if (accept(listening, nullptr, nullptr) != -1 || errno != EMFILE) return __LINE__;
  if (!reserve.Spend(listening, "ERROR full\r\n")) return __LINE__;
  if (reserve.Spend(listening, "ERROR full\r\n")) return __LINE__;  // nobody waits
  char bytes[32];
  if (recv(client, bytes, sizeof(bytes), 0) != 12) return __LINE__;
  if (recv(client, bytes, sizeof(bytes), 0) != 0) return __LINE__;
  if (dup(client) >= 0) return __LINE__;  // the reserve is filled again
  return 0;
}

TEST(ReserveFd, RefusesAClientWhenNoDescriptorIsLeft) {
  const pid_t child = fork();
  if (child == 0) {
    const int line = SpendTheReserve();
    if (line != 0) fprintf(stderr, "failed at line %d\n", line);
    _exit(line == 0 ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace larder::io
