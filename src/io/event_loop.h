// The loop on libevent (epoll), for kernels and containers that refuse io_uring. The same contract,
// more system calls: one epoll_wait a turn, one recv for each stream that became readable, one
// sendmsg for each Send.
//
// Received bytes lie one after another in an area that is used anew each turn, so they cost no copy
// and idle connections hold no buffer. When the area is full, streams that are still readable wait
// for the next turn: epoll tells them again. A stream is read once a turn.
//
// Send() writes at once; what it achieved is told in a later turn. Only if the socket had no room
// at all does the loop keep the parts and wait for writability.
//
// Threads: construct, Open() and use from one thread at a time; only Wake() from any. An idle
// stream costs about 300 bytes here, libevent's own tables included.
#ifndef LARDER_IO_EVENT_LOOP_H_
#define LARDER_IO_EVENT_LOOP_H_

#include <absl/status/status.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <sys/socket.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "io/loop.h"

namespace larder::io {

class EventLoop final : public Loop {
 public:
  struct Options {
    uint32_t receive_bytes = 1024 * 1024;   // all streams, one turn
    uint32_t stream_bytes_max = 64 * 1024;  // one stream, one turn
    uint32_t accepts_per_turn_max = 64;     // one listener
  };

  explicit EventLoop(const Options& options);
  ~EventLoop() override;

  // Once, before all else.
  [[nodiscard]] absl::Status Open();

  int AddListener(int fd) override;
  void ResumeAccept(int listener) override;
  void RemoveListener(int listener) override;
  void Attach(Stream& stream, int fd) override;
  void PauseReceive(Stream& stream) override;
  void ResumeReceive(Stream& stream) override;
  void LandingChanged(Stream& stream) override { (void)stream; }
  void Send(Stream& stream, std::span<const iovec> parts, Notice notice) override;
  void FinishSending(Stream& stream) override;
  void Close(Stream& stream) override;
  void Release(Stream& stream) override;
  void RunOnce(LoopOwner& owner, int64_t wait_ns) override;
  void Wake() override;
  void Ring(Loop& sleeper) override { sleeper.Wake(); }
  [[nodiscard]] std::string_view Name() const override { return "event"; }
  void SetFrugal(bool frugal) override { (void)frugal; }  // one buffer a stream and turn, always
  [[nodiscard]] uint64_t BufferBytes() const override;

  // "2.1.12-stable", of the library that runs.
  [[nodiscard]] static std::string_view LibraryVersion();

 private:
  // Bits of Stream::state_.
  enum State : uint8_t {
    kWanted = 1,     // the read event is added
    kEnded = 2,      // OnReceiveEnd was told
    kSending = 4,    // OnSent is owed
    kFinishing = 8,  // shut the sending side down after the send in flight
    kClosing = 16,
    kReleased = 32,  // closing, and the owner has its descriptor back
  };
  // A send that found no room.
  struct BlockedSend {
    event writable;
    std::array<iovec, kSendPartsMax> parts;
    size_t parts_count;
  };
  // What the loop knows of a stream; Stream::loop_data_ points here.
  struct Watch {
    EventLoop* loop;
    Stream* stream;
    int fd;        // the stream's, which may be gone before the loop is
    size_t index;  // in watches_
    event readable;
    std::unique_ptr<BlockedSend> blocked;
  };
  struct Listener {
    EventLoop* loop;
    int number;
    int fd;
    bool stopped;
    bool removed;
    event readable;
  };
  struct SendResult {
    Stream* stream;
    int result;
  };

  static Watch& WatchOf(Stream& stream) { return *static_cast<Watch*>(stream.loop_data_); }
  static void OnReadable(evutil_socket_t fd, short what, void* watch);
  static void OnWritable(evutil_socket_t fd, short what, void* watch);
  static void OnAcceptable(evutil_socket_t fd, short what, void* listener);
  static void OnWakeFd(evutil_socket_t fd, short what, void* loop);
  static void OnTime(evutil_socket_t, short, void*) {}

  void Receive(Stream& stream);
  void AcceptSome(Listener& listener);
  void EndSend(Stream& stream, int result);
  void TellClosed(Stream& stream);
  void Wait(int64_t wait_ns);

  Options options_;
  event_base* base_ = nullptr;
  std::unique_ptr<char[]> area_;
  size_t area_used_ = 0;        // by this turn's bytes
  LoopOwner* owner_ = nullptr;  // inside RunOnce
  std::vector<std::unique_ptr<Watch>> watches_;
  std::vector<std::unique_ptr<Listener>> listeners_;
  std::vector<SendResult> results_;       // to be told in the next turn
  std::vector<SendResult> results_told_;  // this turn's; a member to keep its memory
  std::vector<Stream*> closed_;           // OnClosed is owed in the next turn
  bool hurry_ = false;                    // one of the results is not lazy
  bool woken_ = false;                    // OnWake is owed this turn

  int wake_fd_ = -1;
  event wake_event_ = {};
  event timer_ = {};
  // As in UringLoop: true from the first Wake() to the turn that tells it.
  std::atomic<bool> wake_pending_ = false;
};

}  // namespace larder::io

#endif  // LARDER_IO_EVENT_LOOP_H_
