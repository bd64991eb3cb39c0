// The kernel, behind one interface: accept, receive, send, wake, time to sleep.
//
// A loop belongs to one thread (the simulator's loops share one). All calls are made on that
// thread, but for Wake(). The loop calls its owner back from inside RunOnce() only. One RunOnce()
// is a turn:
//
//   1. what was asked for since the last turn (sends, closes, doorbells) is handed to the kernel,
//      in the same system call that waits;
//   2. all that became ready is told to the owner: OnAccept, OnReceive, OnSent, …;
//   3. LoopOwner::OnTurnEnd(), where the owner acts on the whole batch.
//
// No call of the owner is answered from inside itself: OnSent and OnClosed come from a later
// RunOnce(). A loop that is destroyed calls nobody any more, and closes the descriptors of the
// streams still attached, which may be gone by then.
//
// Received bytes are lent until OnTurnEnd() has returned: the owner may parse all connections of a
// turn first and execute then. What it needs longer, it copies.
//
// The contract is the same for UringLoop, EventLoop and the simulator; tests/unit/io runs one suite
// on all.
#ifndef LARDER_IO_LOOP_H_
#define LARDER_IO_LOOP_H_

#include <sys/uio.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace larder::io {

// Where the next bytes of a stream go.
struct Landing {
  // Memory of the owner's, filled in this order; it stays valid until OnLanded() or OnClosed(). No
  // part: memory of the loop's, lent by OnReceive().
  std::array<iovec, 2> parts = {};
  size_t parts_count = 0;
  // Of lent memory: for one receive only. Then the loop asks again before it receives more, and
  // the rest of a large message need not come through lent memory.
  bool once = false;
};

// One connected socket, as the loop sees it; a connection derives from it. The loop never allocates
// or frees it.
class Stream {
 public:
  Stream() = default;
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  // `bytes` is not empty and lent until the turn ends. May come once or a few times more after
  // PauseReceive().
  virtual void OnReceive(std::string_view bytes) = 0;
  // Asked before the loop receives. What it was told before may hold for a few receives more.
  virtual Landing NextLanding() { return {}; }
  // So many bytes, at least one, have come to where NextLanding() last said.
  virtual void OnLanded(size_t bytes) { (void)bytes; }
  // The last word of the receiving side. 0: the peer has finished sending (it may still read); else
  // -errno.
  virtual void OnReceiveEnd(int error) = 0;
  // The one send in flight has ended: bytes taken (perhaps fewer than given; now and then 0, to be
  // sent again) or -errno.
  virtual void OnSent(int result) = 0;
  // After Close(), in a later turn: the loop has forgotten the stream; it may be destroyed in this
  // call, or attached again. No OnReceiveEnd comes between Close() or Release() and this, and after
  // Close() no OnReceive.
  virtual void OnClosed() = 0;

 protected:
  ~Stream() = default;

 private:
  friend class UringLoop;
  friend class EventLoop;
  friend class SimLoop;
  int fd_ = -1;
  uint8_t state_ = 0;          // bits of the loop's own
  uint16_t in_flight_ = 0;     // operations that the kernel still holds
  void* loop_data_ = nullptr;  // of the loop's own: libevent's events, the simulator's peer
};

// What a loop tells beyond its streams.
class LoopOwner {
 public:
  // A client has connected to listener `listener` (as AddListener numbered it). The owner now owns
  // `fd`: it gives it to Attach() or closes it.
  virtual void OnAccept(int listener, int fd) = 0;
  // Accepting failed with -errno (EMFILE, ENFILE, ENOMEM, …). The loop has stopped accepting on
  // this listener until ResumeAccept(); it never spins.
  virtual void OnAcceptError(int listener, int error) = 0;
  // A doorbell or Wake() arrived; at most once a turn.
  virtual void OnWake() = 0;
  // The turn's events have all been told.
  virtual void OnTurnEnd() = 0;

 protected:
  ~LoopOwner() = default;
};

// When OnSent() is told. A lazy notice spares the kernel a completion and the loop a turn; it is
// for sends after which the owner has nothing to do: no more bytes wait, nothing is paused or
// closing.
enum class Notice : uint8_t {
  kPrompt,  // OnSent ends the next wait
  kLazy,    // if all bytes are taken, OnSent may wait for the next turn that something else starts;
            // anything short of that is told promptly
};

class Loop {
 public:
  Loop() = default;
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;
  virtual ~Loop() = default;

  // Starts accepting on a listening socket (non-blocking), which stays the caller's. Returns its
  // number: 0, 1, …
  virtual int AddListener(int fd) = 0;
  // After OnAcceptError. Idempotent.
  virtual void ResumeAccept(int listener) = 0;
  // Stops accepting for good. When RunOnce has returned twice, the caller may close the descriptor,
  // and the kernel holds no reference to it.
  virtual void RemoveListener(int listener) = 0;

  // Takes over `fd` (non-blocking or not) and begins to receive.
  virtual void Attach(Stream& stream, int fd) = 0;
  // Stop being handed bytes, and let the peer's window fill; and begin again. Both idempotent.
  virtual void PauseReceive(Stream& stream) = 0;
  virtual void ResumeReceive(Stream& stream) = 0;
  // NextLanding() now says something else: soon it is asked.
  virtual void LandingChanged(Stream& stream) = 0;
  // Sends; at most one at a time per stream. `parts` is copied (at most kSendPartsMax of them), the
  // bytes are not: they stay valid until OnSent.
  virtual void Send(Stream& stream, std::span<const iovec> parts,
                    Notice notice = Notice::kPrompt) = 0;
  // Tells the peer that no more will be sent (FIN), once nothing is in flight; receiving goes on.
  virtual void FinishSending(Stream& stream) = 0;
  // Shuts both directions down and closes the descriptor. A send in flight is cancelled, its OnSent
  // still comes; then OnClosed. No other call for this stream is allowed after.
  virtual void Close(Stream& stream) = 0;
  // Forgets the stream as Close() does, but gives the descriptor back: nothing is shut down, and
  // from OnClosed on it is the caller's. No send may be in flight. What the loop receives until
  // then still comes to OnReceive, so that none of it is lost.
  virtual void Release(Stream& stream) = 0;

  // While frugal, little is received in a turn over all streams: for an owner that can only keep
  // it.
  virtual void SetFrugal(bool frugal) = 0;

  // One turn. Waits at most `wait_ns` for something to happen; 0 polls.
  virtual void RunOnce(LoopOwner& owner, int64_t wait_ns) = 0;

  // From any thread: makes the current or next RunOnce return soon, after OnWake.
  virtual void Wake() = 0;
  // From this loop's thread: the cheapest way to wake a sleeping loop of the same kind. Leaves with
  // the next RunOnce.
  virtual void Ring(Loop& sleeper) = 0;

  // "uring", "event", "sim".
  [[nodiscard]] virtual std::string_view Name() const = 0;
  // Bytes that the loop's buffers occupy, for the budget.
  [[nodiscard]] virtual uint64_t BufferBytes() const = 0;

  static constexpr size_t kSendPartsMax = 16;
};

}  // namespace larder::io

#endif  // LARDER_IO_LOOP_H_
