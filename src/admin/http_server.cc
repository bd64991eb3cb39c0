#include "admin/http_server.h"

#include <absl/container/flat_hash_map.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/listener.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <csignal>
#include <string>
#include <thread>
#include <utility>

#include "admin/event_owners.h"
#include "admin/guests.h"
#include "admin/relay.h"
#include "util/check.h"

namespace larder::admin {
namespace {

constexpr ev_ssize_t kRequestBytesMax = 8 << 10;
// Of a guest: enough to be told that it is too much.
constexpr size_t kRelayedBytesMax = 2 * kRequestBytesMax;
constexpr int kMethodNotAllowed = 405;
// All that libevent knows, so that the answer to the wrong ones is ours.
constexpr ev_uint16_t kEveryMethod = EVHTTP_REQ_GET | EVHTTP_REQ_POST | EVHTTP_REQ_HEAD |
                                     EVHTTP_REQ_PUT | EVHTTP_REQ_DELETE | EVHTTP_REQ_OPTIONS |
                                     EVHTTP_REQ_TRACE | EVHTTP_REQ_CONNECT | EVHTTP_REQ_PATCH;

using Http = std::unique_ptr<evhttp, FreeWith<evhttp_free>>;

// The door's own sockets, and one for guests if it is to have any.
std::vector<io::Listener> WithPrivate(std::vector<io::Listener> listeners, const Guests* guests) {
  if (guests == nullptr) return listeners;
  auto socket = io::ListenPrivate(static_cast<int>(Guests::kWaitingMax));
  CHECK(socket.ok());
  listeners.push_back(*std::move(socket));
  return listeners;
}

}  // namespace

// What the thread works with. Everything is made before it starts and freed when it has ended;
// between, only the thread touches it.
class HttpServer::Door {
 public:
  Door(const Options& options, std::vector<io::Listener> listeners, Pages pages);
  ~Door();
  Door(const Door&) = delete;
  Door& operator=(const Door&) = delete;

 private:
  // Somebody is connected. Holds the stream, so that it can be asked to end whatever evhttp has
  // done with it by then.
  struct Visitor {
    Door& door;
    Stream stream;
    Event deadline;
  };

  static bufferevent* Enter(event_base* base, void* door);
  static void TakeTooLong(evutil_socket_t fd, short what, void* visitor);
  static void Answer(evhttp_request* request, void* door);
  static void Answered(evhttp_request* request, void* door);
  void Leave(bufferevent* stream);
  void BoundVisitors();
  static void TakeGuests(evutil_socket_t fd, short what, void* door);
  void Guide(Guest guest);

  const Options options_;
  const std::vector<io::Listener> listeners_;
  const Pages pages_;
  io::UniqueFd stop_fd_;
  Base base_;
  Event stop_event_;
  Event guests_event_;
  absl::flat_hash_map<bufferevent*, std::unique_ptr<Visitor>> visitors_;
  absl::flat_hash_map<const Relay*, std::unique_ptr<Relay>> relays_;
  std::vector<evconnlistener*> doors_;  // http_ owns them
  Http http_;
  std::thread thread_;
};

HttpServer::Door::Door(const Options& options, std::vector<io::Listener> listeners, Pages pages)
    : options_(options),
      listeners_(WithPrivate(std::move(listeners), options.guests)),
      pages_(std::move(pages)),
      stop_fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      base_(event_base_new()) {
  CHECK_GE(stop_fd_.get(), 0);
  CHECK(base_ != nullptr);
  const auto stop = [](evutil_socket_t, short, void* base) {
    event_base_loopbreak(static_cast<event_base*>(base));
  };
  stop_event_.reset(event_new(base_.get(), stop_fd_.get(), EV_READ, stop, base_.get()));
  CHECK_EQ(event_add(stop_event_.get(), nullptr), 0);
  http_.reset(evhttp_new(base_.get()));
  evhttp_set_max_headers_size(http_.get(), kRequestBytesMax);
  evhttp_set_max_body_size(http_.get(), 0);
  evhttp_set_allowed_methods(http_.get(), kEveryMethod);
  evhttp_set_bevcb(http_.get(), Enter, this);
  evhttp_set_gencb(http_.get(), Answer, this);
  doors_.reserve(listeners_.size());
  for (const io::Listener& listener : listeners_) {
    // The descriptor stays ours. No backlog: it listens already.
    evconnlistener* door = evconnlistener_new(base_.get(), nullptr, nullptr, LEV_OPT_CLOSE_ON_EXEC,
                                              0, listener.fd.get());
    CHECK(door != nullptr);
    CHECK(evhttp_bind_listener(http_.get(), door) != nullptr);
    doors_.push_back(door);
  }
  if (options_.guests != nullptr) {
    guests_event_.reset(
        event_new(base_.get(), options_.guests->fd(), EV_READ | EV_PERSIST, TakeGuests, this));
    CHECK_EQ(event_add(guests_event_.get(), nullptr), 0);
  }
  thread_ = std::thread([this] {
    pthread_setname_np(pthread_self(), "admin");
    // Who hangs up before the answer does us no harm, whatever else this process has to do with it.
    sigset_t hang_ups;
    sigemptyset(&hang_ups);
    sigaddset(&hang_ups, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &hang_ups, nullptr);
    event_base_dispatch(base_.get());
  });
}

HttpServer::Door::~Door() {
  const uint64_t one = 1;
  CHECK_EQ(write(stop_fd_.get(), &one, sizeof(one)), static_cast<ssize_t>(sizeof(one)));
  thread_.join();
}

// libevent counts no connections, and bounds each wait but not the visit: we do both.
bufferevent* HttpServer::Door::Enter(event_base* base, void* door) {
  auto& self = *static_cast<Door*>(door);
  bufferevent* stream = bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE);
  CHECK(stream != nullptr);
  bufferevent_incref(stream);
  auto visitor = std::make_unique<Visitor>(
      Visitor{.door = self, .stream = Stream(stream), .deadline = nullptr});
  visitor->deadline.reset(evtimer_new(base, TakeTooLong, visitor.get()));
  const timeval deadline = Milliseconds(self.options_.visit_ms_max);
  CHECK_EQ(evtimer_add(visitor->deadline.get(), &deadline), 0);
  self.visitors_.emplace(stream, std::move(visitor));
  self.BoundVisitors();
  return stream;
}

void HttpServer::Door::TakeTooLong(evutil_socket_t, short, void* visitor) {
  const auto& self = *static_cast<Visitor*>(visitor);
  // Means nothing to a stream that evhttp has done with: nobody listens to it any more.
  bufferevent_trigger_event(self.stream.get(), BEV_EVENT_TIMEOUT | BEV_EVENT_READING, 0);
  self.door.Leave(self.stream.get());
}

void HttpServer::Door::Leave(bufferevent* stream) {
  visitors_.erase(stream);
  BoundVisitors();
}

void HttpServer::Door::BoundVisitors() {
  for (evconnlistener* door : doors_) {
    (void)(visitors_.size() < options_.visitors_max ? evconnlistener_enable(door)
                                                    : evconnlistener_disable(door));
  }
}

void HttpServer::Door::TakeGuests(evutil_socket_t, short, void* door) {
  auto& self = *static_cast<Door*>(door);
  for (Guest& guest : self.options_.guests->TakeAll()) self.Guide(std::move(guest));
}

// Whoever finds no room is closed.
void HttpServer::Door::Guide(Guest guest) {
  if (relays_.size() >= options_.visitors_max) return;
  io::UniqueFd inside = io::ConnectPrivate(listeners_.back());
  if (inside.get() < 0) return;
  auto relay = std::make_unique<Relay>(
      base_.get(),
      Relay::Options{.request_bytes_max = kRelayedBytesMax, .visit_ms_max = options_.visit_ms_max},
      std::move(guest), std::move(inside), [this](const Relay& over) { relays_.erase(&over); });
  const Relay* key = relay.get();
  relays_.emplace(key, std::move(relay));
}

void HttpServer::Door::Answer(evhttp_request* request, void* door) {
  const auto& self = *static_cast<const Door*>(door);
  const evhttp_cmd_type method = evhttp_request_get_command(request);
  const bool readable = method == EVHTTP_REQ_GET || method == EVHTTP_REQ_HEAD;
  const char* path = evhttp_uri_get_path(evhttp_request_get_evhttp_uri(request));
  Page page = {.status = kMethodNotAllowed, .body = "GET and HEAD only\n"};
  if (readable) page = self.pages_(path == nullptr ? "/" : path);
  evkeyvalq* headers = evhttp_request_get_output_headers(request);
  const auto add = [headers](const char* name, std::string_view value) {
    evhttp_add_header(headers, name, std::string(value).c_str());
  };
  if (!readable) add("Allow", "GET, HEAD");
  add("Content-Type", page.content_type);
  add("Content-Length", std::to_string(page.body.size()));
  add("Cache-Control", "no-store");
  add("X-Content-Type-Options", "nosniff");
  // The console is one page: it may ask this door, and nobody else.
  add("Content-Security-Policy",
      "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
      "connect-src 'self'; img-src data:; base-uri 'none'; frame-ancestors 'none'");
  add("Connection", "close");
  const std::unique_ptr<evbuffer, FreeWith<evbuffer_free>> body(evbuffer_new());
  if (method != EVHTTP_REQ_HEAD) evbuffer_add(body.get(), page.body.data(), page.body.size());
  evhttp_request_set_on_complete_cb(request, Answered, door);
  evhttp_send_reply(request, page.status, nullptr, body.get());
}

void HttpServer::Door::Answered(evhttp_request* request, void* door) {
  evhttp_connection* connection = evhttp_request_get_connection(request);
  static_cast<Door*>(door)->Leave(evhttp_connection_get_bufferevent(connection));
}

HttpServer::HttpServer(const Options& options, std::vector<io::Listener> listeners, Pages pages)
    : door_(std::make_unique<Door>(options, std::move(listeners), std::move(pages))) {}

HttpServer::~HttpServer() = default;

}  // namespace larder::admin
