// Goal: where io_uring is refused, the reason is told in words, and the other loop is chosen.
// Method: a child puts a seccomp filter on itself that answers io_uring_setup with an error.
#include "io/uring_probe.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>

#include "io/make_loop.h"

namespace larder::io {
namespace {

using testing::HasSubstr;

TEST(UringProbe, WorksHere) {
  const UringProbe probe = ProbeUring();
  EXPECT_TRUE(probe.usable) << probe.reason;
  EXPECT_EQ(probe.reason, "");
}

TEST(UringProbe, SaysWhyAndWhatToDo) {
  EXPECT_THAT(WhyNoRing(-EPERM, 2), HasSubstr("io_uring_disabled = 2"));
  EXPECT_THAT(WhyNoRing(-EPERM, 1), HasSubstr("io_uring_group"));
  EXPECT_THAT(WhyNoRing(-EPERM, 0), HasSubstr("seccomp"));
  EXPECT_THAT(WhyNoRing(-ENOSYS, -1), HasSubstr("no io_uring"));
  EXPECT_THAT(WhyNoRing(-ENOMEM, 0), HasSubstr("LimitMEMLOCK"));
  EXPECT_THAT(WhyNoRing(-EMFILE, 0), HasSubstr("LimitNOFILE"));
  EXPECT_THAT(WhyNoRing(-EINVAL, 0), HasSubstr("6.1"));
  EXPECT_THAT(WhyNoRing(-EIO, 0), HasSubstr("error"));
}

bool Forbid(int system_call, int error) {
  sock_filter code[] = {
      {BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(seccomp_data, nr)},
      {BPF_JMP | BPF_JEQ | BPF_K, 0, 1, static_cast<uint32_t>(system_call)},
      {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | static_cast<uint32_t>(error)},
      {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW},
  };
  const sock_fprog program = {.len = std::size(code), .filter = code};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

// Runs in the child. The line that went wrong, or 0.
int ChooseUnderFilter(int system_call, int error, const char* word) {
  if (!Forbid(system_call, error)) return __LINE__;
  const UringProbe probe = ProbeUring();
  if (probe.usable || probe.reason.find(word) == std::string::npos) return __LINE__;
  const auto asked = ChooseLoop(LoopKind::kUring);
  if (!absl::IsUnavailable(asked.status())) return __LINE__;
  if (asked.status().message().find("--io=event") == absl::string_view::npos) return __LINE__;
  const auto chosen = ChooseLoop(LoopKind::kAuto);
  if (!chosen.ok()) return __LINE__;
  if (chosen->note.find("Continuing with the libevent loop.") == std::string::npos) {
    return __LINE__;
  }
  const auto loop = MakeLoop(chosen->kind, {});
  if (!loop.ok() || (*loop)->Name() != "event") return __LINE__;
  return 0;
}

void ExpectFallback(int system_call, int error, const char* word) {
  const pid_t child = fork();
  if (child == 0) {
    const int line = ChooseUnderFilter(system_call, error, word);
    if (line != 0) fprintf(stderr, "failed at line %d\n", line);
    _exit(line == 0 ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

TEST(UringProbe, SetupForbidden) { ExpectFallback(SYS_io_uring_setup, EPERM, "EPERM"); }
TEST(UringProbe, SetupAbsent) { ExpectFallback(SYS_io_uring_setup, ENOSYS, "no io_uring"); }
TEST(UringProbe, NoMemoryToLock) { ExpectFallback(SYS_io_uring_setup, ENOMEM, "LimitMEMLOCK"); }
TEST(UringProbe, OldKernel) { ExpectFallback(SYS_io_uring_setup, EINVAL, "6.1"); }
TEST(UringProbe, RegisterForbidden) { ExpectFallback(SYS_io_uring_register, EPERM, "operations"); }

TEST(MakeLoop, MakesWhatWasAsked) {
  for (const auto& [asked, name] :
       {std::pair(LoopKind::kAuto, "uring"), std::pair(LoopKind::kUring, "uring"),
        std::pair(LoopKind::kEvent, "event")}) {
    const auto choice = ChooseLoop(asked);
    ASSERT_TRUE(choice.ok()) << choice.status();
    EXPECT_EQ(choice->note, "");
    const auto loop = MakeLoop(choice->kind, {});
    ASSERT_TRUE(loop.ok()) << loop.status();
    EXPECT_EQ((*loop)->Name(), name);
  }
  EXPECT_THAT(std::string(EventLoop::LibraryVersion()), HasSubstr("2."));
}

}  // namespace
}  // namespace larder::io
