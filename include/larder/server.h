// The server: cores, listeners and the cache behind them.
//
//   auto server = Server::Start(options, &error);   // listening when it returns
//   …
//   server->Drain(5000);                             // accept no more, answer what is owed
//   delete server                                     // joins the threads
//
// Start, Drain and the destructor are called from one thread, which is none of the server's own.
#ifndef LARDER_SERVER_H_
#define LARDER_SERVER_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "larder/options.h"

namespace larder {

class Server {
 public:
  // Null if it cannot start, with one sentence in `error`.
  static std::unique_ptr<Server> Start(const ServerOptions& options, std::string* error);

  Server() = default;
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  virtual ~Server() = default;

  // Where it listens: one entry per bound address.
  struct Address {
    bool ipv6 = false;
    uint16_t port = 0;
    std::string text;  // "127.0.0.1:11211", or the path of a Unix socket
  };
  [[nodiscard]] virtual std::vector<Address> Addresses() const = 0;

  // Stops accepting, answers what has been asked, closes. Returns when all clients are gone, or after `limit_ms`: then those that
  // remain are cut off.
  virtual void Drain(uint32_t limit_ms) = 0;
};

}  // namespace larder

#endif  // LARDER_SERVER_H_
