// larder-floor: the line below which no server gets on this machine.
//
// It runs on the loop that larderd runs on, with the same turns: all ready connections of a turn
// are read, answered, and what they are owed leaves with the call that waits. Between receiving and
// sending it does next to nothing (floor_connection.h). So what larderd costs beyond this is its
// own work, and what this costs is the kernel's.
//
//   larder-floor -p 11300 --value-size 64
//
// One thread. Ends on SIGTERM and SIGINT. Compiled with exceptions, which CLI11 needs.
#include <csignal>
#include <cstdio>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "CLI/CLI.hpp"
#include "bench/floor/floor_connection.h"
#include "io/make_loop.h"
#include "io/socket.h"

namespace larder::bench {
namespace {

volatile std::sig_atomic_t g_stop = 0;

// How soon a signal is seen that came between two looks at it.
constexpr int64_t kWaitNs = 100'000'000;

struct Options {
  std::string host = "127.0.0.1";
  uint16_t port = 11300;
  std::string io = "auto";
  size_t value_size = 64;
};

class FloorServer final : public io::LoopOwner, public FloorTurn {
 public:
  FloorServer(io::Loop& loop, size_t value_size) : loop_(loop), filler_(value_size, 'v') {}

  void Run(int listening_fd) {
    const int listener = loop_.AddListener(listening_fd);
    while (g_stop == 0) loop_.RunOnce(*this, kWaitNs);
    loop_.RemoveListener(listener);
    for (int turn = 0; turn < 2; ++turn) loop_.RunOnce(*this, 0);
  }

  void OnAccept(int listener, int fd) override {
    (void)listener;
    auto connection = std::make_unique<FloorConnection>(*this, loop_, filler_);
    loop_.Attach(*connection, fd);
    FloorConnection* key = connection.get();
    connections_.emplace(key, std::move(connection));
  }
  void OnAcceptError(int listener, int error) override {
    (void)error;
    loop_.ResumeAccept(listener);
  }
  void OnWake() override {}
  void OnTurnEnd() override {
    for (FloorConnection* connection : turn_) {
      connection->in_turn = false;
      connection->EndTurn();
    }
    turn_.clear();
  }

  void AddToTurn(FloorConnection& connection) override {
    if (std::exchange(connection.in_turn, true)) return;
    turn_.push_back(&connection);
  }
  void Forget(FloorConnection& connection) override {
    if (connection.in_turn) std::erase(turn_, &connection);
    connections_.erase(&connection);
  }

 private:
  io::Loop& loop_;
  const std::string filler_;
  std::unordered_map<FloorConnection*, std::unique_ptr<FloorConnection>> connections_;
  std::vector<FloorConnection*> turn_;
};

absl::Status Serve(const Options& options) {
  const io::LoopKind asked = options.io == "uring"   ? io::LoopKind::kUring
                             : options.io == "event" ? io::LoopKind::kEvent
                                                     : io::LoopKind::kAuto;
  const absl::StatusOr<io::LoopChoice> choice = io::ChooseLoop(asked);
  if (!choice.ok()) return choice.status();
  const absl::StatusOr<std::unique_ptr<io::Loop>> loop = io::MakeLoop(choice->kind, {});
  if (!loop.ok()) return loop.status();
  const auto listeners = io::ListenTcp({.host = options.host, .port = options.port}, {});
  if (!listeners.ok()) return listeners.status();
  FloorServer server(**loop, options.value_size);
  server.Run(listeners->front().fd.get());
  return absl::OkStatus();
}

int Main(int argc, char** argv) {
  Options options;
  CLI::App app("Answers every get with a fixed value and every set with STORED.", "larder-floor");
  app.add_option("-l,--listen", options.host)->capture_default_str();
  app.add_option("-p,--port", options.port)->capture_default_str();
  app.add_option("--io", options.io, "auto, uring or event")
      ->check(CLI::IsMember({"auto", "uring", "event"}))
      ->capture_default_str();
  app.add_option("--value-size", options.value_size, "of every value")->capture_default_str();
  CLI11_PARSE(app, argc, argv);

  std::signal(SIGPIPE, SIG_IGN);
  for (const int signal : {SIGTERM, SIGINT}) {
    std::signal(signal, [](int) { g_stop = 1; });
  }
  const absl::Status status = Serve(options);
  if (status.ok()) return 0;
  std::fprintf(stderr, "larder-floor: %s\n", std::string(status.message()).c_str());
  return 1;
}

}  // namespace
}  // namespace larder::bench

int main(int argc, char** argv) { return larder::bench::Main(argc, argv); }
