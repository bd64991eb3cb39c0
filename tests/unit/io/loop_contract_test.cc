// Goal: every loop keeps the contract of io/loop.h.
// Method: one suite, run on each loop, with real sockets: Unix pairs and TCP over loopback.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <array>
#include <cerrno>
#include <memory>
#include <thread>

#include "io/event_loop.h"
#include "io/uring_loop.h"
#include "loop_harness.h"

namespace larder::io {
namespace {

constexpr uint32_t kBuffers = 8;
constexpr uint32_t kBufferBytes = 1024;

// Few and small buffers, so that the tests meet the end of them.
std::unique_ptr<Loop> MakeUring() {
  UringLoop::Options options;
  options.buffers = {.count = kBuffers, .buffer_bytes = kBufferBytes};
  auto loop = std::make_unique<UringLoop>(options);
  const absl::Status opened = loop->Open();
  EXPECT_TRUE(opened.ok()) << opened;
  return loop;
}

std::unique_ptr<Loop> MakeEvent() {
  auto loop = std::make_unique<EventLoop>(EventLoop::Options{
      .receive_bytes = kBuffers * kBufferBytes, .stream_bytes_max = kBufferBytes});
  const absl::Status opened = loop->Open();
  EXPECT_TRUE(opened.ok()) << opened;
  return loop;
}

struct Kind {
  const char* name;
  std::unique_ptr<Loop> (*make)();
};

// A TCP listener on a free port of loopback, without the layer's own socket code.
int ListenTcp(uint16_t* port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(*port);
  EXPECT_EQ(bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  socklen_t size = sizeof(address);
  getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  *port = ntohs(address.sin_port);
  EXPECT_EQ(listen(fd, 1024), 0);
  return fd;
}

int ConnectTcp(uint16_t port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  EXPECT_EQ(connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  return fd;
}

void Write(int fd, std::string_view bytes) {
  ASSERT_EQ(write(fd, bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
}

int OpenDescriptors() {
  int open = 0;
  for (int fd = 0; fd < 4096; ++fd) open += fcntl(fd, F_GETFD) >= 0 ? 1 : 0;
  return open;
}

class LoopContract : public testing::TestWithParam<Kind> {
 protected:
  void Close(RecordingStream& stream) {
    stream.closing = true;
    loop_->Close(stream);
  }
  void CloseAndWait(RecordingStream& stream) {
    Close(stream);
    EXPECT_TRUE(Run([&] { return stream.closed == 1; }));
  }
  bool Run(const std::function<bool()>& done) { return RunUntil(*loop_, owner_, done); }
  void Send(Stream& stream, std::string_view bytes, Notice notice = Notice::kPrompt) {
    const iovec part = Part(bytes);
    loop_->Send(stream, std::span(&part, 1), notice);
  }
  // Turns until nothing happens any more.
  void Settle() {
    for (int i = 0; i < 20; ++i) loop_->RunOnce(owner_, 0);
  }
  // A connection over TCP: the loop's end comes from OnAccept.
  Pair Accepted() {
    uint16_t port = 0;
    const int listening = ListenTcp(&port);
    const int listener = loop_->AddListener(listening);
    const size_t before = owner_.accepted.size();
    const int client = ConnectTcp(port);
    EXPECT_TRUE(Run([&] { return owner_.accepted.size() == before + 1; }));
    loop_->RemoveListener(listener);
    Settle();
    close(listening);
    return {owner_.accepted.back().second, client};
  }

  std::unique_ptr<Loop> loop_ = GetParam().make();
  RecordingOwner owner_;
};

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

TEST_P(LoopContract, DeliversBytesInOrder) {
  RecordingStream stream;
  const Pair pair = MakePair();
  loop_->Attach(stream, pair.loop_end);
  const std::string all = Pattern(300'000);
  size_t written = 0;
  ASSERT_TRUE(Run([&] {
    while (written < all.size()) {
      const ssize_t n =
          write(pair.test_end, all.data() + written, std::min<size_t>(all.size() - written, 5000));
      if (n <= 0) break;
      written += static_cast<size_t>(n);
    }
    return stream.received.size() == all.size();
  }));
  EXPECT_TRUE(stream.received == all);
  EXPECT_TRUE(stream.ends.empty());
  CloseAndWait(stream);
  close(pair.test_end);
}

TEST_P(LoopContract, BytesStayUntilTheTurnHasEnded) {
  // More streams than buffers: none may be used twice in a turn.
  std::array<RecordingStream, kBuffers * 3> streams;
  std::array<Pair, kBuffers * 3> pairs;
  for (size_t i = 0; i < streams.size(); ++i) {
    pairs[i] = MakePair();
    loop_->Attach(streams[i], pairs[i].loop_end);
  }
  owner_.on_turn_end = [&] {
    for (size_t i = 0; i < streams.size(); ++i) {
      std::string again;
      for (std::string_view bytes : streams[i].lent) again.append(bytes);
      const std::string& all = streams[i].received;
      EXPECT_EQ(again, all.substr(all.size() - again.size()));
      streams[i].lent.clear();
    }
  };
  const auto message = [](size_t stream, int round) {
    return std::string(500 + stream,
                       static_cast<char>('a' + (stream + static_cast<size_t>(round)) % 26));
  };
  std::array<std::string, kBuffers * 3> expected;
  for (int round = 0; round < 20; ++round) {
    for (size_t i = 0; i < streams.size(); ++i) {
      expected[i] += message(i, round);
      Write(pairs[i].test_end, message(i, round));
    }
    ASSERT_TRUE(Run([&] {
      for (size_t i = 0; i < streams.size(); ++i) {
        if (streams[i].received.size() != expected[i].size()) return false;
      }
      return true;
    }));
  }
  for (size_t i = 0; i < streams.size(); ++i) {
    EXPECT_EQ(streams[i].received, expected[i]);
    CloseAndWait(streams[i]);
    close(pairs[i].test_end);
  }
}

TEST_P(LoopContract, MoreBytesThanBuffersAreNotLost) {
  RecordingStream stream;
  const Pair pair = MakePair();
  const std::string all = Pattern(kBuffers * kBufferBytes * 4);
  Write(pair.test_end, all);
  loop_->Attach(stream, pair.loop_end);
  ASSERT_TRUE(Run([&] { return stream.received.size() == all.size(); }));
  EXPECT_TRUE(stream.received == all);
  CloseAndWait(stream);
  close(pair.test_end);
}

TEST_P(LoopContract, SendsOnePartAndSeveral) {
  RecordingStream stream;
  const Pair pair = MakePair();
  loop_->Attach(stream, pair.loop_end);
  for (const Notice notice : {Notice::kPrompt, Notice::kLazy}) {
    stream.sent.clear();
    Send(stream, "one", notice);
    EXPECT_TRUE(stream.sent.empty()) << "told from inside Send";
    ASSERT_TRUE(Run([&] { return stream.sent.size() == 1; }));
    EXPECT_EQ(ReadAll(pair.test_end), "one");
    std::vector<std::string> texts;
    std::vector<iovec> parts;
    std::string whole;
    for (size_t i = 0; i < Loop::kSendPartsMax; ++i) {
      texts.push_back(std::string(i + 1, static_cast<char>('a' + i)));
    }
    for (const std::string& text : texts) {
      parts.push_back(Part(text));
      whole += text;
    }
    loop_->Send(stream, parts, notice);
    parts.clear();  // they are copied
    parts.shrink_to_fit();
    ASSERT_TRUE(Run([&] { return stream.sent.size() == 2; }));
    EXPECT_EQ(stream.sent, (std::vector<int>{3, static_cast<int>(whole.size())}));
    EXPECT_EQ(ReadAll(pair.test_end), whole);
  }
  CloseAndWait(stream);
  close(pair.test_end);
}

TEST_P(LoopContract, LazySendLeavesBeforeTheWait) {
  RecordingStream stream;
  const Pair pair = MakePair();
  loop_->Attach(stream, pair.loop_end);
  Settle();
  Send(stream, "reply", Notice::kLazy);
  loop_->RunOnce(owner_, 1'000'000);
  EXPECT_EQ(ReadAll(pair.test_end), "reply");
  loop_->RunOnce(owner_, 0);
  EXPECT_EQ(stream.sent, std::vector<int>{5});
  CloseAndWait(stream);
  close(pair.test_end);
}

// Sends `all` to a slow reader with a small send buffer, whatever each Send takes.
void SendAllSlowly(Loop& loop, RecordingOwner& owner, RecordingStream& stream, int reader,
                   std::string_view all, size_t parts_count, Notice notice) {
  size_t taken = 0;
  bool in_flight = false;
  bool shrunk = false;
  std::string read;
  stream.on_sent = [&] {
    ASSERT_GT(stream.sent.back(), 0);
    taken += static_cast<size_t>(stream.sent.back());
    in_flight = false;
  };
  const auto send = [&] {
    std::vector<iovec> parts;
    const size_t step = std::max<size_t>(1, (all.size() - taken) / parts_count);
    for (size_t from = taken; from < all.size() && parts.size() < parts_count; from += step) {
      parts.push_back(Part(all.substr(from, step)));
    }
    size_t given = 0;
    for (const iovec& part : parts) given += part.iov_len;
    shrunk |= given > 20'000;
    in_flight = true;
    loop.Send(stream, parts, notice);
  };
  ASSERT_TRUE(RunUntil(loop, owner, [&] {
    if (!in_flight && taken < all.size()) send();
    read += ReadAll(reader);
    return read.size() == all.size();
  }));
  ASSERT_TRUE(RunUntil(loop, owner, [&] { return !in_flight; }));
  EXPECT_TRUE(read == all);
  EXPECT_EQ(taken, all.size());
  EXPECT_TRUE(shrunk);
  EXPECT_GT(stream.sent.size(), 1U) << "the send was never partial; the test shows nothing";
  stream.on_sent = nullptr;
}

TEST_P(LoopContract, PartialSendsLoseNothing) {
  const std::string all = Pattern(2'000'000);
  for (const Notice notice : {Notice::kPrompt, Notice::kLazy}) {
    for (const size_t parts : {size_t{1}, Loop::kSendPartsMax}) {
      SCOPED_TRACE(parts);
      RecordingStream stream;
      const Pair pair = MakePair();
      const int small = 4096;
      setsockopt(pair.loop_end, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
      loop_->Attach(stream, pair.loop_end);
      SendAllSlowly(*loop_, owner_, stream, pair.test_end, all, parts, notice);
      CloseAndWait(stream);
      close(pair.test_end);
    }
  }
}

TEST_P(LoopContract, PartialSendsOverTcpLoseNothing) {
  const std::string all = Pattern(1000000);
  for (const Notice notice : {Notice::kPrompt, Notice::kLazy}) {
    RecordingStream stream;
    const Pair pair = Accepted();
    const int small = 4096;
    setsockopt(pair.loop_end, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
    loop_->Attach(stream, pair.loop_end);
    SendAllSlowly(*loop_, owner_, stream, pair.test_end, all, 1, notice);
    CloseAndWait(stream);
    close(pair.test_end);
  }
}

TEST_P(LoopContract, LazySendWithNoRoomIsToldWhenThereIs) {
  for (const size_t count : {size_t{1}, size_t{2}}) {
    RecordingStream stream;
    const Pair pair = MakePair();
    const std::string filler(65536, 'x');
    size_t filled = 0;
    for (ssize_t n = 0;
         (n = send(pair.loop_end, filler.data(), filler.size(), MSG_DONTWAIT)) > 0;) {
      filled += static_cast<size_t>(n);
    }
    loop_->Attach(stream, pair.loop_end);
    const std::array<iovec, 2> parts = {Part("a"), Part("b")};
    loop_->Send(stream, std::span(parts).first(count), Notice::kLazy);
    Settle();
    EXPECT_TRUE(stream.sent.empty());
    EXPECT_EQ(ReadAll(pair.test_end).size(), filled);
    ASSERT_TRUE(Run([&] { return stream.sent.size() == 1; }));
    EXPECT_EQ(stream.sent[0], static_cast<int>(count));
    EXPECT_EQ(ReadAll(pair.test_end), std::string_view("ab").substr(0, count));
    CloseAndWait(stream);
    close(pair.test_end);
  }
}

TEST_P(LoopContract, SendToAGonePeerFails) {
  for (const Notice notice : {Notice::kPrompt, Notice::kLazy}) {
    RecordingStream stream;
    const Pair pair = MakePair();
    loop_->Attach(stream, pair.loop_end);
    close(pair.test_end);
    Send(stream, "nobody", notice);
    ASSERT_TRUE(Run([&] { return stream.sent.size() == 1; }));
    EXPECT_EQ(stream.sent[0], -EPIPE);  // and no signal
    CloseAndWait(stream);
  }
}

TEST_P(LoopContract, PausedStreamReadsNothingAndLosesNothing) {
  RecordingStream stream;
  const Pair pair = MakePair();
  loop_->Attach(stream, pair.loop_end);
  Write(pair.test_end, "first");
  ASSERT_TRUE(Run([&] { return stream.received == "first"; }));
  loop_->PauseReceive(stream);
  loop_->PauseReceive(stream);
  Settle();
  // Now the peer's bytes stay in the socket: it fills.
  const std::string chunk = Pattern(4096);
  std::string expected = "first";
  while (send(pair.test_end, chunk.data(), chunk.size(), MSG_DONTWAIT) ==
         static_cast<ssize_t>(chunk.size())) {
    expected += chunk;
    ASSERT_LT(expected.size(), 100'000'000U);
    loop_->RunOnce(owner_, 0);
  }
  Settle();
  EXPECT_EQ(stream.received, "first");
  loop_->ResumeReceive(stream);
  loop_->ResumeReceive(stream);
  // What the full socket took of the last chunk is unknown: the expected bytes are a prefix.
  ASSERT_TRUE(Run([&] { return stream.received.size() >= expected.size(); }));
  EXPECT_TRUE(stream.received.starts_with(expected));
  CloseAndWait(stream);
  close(pair.test_end);
}

TEST_P(LoopContract, PauseAndResumeAtEachByteKeepTheOrder) {
  RecordingStream stream;
  const Pair pair = MakePair();
  loop_->Attach(stream, pair.loop_end);
  const std::string all = Pattern(2000);
  stream.on_receive = [&] {
    loop_->PauseReceive(stream);
    if (stream.received.size() % 3 == 0) loop_->ResumeReceive(stream);
    if (stream.received.size() % 5 == 0) loop_->PauseReceive(stream);
  };
  for (size_t i = 0; i < all.size(); ++i) {
    Write(pair.test_end, all.substr(i, 1));
    loop_->RunOnce(owner_, 0);
    if (i % 7 == 0) loop_->ResumeReceive(stream);
  }
  stream.on_receive = nullptr;
  loop_->ResumeReceive(stream);
  ASSERT_TRUE(Run([&] { return stream.received.size() == all.size(); }));
  EXPECT_TRUE(stream.received == all);
  CloseAndWait(stream);
  close(pair.test_end);
}

TEST_P(LoopContract, HalfClosedPeerStillGetsItsReply) {
  RecordingStream stream;
  const Pair pair = Accepted();
  loop_->Attach(stream, pair.loop_end);
  Write(pair.test_end, "request");
  shutdown(pair.test_end, SHUT_WR);
  ASSERT_TRUE(Run([&] { return !stream.ends.empty(); }));
  EXPECT_EQ(stream.received, "request");
  EXPECT_EQ(stream.ends, std::vector<int>{0});
  Settle();
  EXPECT_EQ(stream.ends.size(), 1U);  // told once
  loop_->PauseReceive(stream);
  loop_->ResumeReceive(stream);
  Send(stream, "reply");
  ASSERT_TRUE(Run([&] { return stream.sent.size() == 1; }));
  CloseAndWait(stream);
  char bytes[16];
  EXPECT_EQ(recv(pair.test_end, bytes, sizeof(bytes), MSG_WAITALL), 5);
  EXPECT_EQ(recv(pair.test_end, bytes, sizeof(bytes), 0), 0);
  close(pair.test_end);
}

TEST_P(LoopContract, FinishSendingFollowsTheSendInFlight) {
  for (const bool while_sending : {false, true}) {
    RecordingStream stream;
    const Pair pair = MakePair();
    loop_->Attach(stream, pair.loop_end);
    Send(stream, "last words");
    if (!while_sending) {
      ASSERT_TRUE(Run([&] { return stream.sent.size() == 1; }));
    }
    loop_->FinishSending(stream);
    ASSERT_TRUE(Run([&] { return stream.sent.size() == 1; }));
    char bytes[32];
    EXPECT_EQ(recv(pair.test_end, bytes, sizeof(bytes), 0), 10);
    EXPECT_EQ(recv(pair.test_end, bytes, sizeof(bytes), MSG_DONTWAIT), 0);
    Write(pair.test_end, "still heard");
    ASSERT_TRUE(Run([&] { return stream.received == "still heard"; }));
    CloseAndWait(stream);
    close(pair.test_end);
  }
}

TEST_P(LoopContract, ResetIsAnError) {
  RecordingStream stream;
  const Pair pair = Accepted();
  loop_->Attach(stream, pair.loop_end);
  Settle();
  const linger abrupt = {.l_onoff = 1, .l_linger = 0};
  setsockopt(pair.test_end, SOL_SOCKET, SO_LINGER, &abrupt, sizeof(abrupt));
  close(pair.test_end);
  ASSERT_TRUE(Run([&] { return !stream.ends.empty(); }));
  EXPECT_EQ(stream.ends, std::vector<int>{-ECONNRESET});
  CloseAndWait(stream);
}

TEST_P(LoopContract, CloseCancelsTheSendInFlight) {
  RecordingStream stream;
  const Pair pair = MakePair();
  loop_->Attach(stream, pair.loop_end);
  const std::string large = Pattern(4'000'000);
  int sends = 0;
  const auto send = [&] {
    ++sends;
    Send(stream, large);
  };
  // Until one stays: the socket is full.
  send();
  ASSERT_TRUE(Run([&] {
    if (stream.sent.size() < static_cast<size_t>(sends)) {
      Settle();
      if (stream.sent.size() < static_cast<size_t>(sends)) return true;
    }
    send();
    return false;
  }));
  ASSERT_EQ(stream.sent.size() + 1, static_cast<size_t>(sends));
  Close(stream);
  EXPECT_EQ(stream.closed, 0) << "told from inside Close";
  ASSERT_TRUE(Run([&] { return stream.closed == 1; }));
  ASSERT_EQ(stream.sent.size(), static_cast<size_t>(sends));
  EXPECT_LT(stream.sent.back(), 0);
  ReadAll(pair.test_end);
  char byte;
  EXPECT_EQ(recv(pair.test_end, &byte, 1, 0), 0);
  close(pair.test_end);
}

TEST_P(LoopContract, CloseAtOnceAfterSendAndAttach) {
  const int before = OpenDescriptors();
  for (const Notice notice : {Notice::kPrompt, Notice::kLazy}) {
    RecordingStream stream;
    const Pair pair = MakePair();
    loop_->Attach(stream, pair.loop_end);
    Send(stream, "x", notice);
    CloseAndWait(stream);
    EXPECT_EQ(stream.sent.size(), 1U);
    close(pair.test_end);
  }
  EXPECT_EQ(OpenDescriptors(), before);
}

TEST_P(LoopContract, CloseFromInsideTheCalls) {
  const int before = OpenDescriptors();
  for (int from = 0; from < 3; ++from) {
    RecordingStream stream;
    const Pair pair = MakePair();
    loop_->Attach(stream, pair.loop_end);
    if (from == 0) stream.on_receive = [&] { Close(stream); };
    if (from == 1) stream.on_sent = [&] { Close(stream); };
    if (from == 2) {
      owner_.on_turn_end = [&] {
        if (!stream.received.empty() && !stream.closing) Close(stream);
      };
    }
    Send(stream, "reply");
    Write(pair.test_end, "request");
    ASSERT_TRUE(Run([&] { return stream.closed == 1; }));
    owner_.on_turn_end = nullptr;
    Settle();
    EXPECT_EQ(stream.closed, 1);
    EXPECT_EQ(stream.sent.size(), 1U);
    close(pair.test_end);
  }
  EXPECT_EQ(OpenDescriptors(), before);
}

TEST_P(LoopContract, ClosedInEveryState) {
  // Paused, pausing, ended: each must still come to OnClosed, and may be attached again after.
  RecordingStream stream;
  for (int state = 0; state < 4; ++state) {
    const Pair pair = MakePair();
    stream.closing = false;
    stream.closed = 0;
    loop_->Attach(stream, pair.loop_end);
    if (state >= 1) loop_->PauseReceive(stream);
    if (state >= 2) Settle();
    if (state == 3) {
      loop_->ResumeReceive(stream);
      shutdown(pair.test_end, SHUT_WR);
      Settle();
    }
    CloseAndWait(stream);
    close(pair.test_end);
  }
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

INSTANTIATE_TEST_SUITE_P(Loops, LoopContract,
                         testing::Values(Kind{"Uring", MakeUring}, Kind{"Event", MakeEvent}),
                         [](const auto& kind) { return std::string(kind.param.name); });

}  // namespace
}  // namespace larder::io
