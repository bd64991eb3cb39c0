// What a daemon does to its own process, once, at the start. Each returns a sentence if it failed,
// else an empty string.
#ifndef LARDER_SERVER_PROCESS_H_
#define LARDER_SERVER_PROCESS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "larder/server.h"

namespace larder::server {

// The way into the background, for -d. The process that was started waits until the one that stays
// behind it serves, and ends with 0; or until that one has ended, and ends with 1. The reason is on
// stderr, which both share so far.
class Background {
 public:
  Background() = default;
  ~Background();
  Background(const Background&) = delete;
  Background& operator=(const Background&) = delete;

  // Forks, and returns in the process that stays: in a session of its own, stdin and stdout on
  // /dev/null. Before any thread is made.
  std::string Enter();

  enum class Stderr : uint8_t { kDrop, kKeep };
  // We serve: lets the first process end. Leaves the working directory, which would keep its file
  // system from being unmounted, and stderr if told to. Does nothing without Enter().
  std::string Serve(Stderr what);

 private:
  int waiting_fd_ = -1;  // the first process waits for a byte of it, or its end
};

// `path` from the root on, so that it means the same in any working directory; empty stays empty.
std::string AbsolutePath(const std::string& path);

// Gives up root for `user`. Does nothing if `user` is empty, or if we are not root: then there is
// nothing to give up, and an old command line goes on working in a container.
std::string BecomeUser(const std::string& user);

// For -r: a crash leaves a core file. The limit is raised before BecomeUser(); who has changed the
// user must ask once more, for the kernel keeps the memory of such a process to itself.
std::string RaiseCoreLimit();
std::string AllowCoreFile();

// For -k: memory stays out of swap. The limit is raised before BecomeUser(), as far as we may.
// Memory is locked when it is first touched, not when addresses are reserved; call this when the
// server has been made, for the kernel counts those against the limit, and it must be known to
// leave room for `bytes_more`: who is refused memory later is worse off than without the lock.
std::string LockMemory(uint64_t bytes_more);
void RaiseLockLimit();

// Makes room for `connections` clients and our own files, as far as the hard limit allows.
std::string RaiseDescriptorLimit(uint64_t connections);

// The file that says which process this is. It goes when the process does, unless it names another
// by now.
class PidFile {
 public:
  PidFile() = default;
  ~PidFile();
  PidFile(const PidFile&) = delete;
  PidFile& operator=(const PidFile&) = delete;

  std::string Write(const std::string& path);

 private:
  std::string path_;  // empty: none is written
};

// One line per address, as memcached writes them for its test suites: "TCP INET: 11211".
std::string WritePortFile(const std::string& path, const std::vector<Server::Address>& addresses);

}  // namespace larder::server

#endif  // LARDER_SERVER_PROCESS_H_
