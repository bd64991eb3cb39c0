// The service manager that started us, if one did: systemd, or whoever speaks its protocol. It may
// have passed listening sockets, and it wants to know when we serve, reload, stop, and still live.
//
// Without one (no NOTIFY_SOCKET, LISTEN_FDS, WATCHDOG_USEC in the environment) every call does
// nothing. What cannot be delivered is nobody's loss: nothing here fails. Used by the thread of
// main() only.
#ifndef LARDER_SERVER_SERVICE_MANAGER_H_
#define LARDER_SERVER_SERVICE_MANAGER_H_

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace larder::server {

class ServiceManager {
 public:
  // Takes the passed sockets, which are for this process and not for one that it forks: before
  // Background::Enter().
  ServiceManager();
  ServiceManager(const ServiceManager&) = delete;
  ServiceManager& operator=(const ServiceManager&) = delete;
  // Closes the sockets that nobody took.
  ~ServiceManager();

  // FileDescriptorName= of the sockets for the admin door; all others are for the cache.
  static constexpr std::string_view kAdmin = "admin";
  // The descriptors are the caller's from now on.
  [[nodiscard]] std::vector<int> TakeAdminSockets() { return Take(Use::kAdmin); }
  [[nodiscard]] std::vector<int> TakeCacheSockets() { return Take(Use::kCache); }

  // How often to call Alive(), if at all: half of WatchdogSec=.
  [[nodiscard]] std::optional<std::chrono::nanoseconds> alive_interval() const {
    return alive_interval_;
  }

  // `status` is a sentence for `systemctl status`.
  void Ready(std::string_view status) const;
  void Status(std::string_view status) const;
  // Ready() ends it.
  void Reloading() const;
  void Stopping(std::string_view status) const;
  void Alive() const;

 private:
  enum class Use : uint8_t { kCache, kAdmin };
  std::vector<int> Take(Use use);

  struct Socket {
    int fd;
    Use use;
  };

  std::vector<Socket> sockets_;
  std::optional<std::chrono::nanoseconds> alive_interval_;
};

}  // namespace larder::server

#endif  // LARDER_SERVER_SERVICE_MANAGER_H_
