#include "io/event_loop.h"

#include <absl/strings/str_cat.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "io/socket.h"
#include "larder/clock.h"
#include "util/check.h"

namespace larder::io {

namespace {

// Of received bytes in the area: parsers read words.
constexpr size_t kAlignment = 16;
constexpr int64_t kNanosPerMicro = 1000;

// Bytes taken, or -errno; never waits.
int TrySend(int fd, const iovec* parts, size_t count) {
  msghdr header = {};
  header.msg_iov = const_cast<iovec*>(parts);
  header.msg_iovlen = count;
  ssize_t taken = 0;
  do {
    taken = sendmsg(fd, &header, MSG_NOSIGNAL | MSG_DONTWAIT);
  } while (taken < 0 && errno == EINTR);
  return taken < 0 ? -errno : static_cast<int>(taken);
}

}  // namespace

EventLoop::EventLoop(const Options& options)
    : options_(options), area_(new char[options.receive_bytes]) {
  CHECK_GT(options.stream_bytes_max, 0U);
  CHECK_LE(options.stream_bytes_max, options.receive_bytes);
  CHECK_GT(options.accepts_per_turn_max, 0U);
}

EventLoop::~EventLoop() {
  for (const std::unique_ptr<Watch>& watch : watches_) {
    event_del(&watch->readable);
    if (watch->blocked != nullptr) event_del(&watch->blocked->writable);
    close(watch->fd);
  }
  for (const std::unique_ptr<Listener>& listener : listeners_) event_del(&listener->readable);
  if (base_ != nullptr) {
    event_del(&timer_);
    if (wake_fd_ >= 0) event_del(&wake_event_);
    event_base_free(base_);
  }
  if (wake_fd_ >= 0) close(wake_fd_);
}

absl::Status EventLoop::Open() {
  CHECK(base_ == nullptr);
  event_config* config = event_config_new();
  if (config == nullptr) return absl::ResourceExhaustedError("libevent: out of memory");
  event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
  base_ = event_base_new_with_config(config);
  event_config_free(config);
  if (base_ == nullptr) return absl::UnavailableError("libevent: cannot create an event base");
  event_assign(&timer_, base_, -1, 0, OnTime, this);
  wake_fd_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (wake_fd_ < 0) {
    return absl::UnavailableError(
        absl::StrCat("libevent: cannot create an eventfd: ", strerror(errno)));
  }
  event_assign(&wake_event_, base_, wake_fd_, EV_READ | EV_PERSIST, OnWakeFd, this);
  CHECK_EQ(event_add(&wake_event_, nullptr), 0);
  return absl::OkStatus();
}

std::string_view EventLoop::LibraryVersion() { return event_get_version(); }

uint64_t EventLoop::BufferBytes() const {
  return options_.receive_bytes + watches_.size() * (sizeof(Watch) + sizeof(void*));
}

// ---- Listeners -------------------------------------------------------------------------------

int EventLoop::AddListener(int fd) {
  const int number = static_cast<int>(listeners_.size());
  listeners_.push_back(std::make_unique<Listener>(Listener{.loop = this,
                                                           .number = number,
                                                           .fd = fd,
                                                           .stopped = false,
                                                           .removed = false,
                                                           .readable = {}}));
  Listener& listener = *listeners_.back();
  event_assign(&listener.readable, base_, fd, EV_READ | EV_PERSIST, OnAcceptable, &listener);
  CHECK_EQ(event_add(&listener.readable, nullptr), 0);
  return number;
}

void EventLoop::ResumeAccept(int listener) {
  Listener& it = *listeners_[static_cast<size_t>(listener)];
  if (it.removed || !it.stopped) return;
  it.stopped = false;
  CHECK_EQ(event_add(&it.readable, nullptr), 0);
}

void EventLoop::RemoveListener(int listener) {
  Listener& it = *listeners_[static_cast<size_t>(listener)];
  it.removed = true;
  event_del(&it.readable);
}

void EventLoop::OnAcceptable(evutil_socket_t, short, void* listener) {
  auto& it = *static_cast<Listener*>(listener);
  it.loop->AcceptSome(it);
}

void EventLoop::AcceptSome(Listener& listener) {
  for (uint32_t i = 0; i < options_.accepts_per_turn_max && !listener.removed; ++i) {
    const int fd = accept4(listener.fd, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd >= 0) {
      owner_->OnAccept(listener.number, fd);
      continue;
    }
    const int error = errno;
    if (error == EAGAIN) return;
    if (AcceptMayGoOn(error)) continue;
    listener.stopped = true;
    event_del(&listener.readable);
    owner_->OnAcceptError(listener.number, -error);
    return;
  }
}

// ---- Streams ---------------------------------------------------------------------------------

void EventLoop::Attach(Stream& stream, int fd) {
  DCHECK_GE(fd, 0);
  DCHECK_EQ(stream.fd_, -1);
  evutil_make_socket_nonblocking(fd);
  stream.fd_ = fd;
  stream.state_ = 0;
  watches_.push_back(std::make_unique<Watch>(Watch{.loop = this,
                                                   .stream = &stream,
                                                   .fd = fd,
                                                   .index = watches_.size(),
                                                   .readable = {},
                                                   .blocked = nullptr}));
  Watch& watch = *watches_.back();
  stream.loop_data_ = &watch;
  event_assign(&watch.readable, base_, fd, EV_READ | EV_PERSIST, OnReadable, &watch);
  ResumeReceive(stream);
}

void EventLoop::PauseReceive(Stream& stream) {
  DCHECK(!(stream.state_ & kClosing));
  if (!(stream.state_ & kWanted)) return;
  stream.state_ &= static_cast<uint8_t>(~kWanted);
  event_del(&WatchOf(stream).readable);
}

void EventLoop::ResumeReceive(Stream& stream) {
  DCHECK(!(stream.state_ & kClosing));
  if (stream.state_ & (kWanted | kEnded)) return;
  stream.state_ |= kWanted;
  CHECK_EQ(event_add(&WatchOf(stream).readable, nullptr), 0);
}

void EventLoop::OnReadable(evutil_socket_t, short, void* watch) {
  auto& it = *static_cast<Watch*>(watch);
  it.loop->Receive(*it.stream);
}

void EventLoop::Receive(Stream& stream) {
  Landing landing = stream.NextLanding();
  const bool lends = landing.parts_count == 0;
  if (lends) {
    if (options_.receive_bytes - area_used_ < options_.stream_bytes_max) return;
    landing.parts[0] = {area_.get() + area_used_, options_.stream_bytes_max};
    landing.parts_count = 1;
  }
  msghdr header = {};
  header.msg_iov = landing.parts.data();
  header.msg_iovlen = landing.parts_count;
  const ssize_t received = recvmsg(stream.fd_, &header, MSG_DONTWAIT);
  if (received > 0) {
    const size_t bytes = static_cast<size_t>(received);
    if (!lends) {
      stream.OnLanded(bytes);
      return;
    }
    area_used_ += (bytes + kAlignment - 1) / kAlignment * kAlignment;
    area_used_ = std::min<size_t>(area_used_, options_.receive_bytes);
    stream.OnReceive({static_cast<const char*>(landing.parts[0].iov_base), bytes});
    return;
  }
  const int error = received == 0 ? 0 : -errno;
  if (error == -EAGAIN || error == -EINTR) return;
  PauseReceive(stream);
  stream.state_ |= kEnded;
  stream.OnReceiveEnd(error);
}

void EventLoop::Send(Stream& stream, std::span<const iovec> parts, Notice notice) {
  DCHECK(!parts.empty());
  DCHECK_LE(parts.size(), kSendPartsMax);
  DCHECK(!(stream.state_ & (kSending | kClosing)));
  stream.state_ |= kSending;
  const int result = TrySend(stream.fd_, parts.data(), parts.size());
  if (result != -EAGAIN) {
    size_t bytes = 0;
    for (const iovec& part : parts) bytes += part.iov_len;
    results_.push_back({&stream, result});
    hurry_ |= notice == Notice::kPrompt || result < 0 || static_cast<size_t>(result) < bytes;
    return;
  }
  Watch& watch = WatchOf(stream);
  watch.blocked = std::make_unique<BlockedSend>();
  std::ranges::copy(parts, watch.blocked->parts.begin());
  watch.blocked->parts_count = parts.size();
  event_assign(&watch.blocked->writable, base_, stream.fd_, EV_WRITE | EV_PERSIST, OnWritable,
               &watch);
  CHECK_EQ(event_add(&watch.blocked->writable, nullptr), 0);
}

void EventLoop::OnWritable(evutil_socket_t, short, void* watch) {
  auto& it = *static_cast<Watch*>(watch);
  const int result = TrySend(it.stream->fd_, it.blocked->parts.data(), it.blocked->parts_count);
  if (result == -EAGAIN) return;
  event_del(&it.blocked->writable);
  it.blocked.reset();
  it.loop->EndSend(*it.stream, result);
}

void EventLoop::EndSend(Stream& stream, int result) {
  stream.state_ &= static_cast<uint8_t>(~kSending);
  stream.OnSent(result);
  if ((stream.state_ & (kFinishing | kSending | kClosing)) == kFinishing) {
    shutdown(stream.fd_, SHUT_WR);
  }
}

void EventLoop::FinishSending(Stream& stream) {
  DCHECK(!(stream.state_ & kClosing));
  stream.state_ |= kFinishing;
  if (!(stream.state_ & kSending)) shutdown(stream.fd_, SHUT_WR);
}

void EventLoop::Close(Stream& stream) {
  DCHECK(!(stream.state_ & kClosing));
  PauseReceive(stream);
  Watch& watch = WatchOf(stream);
  if (watch.blocked != nullptr) event_del(&watch.blocked->writable);
  stream.state_ |= kClosing;
  shutdown(stream.fd_, SHUT_RDWR);
  closed_.push_back(&stream);
}

void EventLoop::Release(Stream& stream) {
  DCHECK(!(stream.state_ & (kSending | kClosing)));
  PauseReceive(stream);
  stream.state_ |= kClosing | kReleased;
  closed_.push_back(&stream);
}

void EventLoop::TellClosed(Stream& stream) {
  Watch& watch = WatchOf(stream);
  if (watch.blocked != nullptr) EndSend(stream, -ECANCELED);
  DCHECK(!(stream.state_ & kSending));
  if (!(stream.state_ & kReleased)) close(stream.fd_);
  stream.fd_ = -1;
  stream.state_ = 0;
  stream.loop_data_ = nullptr;
  const size_t index = watch.index;
  std::swap(watches_[index], watches_.back());
  watches_[index]->index = index;
  watches_.pop_back();
  stream.OnClosed();
}

// ---- A turn ----------------------------------------------------------------------------------

void EventLoop::RunOnce(LoopOwner& owner, int64_t wait_ns) {
  DCHECK_GE(wait_ns, 0);
  DCHECK(owner_ == nullptr);
  owner_ = &owner;
  const size_t closed = closed_.size();
  const bool hurry = hurry_ || closed > 0;
  hurry_ = false;
  results_told_.swap(results_);
  Wait(hurry ? 0 : wait_ns);
  for (const SendResult& send : results_told_) EndSend(*send.stream, send.result);
  results_told_.clear();
  for (size_t i = 0; i < closed; ++i) TellClosed(*closed_[i]);
  closed_.erase(closed_.begin(), closed_.begin() + static_cast<ptrdiff_t>(closed));
  if (woken_) {
    woken_ = false;
    owner.OnWake();
  }
  owner.OnTurnEnd();
  area_used_ = 0;
  owner_ = nullptr;
}

void EventLoop::Wait(int64_t wait_ns) {
  if (wait_ns == 0) {
    // Without ONCE it would go round until nothing is readable any more: for ever, once the area is
    // full.
    event_base_loop(base_, EVLOOP_NONBLOCK | EVLOOP_ONCE);
    return;
  }
  // In user space only: libevent keeps a heap and hands epoll_wait its root.
  const timeval wait = {.tv_sec = wait_ns / kNsPerSecond,
                        .tv_usec = (wait_ns % kNsPerSecond + kNanosPerMicro - 1) / kNanosPerMicro};
  CHECK_EQ(event_add(&timer_, &wait), 0);
  event_base_loop(base_, EVLOOP_ONCE);
}

void EventLoop::Wake() {
  if (wake_pending_.exchange(true, std::memory_order_acq_rel)) return;
  const uint64_t one = 1;
  const ssize_t written = write(wake_fd_, &one, sizeof(one));
  CHECK_EQ(written, ssize_t{sizeof(one)});
}

void EventLoop::OnWakeFd(evutil_socket_t fd, short, void* loop) {
  auto& it = *static_cast<EventLoop*>(loop);
  uint64_t count = 0;
  const ssize_t bytes = read(fd, &count, sizeof(count));
  CHECK(bytes == ssize_t{sizeof(count)} || errno == EAGAIN || errno == EINTR);
  // After the read, before OnWake: a Wake() that finds `false` from here on writes anew.
  (void)it.wake_pending_.exchange(false, std::memory_order_acq_rel);
  it.woken_ = true;
}

}  // namespace larder::io
