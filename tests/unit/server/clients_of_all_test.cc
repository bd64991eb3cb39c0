// Goal: clients of one socket that all cores accept on are spread over the cores, whichever core
// accepts them, and are served there; none is lost when the server ends.
// Method: workers on libevent's loop, turned one after the other in one thread.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <memory>
#include <string>
#include <vector>

#include "io/make_loop.h"
#include "io/socket.h"
#include "runtime/boottime_clock.h"
#include "server/worker.h"

namespace larder::server {
namespace {

using testing::Each;

constexpr uint32_t kCores = 3;

class ClientsOfAllTest : public testing::Test {
 protected:
  ClientsOfAllTest() {
    auto sockets = io::ListenTcp({.host = "127.0.0.1", .port = 0}, {.sockets = 1});
    EXPECT_TRUE(sockets.ok()) << sockets.status();
    listener_ = std::move((*sockets)[0]);
    for (uint32_t index = 0; index < kCores; ++index) {
      loops_.push_back(*io::MakeLoop(io::LoopKind::kEvent, {}));
      workers_.push_back(std::make_unique<Worker>(
          Worker::Options{.index = index, .memory_bytes_max = 8 << 20, .huge_pages = false},
          cluster_, *loops_.back()));
      cluster_.workers.push_back(workers_.back().get());
      cluster_.mailboxes.SetLoop(index, loops_.back().get());
      workers_.back()->AddListener(listener_.fd.get(), Worker::Clients::kOfAll);
    }
  }
  ~ClientsOfAllTest() override {
    for (const auto& worker : workers_) worker->LetGo();
    workers_.clear();
  }

  io::UniqueFd Connect() const {
    io::UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(listener_.port);
    EXPECT_EQ(connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
    return fd;
  }

  [[nodiscard]] std::vector<size_t> ClientsOfEach() const {
    std::vector<size_t> clients;
    for (const auto& worker : workers_) clients.push_back(worker->connections().size());
    return clients;
  }

  runtime::BoottimeClock clock_;
  Cluster cluster_{kCores, util::KeyHash(7), clock_, 16};
  io::Listener listener_;
  std::vector<std::unique_ptr<io::Loop>> loops_;
  std::vector<std::unique_ptr<Worker>> workers_;
};

TEST_F(ClientsOfAllTest, TheyGoRoundWhoeverAccepts) {
  std::vector<io::UniqueFd> clients;
  for (uint32_t i = 0; i < 4 * kCores; ++i) clients.push_back(Connect());
  // The first core takes all that wait; the others find them in their mail.
  for (int turn = 0; turn < 10; ++turn) workers_[0]->RunTurn(0);
  for (int turn = 0; turn < 10; ++turn) {
    for (const auto& worker : workers_) worker->RunTurn(0);
  }
  EXPECT_THAT(ClientsOfEach(), Each(4));
  EXPECT_EQ(cluster_.connections.load(), clients.size());
  for (const io::UniqueFd& client : clients) {
    ASSERT_EQ(send(client.get(), "version\r\n", 9, 0), 9);
  }
  for (int turn = 0; turn < 3; ++turn) {
    for (const auto& worker : workers_) worker->RunTurn(0);
  }
  for (const io::UniqueFd& client : clients) {
    char bytes[8] = {};
    ASSERT_EQ(recv(client.get(), bytes, 7, MSG_DONTWAIT), 7);
    EXPECT_STREQ(bytes, "VERSION");
  }
}

TEST_F(ClientsOfAllTest, ACoreThatTakesNoMailIsPassedOver) {
  // Half of a ring of 16 is for requests, but for its last place; what does not fit stays with who
  // accepted it.
  std::vector<io::UniqueFd> clients;
  for (uint32_t i = 0; i < 20 * kCores; ++i) clients.push_back(Connect());
  for (int turn = 0; turn < 100; ++turn) workers_[0]->RunTurn(0);
  EXPECT_THAT(ClientsOfEach(), testing::ElementsAre(20 * kCores - 14, 0, 0));
}

TEST_F(ClientsOfAllTest, WhoIsOnTheWayAtTheEndIsClosed) {
  const io::UniqueFd first = Connect();
  const io::UniqueFd second = Connect();
  for (int turn = 0; turn < 3; ++turn) workers_[0]->RunTurn(0);
  ASSERT_THAT(ClientsOfEach(), testing::ElementsAre(1, 0, 0));
  for (const auto& worker : workers_) worker->LetGo();
  char byte = 0;
  EXPECT_EQ(recv(second.get(), &byte, 1, 0), 0);
}

}  // namespace
}  // namespace larder::server
