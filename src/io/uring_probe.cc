#include "io/uring_probe.h"

#include <absl/strings/str_cat.h>
#include <liburing.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <memory>
#include <string_view>

#include "io/uring_loop.h"

namespace larder::io {

namespace {

struct Operation {
  int opcode;
  const char* name;
};
constexpr Operation kNeeded[] = {
    {IORING_OP_ACCEPT, "ACCEPT"},     {IORING_OP_RECV, "RECV"},
    {IORING_OP_SEND, "SEND"},         {IORING_OP_SENDMSG, "SENDMSG"},
    {IORING_OP_READ, "READ"},         {IORING_OP_ASYNC_CANCEL, "ASYNC_CANCEL"},
    {IORING_OP_MSG_RING, "MSG_RING"},
};

constexpr char kTooOld[] = "Linux 6.1 or newer is needed";

int DisabledSysctl() {
  std::ifstream file("/proc/sys/kernel/io_uring_disabled");
  int value = -1;
  if (!(file >> value)) return -1;
  return value;
}

std::string MissingOperation(io_uring& ring) {
  const std::unique_ptr<io_uring_probe, void (*)(io_uring_probe*)> probe(
      io_uring_get_probe_ring(&ring), io_uring_free_probe);
  if (probe == nullptr) return absl::StrCat("the kernel does not list its operations; ", kTooOld);
  for (const Operation& operation : kNeeded) {
    if (!io_uring_opcode_supported(probe.get(), operation.opcode)) {
      return absl::StrCat("the kernel lacks the operation ", operation.name, "; ", kTooOld);
    }
  }
  return {};
}

// What an owner and a stream must be, and no more.
class ProbeOwner final : public LoopOwner {
 public:
  void OnAccept(int, int fd) override { close(fd); }
  void OnAcceptError(int, int) override {}
  void OnWake() override {}
  void OnTurnEnd() override {}
};

class ProbeStream final : public Stream {
 public:
  void OnReceive(std::string_view bytes) override { received += bytes.size(); }
  void OnReceiveEnd(int result) override { error = result; }
  void OnSent(int) override {}
  void OnClosed() override { closed = true; }
  size_t received = 0;
  int error = 0;
  bool closed = false;
};

// Two messages by one receive, through the loop itself.
std::string TryToReceive() {
  UringLoop loop(
      {.submissions = 8, .completions = 16, .buffers = {.count = 2, .buffer_bytes = 64}});
  if (const absl::Status opened = loop.Open(); !opened.ok()) {
    return std::string{opened.message()};
  }
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0) {
    return absl::StrCat("cannot create a pair of sockets: ", strerror(errno));
  }
  ProbeOwner owner;
  ProbeStream stream;
  loop.Attach(stream, ends[0]);
  size_t sent = 0;
  for (int turn = 0; turn < 8 && stream.received < 2 && stream.error == 0; ++turn) {
    if (sent == stream.received) sent += send(ends[1], "x", 1, MSG_NOSIGNAL) == 1 ? 1 : 0;
    loop.RunOnce(owner, 10'000'000);
  }
  loop.Close(stream);
  for (int turn = 0; turn < 8 && !stream.closed; ++turn) loop.RunOnce(owner, 10'000'000);
  close(ends[1]);
  if (stream.received == 2) return {};
  if (stream.error != 0) {
    return absl::StrCat("a multishot receive fails (", strerror(-stream.error), "); ", kTooOld);
  }
  return "a multishot receive gets nothing";
}

}  // namespace

std::string WhyNoRing(int error, int disabled) {
  switch (-error) {
    case ENOSYS:
      return "the kernel has no io_uring, or a seccomp filter hides it; allow the io_uring system "
             "calls in the service or the container";
    case EPERM:
    case EACCES:
      if (disabled == 2) {
        return "it is switched off (kernel.io_uring_disabled = 2); set that sysctl to 0";
      }
      if (disabled == 1) {
        return "it is reserved to a group (kernel.io_uring_disabled = 1); add the user to that "
               "group (kernel.io_uring_group), or set the sysctl to 0";
      }
      return "it is forbidden (EPERM), as a rule by a container's seccomp profile; allow the "
             "io_uring system calls there";
    case ENOMEM:
      return "its memory cannot be locked (ENOMEM); raise LimitMEMLOCK in the service, or ulimit "
             "-l";
    case EMFILE:
    case ENFILE:
      return "no descriptor is left for it; raise LimitNOFILE in the service, or ulimit -n";
    case EINVAL:
      return absl::StrCat("the kernel does not know the flags of the ring (EINVAL); ", kTooOld);
    default:
      return absl::StrCat("a ring cannot be created (", strerror(-error), ")");
  }
}

UringProbe ProbeUring() {
  io_uring ring = {};
  const unsigned flags =
      IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_SUBMIT_ALL;
  if (const int error = io_uring_queue_init(4, &ring, flags); error != 0) {
    return {.usable = false, .reason = WhyNoRing(error, DisabledSysctl())};
  }
  std::string reason = MissingOperation(ring);
  io_uring_queue_exit(&ring);
  if (reason.empty()) reason = TryToReceive();
  const bool usable = reason.empty();
  return {.usable = usable, .reason = std::move(reason)};
}

}  // namespace larder::io
