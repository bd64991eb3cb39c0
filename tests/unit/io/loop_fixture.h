// The loops under test, and the fixture of the suites that run on each of them.
#ifndef LARDER_TESTS_UNIT_IO_LOOP_FIXTURE_H_
#define LARDER_TESTS_UNIT_IO_LOOP_FIXTURE_H_

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "io/event_loop.h"
#include "io/uring_loop.h"
#include "loop_harness.h"

namespace larder::io {

inline constexpr uint32_t kBuffers = 8;
inline constexpr uint32_t kBufferBytes = 1024;

// Few and small buffers, so that the tests meet the end of them.
inline std::unique_ptr<Loop> MakeUring() {
  UringLoop::Options options;
  options.buffers = {.count = kBuffers, .buffer_bytes = kBufferBytes};
  auto loop = std::make_unique<UringLoop>(options);
  const absl::Status opened = loop->Open();
  EXPECT_TRUE(opened.ok()) << opened;
  return loop;
}

inline std::unique_ptr<Loop> MakeEvent() {
  auto loop = std::make_unique<EventLoop>(EventLoop::Options{
      .receive_bytes = kBuffers * kBufferBytes, .stream_bytes_max = kBufferBytes});
  const absl::Status opened = loop->Open();
  EXPECT_TRUE(opened.ok()) << opened;
  return loop;
}

struct Kind {
  const char* name;
  std::unique_ptr<Loop> (*make)();
};

// A TCP listener on a free port of loopback, without the layer's own socket code.
inline int ListenTcp(uint16_t* port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(*port);
  EXPECT_EQ(bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  socklen_t size = sizeof(address);
  getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  *port = ntohs(address.sin_port);
  EXPECT_EQ(listen(fd, 1024), 0);
  return fd;
}

inline int ConnectTcp(uint16_t port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  EXPECT_EQ(connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  return fd;
}

inline void Write(int fd, std::string_view bytes) {
  ASSERT_EQ(write(fd, bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
}

inline int OpenDescriptors() {
  int open = 0;
  for (int fd = 0; fd < 4096; ++fd) open += fcntl(fd, F_GETFD) >= 0 ? 1 : 0;
  return open;
}

class LoopTest : public testing::TestWithParam<Kind> {
 protected:
  void Close(RecordingStream& stream) {
    stream.closing = true;
    loop_->Close(stream);
  }
  void CloseAndWait(RecordingStream& stream) {
    Close(stream);
    EXPECT_TRUE(Run([&] { return stream.closed == 1; }));
  }
  bool Run(const std::function<bool()>& done) { return RunUntil(*loop_, owner_, done); }
  void Send(Stream& stream, std::string_view bytes, Notice notice = Notice::kPrompt) {
    const iovec part = Part(bytes);
    loop_->Send(stream, std::span(&part, 1), notice);
  }
  // Turns until nothing happens any more.
  void Settle() {
    for (int i = 0; i < 20; ++i) loop_->RunOnce(owner_, 0);
  }
  // A connection over TCP: the loop's end comes from OnAccept.
  Pair Accepted() {
    uint16_t port = 0;
    const int listening = ListenTcp(&port);
    const int listener = loop_->AddListener(listening);
    const size_t before = owner_.accepted.size();
    const int client = ConnectTcp(port);
    EXPECT_TRUE(Run([&] { return owner_.accepted.size() == before + 1; }));
    loop_->RemoveListener(listener);
    Settle();
    close(listening);
    return {owner_.accepted.back().second, client};
  }

  std::unique_ptr<Loop> loop_ = GetParam().make();
  RecordingOwner owner_;
};

// What INSTANTIATE_TEST_SUITE_P is given.
inline auto AllLoops() {
  return testing::Values(Kind{"Uring", MakeUring}, Kind{"Event", MakeEvent});
}
inline std::string NameOf(const testing::TestParamInfo<Kind>& kind) { return kind.param.name; }

}  // namespace larder::io

#endif  // LARDER_TESTS_UNIT_IO_LOOP_FIXTURE_H_
