#include "sim_loop.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace larder::sim {

void SimSocket::Write(std::string_view bytes) {
  if (closed_) {  // the kernel answers with a reset: what was not read is lost
    reset_by_server_ = true;
    to_client_.clear();
    return;
  }
  to_server_.append(bytes);
}

std::string SimSocket::Read(size_t bytes_max) {
  const size_t bytes = std::min(bytes_max, to_client_.size());
  std::string read = to_client_.substr(0, bytes);
  to_client_.erase(0, bytes);
  return read;
}

std::string SimSocket::Describe() const {
  std::string text;
  if (paused_) text += ", paused";
  if (send_ != nullptr) text += ", a send of " + std::to_string(send_->copy.size()) + " in flight";
  if (told_end_) text += ", the end was told";
  if (server_finished_) text += ", the server has finished";
  if (closing_) text += ", closing";
  if (closed_) text += ", closed";
  return text + ", " + std::to_string(readable()) + " readable in " + std::to_string(window_);
}

}  // namespace larder::sim

namespace larder::io {

using sim::SimSocket;

namespace {

constexpr uint64_t kLateDeliveriesMax = 2;
constexpr size_t kFrugalPieceMax = 16 << 10;

}  // namespace

std::shared_ptr<SimSocket> SimLoop::Connect(int listener) {
  auto socket = std::make_shared<SimSocket>(size_t{1} << prng_.Below(19));
  listeners_[static_cast<size_t>(listener)].queue.push_back(socket);
  return socket;
}

int SimLoop::AddListener(int /*fd*/) {
  listeners_.emplace_back();
  return static_cast<int>(listeners_.size()) - 1;
}

void SimLoop::ResumeAccept(int listener) {
  listeners_[static_cast<size_t>(listener)].accepting = true;
}

void SimLoop::RemoveListener(int listener) {
  Listener& removed = listeners_[static_cast<size_t>(listener)];
  removed.removed = true;
  for (const auto& socket : removed.queue) socket->refused_ = true;
  removed.queue.clear();
}

SimSocket& SimLoop::SocketOf(Stream& stream) {
  SIM_CHECK(stream.loop_data_ != nullptr, "a call for a stream that is not attached");
  auto& socket = *static_cast<SimSocket*>(stream.loop_data_);
  SIM_CHECK(socket.stream_ == &stream, "a call for a stream that the loop has forgotten");
  SIM_CHECK(!socket.closing_, "a call for a stream after Close");
  SIM_CHECK(!socket.releasing_, "a call for a stream after Release");
  return socket;
}

void SimLoop::Attach(Stream& stream, int fd) {
  if (auto released = released_.extract(fd)) accepted_.insert(std::move(released));
  const auto it = accepted_.find(fd);
  SIM_CHECK(it != accepted_.end(), "Attach of a descriptor that was not accepted");
  SIM_CHECK(stream.loop_data_ == nullptr, "Attach of a stream that is attached");
  stream.fd_ = fd;
  stream.loop_data_ = it->second.get();
  it->second->stream_ = &stream;
  sockets_.insert(accepted_.extract(it));
}

void SimLoop::PauseReceive(Stream& stream) {
  SimSocket& socket = SocketOf(stream);
  if (!socket.paused_)
    socket.late_deliveries_ = static_cast<int>(prng_.Below(kLateDeliveriesMax + 1));
  socket.paused_ = true;
}

void SimLoop::ResumeReceive(Stream& stream) { SocketOf(stream).paused_ = false; }

void SimLoop::LandingChanged(Stream& stream) {
  SocketOf(stream).late_lent_ = static_cast<int>(prng_.Below(kLateDeliveriesMax + 1));
}

void SimLoop::Send(Stream& stream, std::span<const iovec> parts, Notice notice) {
  SimSocket& socket = SocketOf(stream);
  SIM_CHECK(socket.send_ == nullptr, "a second send before OnSent");
  SIM_CHECK(!socket.server_finished_, "a send after FinishSending");
  SIM_CHECK(!parts.empty() && parts.size() <= kSendPartsMax, "a send of no or too many parts");
  socket.send_ = std::make_unique<SimSocket::SendInFlight>();
  socket.send_->notice = notice;
  for (const iovec& part : parts) {
    SIM_CHECK(part.iov_len > 0, "a send with an empty part");
    const std::string_view bytes(static_cast<const char*>(part.iov_base), part.iov_len);
    socket.send_->parts.push_back(bytes);
    socket.send_->copy.append(bytes);
  }
}

void SimLoop::FinishSending(Stream& stream) {
  SimSocket& socket = SocketOf(stream);
  SIM_CHECK(!socket.server_finished_, "FinishSending twice");
  socket.server_finished_ = true;
}

void SimLoop::Close(Stream& stream) { SocketOf(stream).closing_ = true; }

void SimLoop::Release(Stream& stream) {
  SimSocket& socket = SocketOf(stream);
  SIM_CHECK(socket.send_ == nullptr, "a release with a send in flight");
  SIM_CHECK(!socket.told_end_, "a release after the end");
  socket.releasing_ = true;
}

// --- a turn -------------------------------------------------------------------------------------

std::vector<SimLoop::Ready> SimLoop::WhatIsReady() {
  std::vector<Ready> ready;
  for (size_t i = 0; i < listeners_.size(); ++i) {
    if (listeners_[i].accepting && !listeners_[i].queue.empty()) {
      ready.push_back({Event::kAccept, static_cast<int>(i)});
    }
  }
  for (const auto& [fd, socket] : sockets_) {
    const bool may_receive = !socket->closing_ && !socket->told_end_ &&
                             (!socket->paused_ || socket->late_deliveries_ > 0);
    if (may_receive && socket->reset_by_client_ && !socket->releasing_) {
      ready.push_back({Event::kEnd, fd});
    } else if (may_receive && socket->undelivered() > 0) {
      // Once or a few times in a turn.
      for (uint64_t n = prng_.OneIn(3) ? prng_.Below(4) + 1 : 1; n > 0; --n) {
        ready.push_back({Event::kReceive, fd});
      }
    } else if (may_receive && socket->client_finished_ && !socket->releasing_) {
      ready.push_back({Event::kEnd, fd});
    }
    const bool room = socket->to_client_.size() < socket->window_;
    if (socket->send_ != nullptr &&
        (room || socket->send_->result || socket->reset_by_client_ || socket->closing_)) {
      ready.push_back({Event::kSent, fd});
    }
    if (socket->closing_ && socket->send_ == nullptr) ready.push_back({Event::kClosed, fd});
    if (socket->releasing_) ready.push_back({Event::kReleased, fd});
  }
  return ready;
}

void SimLoop::RunOnce(LoopOwner& owner, int64_t wait_ns) {
  SIM_CHECK(!in_turn_, "RunOnce inside RunOnce");
  in_turn_ = true;
  std::vector<Ready> ready = WhatIsReady();
  if (wait_ns > 0 && ready.empty() && !rung_ && while_asleep_) {
    while_asleep_();
    ready = WhatIsReady();
  }
  for (size_t i = ready.size(); i > 1; --i) std::swap(ready[i - 1], ready[prng_.Below(i)]);
  // Everything, most of it, or nearly nothing.
  const uint64_t delay = std::array<uint64_t, 3>{1, 4, 10}[prng_.Below(3)];
  // A lazy notice comes only with something else; a tick is something, too.
  told_ = rung_ || prng_.OneIn(8);
  for (const Ready& each : ready) {
    if (prng_.Below(delay) <= 1) Deliver(owner, each);
  }
  // Rings and wakes of a turn are one.
  if (rung_ && !prng_.OneIn(8)) {
    rung_ = false;
    owner.OnWake();
  }
  TurnEnd(owner);
  in_turn_ = false;
}

void SimLoop::TurnEnd(LoopOwner& owner) {
  owner.OnTurnEnd();
  lent_.clear();
}

void SimLoop::Deliver(LoopOwner& owner, const Ready& ready) {
  if (ready.event == Event::kAccept) {
    Accept(owner, ready.index);
    return;
  }
  const auto it = sockets_.find(ready.index);
  if (it == sockets_.end()) return;
  SimSocket& socket = *it->second;
  switch (ready.event) {
    case Event::kAccept:
      break;
    case Event::kReceive:
      Receive(socket);
      break;
    case Event::kEnd:
      EndReceiving(socket);
      break;
    case Event::kSent:
      if (socket.send_ != nullptr) CompleteSend(socket);
      break;
    case Event::kClosed:
      FinishClose(ready.index);
      break;
    case Event::kReleased:
      FinishRelease(ready.index);
      break;
  }
}

void SimLoop::Accept(LoopOwner& owner, int listener) {
  Listener& from = listeners_[static_cast<size_t>(listener)];
  if (!from.accepting || from.queue.empty()) return;
  if (prng_.OneIn(6)) {
    constexpr int kErrors[] = {-EMFILE, -ENFILE, -ENOMEM, -ENOBUFS, -ECONNABORTED};
    from.accepting = false;
    owner.OnAcceptError(listener, kErrors[prng_.Below(std::size(kErrors))]);
    return;
  }
  const std::shared_ptr<Socket> socket = from.queue.front();
  from.queue.pop_front();
  const int fd = next_fd_++;
  accepted_.emplace(fd, socket);
  told_ = true;
  owner.OnAccept(listener, fd);
  // Refused: the server has closed it.
  if (accepted_.erase(fd) > 0) socket->refused_ = true;
}

void SimLoop::Receive(SimSocket& socket) {
  if (socket.closing_ || socket.told_end_ || socket.reset_by_client_) return;
  if (socket.paused_ && socket.late_deliveries_-- <= 0) return;
  if (socket.undelivered() == 0) return;
  if (prng_.OneIn(16)) {
    constexpr size_t kPieces[] = {1, 3, 20, 1448, 16 << 10, 64 << 10, 64 << 10};
    socket.piece_max_ = kPieces[prng_.Below(std::size(kPieces))];
  }
  // A large backlog is not handed over byte by byte: that would be the whole run.
  size_t piece_max = std::max(socket.piece_max_, socket.undelivered() / 64);
  if (frugal_) piece_max = std::min(piece_max, kFrugalPieceMax);
  const size_t bytes = std::min<size_t>(prng_.Below(piece_max) + 1, socket.undelivered());
  told_ = true;
  const Landing landing = socket.stream_->NextLanding();
  if (landing.parts_count > 0 && socket.late_lent_-- <= 0) {
    Land(socket, landing, bytes);
    return;
  }
  lent_.push_back(std::make_unique<char[]>(bytes));
  Take(socket, {lent_.back().get(), bytes});
  socket.stream_->OnReceive({lent_.back().get(), bytes});
}

void SimLoop::Land(SimSocket& socket, const Landing& landing, size_t bytes_max) {
  size_t landed = 0;
  for (const iovec& part : std::span(landing.parts).first(landing.parts_count)) {
    SIM_CHECK(part.iov_len > 0, "a landing with an empty part");
    const size_t bytes = std::min(part.iov_len, bytes_max - landed);
    Take(socket, {static_cast<char*>(part.iov_base), bytes});
    landed += bytes;
  }
  landed_bytes_ += landed;
  socket.stream_->OnLanded(landed);
}

void SimLoop::Take(SimSocket& socket, std::span<char> to) {
  std::ranges::copy(std::string_view(socket.to_server_).substr(socket.delivered_, to.size()),
                    to.begin());
  socket.delivered_ += to.size();
  socket.delivered_total_ += to.size();
  received_bytes_ += to.size();
  if (socket.undelivered() > 0) return;
  socket.to_server_.clear();
  socket.delivered_ = 0;
}

void SimLoop::EndReceiving(SimSocket& socket) {
  if (socket.closing_ || socket.releasing_ || socket.told_end_) return;
  if (socket.paused_ && socket.late_deliveries_-- <= 0) return;
  if (!socket.reset_by_client_ && socket.undelivered() > 0) return;
  socket.told_end_ = told_ = true;
  socket.stream_->OnReceiveEnd(socket.reset_by_client_ ? -ECONNRESET : 0);
}

// The kernel takes what it can of a send, or fails it.
int SimLoop::Transmit(SimSocket& socket) {
  if (socket.reset_by_client_) return prng_.OneIn(2) ? -EPIPE : -ECONNRESET;
  const std::string& bytes = socket.send_->copy;
  const size_t used = socket.to_client_.size();
  const size_t room = socket.window_ > used ? socket.window_ - used : 0;
  size_t taken = std::min(room, bytes.size());
  if (taken > 1 && prng_.OneIn(3)) taken = prng_.Below(taken) + 1;
  if (socket.closing_ && (taken == 0 || prng_.OneIn(2))) return -ECANCELED;
  socket.to_client_.append(bytes, 0, taken);
  return static_cast<int>(taken);
}

void SimLoop::CompleteSend(SimSocket& socket) {
  SimSocket::SendInFlight& send = *socket.send_;
  // Nothing at all may have been taken: see Stream::OnSent.
  if (!send.result) send.result = prng_.OneIn(20) ? 0 : Transmit(socket);
  const bool whole = *send.result == static_cast<int>(send.copy.size());
  if (send.notice == Notice::kLazy && whole && !told_) return;
  told_ = true;
  size_t offset = 0;
  for (const std::string_view part : send.parts) {
    SIM_CHECK(std::memcmp(part.data(), send.copy.data() + offset, part.size()) == 0,
              "bytes of a send changed before OnSent");
    offset += part.size();
  }
  const int result = *send.result;
  socket.send_ = nullptr;
  socket.stream_->OnSent(result);
}

void SimLoop::FinishRelease(int fd) {
  Stream* stream = std::exchange(sockets_.at(fd)->stream_, nullptr);
  sockets_.at(fd)->releasing_ = false;
  stream->loop_data_ = nullptr;
  stream->fd_ = -1;
  released_.insert(sockets_.extract(fd));
  stream->OnClosed();
}

void SimLoop::FinishClose(int fd) {
  const std::shared_ptr<Socket> socket = sockets_.at(fd);
  if (!socket->closing_ || socket->send_ != nullptr) return;
  socket->closed_ = true;
  if (socket->undelivered() > 0) {
    socket->reset_by_server_ = true;
    socket->to_client_.clear();
  }
  Stream* stream = std::exchange(socket->stream_, nullptr);
  stream->loop_data_ = nullptr;
  stream->fd_ = -1;
  sockets_.erase(fd);
  stream->OnClosed();
}

}  // namespace larder::io
