#include "server/process.h"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <system_error>

#include "util/pages.h"
#include "util/units.h"

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

// Puts the descriptors on /dev/null.
std::string ToNull(std::initializer_list<int> descriptors) {
  const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  if (null < 0) return Failed("cannot open /dev/null");
  for (const int fd : descriptors) dup2(null, fd);
  if (null > STDERR_FILENO) close(null);
  return {};
}

std::string LimitText(rlim_t limit) {
  return limit == RLIM_INFINITY ? "unlimited" : util::FormatBytes(limit / 1024 * 1024);
}

// All addresses of this process, used or not; 0 if there is no saying.
uint64_t AddressBytes() {
  std::ifstream file("/proc/self/statm");
  uint64_t pages = 0;
  return file >> pages ? pages * static_cast<uint64_t>(sysconf(_SC_PAGESIZE)) : 0;
}

// Locked memory can be given back to the system since Linux 5.18; the heap relies on it.
bool LockedPagesCanBeGivenBack() {
  const auto bytes = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  void* page = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) return false;
  const bool can = madvise(page, bytes, util::kMadviseDontNeedLocked) == 0;
  (void)munmap(page, bytes);
  return can;
}

// Waits for a byte; false if the other side ended without one.
bool ServesSaid(int fd) {
  char byte = 0;
  ssize_t bytes = 0;
  do {
    bytes = read(fd, &byte, 1);
  } while (bytes < 0 && errno == EINTR);
  return bytes == 1;
}

}  // namespace

Background::~Background() {
  if (waiting_fd_ >= 0) close(waiting_fd_);
}

std::string Background::Enter() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return Failed("cannot go to the background");
  const pid_t child = fork();
  if (child < 0) return Failed("cannot go to the background");
  if (child > 0) {
    close(ends[1]);
    if (ServesSaid(ends[0])) _exit(0);
    (void)waitpid(child, nullptr, 0);
    _exit(1);
  }
  close(ends[0]);
  waiting_fd_ = ends[1];
  if (setsid() < 0) return Failed("cannot begin a session");
  return ToNull({STDIN_FILENO, STDOUT_FILENO});
}

std::string Background::Serve(Stderr what) {
  if (waiting_fd_ < 0) return {};
  std::string problem;
  if (chdir("/") != 0) problem = Failed("cannot go to /");
  if (problem.empty() && what == Stderr::kDrop) problem = ToNull({STDERR_FILENO});
  if (!problem.empty()) return problem;
  // Nobody may wait any more; that is no failure of ours.
  (void)!write(waiting_fd_, "", 1);
  close(waiting_fd_);
  waiting_fd_ = -1;
  return {};
}

std::string AbsolutePath(const std::string& path) {
  if (path.empty() || path.front() == '/') return path;
  std::error_code error;
  const std::filesystem::path folder = std::filesystem::current_path(error);
  return error ? path : (folder / path).string();
}

std::string BecomeUser(const std::string& user) {
  if (user.empty() || getuid() != 0) return {};
  errno = 0;
  const passwd* entry = getpwnam(user.c_str());
  if (entry == nullptr) return "-u " + user + ": there is no such user; name one of this system";
  if (entry->pw_uid == 0) return {};
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

std::string RaiseCoreLimit() {
  // Root may lift the hard limit as well.
  const rlimit all = {.rlim_cur = RLIM_INFINITY, .rlim_max = RLIM_INFINITY};
  if (setrlimit(RLIMIT_CORE, &all) == 0) return {};
  rlimit limit;
  if (getrlimit(RLIMIT_CORE, &limit) != 0) return Failed("cannot read the limit of core files");
  if (limit.rlim_max == 0) {
    return "-r (--enable-coredumps): core files are forbidden here; raise LimitCORE (ulimit -H -c)";
  }
  limit.rlim_cur = limit.rlim_max;
  return setrlimit(RLIMIT_CORE, &limit) == 0 ? "" : Failed("cannot raise the limit of core files");
}

std::string AllowCoreFile() {
  return prctl(PR_SET_DUMPABLE, 1) == 0 ? "" : Failed("cannot ask for a core file");
}

void RaiseLockLimit() {
  const rlimit all = {.rlim_cur = RLIM_INFINITY, .rlim_max = RLIM_INFINITY};
  if (setrlimit(RLIMIT_MEMLOCK, &all) == 0) return;
  rlimit limit;
  if (getrlimit(RLIMIT_MEMLOCK, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  (void)setrlimit(RLIMIT_MEMLOCK, &limit);
}

std::string LockMemory(uint64_t bytes_more) {
  const std::string flag = "-k (--lock-memory): ";
  rlimit limit;
  if (getrlimit(RLIMIT_MEMLOCK, &limit) != 0) return Failed(flag + "cannot read the limit");
  const uint64_t needed = AddressBytes() + bytes_more;
  if (limit.rlim_cur != RLIM_INFINITY && limit.rlim_cur < needed) {
    return flag + LimitText(limit.rlim_cur) + " may be locked, and every address counts, used or " +
           "not; set LimitMEMLOCK (ulimit -l) to unlimited. Going on without";
  }
  if (!LockedPagesCanBeGivenBack()) return flag + "needs Linux 5.18 or later. Going on without";
  if (mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) != 0) {
    return Failed(flag + "memory cannot be locked") + ". Going on without";
  }
  return {};
}

PidFile::~PidFile() {
  if (path_.empty()) return;
  std::ifstream file(path_);
  pid_t named = 0;
  if (file >> named && named == getpid()) std::remove(path_.c_str());
}

std::string PidFile::Write(const std::string& path) {
  std::string problem = WriteFile(path, std::to_string(getpid()) + "\n");
  if (problem.empty()) path_ = path;
  return problem;
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
