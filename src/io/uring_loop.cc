#include "io/uring_loop.h"

#include <absl/strings/str_cat.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <string>

#include "io/socket.h"
#include "larder/clock.h"
#include "util/check.h"

namespace larder::io {

namespace {

constexpr uint64_t kKindMask = 7;
constexpr uint32_t kNoLazySend = UINT32_MAX;
// One submission cannot carry more; the rest is for the next Send.
constexpr size_t kSendBytesMax = size_t{1} << 30;

absl::Status Refused(const char* what, int error) {
  return absl::UnavailableError(absl::StrCat("io_uring: ", what, ": ", strerror(-error)));
}

// The receive ended for a reason of ours, not of the peer's: begin again.
bool ReceiveMayGoOn(int result) {
  return result > 0 || result == -ENOBUFS || result == -ECANCELED || result == -EINTR ||
         result == -EAGAIN;
}

size_t BytesOf(std::span<const iovec> parts) {
  size_t bytes = 0;
  for (const iovec& part : parts) bytes += part.iov_len;
  return bytes;
}

}  // namespace

// ---- Opening and closing ---------------------------------------------------------------------

absl::Status UringLoop::Open() {
  CHECK(!opened_);
  io_uring_params params = {};
  // DEFER_TASKRUN: the kernel does its part of a completion when we enter, not by interrupting us;
  // with SINGLE_ISSUER that needs no lock. SUBMIT_ALL: one refused submission does not hold up the
  // others.
  params.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_R_DISABLED |
                 IORING_SETUP_SUBMIT_ALL | IORING_SETUP_CLAMP | IORING_SETUP_CQSIZE;
  params.cq_entries = options_.completions;
  if (const int error = io_uring_queue_init_params(options_.submissions, &ring_, &params);
      error != 0) {
    return Refused("cannot create a ring", error);
  }
  opened_ = true;
  if (const int error = buffers_.Register(ring_, options_.buffers); error != 0) {
    return Refused("cannot register the receive buffers", error);
  }
  // Blocking: our read of it is to wait in the kernel, not to be answered EAGAIN.
  wake_fd_ = eventfd(0, EFD_CLOEXEC);
  if (wake_fd_ < 0) return Refused("cannot create an eventfd", -errno);
  ArmWake();
  return absl::OkStatus();
}

UringLoop::~UringLoop() {
  if (opened_) {
    if (started_ && thread_ == std::this_thread::get_id()) {
      // Without this, the kernel lets go of the sockets only some time after the ring is closed,
      // and a listening port would stay taken.
      io_uring_sync_cancel_reg everything = {};
      everything.flags = IORING_ASYNC_CANCEL_ANY | IORING_ASYNC_CANCEL_ALL;
      everything.timeout.tv_sec = 1;
      (void)io_uring_register_sync_cancel(&ring_, &everything);
      (void)io_uring_get_events(&ring_);
    } else {
      // The registration of the ring's descriptor belonged to the other thread and ended with it;
      // the number may be another ring's in ours.
      ring_.int_flags &= static_cast<uint8_t>(~1U);
      ring_.enter_ring_fd = ring_.ring_fd;
    }
    io_uring_queue_exit(&ring_);
  }
  for (const OpenStream& open : open_) close(open.fd);
  if (wake_fd_ >= 0) close(wake_fd_);
}

void UringLoop::Start() {
  CHECK(opened_);
  started_ = true;
  thread_ = std::this_thread::get_id();
  const int error = io_uring_register(static_cast<unsigned>(ring_.ring_fd),
                                      IORING_REGISTER_ENABLE_RINGS, nullptr, 0);
  CHECK_EQ(error, 0);
  // Spares the kernel a look-up of the descriptor in every enter. A limit may forbid it.
  (void)io_uring_register_ring_fd(&ring_);
}

uint64_t UringLoop::BufferBytes() const {
  return buffers_.MappedBytes() + ring_.sq.ring_sz + ring_.cq.ring_sz +
         uint64_t{ring_.sq.ring_entries} * sizeof(io_uring_sqe) +
         (batches_[0].messages.size() + batches_[1].messages.size()) * sizeof(Message) +
         (batches_[0].lazy.capacity() + batches_[1].lazy.capacity()) * sizeof(LazySend) +
         open_.capacity() * sizeof(OpenStream);
}

// ---- Tags ------------------------------------------------------------------------------------

uint64_t UringLoop::Tag(const void* address, Kind kind) {
  const auto bits = std::bit_cast<uint64_t>(address);
  DCHECK_EQ(bits & kKindMask, 0U);
  return bits | static_cast<uint64_t>(kind);
}

uint64_t UringLoop::Tag(int listener, Kind kind) {
  return static_cast<uint64_t>(listener) << 3 | static_cast<uint64_t>(kind);
}

Stream& UringLoop::StreamOf(uint64_t tag) { return *std::bit_cast<Stream*>(tag & ~kKindMask); }

UringLoop::OpenStream& UringLoop::OpenOf(const Stream& stream) {
  const auto index = std::bit_cast<uint64_t>(stream.loop_data_);
  DCHECK_LT(index, open_.size());
  DCHECK(open_[index].stream == &stream);
  return open_[index];
}

// ---- Submitting ------------------------------------------------------------------------------

io_uring_sqe* UringLoop::Submission(uint64_t tag) {
  io_uring_sqe* submission = io_uring_get_sqe(&ring_);
  // The queue is full: hand it over early. The kernel takes it all unless it is out of memory, so a
  // few attempts are plenty.
  for (int attempt = 0; submission == nullptr; ++attempt) {
    CHECK_LT(attempt, 8);
    if (!started_) Start();
    (void)io_uring_submit(&ring_);
    submission = io_uring_get_sqe(&ring_);
  }
  // The helpers that fill it in (io_uring_prep_…) leave user_data alone.
  submission->user_data = tag;
  return submission;
}

void UringLoop::ArmWake() {
  io_uring_sqe* read = Submission(Tag(this, Kind::kWake));
  io_uring_prep_read(read, wake_fd_, &wake_count_, sizeof(wake_count_), 0);
}

void UringLoop::ArmAccept(int listener) {
  Listener& it = listeners_[static_cast<size_t>(listener)];
  DCHECK(!it.armed);
  it.armed = true;
  // The kernel reads RLIMIT_NOFILE now, not for each client: a later change of it is seen when this
  // is armed again, after EMFILE.
  io_uring_sqe* accept = Submission(Tag(listener, Kind::kAccept));
  io_uring_prep_multishot_accept(accept, it.fd, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
}

void UringLoop::ArmReceive(Stream& stream) {
  DCHECK(!(stream.state_ & (kArmed | kEnded | kClosing)));
  stream.state_ |= kArmed;
  ++stream.in_flight_;
  io_uring_sqe* receive = Submission(Tag(&stream, Kind::kReceive));
  const Landing landing = stream.NextLanding();
  if (landing.parts_count == 1) {
    io_uring_prep_recv(receive, stream.fd_, landing.parts[0].iov_base, landing.parts[0].iov_len, 0);
    return;
  }
  if (landing.parts_count > 1) {
    Message* message = NewMessage(std::span(landing.parts).first(landing.parts_count));
    io_uring_prep_recvmsg(receive, stream.fd_, &message->header, 0);
    return;
  }
  if (landing.once) {
    io_uring_prep_recv(receive, stream.fd_, nullptr, 0, 0);
  } else {
    io_uring_prep_recv_multishot(receive, stream.fd_, nullptr, 0, 0);
  }
  receive->flags |= IOSQE_BUFFER_SELECT;
  receive->buf_group = UringBuffers::kGroup;
}

void UringLoop::CancelReceive(Stream& stream) {
  stream.state_ |= kPausing;
  ++stream.in_flight_;
  io_uring_sqe* cancel = Submission(Tag(&stream, Kind::kCancel));
  io_uring_prep_cancel64(cancel, Tag(&stream, Kind::kReceive), 0);
}

int UringLoop::AddListener(int fd) {
  const int listener = static_cast<int>(listeners_.size());
  listeners_.push_back({.fd = fd});
  ArmAccept(listener);
  return listener;
}

void UringLoop::ResumeAccept(int listener) {
  Listener& it = listeners_[static_cast<size_t>(listener)];
  if (it.removed || !it.stopped) return;
  it.stopped = false;
  if (!it.armed) ArmAccept(listener);
}

void UringLoop::RemoveListener(int listener) {
  Listener& it = listeners_[static_cast<size_t>(listener)];
  if (it.removed) return;
  it.removed = true;
  if (!it.armed) return;
  io_uring_sqe* cancel = Submission(Tag(listener, Kind::kCancelAccept));
  io_uring_prep_cancel64(cancel, Tag(listener, Kind::kAccept), 0);
}

void UringLoop::Attach(Stream& stream, int fd) {
  DCHECK_GE(fd, 0);
  DCHECK_EQ(stream.fd_, -1);
  stream.fd_ = fd;
  stream.state_ = kWanted;
  stream.in_flight_ = 0;
  stream.loop_data_ = std::bit_cast<void*>(uint64_t{open_.size()});
  open_.push_back({&stream, fd, kNoLazySend});
  ArmReceive(stream);
}

void UringLoop::PauseReceive(Stream& stream) {
  DCHECK(!(stream.state_ & kClosing));
  stream.state_ &= static_cast<uint8_t>(~kWanted);
  if ((stream.state_ & (kArmed | kPausing)) == kArmed) CancelReceive(stream);
}

void UringLoop::ResumeReceive(Stream& stream) {
  DCHECK(!(stream.state_ & kClosing));
  stream.state_ |= kWanted;
  // If the kernel still holds the old receive, its end starts the new one.
  if (!(stream.state_ & (kArmed | kEnded))) ArmReceive(stream);
}

void UringLoop::LandingChanged(Stream& stream) {
  DCHECK(!(stream.state_ & kClosing));
  // The end of the receive that the kernel holds starts the new one.
  if ((stream.state_ & (kArmed | kPausing)) == kArmed) CancelReceive(stream);
}

UringLoop::Message* UringLoop::NewMessage(std::span<const iovec> parts) {
  Batch& batch = batches_[filling_];
  if (batch.messages_used == batch.messages.size()) {
    batch.messages.push_back(std::make_unique<Message>());
  }
  Message* message = batch.messages[batch.messages_used++].get();
  std::ranges::copy(parts, message->parts.begin());
  message->header = {};
  message->header.msg_iov = message->parts.data();
  message->header.msg_iovlen = parts.size();
  return message;
}

// A lazy send is submitted so that it ends within the enter, one way or the other, and posts a
// completion only if that is not "all bytes taken": MSG_DONTWAIT forbids waiting for room,
// MSG_WAITALL makes less than all a failure, and of a success we hear nothing. So what was
// submitted lazily and is not complained about has been sent when the enter returns.
void UringLoop::Send(Stream& stream, std::span<const iovec> parts, Notice notice) {
  DCHECK(!parts.empty());
  DCHECK_LE(parts.size(), kSendPartsMax);
  DCHECK(!(stream.state_ & (kSending | kClosing)));
  const size_t bytes = BytesOf(parts);
  DCHECK_GT(bytes, 0U);
  const bool lazy = notice == Notice::kLazy && bytes <= kSendBytesMax;
  const int flags = MSG_NOSIGNAL | (lazy ? MSG_DONTWAIT | MSG_WAITALL : 0);
  stream.state_ |= lazy ? kSending | kLazySend : kSending;
  ++stream.in_flight_;

  // First, because a full queue is submitted by it, and the message must not be older than that.
  io_uring_sqe* send = Submission(Tag(&stream, Kind::kSend));
  Message* message = parts.size() == 1 ? nullptr : NewMessage(parts);
  if (message == nullptr) {
    io_uring_prep_send(send, stream.fd_, parts[0].iov_base, std::min(bytes, kSendBytesMax), flags);
  } else {
    io_uring_prep_sendmsg(send, stream.fd_, &message->header, static_cast<unsigned>(flags));
  }
  if (!lazy) return;
  send->flags |= IOSQE_CQE_SKIP_SUCCESS;
  Batch& batch = batches_[filling_];
  OpenOf(stream).lazy_send = static_cast<uint32_t>(batch.lazy.size());
  batch.lazy.push_back({&stream, bytes, message == nullptr ? parts[0].iov_base : nullptr, message});
}

void UringLoop::FinishSending(Stream& stream) {
  DCHECK(!(stream.state_ & kClosing));
  stream.state_ |= kFinishing;
  if (!(stream.state_ & kSending)) shutdown(stream.fd_, SHUT_WR);
}

void UringLoop::Close(Stream& stream) {
  DCHECK(!(stream.state_ & kClosing));
  stream.state_ &= static_cast<uint8_t>(~kWanted);
  stream.state_ |= kClosing;
  // Not left to close(): another holder of the socket would keep the peer waiting.
  shutdown(stream.fd_, SHUT_RDWR);
  if (stream.in_flight_ == 0) {
    closed_.push_back(&stream);
    return;
  }
  ++stream.in_flight_;
  io_uring_sqe* cancel = Submission(Tag(&stream, Kind::kCancel));
  io_uring_prep_cancel_fd(cancel, stream.fd_, IORING_ASYNC_CANCEL_ALL);
}

void UringLoop::Release(Stream& stream) {
  DCHECK(!(stream.state_ & (kSending | kClosing)));
  stream.state_ |= kReleased;
  if (stream.in_flight_ == 0) {
    closed_.push_back(&stream);
  } else if ((stream.state_ & (kArmed | kPausing)) == kArmed) {
    CancelReceive(stream);
  }
}

void UringLoop::Wake() {
  if (wake_pending_.exchange(true, std::memory_order_acq_rel)) return;
  const uint64_t one = 1;
  const ssize_t written = write(wake_fd_, &one, sizeof(one));
  CHECK_EQ(written, ssize_t{sizeof(one)});
}

void UringLoop::Ring(Loop& sleeper) {
  if (sleeper.Name() != Name()) {
    sleeper.Wake();
    return;
  }
  auto& other = static_cast<UringLoop&>(sleeper);
  io_uring_sqe* doorbell = Submission(Tag(&other, Kind::kRingSent));
  io_uring_prep_msg_ring(doorbell, other.ring_.ring_fd, 0, Tag(nullptr, Kind::kRang), 0);
  doorbell->flags |= IOSQE_CQE_SKIP_SUCCESS;
}

// A multishot receive goes on until the buffers are used up, in one system call: the fewer there
// are, the sooner PauseReceive() takes effect.
void UringLoop::SetFrugal(bool frugal) {
  constexpr uint32_t kFew = 2;
  buffers_.SetCirculating(frugal ? std::min(kFew, buffers_.count()) : buffers_.count());
}

// ---- A turn ----------------------------------------------------------------------------------

void UringLoop::RunOnce(LoopOwner& owner, int64_t wait_ns) {
  DCHECK_GE(wait_ns, 0);
  if (!started_) Start();
  DCHECK(thread_ == std::this_thread::get_id());
  const size_t closed = closed_.size();
  Enter(closed == 0 ? wait_ns : 0);
  if (io_uring_sq_ready(&ring_) == 0) {
    filling_ ^= 1;
    DCHECK(std::ranges::all_of(batches_[filling_].lazy,
                               [](const LazySend& send) { return send.stream == nullptr; }));
    batches_[filling_].lazy.clear();
    batches_[filling_].messages_used = 0;
  }
  Reap(owner);
  // Completions that found no room. They must be seen before silence is taken for success. It ends:
  // nothing is submitted between, so the kernel runs out of things to tell.
  while (io_uring_cq_has_overflow(&ring_)) {
    (void)io_uring_get_events(&ring_);
    Reap(owner);
  }
  TellLazySends();
  TellClosed(closed);
  if (rang_) {
    rang_ = false;
    owner.OnWake();
  }
  owner.OnTurnEnd();
  ArmEnded();
  buffers_.Publish();
}

// Not before the turn has ended: only then does the owner know where the next bytes shall go.
void UringLoop::ArmEnded() {
  for (Stream* stream : ended_) {
    if ((stream->state_ & (kWanted | kArmed | kClosing)) == kWanted) ArmReceive(*stream);
  }
  ended_.clear();
}

// Errors are left to the next turn: -ETIME and -EINTR are ordinary, the others (-EAGAIN, -EBUSY,
// -ENOMEM) mean that some submissions stay queued, and are made again then.
void UringLoop::Enter(int64_t wait_ns) {
  if (wait_ns == 0) {
    (void)io_uring_submit_and_get_events(&ring_);
    return;
  }
  __kernel_timespec wait = {.tv_sec = wait_ns / kNsPerSecond, .tv_nsec = wait_ns % kNsPerSecond};
  io_uring_cqe* first = nullptr;
  (void)io_uring_submit_and_wait_timeout(&ring_, &first, 1, &wait, nullptr);
}

void UringLoop::Reap(LoopOwner& owner) {
  // What comes while we tell is for the next turn, so that a turn is bounded.
  const unsigned ready = io_uring_cq_ready(&ring_);
  const unsigned head = *ring_.cq.khead;
  for (unsigned i = 0; i < ready; ++i) {
    Complete(owner, ring_.cq.cqes[(head + i) & ring_.cq.ring_mask]);
  }
  io_uring_cq_advance(&ring_, ready);
}

void UringLoop::Complete(LoopOwner& owner, const io_uring_cqe& completion) {
  switch (static_cast<Kind>(completion.user_data & kKindMask)) {
    case Kind::kReceive:
      return CompleteReceive(completion);
    case Kind::kSend:
      return CompleteSend(completion);
    case Kind::kCancel:
      return CompleteCancel(StreamOf(completion.user_data), completion.res);
    case Kind::kAccept:
      return CompleteAccept(owner, completion);
    case Kind::kCancelAccept:
      return;
    case Kind::kWake:
      // Before OnWake: see wake_pending_.
      (void)wake_pending_.exchange(false, std::memory_order_acq_rel);
      ArmWake();
      rang_ = true;
      return;
    case Kind::kRang:
      rang_ = true;
      return;
    case Kind::kRingSent:
      // The sleeper's queue was full, or it has not started: the slower way always works.
      std::bit_cast<UringLoop*>(completion.user_data & ~kKindMask)->Wake();
      return;
  }
}

void UringLoop::CompleteReceive(const io_uring_cqe& completion) {
  Stream& stream = StreamOf(completion.user_data);
  const int result = completion.res;
  if (completion.flags & IORING_CQE_F_BUFFER) {
    const auto id = static_cast<uint16_t>(completion.flags >> IORING_CQE_BUFFER_SHIFT);
    buffers_.GiveBack(id);  // published when the turn has ended
    if (result > 0 && (!(stream.state_ & kClosing) || IsReleased(stream))) {
      stream.OnReceive(buffers_.Bytes(id, static_cast<size_t>(result)));
    }
  } else if (result > 0 && !(stream.state_ & kClosing)) {
    stream.OnLanded(static_cast<size_t>(result));
  }
  if (completion.flags & IORING_CQE_F_MORE) return;

  stream.state_ &= static_cast<uint8_t>(~(kArmed | kPausing));
  --stream.in_flight_;
  if (stream.state_ & kClosing) return ForgetIfIdle(stream);
  if (ReceiveMayGoOn(result)) {
    // Without a free buffer (ENOBUFS) this is right too: it is submitted after the turn's buffers
    // are given back.
    ended_.push_back(&stream);
    return;
  }
  stream.state_ |= kEnded;
  stream.OnReceiveEnd(result);
}

void UringLoop::CompleteCancel(Stream& stream, int result) {
  --stream.in_flight_;
  // The receive was just running: ask again, once a turn.
  const bool missed = result == -EALREADY && (stream.state_ & kArmed);
  if (missed && (IsReleased(stream) || !(stream.state_ & (kClosing | kWanted)))) {
    return CancelReceive(stream);
  }
  // Or not at all, if it is wanted again: the next one who wants it to end asks anew.
  if (missed) stream.state_ &= static_cast<uint8_t>(~kPausing);
  if (stream.state_ & kClosing) ForgetIfIdle(stream);
}

void UringLoop::CompleteSend(const io_uring_cqe& completion) {
  Stream& stream = StreamOf(completion.user_data);
  if ((stream.state_ & kLazySend) && RetrySend(stream, completion.res)) return;
  EndSend(stream, completion.res);
}

void UringLoop::EndSend(Stream& stream, int result) {
  // The kernel waits for room 128 times; if the room is gone again each time, it hands the send to
  // a thread of its own, and that is refused because the socket is non-blocking.
  if (result == -EAGAIN) result = 0;
  stream.state_ &= static_cast<uint8_t>(~(kSending | kLazySend));
  --stream.in_flight_;
  // Read before the call: a Close() from inside OnSent has itself seen to it that the stream is
  // forgotten, in a later turn.
  const bool was_closing = stream.state_ & kClosing;
  stream.OnSent(result);
  if (was_closing) return ForgetIfIdle(stream);
  if (stream.state_ & kClosing) return;
  if ((stream.state_ & (kFinishing | kSending)) == kFinishing) shutdown(stream.fd_, SHUT_WR);
}

// A lazy send was complained about, so it is no longer one. If there was no room at all, begins
// again, now waiting for room.
bool UringLoop::RetrySend(Stream& stream, int result) {
  const uint32_t index = OpenOf(stream).lazy_send;
  stream.state_ &= static_cast<uint8_t>(~kLazySend);
  for (Batch& batch : batches_) {
    if (index >= batch.lazy.size() || batch.lazy[index].stream != &stream) continue;
    const LazySend send = batch.lazy[index];
    batch.lazy[index].stream = nullptr;
    if (result != -EAGAIN || (stream.state_ & kClosing)) return false;
    io_uring_sqe* again = Submission(Tag(&stream, Kind::kSend));
    if (send.message == nullptr) {
      io_uring_prep_send(again, stream.fd_, send.data, send.bytes, MSG_NOSIGNAL);
    } else {
      Message* message =
          NewMessage(std::span(send.message->header.msg_iov, send.message->header.msg_iovlen));
      io_uring_prep_sendmsg(again, stream.fd_, &message->header, MSG_NOSIGNAL);
    }
    return true;
  }
  CHECK(false);  // it is in the batch that fills, or in the other
  return false;
}

void UringLoop::TellLazySends() {
  // A loop by index over the batch that was submitted: the owner's new sends go to the other.
  std::vector<LazySend>& sends = batches_[filling_ ^ 1].lazy;
  for (LazySend& send : sends) {
    if (send.stream == nullptr) continue;
    Stream& stream = *send.stream;
    send.stream = nullptr;
    EndSend(stream, static_cast<int>(send.bytes));
  }
}

void UringLoop::CompleteAccept(LoopOwner& owner, const io_uring_cqe& completion) {
  const int listener = static_cast<int>(completion.user_data >> 3);
  const int result = completion.res;
  if (result >= 0) {
    if (listeners_[static_cast<size_t>(listener)].removed) {
      close(result);
    } else {
      owner.OnAccept(listener, result);
    }
  }
  if (completion.flags & IORING_CQE_F_MORE) return;

  // Looked up again: the owner may have added a listener.
  Listener& it = listeners_[static_cast<size_t>(listener)];
  it.armed = false;
  if (it.removed) return;
  if (result >= 0 || AcceptMayGoOn(-result)) {
    ArmAccept(listener);
    return;
  }
  it.stopped = true;
  owner.OnAcceptError(listener, result);
}

void UringLoop::TellClosed(size_t count) {
  for (size_t i = 0; i < count; ++i) Forget(*closed_[i]);
  closed_.erase(closed_.begin(), closed_.begin() + static_cast<ptrdiff_t>(count));
}

void UringLoop::ForgetIfIdle(Stream& stream) {
  if (stream.in_flight_ == 0) Forget(stream);
}

void UringLoop::Forget(Stream& stream) {
  const auto index = std::bit_cast<uint64_t>(stream.loop_data_);
  OpenOf(stream) = open_.back();
  open_[index].stream->loop_data_ = std::bit_cast<void*>(index);
  open_.pop_back();
  if (!IsReleased(stream)) close(stream.fd_);
  stream.fd_ = -1;
  stream.state_ = 0;
  stream.loop_data_ = nullptr;
  stream.OnClosed();
}

}  // namespace larder::io
