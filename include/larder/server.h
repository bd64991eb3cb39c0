// The server: cores, listeners and the cache behind them.
//
//   auto server = Server::Start(options, &error);   // every core serves when it returns
//   …
//   server->BeginDrain();                            // accept no more, answer what is owed
//   … until server->Drained(), or as long as you will wait …
//   server.reset();                                  // cuts off who is left, joins the threads,
//                                                   // removes the path of its Unix socket
//
// All calls but ReadFigures() are made from one thread, which is none of the server's own.
#ifndef LARDER_SERVER_H_
#define LARDER_SERVER_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "larder/options.h"

namespace larder {

namespace stats {
struct Figures;
}  // namespace stats

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
  // What it talks to the kernel with: "uring" or "event".
  [[nodiscard]] virtual std::string_view LoopName() const = 0;

  // What it counts and how it does, for those who watch; see stats/figures.h. From any thread.
  [[nodiscard]] virtual stats::Figures ReadFigures() const = 0;

  // From now on these are the users. Only where ServerOptions named some; clients that are in stay.
  virtual void SetUsers(const std::vector<ServerOptions::User>& users) = 0;

  // For a watchdog. The cores that have made no turn since the last call, or since the start; wakes
  // all of them, so that each that is well has made one by the next call.
  [[nodiscard]] virtual std::vector<uint32_t> SilentCores() = 0;

  // Stops accepting; answers what has been asked, then closes. Returns at once.
  virtual void BeginDrain() = 0;
  // True once all clients are gone.
  [[nodiscard]] virtual bool Drained() const = 0;
};

}  // namespace larder

#endif  // LARDER_SERVER_H_
