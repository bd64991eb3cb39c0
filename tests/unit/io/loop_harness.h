// What the tests of the loops share: an owner and a stream that write down what they are told.
#ifndef LARDER_TESTS_UNIT_IO_LOOP_HARNESS_H_
#define LARDER_TESTS_UNIT_IO_LOOP_HARNESS_H_

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "io/loop.h"

namespace larder::io {

class RecordingStream final : public Stream {
 public:
  void OnReceive(std::string_view bytes) override {
    EXPECT_FALSE(bytes.empty());
    EXPECT_FALSE(closing) << "bytes after Close()";
    ++receives;
    received.append(bytes);
    lent.push_back(bytes);
    if (on_receive) on_receive();
  }
  void OnReceiveEnd(int error) override {
    EXPECT_FALSE(closing) << "an end after Close()";
    ends.push_back(error);
    if (on_end) on_end();
  }
  void OnSent(int result) override {
    sent.push_back(result);
    if (on_sent) on_sent();
  }
  // May destroy the stream: copied, so that the function outlives it.
  void OnClosed() override {
    ++closed;
    if (const std::function<void()> call = on_closed) call();
  }

  std::string received;
  std::vector<std::string_view> lent;  // of this turn; the owner's hook clears it
  int receives = 0;
  std::vector<int> ends;
  std::vector<int> sent;
  int closed = 0;
  bool closing = false;
  std::function<void()> on_receive;
  std::function<void()> on_end;
  std::function<void()> on_sent;
  std::function<void()> on_closed;
};

class RecordingOwner final : public LoopOwner {
 public:
  void OnAccept(int listener, int fd) override {
    accepted.emplace_back(listener, fd);
    if (on_accept) on_accept(listener, fd);
  }
  void OnAcceptError(int listener, int error) override { errors.emplace_back(listener, error); }
  void OnWake() override {
    ++wakes;
    if (on_wake) on_wake();
  }
  void OnTurnEnd() override {
    ++turns;
    if (on_turn_end) on_turn_end();
  }

  std::vector<std::pair<int, int>> accepted;
  std::vector<std::pair<int, int>> errors;
  int wakes = 0;
  int turns = 0;
  std::function<void(int, int)> on_accept;
  std::function<void()> on_wake;
  std::function<void()> on_turn_end;
};

inline constexpr int64_t kWaitNs = 2'000'000;

// Turns until `done`, or until it has clearly failed.
inline bool RunUntil(Loop& loop, LoopOwner& owner, const std::function<bool()>& done) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!done()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    loop.RunOnce(owner, kWaitNs);
  }
  return true;
}

// Both ends of a connected socket pair: `loop_end` is non-blocking, as an accepted socket is.
struct Pair {
  int loop_end = -1;
  int test_end = -1;
};
inline Pair MakePair() {
  int fds[2];
  EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds), 0);
  return {fds[0], fds[1]};
}

inline iovec Part(std::string_view bytes) {
  return {const_cast<char*>(bytes.data()), bytes.size()};
}

// All that can be read from the non-blocking `fd` now.
inline std::string ReadAll(int fd) {
  std::string all;
  char bytes[65536];
  for (ssize_t n = 0; (n = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT)) > 0;) {
    all.append(bytes, static_cast<size_t>(n));
  }
  return all;
}

// Bytes that tell where they belong.
inline std::string Pattern(size_t size) {
  std::string bytes(size, '\0');
  for (size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>((i * 131 + i / 251) & 0xff);
  return bytes;
}

}  // namespace larder::io

#endif  // LARDER_TESTS_UNIT_IO_LOOP_HARNESS_H_
