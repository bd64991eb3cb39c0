// Goal: every loop keeps the part of io/loop.h that is about listeners, wakes, turns and its own
// end. Method: one suite, run on each loop, with real sockets: Unix pairs and TCP over loopback.
#include <sys/resource.h>
#include <sys/wait.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <memory>
#include <thread>

#include "loop_fixture.h"

namespace larder::io {
namespace {

class LoopContract : public LoopTest {};
INSTANTIATE_TEST_SUITE_P(Loops, LoopContract, AllLoops(), NameOf);

TEST_P(LoopContract, AcceptsEachClientOfEachListener) {
  uint16_t ports[2] = {0, 0};
  const int listening[2] = {ListenTcp(&ports[0]), ListenTcp(&ports[1])};
  EXPECT_EQ(loop_->AddListener(listening[0]), 0);
  EXPECT_EQ(loop_->AddListener(listening[1]), 1);
  std::vector<int> clients;
  for (int i = 0; i < 10; ++i) clients.push_back(ConnectTcp(ports[i % 2]));
  ASSERT_TRUE(Run([&] { return owner_.accepted.size() == 10; }));
  clients.push_back(ConnectTcp(ports[1]));  // and goes on accepting
  ASSERT_TRUE(Run([&] { return owner_.accepted.size() == 11; }));
  int of_second = 0;
  for (const auto& [listener, fd] : owner_.accepted) {
    of_second += listener;
    EXPECT_TRUE(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    EXPECT_TRUE(fcntl(fd, F_GETFL) & O_NONBLOCK);
    close(fd);
  }
  EXPECT_EQ(of_second, 6);
  for (int fd : clients) close(fd);
  for (int fd : listening) close(fd);
}

TEST_P(LoopContract, RemovedListenerLeavesThePortFree) {
  uint16_t port = 0;
  const int listening = ListenTcp(&port);
  const int listener = loop_->AddListener(listening);
  loop_->RunOnce(owner_, 0);
  loop_->RemoveListener(listener);
  loop_->RunOnce(owner_, 0);
  loop_->RunOnce(owner_, 0);
  close(listening);
  close(ListenTcp(&port));  // expects bind() to succeed at once
}

TEST_P(LoopContract, DestroyedLoopLeavesThePortFree) {
  uint16_t port = 0;
  const int listening = ListenTcp(&port);
  loop_->AddListener(listening);
  loop_->RunOnce(owner_, 0);
  loop_.reset();
  close(listening);
  close(ListenTcp(&port));
}

TEST_P(LoopContract, WakesFromAnotherThread) {
  std::thread waker([&] { loop_->Wake(); });
  ASSERT_TRUE(Run([&] { return owner_.wakes == 1; }));
  waker.join();
  Settle();
  EXPECT_EQ(owner_.wakes, 1);
  for (int i = 0; i < 10; ++i) loop_->Wake();  // ten are one
  loop_->RunOnce(owner_, kWaitNs);
  EXPECT_EQ(owner_.wakes, 2);
  Settle();
  EXPECT_EQ(owner_.wakes, 2);
}

TEST_P(LoopContract, NoWakeIsLost) {
  // Each round is one value handed over; a lost wake would leave the loop asleep for its whole
  // wait.
  constexpr int kRounds = 2000;
  std::atomic<int> offered = 0;
  std::atomic<int> taken = 0;
  owner_.on_wake = [&] { taken.store(offered.load()); };
  std::thread waker([&] {
    for (int i = 1; i <= kRounds; ++i) {
      offered.store(i);
      loop_->Wake();
      while (i % 3 == 0 && taken.load() < i) std::this_thread::yield();
    }
  });
  const auto start = std::chrono::steady_clock::now();
  while (taken.load() < kRounds) loop_->RunOnce(owner_, 10'000'000'000);
  waker.join();
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(10));
}

TEST_P(LoopContract, RingsAnotherLoop) {
  constexpr int kRounds = 300;
  std::atomic<int> ball = 0;  // even: ours to play
  std::atomic<bool> ready = false;
  const std::unique_ptr<Loop> other = GetParam().make();
  std::thread opponent([&] {
    RecordingOwner owner;
    const auto play = [&] {
      if (ball.load() % 2 == 1) {
        ++ball;
        other->Ring(*loop_);
      }
    };
    owner.on_wake = play;
    other->RunOnce(owner, 0);
    ready.store(true);
    EXPECT_TRUE(RunUntil(*other, owner, [&] { return ball.load() >= kRounds; }));
    other->RunOnce(owner, 0);  // the last doorbell leaves
  });
  while (!ready.load()) std::this_thread::yield();
  owner_.on_wake = [&] {
    if (ball.load() % 2 == 0 && ball.load() < kRounds) {
      ++ball;
      loop_->Ring(*other);
    }
  };
  loop_->Wake();
  EXPECT_TRUE(Run([&] { return ball.load() >= kRounds; }));
  other->Wake();
  opponent.join();
}

TEST_P(LoopContract, RingsALoopThatHasNotStarted) {
  const std::unique_ptr<Loop> other = GetParam().make();
  loop_->Ring(*other);
  Settle();
  RecordingOwner owner;
  ASSERT_TRUE(RunUntil(*other, owner, [&] { return owner.wakes == 1; }));
}

TEST_P(LoopContract, WaitsNoLongerThanAsked) {
  loop_->RunOnce(owner_, 0);
  const auto start = std::chrono::steady_clock::now();
  loop_->RunOnce(owner_, 30'000'000);
  const auto waited = std::chrono::steady_clock::now() - start;
  EXPECT_GE(waited, std::chrono::milliseconds(25));
  EXPECT_LT(waited, std::chrono::seconds(5));
  EXPECT_EQ(owner_.turns, 2);
}

// Runs in a child whose descriptors are few. Returns the line that went wrong, or 0.
int AcceptWithoutDescriptors(const Kind& kind) {
  const int highest = dup(0);
  close(highest);
  const auto limit = static_cast<rlim_t>(highest) + 20;
  const rlimit few = {.rlim_cur = limit, .rlim_max = limit};
  if (setrlimit(RLIMIT_NOFILE, &few) != 0) return __LINE__;
  const std::unique_ptr<Loop> loop = kind.make();
  RecordingOwner owner;
  uint16_t port = 0;
  const int listening = ListenTcp(&port);
  const int listener = loop->AddListener(listening);
  const int client = ConnectTcp(port);
  if (!RunUntil(*loop, owner, [&] { return owner.accepted.size() == 1; })) return __LINE__;
  std::vector<int> fillers;
  for (int fd = 0; (fd = dup(client)) >= 0;) fillers.push_back(fd);
  if (close(fillers.back()) != 0) return __LINE__;
  fillers.pop_back();
  const int second = ConnectTcp(port);  // takes the last one
  if (!RunUntil(*loop, owner, [&] { return !owner.errors.empty(); })) return __LINE__;
  if (owner.errors[0] != std::pair(listener, -EMFILE)) return __LINE__;
  // No spin: further turns wait and tell nothing.
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < 3; ++i) loop->RunOnce(owner, 10'000'000);
  if (std::chrono::steady_clock::now() - start < std::chrono::milliseconds(20)) return __LINE__;
  if (owner.errors.size() != 1) return __LINE__;
  for (const int fd : fillers) close(fd);
  loop->ResumeAccept(listener);
  loop->ResumeAccept(listener);
  if (!RunUntil(*loop, owner, [&] { return owner.accepted.size() == 2; })) return __LINE__;
  close(second);
  return 0;
}

TEST_P(LoopContract, AcceptWithoutDescriptorsStopsAndResumes) {
  loop_.reset();
  const pid_t child = fork();
  if (child == 0) {
    const int line = AcceptWithoutDescriptors(GetParam());
    if (line != 0) fprintf(stderr, "failed at line %d\n", line);
    _exit(line == 0 ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST_P(LoopContract, ServesAThousandConnections) {
  constexpr size_t kConnections = 1000;
  const int before = OpenDescriptors();
  uint16_t port = 0;
  const int listening = ListenTcp(&port);
  const int listener = loop_->AddListener(listening);
  std::vector<std::unique_ptr<RecordingStream>> streams;
  size_t sent = 0;
  owner_.on_accept = [&](int, int fd) {
    streams.push_back(std::make_unique<RecordingStream>());
    RecordingStream& stream = *streams.back();
    loop_->Attach(stream, fd);
    stream.on_receive = [this, &stream] { Send(stream, "pong", Notice::kLazy); };
    stream.on_sent = [&] { ++sent; };
  };
  std::vector<int> clients;
  ASSERT_TRUE(Run([&] {
    for (int i = 0; i < 100 && clients.size() < kConnections; ++i) {
      clients.push_back(ConnectTcp(port));
    }
    return streams.size() == kConnections;
  }));
  for (size_t round = 1; round <= 3; ++round) {
    for (const int fd : clients) Write(fd, "ping");
    ASSERT_TRUE(Run([&] {
      if (sent < round * kConnections) loop_->RunOnce(owner_, 0);
      return sent == round * kConnections;
    }));
    for (const int fd : clients) EXPECT_EQ(ReadAll(fd), "pong");
  }
  loop_->RemoveListener(listener);
  for (size_t i = 0; i < kConnections; ++i) {
    if (i % 2 == 0) close(clients[i]);
  }
  Settle();
  for (const auto& stream : streams) Close(*stream);
  ASSERT_TRUE(Run([&] {
    for (const auto& stream : streams) {
      if (stream->closed == 0) return false;
    }
    return true;
  }));
  for (size_t i = 1; i < kConnections; i += 2) close(clients[i]);
  close(listening);
  EXPECT_EQ(OpenDescriptors(), before);
}

TEST_P(LoopContract, DestroyedLoopClosesItsStreamsSilently) {
  const int before = OpenDescriptors();
  RecordingStream streams[3];
  Pair pairs[3];
  const std::string large = Pattern(4'000'000);
  std::unique_ptr<Loop> loop = GetParam().make();
  for (int i = 0; i < 3; ++i) {
    pairs[i] = MakePair();
    loop->Attach(streams[i], pairs[i].loop_end);
    loop->RunOnce(owner_, 0);
  }
  const iovec part = Part(large);
  loop->Send(streams[0], std::span(&part, 1));
  loop->PauseReceive(streams[1]);
  loop->RunOnce(owner_, 0);
  loop.reset();
  for (int i = 0; i < 3; ++i) {
    ReadAll(pairs[i].test_end);
    char byte;
    fcntl(pairs[i].test_end, F_SETFL, 0);
    EXPECT_EQ(recv(pairs[i].test_end, &byte, 1, 0), 0) << i;
    close(pairs[i].test_end);
    EXPECT_EQ(streams[i].closed, 0);
  }
  EXPECT_EQ(OpenDescriptors(), before);
}

// Method: the stream's memory is given back first, so that AddressSanitizer sees a look at it.
TEST_P(LoopContract, StreamsMayBeGoneBeforeTheirLoop) {
  const int before = OpenDescriptors();
  std::unique_ptr<Loop> loop = GetParam().make();
  auto stream = std::make_unique<RecordingStream>();
  const Pair pair = MakePair();
  loop->Attach(*stream, pair.loop_end);
  loop->RunOnce(owner_, 0);
  stream.reset();
  loop.reset();
  close(pair.test_end);
  EXPECT_EQ(OpenDescriptors(), before);
}

TEST_P(LoopContract, DestroyedByAnotherThreadThanItsOwn) {
  RecordingStream stream;
  const Pair pair = MakePair();
  std::thread runner([&] {
    loop_->Attach(stream, pair.loop_end);
    Write(pair.test_end, "hello");
    EXPECT_TRUE(Run([&] { return stream.received == "hello"; }));
  });
  runner.join();
  // A loop of this thread must not suffer from the end of the other.
  const std::unique_ptr<Loop> own = GetParam().make();
  RecordingOwner owner;
  own->RunOnce(owner, 0);
  loop_.reset();
  own->Wake();
  EXPECT_TRUE(RunUntil(*own, owner, [&] { return owner.wakes == 1; }));
  close(pair.test_end);
}

}  // namespace
}  // namespace larder::io
