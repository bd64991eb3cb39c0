// Takes a guest's words to the door, and the answer back.
//
//   guest ── outside_ ──► at most so many bytes ──► inside_ ── the door, as any visitor
//         ◄──────────────────────────────────────
//
// evhttp answers only whom it has accepted itself; so a client who was accepted elsewhere talks to
// it through a private socket. Lives on the door's thread.
#ifndef LARDER_ADMIN_RELAY_H_
#define LARDER_ADMIN_RELAY_H_

#include <cstddef>
#include <cstdint>
#include <functional>

#include "admin/event_owners.h"
#include "admin/guests.h"
#include "io/socket.h"

namespace larder::admin {

class Relay {
 public:
  struct Options {
    size_t request_bytes_max;  // more is not read
    uint32_t visit_ms_max;
  };

  // `over` is called once, from inside a call of libevent, when the answer is sent, the guest or
  // the door has hung up, or the time is over; it may destroy the relay.
  Relay(event_base* base, const Options& options, Guest guest, io::UniqueFd inside,
        std::function<void(Relay&)> over);
  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;

 private:
  void End();
  static void HearGuest(bufferevent* stream, void* relay);
  static void HearDoor(bufferevent* stream, void* relay);
  static void SentToGuest(bufferevent* stream, void* relay);
  static void GuestEvent(bufferevent* stream, short what, void* relay);
  static void DoorEvent(bufferevent* stream, short what, void* relay);
  static void TakeTooLong(evutil_socket_t fd, short what, void* relay);

  size_t request_bytes_left_;
  bool answered_ = false;  // the door has nothing more to say
  const std::function<void(Relay&)> over_;
  OwnStream outside_;
  OwnStream inside_;
  Event deadline_;
};

}  // namespace larder::admin

#endif  // LARDER_ADMIN_RELAY_H_
