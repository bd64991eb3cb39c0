// Goal: the door answers GET and HEAD and nothing else, and stays within its bounds of bytes, time
// and visitors.
// Method: a server on a free port of the loopback; plain sockets that read until it closes.
#include "admin/http_server.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "admin/guests.h"

namespace larder::admin {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class HttpServerTest : public ::testing::Test {
 protected:
  void Serve(const HttpServer::Options& options) {
    auto listeners = io::ListenTcp({.host = "127.0.0.1"}, {});
    ASSERT_TRUE(listeners.ok());
    port_ = listeners->front().port;
    server_ =
        std::make_unique<HttpServer>(options, *std::move(listeners), [](std::string_view path) {
          return Page{.status = path == "/no" ? 404 : 200, .body = "path " + std::string(path)};
        });
  }

  [[nodiscard]] io::UniqueFd Connect() const {
    io::UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_port = htons(port_);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
    return fd;
  }

  static void Send(const io::UniqueFd& fd, std::string_view text) {
    EXPECT_EQ(send(fd.get(), text.data(), text.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(text.size()));
  }

  // Everything until the server closes.
  static std::string Rest(const io::UniqueFd& fd) {
    std::string text;
    char chunk[4096];
    for (ssize_t bytes = 1; bytes > 0;) {
      bytes = recv(fd.get(), chunk, sizeof(chunk), 0);
      if (bytes > 0) text.append(chunk, static_cast<size_t>(bytes));
    }
    return text;
  }

  [[nodiscard]] std::string Ask(std::string_view request) const {
    const io::UniqueFd fd = Connect();
    Send(fd, request);
    return Rest(fd);
  }

  std::unique_ptr<HttpServer> server_;
  uint16_t port_ = 0;
};

TEST_F(HttpServerTest, GetHasThePageAndHeadItsLength) {
  Serve({});
  const std::string get = Ask("GET /a?b=c HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(get, StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(get, HasSubstr("\r\nContent-Length: 7\r\n"));
  EXPECT_THAT(get, HasSubstr("\r\nConnection: close\r\n"));
  EXPECT_THAT(get, EndsWith("\r\n\r\npath /a"));
  const std::string head = Ask("HEAD /a HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(head, HasSubstr("\r\nContent-Length: 7\r\n"));
  EXPECT_THAT(head, EndsWith("\r\n\r\n"));
  EXPECT_THAT(Ask("GET /no HTTP/1.0\r\n\r\n"), StartsWith("HTTP/1.0 404 "));
}

TEST_F(HttpServerTest, NothingElseIsAnswered) {
  Serve({});
  for (const std::string method : {"POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"}) {
    const std::string answer = Ask(method + " / HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 405 ")) << method;
    EXPECT_THAT(answer, HasSubstr("\r\nAllow: GET, HEAD\r\n")) << method;
  }
  EXPECT_THAT(Ask("BREW / HTTP/1.1\r\n\r\n"), Not(StartsWith("HTTP/1.1 200")));
  EXPECT_THAT(Ask("get k\r\n\r\n"), Not(HasSubstr("path")));
  EXPECT_THAT(Ask("POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\n"), StartsWith("HTTP/1.1 413 "));
}

TEST_F(HttpServerTest, LongRequestsAreRefused) {
  Serve({});
  const auto with = [&](size_t bytes) {
    return Ask("GET / HTTP/1.1\r\nX: " + std::string(bytes, 'x') + "\r\n\r\n");
  };
  EXPECT_THAT(with(7 << 10), StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(with(9 << 10), StartsWith("HTTP/1.1 400 "));
  EXPECT_THAT(Ask("GET /" + std::string(9 << 10, 'x') + " HTTP/1.1\r\n\r\n"),
              Not(StartsWith("HTTP/1.1 200 ")));
}

TEST_F(HttpServerTest, AVisitEndsInTime) {
  Serve({.visit_ms_max = 20});
  EXPECT_EQ(Rest(Connect()), "");
  EXPECT_EQ(Ask("GET / HTT"), "");
  EXPECT_EQ(Ask("GET / HTTP/1.1\r\nHost: x\r\n"), "");
}

// The second visitor has waited for the first to leave, or to have had its time.
TEST_F(HttpServerTest, VisitorsWaitForOneAnother) {
  Serve({.visitors_max = 1, .visit_ms_max = 30});
  for (int i = 0; i < 3; ++i) {
    const io::UniqueFd first = Connect();
    const io::UniqueFd second = Connect();
    Send(second, "GET /second HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_EQ(Rest(first), "");
    EXPECT_THAT(Rest(second), EndsWith("path /second"));
  }
}

TEST_F(HttpServerTest, EndsWithVisitorsInside) {
  Serve({});
  const io::UniqueFd idle = Connect();
  const io::UniqueFd half = Connect();
  Send(half, "GET / HTT");
  // Accepted in their order: the two are inside.
  EXPECT_THAT(Ask("GET /x HTTP/1.1\r\nHost: x\r\n\r\n"), EndsWith("path /x"));
  server_.reset();
  EXPECT_EQ(Rest(idle), "");
  EXPECT_EQ(Rest(half), "");
}

// Clients who were accepted elsewhere.
class GuestsTest : public HttpServerTest {
 protected:
  void ServeGuests(HttpServer::Options options) {
    options.guests = &guests_;
    server_ = std::make_unique<HttpServer>(
        options, std::vector<io::Listener>{},
        [](std::string_view path) { return Page{.body = kLarge + std::string(path)}; });
  }
  // Our end of a guest of whom `said` has been received.
  io::UniqueFd Arrive(std::string_view said) {
    int ends[2];
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    EXPECT_EQ(fcntl(ends[1], F_SETFL, O_NONBLOCK), 0);
    guests_.Add({.fd = io::UniqueFd(ends[1]), .said = std::string(said)});
    return io::UniqueFd(ends[0]);
  }

  // More than a socket takes at once.
  inline static const std::string kLarge = std::string(5'000'000, '.');
  Guests guests_;
};

TEST_F(GuestsTest, AreServedWhateverHasBeenReceived) {
  const std::string request = "GET /a HTTP/1.1\r\nHost: x\r\n\r\n";
  const io::UniqueFd early = Arrive(request);  // before there is a door
  ServeGuests({});
  EXPECT_THAT(Rest(early), EndsWith("./a"));
  for (const size_t received : {size_t{0}, size_t{5}, request.size() - 1, request.size()}) {
    const io::UniqueFd guest = Arrive(request.substr(0, received));
    Send(guest, std::string_view(request).substr(received));
    const std::string answer = Rest(guest);
    EXPECT_THAT(answer.substr(0, 100), StartsWith("HTTP/1.1 200 ")) << received;
    EXPECT_TRUE(answer.ends_with("\r\n\r\n" + kLarge + "/a")) << received;
  }
  const io::UniqueFd finished = Arrive("HEAD / HTTP/1.0\r\n\r\n");
  shutdown(finished.get(), SHUT_WR);
  EXPECT_THAT(Rest(finished), EndsWith("\r\n\r\n"));
}

TEST_F(GuestsTest, AreBoundAsVisitorsAre) {
  ServeGuests({.visit_ms_max = 100});
  const std::string lines(40 << 10, 'x');
  EXPECT_THAT(Rest(Arrive("GET / HTTP/1.1\r\nX: " + lines)), StartsWith("HTTP/1.1 400 "));
  const io::UniqueFd talker = Arrive("GET / HTTP/1.1\r\n");
  Send(talker, "X: " + lines);
  EXPECT_THAT(Rest(talker), Not(HasSubstr(" 200 ")));
  EXPECT_EQ(Rest(Arrive("GET / HTT")), "");
  // Who does not read has had its time.
  const io::UniqueFd deaf = Arrive("GET / HTTP/1.0\r\n\r\n");
  pollfd gone = {.fd = deaf.get(), .events = POLLRDHUP, .revents = 0};
  EXPECT_EQ(poll(&gone, 1, 20'000), 1);
  EXPECT_LT(Rest(deaf).size(), kLarge.size());
}

TEST_F(GuestsTest, FindNoRoomBehindOthers) {
  const io::UniqueFd first = Arrive("GET / HTT");
  const io::UniqueFd second = Arrive("GET / HTTP/1.0\r\n\r\n");
  ServeGuests({.visitors_max = 1});
  EXPECT_EQ(Rest(second), "");
  Send(first, "P/1.0\r\n\r\n");
  EXPECT_THAT(Rest(first), EndsWith("./"));
  // In the queue, too.
  server_.reset();
  std::vector<io::UniqueFd> waiting;
  for (size_t i = 0; i < Guests::kWaitingMax; ++i) waiting.push_back(Arrive(""));
  EXPECT_EQ(Rest(Arrive("")), "");
  EXPECT_EQ(guests_.TakeAll().size(), Guests::kWaitingMax);
}

TEST_F(GuestsTest, HangUpWhenTheyLike) {
  ServeGuests({});
  for (const std::string said : {"", "GET / HTT", "GET / HTTP/1.0\r\n\r\n"}) Arrive(said);
  EXPECT_THAT(Rest(Arrive("GET /x HTTP/1.0\r\n\r\n")), EndsWith("./x"));
  const io::UniqueFd inside = Arrive("GET / HTT");
  server_.reset();
  EXPECT_EQ(Rest(inside), "");
}

}  // namespace
}  // namespace larder::admin
