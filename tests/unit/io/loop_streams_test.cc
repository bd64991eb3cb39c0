// Goal: every loop keeps the part of io/loop.h that is about one stream: bytes in, bytes out, the
// end. Method: one suite, run on each loop, with real sockets: Unix pairs and TCP over loopback.
#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>

#include "loop_fixture.h"

namespace larder::io {
namespace {

class LoopStreams : public LoopTest {};
INSTANTIATE_TEST_SUITE_P(Loops, LoopStreams, AllLoops(), NameOf);

TEST_P(LoopStreams, DeliversBytesInOrder) {
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

TEST_P(LoopStreams, FrugalReceivingLosesNothing) {
  std::array<RecordingStream, kBuffers * 2> streams;
  std::array<Pair, kBuffers * 2> pairs;
  for (size_t i = 0; i < streams.size(); ++i) {
    pairs[i] = MakePair();
    loop_->Attach(streams[i], pairs[i].loop_end);
  }
  const std::string piece = Pattern(20'000);
  // It may be said again and again, and taken back.
  for (size_t round = 1; round <= 6; ++round) {
    loop_->SetFrugal(round % 3 != 0);
    for (const Pair& pair : pairs) Write(pair.test_end, piece);
    ASSERT_TRUE(Run([&] {
      return std::ranges::all_of(streams, [&](const RecordingStream& stream) {
        return stream.received.size() == round * piece.size();
      });
    }));
  }
  for (size_t i = 0; i < streams.size(); ++i) {
    EXPECT_TRUE(streams[i].received.ends_with(piece));
    CloseAndWait(streams[i]);
    close(pairs[i].test_end);
  }
}

TEST_P(LoopStreams, BytesStayUntilTheTurnHasEnded) {
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

TEST_P(LoopStreams, MoreBytesThanBuffersAreNotLost) {
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

TEST_P(LoopStreams, SendsOnePartAndSeveral) {
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

TEST_P(LoopStreams, LazySendLeavesBeforeTheWait) {
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
    ASSERT_GE(stream.sent.back(), 0);
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

TEST_P(LoopStreams, PartialSendsLoseNothing) {
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

TEST_P(LoopStreams, PartialSendsOverTcpLoseNothing) {
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

TEST_P(LoopStreams, LazySendWithNoRoomIsToldWhenThereIs) {
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

// Room that appears is taken by somebody else, time after time, before the loop can use it. A
// kernel that loses patience (io_uring after 128 times) must not make the send fail.
TEST_P(LoopStreams, SendThatIsBeatenToEveryRoomGoesOn) {
  RecordingStream stream;
  const Pair pair = MakePair();
  const int rival = dup(pair.loop_end);
  loop_->Attach(stream, pair.loop_end);
  const std::array<iovec, 2> parts = {Part("pati"), Part("ence")};
  const std::string filler(4096, 'x');
  const auto fill = [&] {
    while (send(rival, filler.data(), filler.size(), MSG_DONTWAIT) > 0) {
    }
  };
  stream.on_sent = [&] {
    ASSERT_GE(stream.sent.back(), 0);
    if (stream.sent.back() == 0) loop_->Send(stream, parts);
  };
  fill();
  loop_->Send(stream, parts);
  std::string read;
  for (int round = 0; round < 150; ++round) {
    loop_->RunOnce(owner_, 1'000'000);  // the kernel's last attempt is on a thread of its own
    read += ReadAll(pair.test_end);
    fill();
  }
  ASSERT_TRUE(Run([&] {
    read += ReadAll(pair.test_end);
    return !stream.sent.empty() && stream.sent.back() != 0;
  }));
  read += ReadAll(pair.test_end);
  EXPECT_EQ(stream.sent.back(), 8);
  EXPECT_NE(read.find("patience"), std::string::npos);
  CloseAndWait(stream);
  close(rival);
  close(pair.test_end);
}

TEST_P(LoopStreams, SendToAGonePeerFails) {
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

TEST_P(LoopStreams, PausedStreamReadsNothingAndLosesNothing) {
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

TEST_P(LoopStreams, PauseAndResumeAtEachByteKeepTheOrder) {
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

TEST_P(LoopStreams, HalfClosedPeerStillGetsItsReply) {
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

TEST_P(LoopStreams, FinishSendingFollowsTheSendInFlight) {
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

TEST_P(LoopStreams, ResetIsAnError) {
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

TEST_P(LoopStreams, CloseCancelsTheSendInFlight) {
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

TEST_P(LoopStreams, CloseAtOnceAfterSendAndAttach) {
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

TEST_P(LoopStreams, CloseFromInsideTheCalls) {
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

// Close() from inside each of the stream's calls, whatever else of it is in flight; the owner
// destroys the stream in OnClosed, which must be the last that the loop does with it.
class CloseInside {
 public:
  enum class Call : uint8_t { kReceive, kReceiveEnd, kSent };
  enum class Receiving : uint8_t { kOn, kPaused, kEnded };
  enum class Sending : uint8_t { kNothing, kPrompt, kLazy, kToNobody };
  static constexpr Call kCalls[] = {Call::kReceive, Call::kReceiveEnd, Call::kSent};
  static constexpr Receiving kReceivings[] = {Receiving::kOn, Receiving::kPaused,
                                              Receiving::kEnded};
  static constexpr Sending kSendings[] = {Sending::kNothing, Sending::kPrompt, Sending::kLazy,
                                          Sending::kToNobody};

  // Can this call come at all?
  static bool Possible(Call call, Receiving receiving, Sending sending) {
    if (call == Call::kSent) return sending != Sending::kNothing;
    return receiving == Receiving::kOn && sending != Sending::kToNobody;
  }

  CloseInside(Loop& loop, RecordingOwner& owner) : loop_(loop), owner_(owner) {}

  void Run(Call call, Receiving receiving, Sending sending) {
    const Pair pair = MakePair();
    stream_ = std::make_unique<RecordingStream>();
    stream_->on_closed = [this] {
      sent_ = stream_->sent.size();
      stream_.reset();
      ++closed_;
    };
    loop_.Attach(*stream_, pair.loop_end);
    Prepare(receiving, pair);
    const auto close_it = [this] {
      if (stream_->closing) return;
      stream_->closing = true;
      loop_.Close(*stream_);
    };
    if (call == Call::kReceive) stream_->on_receive = close_it;
    if (call == Call::kReceiveEnd) stream_->on_end = close_it;
    if (call == Call::kSent) stream_->on_sent = close_it;
    Provoke(call, sending, pair);
    ASSERT_TRUE(RunUntil(loop_, owner_, [&] { return closed_ == 1; }));
    for (int i = 0; i < 20; ++i) loop_.RunOnce(owner_, 0);
    EXPECT_EQ(closed_, 1);
    EXPECT_EQ(sent_, sending == Sending::kNothing ? 0U : 1U);
    if (sending != Sending::kToNobody) close(pair.test_end);
  }

 private:
  void Prepare(Receiving receiving, const Pair& pair) {
    if (receiving == Receiving::kPaused) loop_.PauseReceive(*stream_);
    if (receiving == Receiving::kEnded) {
      shutdown(pair.test_end, SHUT_WR);
      ASSERT_TRUE(RunUntil(loop_, owner_, [&] { return !stream_->ends.empty(); }));
    }
    for (int i = 0; i < 20; ++i) loop_.RunOnce(owner_, 0);
  }

  void Provoke(Call call, Sending sending, const Pair& pair) {
    if (sending == Sending::kToNobody) close(pair.test_end);
    if (call == Call::kReceive) Write(pair.test_end, "request");
    if (call == Call::kReceiveEnd) shutdown(pair.test_end, SHUT_WR);
    if (sending == Sending::kNothing) return;
    const iovec part = Part("reply");
    loop_.Send(*stream_, std::span(&part, 1),
               sending == Sending::kLazy ? Notice::kLazy : Notice::kPrompt);
  }

  Loop& loop_;
  RecordingOwner& owner_;
  std::unique_ptr<RecordingStream> stream_;
  size_t sent_ = 0;
  int closed_ = 0;
};

TEST_P(LoopStreams, CloseFromInsideEachCallInEachState) {
  const int before = OpenDescriptors();
  for (const auto call : CloseInside::kCalls) {
    for (const auto receiving : CloseInside::kReceivings) {
      for (const auto sending : CloseInside::kSendings) {
        if (!CloseInside::Possible(call, receiving, sending)) continue;
        SCOPED_TRACE(testing::Message() << static_cast<int>(call) << static_cast<int>(receiving)
                                        << static_cast<int>(sending));
        CloseInside(*loop_, owner_).Run(call, receiving, sending);
      }
    }
  }
  EXPECT_EQ(OpenDescriptors(), before);
}

TEST_P(LoopStreams, SendsAgainFromInsideOnSentAndThenFinishes) {
  for (const Notice notice : {Notice::kPrompt, Notice::kLazy}) {
    RecordingStream stream;
    const Pair pair = MakePair();
    loop_->Attach(stream, pair.loop_end);
    stream.on_sent = [&] {
      if (stream.sent.size() < 3) Send(stream, "word", notice);
      if (stream.sent.size() == 1) loop_->FinishSending(stream);
    };
    Send(stream, "word", notice);
    ASSERT_TRUE(Run([&] { return stream.sent.size() == 3; }));
    Settle();
    EXPECT_EQ(stream.sent, (std::vector<int>{4, 4, 4}));
    EXPECT_EQ(ReadAll(pair.test_end), "wordwordword");
    char byte;
    EXPECT_EQ(recv(pair.test_end, &byte, 1, MSG_DONTWAIT), 0);
    CloseAndWait(stream);
    close(pair.test_end);
  }
}

TEST_P(LoopStreams, ClosedInEveryState) {
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

// A peer writes all the time; in every state of the receive, what the stream was handed and what is
// read from the descriptor afterwards are all of it, in order, and the socket is whole.
TEST_P(LoopStreams, ReleaseLosesNothingAndLeavesTheSocketAlone) {
  const int before = OpenDescriptors();
  const std::string pattern = Pattern(100'000);
  for (int state = 0; state < 4; ++state) {
    SCOPED_TRACE(state);
    RecordingStream stream;
    const Pair pair = MakePair();
    size_t written = 0;
    const auto write_more = [&] {
      const std::string_view more = std::string_view(pattern).substr(written, 1000);
      written += more.size();
      Write(pair.test_end, more);
    };
    loop_->Attach(stream, pair.loop_end);
    bool released = false;
    const auto release = [&] {
      if (!std::exchange(released, true)) loop_->Release(stream);
    };
    if (state == 0) stream.on_receive = release;
    if (state == 1) {
      loop_->PauseReceive(stream);
      release();
    }
    if (state == 2) {
      loop_->PauseReceive(stream);
      Settle();
      release();
    }
    if (state == 3) {
      loop_->PauseReceive(stream);
      loop_->ResumeReceive(stream);
      release();
    }
    ASSERT_TRUE(Run([&] {
      write_more();
      return stream.closed == 1;
    }));
    write_more();
    Settle();
    EXPECT_EQ(stream.closed, 1);
    EXPECT_TRUE(stream.ends.empty());
    EXPECT_EQ(stream.received + ReadAll(pair.loop_end), pattern.substr(0, written));
    Write(pair.loop_end, "reply");
    EXPECT_EQ(ReadAll(pair.test_end), "reply");
    close(pair.loop_end);
    close(pair.test_end);
  }
  EXPECT_EQ(OpenDescriptors(), before);
}

}  // namespace
}  // namespace larder::io
