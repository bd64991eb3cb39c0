// The admin door: read-only pages for people and their tools, over HTTP, on a thread of its own.
//
// Whoever comes has one request, GET or HEAD, and is gone when it is answered: what a visitor holds
// ends with the visit. The bounds, however many come and whatever they send:
//
//   8 KiB    of request; a body is not read
//   5 s      from connecting to the last byte of the answer
//   64       visitors at once; others wait, unaccepted, in the listener's queue
//
// Who leaves before the answer counts as a visitor until the time is over.
//
// Nothing here touches the cores: pages are made from what they count (admin/pages.h).
#ifndef LARDER_ADMIN_HTTP_SERVER_H_
#define LARDER_ADMIN_HTTP_SERVER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "io/socket.h"

namespace larder::admin {

class Guests;

struct Page {
  int status = 200;
  std::string_view content_type = "text/plain; charset=utf-8";
  std::string body;
};

class HttpServer {
 public:
  struct Options {
    uint32_t visitors_max = 64;
    uint32_t visit_ms_max = 5000;
    // Who comes by another way: not null, it outlives the server. So many of them at once, too; one
    // more is closed.
    Guests* guests = nullptr;
  };
  // The page at a path, which begins with '/' and has no query. Called on the door's thread.
  using Pages = std::function<Page(std::string_view path)>;

  // Serves at once. `listeners` are at least one if there are no guests, and `pages` may be called
  // until the destructor has returned.
  HttpServer(const Options& options, std::vector<io::Listener> listeners, Pages pages);
  // Ends all visits.
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

 private:
  class Door;
  std::unique_ptr<Door> door_;
};

}  // namespace larder::admin

#endif  // LARDER_ADMIN_HTTP_SERVER_H_
