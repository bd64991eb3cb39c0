#include "server/service_manager.h"

#include <systemd/sd-daemon.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <utility>

namespace larder::server {
namespace {

// A status is one line, and an assignment ends with its line.
std::string StatusLine(std::string_view status) {
  std::string line = "STATUS=" + std::string(status);
  std::replace(line.begin(), line.end(), '\n', ' ');
  return line;
}

void Notify(const std::string& state) { (void)sd_notify(0, state.c_str()); }

}  // namespace

ServiceManager::ServiceManager() {
  char** names = nullptr;
  const int count = sd_listen_fds_with_names(1, &names);
  for (int i = 0; i < count; ++i) {
    const Use use = names[i] == kAdmin ? Use::kAdmin : Use::kCache;
    sockets_.push_back({.fd = SD_LISTEN_FDS_START + i, .use = use});
    std::free(names[i]);
  }
  std::free(names);
  uint64_t watchdog_us = 0;
  if (sd_watchdog_enabled(0, &watchdog_us) > 0) {
    alive_interval_ = std::chrono::microseconds(watchdog_us / 2);
  }
}

ServiceManager::~ServiceManager() {
  for (const Socket& socket : sockets_) close(socket.fd);
}

std::vector<int> ServiceManager::Take(Use use) {
  std::vector<int> taken;
  taken.reserve(sockets_.size());
  for (Socket& socket : sockets_) {
    if (socket.use == use) taken.push_back(std::exchange(socket.fd, -1));
  }
  std::erase_if(sockets_, [](const Socket& socket) { return socket.fd < 0; });
  return taken;
}

void ServiceManager::Ready(std::string_view status) const {
  Notify("READY=1\n" + StatusLine(status));
}

void ServiceManager::Status(std::string_view status) const { Notify(StatusLine(status)); }

void ServiceManager::Reloading() const {
  // Managers that wait for a reload tell two of them apart by the time.
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  const auto now_us = std::chrono::duration_cast<std::chrono::microseconds>(now).count();
  Notify("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(now_us));
}

void ServiceManager::Stopping(std::string_view status) const {
  Notify("STOPPING=1\n" + StatusLine(status));
}

void ServiceManager::Alive() const { Notify("WATCHDOG=1"); }

}  // namespace larder::server
