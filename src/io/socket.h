// Sockets: who owns a descriptor, how to listen, what to do with a client that cannot be served.
//
// One port, one instance: SO_REUSEPORT lets two processes of one user share a port without a word.
// So the first socket of a port is bound and listens without it, which at most one process can do;
// only then is the option set on it, which lets our other sockets join. That a port belongs to
// somebody is decided by that first listen() alone. (Binding alone does not decide: SO_REUSEADDR,
// needed because of old connections in TIME_WAIT, lets two bind, but not listen.)
//
// All of this is for starting and for rare events; errors are absl::Status with what to do.
#ifndef LARDER_IO_SOCKET_H_
#define LARDER_IO_SOCKET_H_

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace larder::io {

// Owns a descriptor.
class UniqueFd {
 public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(other.Release()) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept {
    Reset(other.Release());
    return *this;
  }
  ~UniqueFd() { Reset(-1); }

  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] int Release() { return std::exchange(fd_, -1); }
  void Reset(int fd);

 private:
  int fd_ = -1;
};

// Owns the path of a Unix socket: removes it, unless it is another's by now.
class SocketPath {
 public:
  SocketPath() = default;
  // Of the socket that is bound to `path` now.
  explicit SocketPath(const std::string& path);
  SocketPath(SocketPath&& other) noexcept { *this = std::move(other); }
  SocketPath& operator=(SocketPath&& other) noexcept;
  ~SocketPath() { Remove(); }

 private:
  void Remove();

  std::string path_;  // empty: none
  dev_t device_ = 0;
  ino_t inode_ = 0;
};

// A listening socket. The path of a Unix one goes with it; where a process was killed, it stays,
// and the next ListenUnix() there removes it.
struct Listener {
  UniqueFd fd;
  std::string address;  // "127.0.0.1:11211", "[::1]:11211", "/run/larder/larder.sock"
  uint16_t port = 0;    // 0 for a Unix socket
  SocketPath path = {};
};

struct HostPort {
  std::string host;  // empty: every address
  uint16_t port = 0;
};
// "host:port", "1.2.3.4:port", "[::1]:port", ":port", "*:port"; without a port, `port_default`.
[[nodiscard]] absl::StatusOr<HostPort> ParseHostPort(std::string_view text, uint16_t port_default);

struct TcpOptions {
  int backlog = 1024;
  uint32_t sockets = 1;  // of each address: one a core
  // How long to try again while the port is taken. The listening socket of a killed io_uring server
  // lives on until the kernel has dismantled its ring: some ten milliseconds. Longer than this, and
  // it is somebody's.
  uint32_t in_use_wait_ms = 2000;
  std::string_view flags = "--port or --listen";  // what chooses another address, for the error
};
// Listens on every address that the host has (a name may have several), with options.sockets
// sockets each, in this order: all sockets of the first address, then of the second. Port 0 takes a
// free one, the same for all. Accepted sockets inherit TCP_NODELAY and keepalive.
[[nodiscard]] absl::StatusOr<std::vector<Listener>> ListenTcp(const HostPort& where,
                                                              const TcpOptions& options);

struct UnixOptions {
  mode_t mode = 0700;
  int backlog = 1024;
};
// Listens on a path. Removes a socket that nobody listens on; refuses a live one and anything else.
[[nodiscard]] absl::StatusOr<Listener> ListenUnix(const std::string& path,
                                                  const UnixOptions& options);

// A listening socket for this process' own use: a Unix one under a name that the kernel makes up,
// which no file system shows; and a client of it, who does not wait. No descriptor: it has no room.
[[nodiscard]] absl::StatusOr<Listener> ListenPrivate(int backlog);
[[nodiscard]] UniqueFd ConnectPrivate(const Listener& listener);

// A listening socket that was made elsewhere, by a service manager for example: its address, its
// path and whether it listens are not ours to change. Takes the descriptor, whatever it returns.
[[nodiscard]] absl::StatusOr<Listener> AdoptListener(int listening_fd);

// From now on, who connects is refused at once instead of waiting unheard; the descriptor stays. A
// loop that accepts on it is told an error.
void StopListening(int listening_fd);

// Of a group made by one ListenTcp(): a connection goes to the socket number (CPU its packets
// arrive on) modulo `sockets`, instead of by a hash of addresses. One call serves the group. Best
// effort: if the kernel refuses, connections are spread as before.
[[nodiscard]] absl::Status AttachReuseportByCpu(int listening_fd, uint32_t sockets);

// Of accept(): one client's bad luck, and the listener is fine?
[[nodiscard]] bool AcceptMayGoOn(int error);

// Sends `text` if there is room for it, and closes.
void RefuseClient(int fd, std::string_view text);
// The first byte that a client has sent, if it has come; it is still there to be received.
std::optional<char> FirstByte(int fd);
// Bytes that were sent and that the peer has not taken yet (SIOCOUTQ); 0 if there is no saying.
[[nodiscard]] uint64_t UntakenBytes(int fd);

// Bytes that have come and were not received yet (SIOCINQ); 0 if there is no saying.
[[nodiscard]] uint64_t WaitingBytes(int fd);

// The CPU that the last packet arrived on (SO_INCOMING_CPU); -1 if there is no saying.
[[nodiscard]] int IncomingCpu(int fd);

// Who is at the other end, and at this one: "tcp:1.2.3.4:5", "tcp6:[::1]:5", "unix:/path", as
// memcached writes them, and of a connection that was reset as well; "?" if there is no saying. A
// client on a Unix socket has no name as a rule; then it is called by the path that it has
// connected to.
[[nodiscard]] std::string PeerName(int fd);
[[nodiscard]] std::string LocalName(int fd);

// A descriptor put by for when there are none left: with it, a client that waits can be accepted
// and closed at once, instead of hanging unanswered.
class ReserveFd {
 public:
  ReserveFd();
  // Accepts one client of the non-blocking `listening_fd`, tells it `text` and closes it. False if
  // none waited, or the reserve is empty and could not be filled again.
  bool Spend(int listening_fd, std::string_view text);

 private:
  UniqueFd fd_;
};

}  // namespace larder::io

#endif  // LARDER_IO_SOCKET_H_
