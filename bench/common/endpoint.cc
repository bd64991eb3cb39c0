#include "bench/common/endpoint.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace larder::bench {
namespace {

std::string Sentence(const std::string& where, const std::string& why) {
  return "cannot connect to " + where + ": " + why;
}

int ConnectUnix(const std::string& path, std::string* error) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof(address.sun_path)) {
    *error = Sentence(path, "the path is too long for a Unix socket");
    return -1;
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd >= 0 && connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0) {
    return fd;
  }
  *error = Sentence(path, std::strerror(errno));
  if (fd >= 0) close(fd);
  return -1;
}

int ConnectTcp(const Endpoint& endpoint, std::string* error) {
  const std::string where = endpoint.host + ":" + endpoint.port;
  addrinfo hints = {};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int failed = getaddrinfo(endpoint.host.c_str(), endpoint.port.c_str(), &hints, &found);
  if (failed != 0) {
    *error = Sentence(where, gai_strerror(failed));
    return -1;
  }
  int fd = -1;
  for (const addrinfo* address = found; address != nullptr; address = address->ai_next) {
    fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, address->ai_addr, address->ai_addrlen) == 0) break;
    *error = Sentence(where, std::strerror(errno));
    if (fd >= 0) close(fd);
    fd = -1;
  }
  freeaddrinfo(found);
  if (fd < 0) return -1;
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  return fd;
}

}  // namespace

std::optional<Endpoint> Endpoint::Parse(const std::string& text) {
  if (text.find('/') != std::string::npos) return Endpoint{.host = "", .port = "", .path = text};
  const size_t colon = text.rfind(':');
  if (colon == std::string::npos || colon + 1 == text.size()) return std::nullopt;
  const std::string port = text.substr(colon + 1);
  if (port.size() > 5 || port.find_first_not_of("0123456789") != std::string::npos) {
    return std::nullopt;
  }
  std::string host = text.substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string::npos) {
    return std::nullopt;
  }
  if (host.empty()) host = "127.0.0.1";
  return Endpoint{.host = host, .port = port, .path = ""};
}

int Connect(const Endpoint& endpoint, std::string* error) {
  return endpoint.path.empty() ? ConnectTcp(endpoint, error) : ConnectUnix(endpoint.path, error);
}

}  // namespace larder::bench
