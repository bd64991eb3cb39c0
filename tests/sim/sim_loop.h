// A loop without a kernel: streams are pairs of byte queues to simulated clients, and everything
// that a kernel may choose is drawn from a seed.
//
//   client ── Write ──► to_server ──► OnReceive, in pieces of any size, at any time
//   client ◄── Read ─── to_client ◄── Send, taken in part, later
//
// A turn delivers a random part of what is ready, in random order. Lent bytes lie in blocks of
// their exact size, freed when the turn ends, so that AddressSanitizer sees a read beyond them or
// too late. A socket that is closed with unread bytes is reset, as by the kernel: what the client
// has not read by then is lost to it.
//
// What the server must keep to is checked: one send at a time, its bytes unchanged until OnSent,
// no call after Close. A breach ends the process through SimFailed.
#ifndef LARDER_TESTS_SIM_SIM_LOOP_H_
#define LARDER_TESTS_SIM_SIM_LOOP_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "io/loop.h"
#include "util/prng.h"

namespace larder::io {
class SimLoop;
}

namespace larder::sim {

// Prints what went wrong and how to see it again, and ends the process.
[[noreturn]] void SimFailed(const std::string& what);

#define SIM_CHECK(condition, what)                      \
  do {                                                  \
    if (!(condition)) ::larder::sim::SimFailed((what)); \
  } while (false)

// One connection, as the client sees it.
class SimSocket {
 public:
  explicit SimSocket(size_t window) : window_(window) {}

  // The client's calls.
  void Write(std::string_view bytes);
  // At most `bytes_max` of what has arrived.
  std::string Read(size_t bytes_max);
  // No more will be written (FIN).
  void FinishWriting() { client_finished_ = true; }
  // Gone at once.
  void Reset() { reset_by_client_ = true; }
  // The client reads with a window of so many bytes; 0: it does not read.
  void SetWindow(size_t bytes) { window_ = bytes; }

  // What the client can see.
  [[nodiscard]] bool refused() const { return refused_; }
  [[nodiscard]] size_t readable() const { return to_client_.size(); }
  // Everything the server will ever send has been read, and its FIN.
  [[nodiscard]] bool at_end() const { return to_client_.empty() && (server_finished_ || closed_); }
  [[nodiscard]] bool reset_by_server() const { return reset_by_server_; }
  [[nodiscard]] bool closed() const { return closed_; }

  // What only a simulator can see.
  [[nodiscard]] size_t undelivered() const { return to_server_.size() - delivered_; }
  [[nodiscard]] uint64_t delivered_total() const { return delivered_total_; }
  [[nodiscard]] bool sending() const { return send_ != nullptr && !send_->result; }
  // A send has ended well, and its lazy notice waits for something else to happen.
  [[nodiscard]] bool notice_held() const { return send_ != nullptr && send_->result; }
  [[nodiscard]] io::Stream* stream() const { return stream_; }
  [[nodiscard]] std::string Describe() const;

 private:
  friend class io::SimLoop;

  struct SendInFlight {
    std::vector<std::string_view> parts;  // the server's memory
    std::string copy;                     // what was there when it was sent
    io::Notice notice;
    std::optional<int> result = std::nullopt;  // what OnSent will be told; the bytes have left
  };

  std::string to_server_;
  size_t delivered_ = 0;
  uint64_t delivered_total_ = 0;
  std::string to_client_;
  size_t window_;
  size_t piece_max_ = 1 << 16;
  std::unique_ptr<SendInFlight> send_;
  io::Stream* stream_ = nullptr;
  int late_deliveries_ = 0;  // still to come after a pause
  int late_lent_ = 0;        // pieces still to be lent after a landing was named
  bool refused_ = false;
  bool client_finished_ = false;
  bool reset_by_client_ = false;
  bool reset_by_server_ = false;
  bool told_end_ = false;
  bool paused_ = false;
  bool server_finished_ = false;
  bool closing_ = false;
  bool releasing_ = false;
  bool closed_ = false;
};

}  // namespace larder::sim

namespace larder::io {

class SimLoop final : public Loop {
 public:
  explicit SimLoop(uint64_t seed) : prng_(seed) {}
  ~SimLoop() override = default;

  // A new client of `listener`; accepted in some later turn.
  std::shared_ptr<sim::SimSocket> Connect(int listener);

  // Called when the owner sleeps with nothing to do: other cores may run until it is woken.
  void SetWhileAsleep(std::function<void()> run) { while_asleep_ = std::move(run); }
  [[nodiscard]] bool rung() const { return rung_; }

  int AddListener(int fd) override;
  void ResumeAccept(int listener) override;
  void RemoveListener(int listener) override;
  void Attach(Stream& stream, int fd) override;
  void PauseReceive(Stream& stream) override;
  void ResumeReceive(Stream& stream) override;
  void LandingChanged(Stream& stream) override;
  void Send(Stream& stream, std::span<const iovec> parts, Notice notice) override;
  void FinishSending(Stream& stream) override;
  void Close(Stream& stream) override;
  void Release(Stream& stream) override;
  void RunOnce(LoopOwner& owner, int64_t wait_ns) override;
  void Wake() override { rung_ = true; }
  void Ring(Loop& sleeper) override { static_cast<SimLoop&>(sleeper).rung_ = true; }
  [[nodiscard]] std::string_view Name() const override { return "sim"; }
  void SetFrugal(bool frugal) override { frugal_ = frugal; }
  [[nodiscard]] uint64_t BufferBytes() const override { return 0; }

  [[nodiscard]] uint64_t received_bytes() const { return received_bytes_; }
  // Of these, what went straight to where the owner wanted it.
  [[nodiscard]] uint64_t landed_bytes() const { return landed_bytes_; }
  [[nodiscard]] size_t attached() const { return sockets_.size(); }

 private:
  using Socket = sim::SimSocket;
  enum class Event : uint8_t { kAccept, kReceive, kEnd, kSent, kClosed, kReleased };
  struct Ready {
    Event event;
    int index;  // a listener, or a socket's fd
  };
  struct Listener {
    bool accepting = true;
    bool removed = false;
    std::deque<std::shared_ptr<Socket>> queue;
  };

  Socket& SocketOf(Stream& stream);
  [[nodiscard]] std::vector<Ready> WhatIsReady();
  void Deliver(LoopOwner& owner, const Ready& ready);
  void Accept(LoopOwner& owner, int listener);
  void Receive(Socket& socket);
  void Land(Socket& socket, const Landing& landing, size_t bytes_max);
  void Take(Socket& socket, std::span<char> to);
  void EndReceiving(Socket& socket);
  int Transmit(Socket& socket);
  void CompleteSend(Socket& socket);
  void FinishClose(int fd);
  void FinishRelease(int fd);
  void TurnEnd(LoopOwner& owner);

  util::Prng prng_;
  std::vector<Listener> listeners_;
  // By descriptor: ours are no descriptors of the process.
  std::map<int, std::shared_ptr<Socket>> accepted_;  // not yet attached
  std::map<int, std::shared_ptr<Socket>> sockets_;
  // Given back by one loop, and not yet taken over by another: descriptors are the process's.
  static inline std::map<int, std::shared_ptr<Socket>> released_;
  static inline int next_fd_ = 1 << 30;
  std::vector<std::unique_ptr<char[]>> lent_;
  std::function<void()> while_asleep_;
  uint64_t received_bytes_ = 0;
  uint64_t landed_bytes_ = 0;
  bool rung_ = false;
  bool in_turn_ = false;
  bool frugal_ = false;
  bool told_ = false;  // something in this turn: lazy notices may come with it
};

}  // namespace larder::io

#endif  // LARDER_TESTS_SIM_SIM_LOOP_H_
