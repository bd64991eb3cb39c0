// From the moment that every core serves to the end of the process: signals, reloads, the words
// that a service manager waits for. Used by the thread of main() only.
#ifndef LARDER_SERVICE_H_
#define LARDER_SERVICE_H_

#include <string>
#include <utility>
#include <vector>

#include "config/settings.h"
#include "larder/server.h"
#include "server/service_manager.h"
#include "util/log.h"

namespace larder {

// Who may come in, if the settings name a file of users. Returns a sentence if it cannot be read,
// else an empty string.
std::string ReadUsers(const config::Settings& settings, std::vector<ServerOptions::User>& users);

// Blocks the signals that Service waits for: before the first thread is made, so that all inherit
// it and none is interrupted.
void BlockSignals();

class Service {
 public:
  struct Parts {
    Server& server;
    const server::ServiceManager& manager;
    const config::Settings& settings;
    util::Log& log;
  };

  // `status` says what serves, and where.
  Service(const Parts& parts, std::string status) : parts_(parts), status_(std::move(status)) {}

  // Until SIGTERM or SIGINT. SIGHUP: the file of users has changed. A watchdog is told that we live
  // as long as every core makes turns: a thread beside them that only tells the time would hide
  // that they hang.
  void Serve();

  // Until the clients have what they are owed, or have had their time. A second signal says that
  // nobody wants to wait.
  void Drain();

 private:
  void Reload();
  void LookAtCores();

  const Parts parts_;
  const std::string status_;
  bool silent_ = false;  // some core, when we looked last
};

}  // namespace larder

#endif  // LARDER_SERVICE_H_
