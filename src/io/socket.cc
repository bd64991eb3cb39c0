#include "io/socket.h"

#include <absl/strings/str_cat.h>
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/sockios.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstring>
#include <memory>
#include <optional>

#include "util/absl_view.h"
#include "util/check.h"

namespace larder::io {

namespace {

constexpr uint32_t kInUsePauseMs = 20;

absl::Status Failed(std::string_view what, std::string_view on, int error) {
  return absl::UnavailableError(
      absl::StrCat("cannot ", util::View(what), " ", util::View(on), ": ", strerror(error)));
}

absl::Status InUse(std::string_view address, std::string_view flags) {
  return absl::AlreadyExistsError(
      absl::StrCat("cannot listen on ", util::View(address),
                   ": it is in use. Stop the server that listens there, or choose another with ",
                   util::View(flags), "."));
}

std::string TextOf(const sockaddr* address) {
  char text[INET6_ADDRSTRLEN] = "?";
  if (address->sa_family == AF_INET) {
    const auto* v4 = reinterpret_cast<const sockaddr_in*>(address);
    inet_ntop(AF_INET, &v4->sin_addr, text, sizeof(text));
    return absl::StrCat(text, ":", ntohs(v4->sin_port));
  }
  if (address->sa_family == AF_INET6) {
    const auto* v6 = reinterpret_cast<const sockaddr_in6*>(address);
    inet_ntop(AF_INET6, &v6->sin6_addr, text, sizeof(text));
    return absl::StrCat("[", text, "]:", ntohs(v6->sin6_port));
  }
  return "?";
}

uint16_t PortOf(const sockaddr* address) {
  return ntohs(address->sa_family == AF_INET6
                   ? reinterpret_cast<const sockaddr_in6*>(address)->sin6_port
                   : reinterpret_cast<const sockaddr_in*>(address)->sin_port);
}

// An address to listen on, with the port filled in.
struct Address {
  sockaddr_storage storage = {};
  socklen_t size = 0;
  [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
  void SetPort(uint16_t port) {
    auto* any = reinterpret_cast<sockaddr*>(&storage);
    if (any->sa_family == AF_INET6) {
      reinterpret_cast<sockaddr_in6*>(any)->sin6_port = htons(port);
    } else {
      reinterpret_cast<sockaddr_in*>(any)->sin_port = htons(port);
    }
  }
};

absl::StatusOr<std::vector<Address>> Resolve(const HostPort& where) {
  addrinfo hints = {};
  hints.ai_flags = AI_PASSIVE;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int error = getaddrinfo(where.host.empty() ? nullptr : where.host.c_str(),
                                std::to_string(where.port).c_str(), &hints, &found);
  if (error != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("cannot listen on ", where.host, ": ", gai_strerror(error)));
  }
  std::vector<Address> addresses;
  for (const addrinfo* it = found; it != nullptr; it = it->ai_next) {
    if (it->ai_family != AF_INET && it->ai_family != AF_INET6) continue;
    Address address;
    std::memcpy(&address.storage, it->ai_addr, it->ai_addrlen);
    address.size = it->ai_addrlen;
    addresses.push_back(address);
  }
  freeaddrinfo(found);
  return addresses;
}

void SetOption(int fd, int level, int option) {
  const int on = 1;
  // Each is a refinement; listening goes on without it.
  (void)setsockopt(fd, level, option, &on, sizeof(on));
}

std::string PathOf(const Address& unix_address) {
  const auto* path = reinterpret_cast<const sockaddr_un*>(&unix_address.storage)->sun_path;
  const size_t begin = offsetof(sockaddr_un, sun_path);
  const size_t size = unix_address.size - std::min<size_t>(unix_address.size, begin);
  return std::string(path, strnlen(path, size));
}

// As memcached writes it in `stats conns`.
std::string NameOf(const Address& address) {
  switch (address.get()->sa_family) {
    case AF_INET:
      return "tcp:" + TextOf(address.get());
    case AF_INET6:
      return "tcp6:" + TextOf(address.get());
    case AF_UNIX:
      return "unix:" + PathOf(address);
    default:
      return "?";
  }
}

enum class Share : uint8_t { kFirst, kJoin };

// A socket bound to `address` that listens, or -errno.
int BindAndListen(const Address& address, int backlog, Share share) {
  UniqueFd fd(socket(address.get()->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (fd.get() < 0) return -errno;
  SetOption(fd.get(), SOL_SOCKET, SO_REUSEADDR);
  if (address.get()->sa_family == AF_INET6) SetOption(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY);
  // Inherited by the accepted sockets, so that none of them needs a call of its own.
  SetOption(fd.get(), IPPROTO_TCP, TCP_NODELAY);
  SetOption(fd.get(), SOL_SOCKET, SO_KEEPALIVE);
  if (share == Share::kJoin) SetOption(fd.get(), SOL_SOCKET, SO_REUSEPORT);
  if (bind(fd.get(), address.get(), address.size) != 0) return -errno;
  if (listen(fd.get(), backlog) != 0) return -errno;
  if (share == Share::kFirst) SetOption(fd.get(), SOL_SOCKET, SO_REUSEPORT);
  return fd.Release();
}

int BindFirst(const Address& address, const TcpOptions& options) {
  for (uint32_t waited_ms = 0;; waited_ms += kInUsePauseMs) {
    const int fd = BindAndListen(address, options.backlog, Share::kFirst);
    if (fd != -EADDRINUSE || waited_ms >= options.in_use_wait_ms) return fd;
    (void)poll(nullptr, 0, kInUsePauseMs);
  }
}

Listener Described(int fd) {
  Address address;
  address.size = sizeof(address.storage);
  (void)getsockname(fd, reinterpret_cast<sockaddr*>(&address.storage), &address.size);
  return {.fd = UniqueFd(fd), .address = TextOf(address.get()), .port = PortOf(address.get())};
}

// All sockets of one address, appended to `listeners`. The status of the first that failed.
absl::Status ListenOn(Address address, const TcpOptions& options,
                      std::vector<Listener>& listeners) {
  for (uint32_t i = 0; i < options.sockets; ++i) {
    const int fd = i == 0 ? BindFirst(address, options)
                          : BindAndListen(address, options.backlog, Share::kJoin);
    if (fd == -EADDRINUSE) return InUse(TextOf(address.get()), options.flags);
    if (fd < 0) return Failed("listen on", TextOf(address.get()), -fd);
    listeners.push_back(Described(fd));
    address.SetPort(listeners.back().port);
  }
  return absl::OkStatus();
}

std::optional<sockaddr_un> UnixAddress(const std::string& path) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof(address.sun_path)) return std::nullopt;
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

// Makes `path` free, or says why it is not.
absl::Status RemoveStale(const std::string& path, const sockaddr_un& address) {
  struct stat file = {};
  if (lstat(path.c_str(), &file) != 0) {
    return errno == ENOENT ? absl::OkStatus() : Failed("look at", path, errno);
  }
  if (!S_ISSOCK(file.st_mode)) {
    return absl::AlreadyExistsError(absl::StrCat("cannot listen on ", path,
                                                 ": it exists and is not a socket. Choose another "
                                                 "path."));
  }
  const UniqueFd probe(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (probe.get() < 0) return Failed("create a socket for", path, errno);
  // EAGAIN: its backlog is full; somebody listens. Only a refusal says that nobody does.
  if (connect(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0 ||
      errno != ECONNREFUSED) {
    return InUse(path, "--unix-socket");
  }
  if (unlink(path.c_str()) != 0) return Failed("remove the stale socket", path, errno);
  return absl::OkStatus();
}

uint64_t QueueBytes(int fd, unsigned long which) {
  int bytes = 0;
  return ioctl(fd, which, &bytes) == 0 && bytes > 0 ? static_cast<uint64_t>(bytes) : 0;
}

}  // namespace

void UniqueFd::Reset(int fd) {
  if (fd_ >= 0) close(fd_);
  fd_ = fd;
}

SocketPath::SocketPath(const std::string& path) {
  struct stat file = {};
  if (lstat(path.c_str(), &file) != 0) return;
  path_ = path;
  device_ = file.st_dev;
  inode_ = file.st_ino;
}

SocketPath& SocketPath::operator=(SocketPath&& other) noexcept {
  Remove();
  path_ = std::exchange(other.path_, {});
  device_ = other.device_;
  inode_ = other.inode_;
  return *this;
}

void SocketPath::Remove() {
  struct stat file = {};
  if (path_.empty() || lstat(path_.c_str(), &file) != 0) return;
  if (file.st_dev == device_ && file.st_ino == inode_) (void)unlink(path_.c_str());
}

absl::StatusOr<HostPort> ParseHostPort(std::string_view text, uint16_t port_default) {
  const auto wrong = [&](const char* why) {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", util::View(text), "\" is no address to listen on: ", why));
  };
  HostPort result = {.host = {}, .port = port_default};
  std::string_view rest = text;
  const bool bracketed = rest.starts_with('[');
  if (bracketed) {
    const size_t close_at = rest.find(']');
    if (close_at == std::string_view::npos) return wrong("the bracket is not closed");
    result.host = rest.substr(1, close_at - 1);
    rest.remove_prefix(close_at + 1);
    if (!rest.empty() && rest[0] != ':') return wrong("expected a colon after the bracket");
  } else {
    // More than one colon is an IPv6 address without brackets, and has no port.
    const size_t colon = rest.find(':');
    const bool bare_v6 =
        colon != std::string_view::npos && rest.find(':', colon + 1) != std::string_view::npos;
    const size_t host_end = bare_v6 ? rest.size() : std::min(colon, rest.size());
    result.host = rest.substr(0, host_end);
    rest.remove_prefix(host_end);
  }
  if (result.host == "*") result.host.clear();
  if (rest.empty()) {
    if (text.empty()) return wrong("it is empty");
    return result;
  }
  rest.remove_prefix(1);
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), result.port);
  if (error != std::errc() || end != rest.data() + rest.size()) {
    return wrong("the port is not a number from 0 to 65535");
  }
  return result;
}

absl::StatusOr<std::vector<Listener>> ListenTcp(const HostPort& where, const TcpOptions& options) {
  CHECK_GT(options.sockets, 0U);
  absl::StatusOr<std::vector<Address>> addresses = Resolve(where);
  if (!addresses.ok()) return addresses.status();
  std::vector<Listener> listeners;
  absl::Status failed =
      absl::InvalidArgumentError(absl::StrCat("cannot listen on ", where.host, ": no address"));
  for (Address& address : *addresses) {
    if (where.port == 0 && !listeners.empty()) address.SetPort(listeners[0].port);
    const size_t before = listeners.size();
    const absl::Status status = ListenOn(address, options, listeners);
    if (status.ok()) continue;
    // A name may have an address of a kind that this machine has not; but a port that is taken on
    // one of them is not ours.
    failed = status;
    if (absl::IsAlreadyExists(status) || listeners.size() > before) return status;
  }
  if (listeners.empty()) return failed;
  return listeners;
}

absl::StatusOr<Listener> ListenUnix(const std::string& path, const UnixOptions& options) {
  const std::optional<sockaddr_un> address = UnixAddress(path);
  if (!address) {
    return absl::InvalidArgumentError(absl::StrCat("cannot listen on ", path,
                                                   ": a socket's path has 1 to ",
                                                   sizeof(sockaddr_un::sun_path) - 1, " bytes"));
  }
  if (const absl::Status status = RemoveStale(path, *address); !status.ok()) return status;
  UniqueFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (fd.get() < 0) return Failed("create a socket for", path, errno);
  // The mode of the socket's inode is what bind() gives the path, less the umask: it never exists
  // with more rights than asked, and the process's umask is left alone.
  if (fchmod(fd.get(), options.mode) != 0) return Failed("set the mode of", path, errno);
  if (bind(fd.get(), reinterpret_cast<const sockaddr*>(&*address), sizeof(*address)) != 0) {
    return errno == EADDRINUSE ? InUse(path, "--unix-socket") : Failed("listen on", path, errno);
  }
  SocketPath owned(path);
  // Now with what the umask took. Nobody can connect before listen().
  if (chmod(path.c_str(), options.mode) != 0) return Failed("set the mode of", path, errno);
  if (listen(fd.get(), options.backlog) != 0) return Failed("listen on", path, errno);
  return Listener{.fd = std::move(fd), .address = path, .port = 0, .path = std::move(owned)};
}

absl::StatusOr<Listener> ListenPrivate(int backlog) {
  UniqueFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const sockaddr any = {.sa_family = AF_UNIX, .sa_data = {}};
  // Only the family: the kernel chooses the name.
  if (fd.get() < 0 || bind(fd.get(), &any, sizeof(any.sa_family)) != 0 ||
      listen(fd.get(), backlog) != 0) {
    return Failed("listen on", "a private socket", errno);
  }
  return Listener{.fd = std::move(fd), .address = "private", .port = 0};
}

UniqueFd ConnectPrivate(const Listener& listener) {
  Address address;
  address.size = sizeof(address.storage);
  auto* storage = reinterpret_cast<sockaddr*>(&address.storage);
  UniqueFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (fd.get() < 0 || getsockname(listener.fd.get(), storage, &address.size) != 0 ||
      connect(fd.get(), storage, address.size) != 0) {
    return {};
  }
  return fd;
}

absl::StatusOr<Listener> AdoptListener(int listening_fd) {
  UniqueFd fd(listening_fd);
  const auto option = [&](int name) {
    int value = -1;
    socklen_t size = sizeof(value);
    return getsockopt(fd.get(), SOL_SOCKET, name, &value, &size) == 0 ? value : -1;
  };
  const std::string name = absl::StrCat("the passed descriptor ", fd.get());
  if (option(SO_ACCEPTCONN) != 1 || option(SO_TYPE) != SOCK_STREAM) {
    return absl::InvalidArgumentError(
        absl::StrCat(name, " is no listening stream socket; use ListenStream= and Accept=no"));
  }
  Address address;
  address.size = sizeof(address.storage);
  auto* storage = reinterpret_cast<sockaddr*>(&address.storage);
  const int flags = fcntl(fd.get(), F_GETFL);
  if (getsockname(fd.get(), storage, &address.size) != 0 || flags < 0 ||
      fcntl(fd.get(), F_SETFL, flags | O_NONBLOCK) != 0 ||
      fcntl(fd.get(), F_SETFD, FD_CLOEXEC) != 0) {
    return Failed("use", name, errno);
  }
  const bool tcp = option(SO_DOMAIN) != AF_UNIX;
  if (tcp) SetOption(fd.get(), IPPROTO_TCP, TCP_NODELAY);
  SetOption(fd.get(), SOL_SOCKET, SO_KEEPALIVE);
  return Listener{.fd = std::move(fd),
                  .address = tcp ? TextOf(storage) : PathOf(address),
                  .port = tcp ? PortOf(storage) : uint16_t{0}};
}

void StopListening(int listening_fd) { (void)shutdown(listening_fd, SHUT_RDWR); }

absl::Status AttachReuseportByCpu(int listening_fd, uint32_t sockets) {
  CHECK_GT(sockets, 0U);
  sock_filter code[] = {
      {BPF_LD | BPF_W | BPF_ABS, 0, 0, static_cast<uint32_t>(SKF_AD_OFF + SKF_AD_CPU)},
      {BPF_ALU | BPF_MOD | BPF_K, 0, 0, sockets},
      {BPF_RET | BPF_A, 0, 0, 0},
  };
  const sock_fprog program = {.len = std::size(code), .filter = code};
  if (setsockopt(listening_fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &program, sizeof(program)) !=
      0) {
    return Failed("place connections by CPU on", "the listeners", errno);
  }
  return absl::OkStatus();
}

bool AcceptMayGoOn(int error) {
  return error == ECONNABORTED || error == EINTR || error == EAGAIN || error == EPROTO ||
         error == EPERM || error == ENETDOWN || error == EHOSTUNREACH || error == ENETUNREACH ||
         error == ETIMEDOUT;
}

void RefuseClient(int fd, std::string_view text) {
  (void)send(fd, text.data(), text.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  close(fd);
}

std::optional<char> FirstByte(int fd) {
  char byte = 0;
  if (recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) != 1) return std::nullopt;
  return byte;
}

uint64_t UntakenBytes(int fd) { return QueueBytes(fd, SIOCOUTQ); }

int IncomingCpu(int fd) {
  int cpu = -1;
  socklen_t size = sizeof(cpu);
  return getsockopt(fd, SOL_SOCKET, SO_INCOMING_CPU, &cpu, &size) == 0 ? cpu : -1;
}

uint64_t WaitingBytes(int fd) { return QueueBytes(fd, SIOCINQ); }

std::string PeerName(int fd) {
  Address address;
  address.size = sizeof(address.storage);
  auto* storage = reinterpret_cast<sockaddr*>(&address.storage);
  if (getpeername(fd, storage, &address.size) != 0) {
    // The client has reset the connection. The kernel still knows whom it was with, and tells who
    // asks for exactly as many bytes as an address has, which are as many as ours.
    address.size = sizeof(address.storage);
    if (getsockname(fd, storage, &address.size) != 0 || storage->sa_family == AF_UNIX ||
        getsockopt(fd, SOL_SOCKET, SO_PEERNAME, storage, &address.size) != 0) {
      return "?";
    }
  }
  const bool nameless =
      storage->sa_family == AF_UNIX && address.size <= offsetof(sockaddr_un, sun_path);
  return nameless ? LocalName(fd) : NameOf(address);
}

std::string LocalName(int fd) {
  Address address;
  address.size = sizeof(address.storage);
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&address.storage), &address.size) != 0) {
    return "?";
  }
  return NameOf(address);
}

ReserveFd::ReserveFd() : fd_(open("/dev/null", O_RDONLY | O_CLOEXEC)) {}

bool ReserveFd::Spend(int listening_fd, std::string_view text) {
  fd_.Reset(-1);
  const int client = accept4(listening_fd, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (client >= 0) RefuseClient(client, text);
  fd_.Reset(open("/dev/null", O_RDONLY | O_CLOEXEC));
  return client >= 0;
}

}  // namespace larder::io
