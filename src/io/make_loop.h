// Which loop: as asked, or the better one that this process may use.
#ifndef LARDER_IO_MAKE_LOOP_H_
#define LARDER_IO_MAKE_LOOP_H_

#include <absl/status/statusor.h>

#include <cstdint>
#include <memory>
#include <string>

#include "io/event_loop.h"
#include "io/loop.h"
#include "io/uring_loop.h"

namespace larder::io {

enum class LoopKind : uint8_t {
  kAuto,   // io_uring if it works here, else libevent
  kUring,  // io_uring, or a status that says why not
  kEvent,
};

struct LoopOptions {
  UringLoop::Options uring;
  EventLoop::Options event;
};

// Decides once for the process, so that all cores have loops of one kind: kAuto becomes kUring or
// kEvent, and `note` the line to log (8.9 of the architecture), empty if there is nothing to say.
// kUring is an error if it does not work here.
struct LoopChoice {
  LoopKind kind = LoopKind::kEvent;
  std::string note;
};
[[nodiscard]] absl::StatusOr<LoopChoice> ChooseLoop(LoopKind asked);

// A loop of the chosen kind, opened. It may be made on any thread; it belongs to the one that first
// calls RunOnce().
[[nodiscard]] absl::StatusOr<std::unique_ptr<Loop>> MakeLoop(LoopKind chosen,
                                                             const LoopOptions& options);

}  // namespace larder::io

#endif  // LARDER_IO_MAKE_LOOP_H_
