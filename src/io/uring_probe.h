// Can this process use io_uring in the way UringLoop does? Found out by doing it: a small ring with
// the same flags, the operations by the kernel's own list, a buffer ring, and one message received
// by a multishot receive. Takes well under a millisecond; once, at the start.
#ifndef LARDER_IO_URING_PROBE_H_
#define LARDER_IO_URING_PROBE_H_

#include <string>

namespace larder::io {

struct UringProbe {
  bool usable = false;
  // If not usable: what failed, why as far as it can be told, and what to do. One or two sentences.
  std::string reason;
};

// Must be called on a thread that runs no UringLoop.
[[nodiscard]] UringProbe ProbeUring();

// The words for `error` (-errno) of creating a ring; `disabled` is what the sysctl
// kernel.io_uring_disabled says (0, 1, 2, or -1 if there is none). For tests too.
[[nodiscard]] std::string WhyNoRing(int error, int disabled);

}  // namespace larder::io

#endif  // LARDER_IO_URING_PROBE_H_
