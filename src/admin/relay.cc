#include "admin/relay.h"

#include <event2/buffer.h>

#include <algorithm>
#include <utility>

#include "util/check.h"

namespace larder::admin {
namespace {

OwnStream MakeStream(event_base* base, io::UniqueFd fd) {
  OwnStream stream(bufferevent_socket_new(base, fd.Release(), BEV_OPT_CLOSE_ON_FREE));
  CHECK(stream != nullptr);
  return stream;
}

}  // namespace

Relay::Relay(event_base* base, const Options& options, Guest guest, io::UniqueFd inside,
             std::function<void(Relay&)> over)
    : request_bytes_left_(options.request_bytes_max),
      over_(std::move(over)),
      outside_(MakeStream(base, std::move(guest.fd))),
      inside_(MakeStream(base, std::move(inside))),
      deadline_(evtimer_new(base, TakeTooLong, this)) {
  bufferevent_setcb(outside_.get(), HearGuest, SentToGuest, GuestEvent, this);
  bufferevent_setcb(inside_.get(), HearDoor, nullptr, DoorEvent, this);
  const size_t bytes = std::min(guest.said.size(), request_bytes_left_);
  request_bytes_left_ -= bytes;
  bufferevent_write(inside_.get(), guest.said.data(), bytes);
  bufferevent_enable(outside_.get(), EV_READ | EV_WRITE);
  bufferevent_enable(inside_.get(), EV_READ | EV_WRITE);
  const timeval deadline = Milliseconds(options.visit_ms_max);
  CHECK_EQ(evtimer_add(deadline_.get(), &deadline), 0);
}

void Relay::End() {
  // A copy: it may destroy us, and what we own.
  const std::function<void(Relay&)> over = over_;
  over(*this);
}

void Relay::HearGuest(bufferevent* stream, void* relay) {
  auto& self = *static_cast<Relay*>(relay);
  const int bytes =
      evbuffer_remove_buffer(bufferevent_get_input(stream),
                             bufferevent_get_output(self.inside_.get()), self.request_bytes_left_);
  if (bytes > 0) self.request_bytes_left_ -= static_cast<size_t>(bytes);
  if (self.request_bytes_left_ == 0) bufferevent_disable(stream, EV_READ);
}

void Relay::HearDoor(bufferevent* stream, void* relay) {
  const auto& self = *static_cast<const Relay*>(relay);
  evbuffer_add_buffer(bufferevent_get_output(self.outside_.get()), bufferevent_get_input(stream));
}

void Relay::SentToGuest(bufferevent*, void* relay) {
  auto& self = *static_cast<Relay*>(relay);
  if (self.answered_) self.End();
}

void Relay::GuestEvent(bufferevent*, short what, void* relay) {
  auto& self = *static_cast<Relay*>(relay);
  // Who has finished sending may still read.
  if ((what & BEV_EVENT_ERROR) != 0) self.End();
}

void Relay::DoorEvent(bufferevent* stream, short what, void* relay) {
  // It hears no more; it may have answered.
  if ((what & BEV_EVENT_WRITING) != 0) return;
  auto& self = *static_cast<Relay*>(relay);
  HearDoor(stream, relay);
  self.answered_ = true;
  if (evbuffer_get_length(bufferevent_get_output(self.outside_.get())) == 0) self.End();
}

void Relay::TakeTooLong(evutil_socket_t, short, void* relay) {
  auto& self = *static_cast<Relay*>(relay);
  self.End();
}

}  // namespace larder::admin
