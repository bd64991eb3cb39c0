// The loop on io_uring: one ring, one system call a turn.
//
// A turn costs one io_uring_enter(), which submits all that was asked for since the last one and
// waits, whatever the number of connections. Receiving is multishot from provided buffers, so a
// request that arrives on an armed stream costs no submission; accepting is multishot too. Where
// the owner names a Landing, receives are single. A Send
// is one submission; if lazy and taken whole, the kernel posts no completion for it, and the enter
// that sent it is the one that sleeps. Further system calls: shutdown and close for a stream's end,
// and a write to an eventfd for Wake() from another thread.
//
// Threads: construct, Open(), AddListener() and Attach() on any thread; the thread of the first
// RunOnce() is the loop's from then on (the ring is created disabled and enabled there). Other
// calls only on that thread, but for Wake(). Destroy it there, or when that thread has ended.
//
// What a completion belongs to is in its user data: an address, aligned to eight, and in the low
// three bits a Kind. A Stream is not forgotten (OnClosed) before the kernel has answered all
// operations it was given for it, `in_flight_`; so no completion can name a stream that is gone.
#ifndef LARDER_IO_URING_LOOP_H_
#define LARDER_IO_URING_LOOP_H_

#include <absl/status/status.h>
#include <liburing.h>
#include <sys/socket.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <thread>
#include <vector>

#include "io/loop.h"
#include "io/uring_buffers.h"

namespace larder::io {

class UringLoop final : public Loop {
 public:
  struct Options {
    uint32_t submissions = 1024;
    uint32_t completions = 4096;
    UringBuffers::Options buffers;
  };

  explicit UringLoop(const Options& options) : options_(options) {}
  ~UringLoop() override;

  // Once, before all else. The message says what the kernel refused.
  [[nodiscard]] absl::Status Open();

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
  void Wake() override;
  void Ring(Loop& sleeper) override;
  [[nodiscard]] std::string_view Name() const override { return "uring"; }
  void SetFrugal(bool frugal) override;
  [[nodiscard]] uint64_t BufferBytes() const override;

 private:
  enum class Kind : uint64_t {
    kReceive,  // the address is a Stream's, as in the next two
    kSend,
    kCancel,  // of a stream's operations
    kAccept,  // the "address" is the listener's number, as in the next
    kCancelAccept,
    kWake,      // the read of our eventfd
    kRang,      // another loop's doorbell
    kRingSent,  // ours failed; the address is the other loop's
  };
  // Bits of Stream::state_.
  enum State : uint8_t {
    kWanted = 1,     // the owner wants bytes
    kArmed = 2,      // the kernel holds a receive
    kPausing = 4,    // and was asked to give it up
    kEnded = 8,      // OnReceiveEnd was told
    kSending = 16,   // OnSent is owed
    kLazySend = 32,  // and known to the kernel as silent
    kClosing = 64,
    kFinishing = 128,  // shut the sending side down after the send in flight
    // The owner has its descriptor back, and wants what comes until then.
    kReleased = kClosing | kWanted,
  };
  struct Listener {
    int fd = -1;
    bool armed = false;
    bool stopped = false;  // by an error; ResumeAccept ends it
    bool removed = false;
  };
  // What the loop knows of a stream beside the stream's own 16 bytes. Stream::loop_data_ is its
  // index here.
  struct OpenStream {
    Stream* stream;
    int fd;
    uint32_t lazy_send;  // index in a batch
  };
  // A send of several parts. The kernel copies it when it is submitted.
  struct Message {
    msghdr header;
    std::array<iovec, kSendPartsMax> parts;
  };
  struct LazySend {
    Stream* stream;  // null once it is told
    size_t bytes;
    const void* data;  // of its only part; else null
    Message* message;
  };
  // What was queued between two enters. While one batch fills, the other holds what its enter has
  // submitted, until OnSent is told.
  struct Batch {
    std::vector<LazySend> lazy;
    std::vector<std::unique_ptr<Message>> messages;  // kept, to be used again
    size_t messages_used = 0;
  };

  static uint64_t Tag(const void* address, Kind kind);
  static uint64_t Tag(int listener, Kind kind);
  static Stream& StreamOf(uint64_t tag);
  OpenStream& OpenOf(const Stream& stream);

  void Start();
  void Enter(int64_t wait_ns);
  io_uring_sqe* Submission(uint64_t tag);
  void ArmReceive(Stream& stream);
  void ArmEnded();
  void ArmAccept(int listener);
  void ArmWake();
  void CancelReceive(Stream& stream);
  [[nodiscard]] static bool IsReleased(const Stream& stream) {
    return (stream.state_ & kReleased) == kReleased;
  }
  Message* NewMessage(std::span<const iovec> parts);

  void Reap(LoopOwner& owner);
  void Complete(LoopOwner& owner, const io_uring_cqe& completion);
  void CompleteReceive(const io_uring_cqe& completion);
  void CompleteSend(const io_uring_cqe& completion);
  void CompleteCancel(Stream& stream, int result);
  void CompleteAccept(LoopOwner& owner, const io_uring_cqe& completion);
  void EndSend(Stream& stream, int result);
  [[nodiscard]] bool RetrySend(Stream& stream, int result);
  void TellLazySends();
  void TellClosed(size_t count);
  void ForgetIfIdle(Stream& stream);
  void Forget(Stream& stream);

  Options options_;
  io_uring ring_ = {};
  UringBuffers buffers_;
  bool opened_ = false;
  bool started_ = false;
  bool rang_ = false;  // OnWake is owed this turn
  std::thread::id thread_;
  std::vector<Listener> listeners_;
  std::vector<OpenStream> open_;
  std::vector<Stream*> closed_;  // closed with nothing in flight; OnClosed is owed next turn
  std::vector<Stream*> ended_;   // their receive has ended in this turn, and may go on after it
  std::array<Batch, 2> batches_;
  size_t filling_ = 0;  // which of the batches

  int wake_fd_ = -1;
  uint64_t wake_count_ = 0;  // what the kernel reads from wake_fd_
  // True from the first Wake() to the turn that tells it; further ones make no system call. The
  // exchanges are acq_rel: what was written before a Wake() that found `true` is seen by the owner
  // in OnWake, because the loop's own exchange to false comes after it and before OnWake.
  std::atomic<bool> wake_pending_ = false;
};

}  // namespace larder::io

#endif  // LARDER_IO_URING_LOOP_H_
