#include "server/process.h"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

namespace larder::server {
namespace {

// Rings, event descriptors, listeners, logs.
constexpr uint64_t kOwnDescriptors = 512;

std::string Failed(const std::string& what) { return what + ": " + std::strerror(errno); }

std::string WriteFile(const std::string& path, const std::string& text) {
  // A reader never sees half of it.
  const std::string temporary = path + ".new";
  std::FILE* file = std::fopen(temporary.c_str(), "we");
  if (file == nullptr) return Failed("cannot write " + temporary);
  const bool written = std::fwrite(text.data(), 1, text.size(), file) == text.size();
  if (std::fclose(file) != 0 || !written) return Failed("cannot write " + temporary);
  if (std::rename(temporary.c_str(), path.c_str()) != 0) return Failed("cannot write " + path);
  return {};
}

}  // namespace

std::string Daemonize() {
  const pid_t child = fork();
  if (child < 0) return Failed("cannot go to the background");
  if (child > 0) _exit(0);
  if (setsid() < 0) return Failed("cannot begin a session");
  const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  if (null < 0) return Failed("cannot open /dev/null");
  dup2(null, STDIN_FILENO);
  dup2(null, STDOUT_FILENO);
  if (null > STDERR_FILENO) close(null);
  return {};
}

std::string BecomeUser(const std::string& user) {
  if (user.empty()) return {};
  errno = 0;
  const passwd* entry = getpwnam(user.c_str());
  if (entry == nullptr) return "-u " + user + ": there is no such user; name one of this system";
  if (getuid() == entry->pw_uid) return {};
  if (getuid() != 0) return "-u " + user + ": only root may become another user";
  if (setgroups(0, nullptr) != 0 || setgid(entry->pw_gid) != 0 || setuid(entry->pw_uid) != 0) {
    return Failed("cannot become " + user);
  }
  return {};
}

std::string RaiseDescriptorLimit(uint64_t connections) {
  rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return Failed("cannot read the descriptor limit");
  const rlim_t wanted = connections + kOwnDescriptors;
  if (limit.rlim_cur >= wanted) return {};
  rlimit raised = {.rlim_cur = wanted, .rlim_max = std::max(limit.rlim_max, wanted)};
  // Root may lift the hard limit as well.
  if (setrlimit(RLIMIT_NOFILE, &raised) == 0) return {};
  raised = {.rlim_cur = limit.rlim_max, .rlim_max = limit.rlim_max};
  (void)setrlimit(RLIMIT_NOFILE, &raised);
  if (limit.rlim_max >= wanted) return {};
  return "only " + std::to_string(limit.rlim_max) + " descriptors are allowed, too few for " +
         std::to_string(connections) + " clients; raise LimitNOFILE, or lower -c";
}

std::string WritePidFile(const std::string& path) {
  return WriteFile(path, std::to_string(getpid()) + "\n");
}

std::string WritePortFile(const std::string& path, const std::vector<Server::Address>& addresses) {
  std::string text;
  for (const Server::Address& address : addresses) {
    if (address.port == 0) continue;
    text += address.ipv6 ? "TCP INET6: " : "TCP INET: ";
    text += std::to_string(address.port) + "\n";
  }
  return WriteFile(path, text);
}

}  // namespace larder::server
