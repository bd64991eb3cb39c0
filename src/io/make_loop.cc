#include "io/make_loop.h"

#include <absl/strings/str_cat.h>

#include "io/uring_probe.h"
#include "util/check.h"

namespace larder::io {

absl::StatusOr<LoopChoice> ChooseLoop(LoopKind asked) {
  if (asked == LoopKind::kEvent) return LoopChoice{LoopKind::kEvent, ""};
  const UringProbe probe = ProbeUring();
  if (probe.usable) return LoopChoice{LoopKind::kUring, ""};
  if (asked == LoopKind::kUring) {
    return absl::UnavailableError(
        absl::StrCat("io_uring: ", probe.reason, ", or start with --io=event."));
  }
  return LoopChoice{LoopKind::kEvent, absl::StrCat("io_uring: ", probe.reason,
                                                   ". Continuing with the libevent loop.")};
}

absl::StatusOr<std::unique_ptr<Loop>> MakeLoop(LoopKind chosen, const LoopOptions& options) {
  CHECK(chosen != LoopKind::kAuto);  // ChooseLoop() first
  if (chosen == LoopKind::kUring) {
    auto loop = std::make_unique<UringLoop>(options.uring);
    if (const absl::Status opened = loop->Open(); !opened.ok()) return opened;
    return loop;
  }
  auto loop = std::make_unique<EventLoop>(options.event);
  if (const absl::Status opened = loop->Open(); !opened.ok()) return opened;
  return loop;
}

}  // namespace larder::io
