// Owners of libevent's things.
#ifndef LARDER_ADMIN_EVENT_OWNERS_H_
#define LARDER_ADMIN_EVENT_OWNERS_H_

#include <event2/bufferevent.h>
#include <event2/event.h>

#include <cstdint>
#include <memory>

namespace larder::admin {

template <auto kFree>
struct FreeWith {
  template <typename T>
  void operator()(T* it) const {
    kFree(it);
  }
};

using Base = std::unique_ptr<event_base, FreeWith<event_base_free>>;
using Event = std::unique_ptr<event, FreeWith<event_free>>;
// One of perhaps several holders.
using Stream = std::unique_ptr<bufferevent, FreeWith<bufferevent_decref>>;
// The only one: nothing is told any more.
using OwnStream = std::unique_ptr<bufferevent, FreeWith<bufferevent_free>>;

inline timeval Milliseconds(uint32_t ms) {
  return {.tv_sec = ms / 1000, .tv_usec = static_cast<suseconds_t>(ms % 1000) * 1000};
}

}  // namespace larder::admin

#endif  // LARDER_ADMIN_EVENT_OWNERS_H_
