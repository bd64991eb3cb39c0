#include "service.h"

#include <pthread.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <ctime>
#include <optional>

#include "server/credentials.h"

namespace larder {
namespace {

using std::chrono::nanoseconds;
using std::chrono::steady_clock;

// After SIGTERM: how long clients may take to receive what they are owed.
constexpr int kDrainMs = 4000;
constexpr int kPollMs = 10;

sigset_t StopSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  return signals;
}

sigset_t AllSignals() {
  sigset_t signals = StopSignals();
  sigaddset(&signals, SIGHUP);
  return signals;
}

// The next of `signals`; 0 at the deadline, if there is one.
int NextSignal(const sigset_t& signals, std::optional<steady_clock::time_point> deadline) {
  while (true) {
    int signal = 0;
    if (deadline.has_value()) {
      const auto left = std::max<nanoseconds>(nanoseconds::zero(), *deadline - steady_clock::now());
      const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(left);
      const timespec wait = {.tv_sec = seconds.count(), .tv_nsec = (left - seconds).count()};
      signal = sigtimedwait(&signals, nullptr, &wait);
      if (signal < 0 && errno == EAGAIN) return 0;
    } else {
      signal = sigwaitinfo(&signals, nullptr);
    }
    if (signal > 0) return signal;
  }
}

std::string CoreList(const std::vector<uint32_t>& cores) {
  std::string list = cores.size() == 1 ? "core " : "cores ";
  for (size_t i = 0; i < cores.size(); ++i) {
    if (i > 0) list += ", ";
    list += std::to_string(cores[i]);
  }
  return list;
}

}  // namespace

std::string ReadUsers(const config::Settings& settings, std::vector<ServerOptions::User>& users) {
  if (!settings.auth_file.empty()) {
    const std::string problem = server::ReadUsers(settings.auth_file, users);
    if (!problem.empty()) return "-Y (--auth-file): " + problem;
  }
  if (!settings.requirepass.empty()) users.push_back({"default", settings.requirepass});
  const bool closed = settings.sasl_enabled && users.empty();
  return closed ? "-S (--enable-sasl): nobody could come in without users; name their file with -Y "
                  "(--auth-file)"
                : "";
}

void BlockSignals() {
  const sigset_t signals = AllSignals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
}

void Service::Serve() {
  parts_.manager.Ready(status_);
  const sigset_t signals = AllSignals();
  const std::optional<nanoseconds> interval = parts_.manager.alive_interval();
  std::optional<steady_clock::time_point> look_at;
  if (interval.has_value()) look_at = steady_clock::now() + *interval;
  while (true) {
    const int signal = NextSignal(signals, look_at);
    if (signal == SIGHUP) {
      Reload();
    } else if (signal != 0) {
      return;
    } else {
      LookAtCores();
      look_at = steady_clock::now() + *interval;
    }
  }
}

void Service::Reload() {
  parts_.manager.Reloading();
  std::string status = status_;
  if (!parts_.settings.auth_file.empty()) {
    std::vector<ServerOptions::User> users;
    const std::string problem = ReadUsers(parts_.settings, users);
    if (problem.empty()) {
      parts_.server.SetUsers(users);
      parts_.log.Info("read " + parts_.settings.auth_file +
                      " again: " + std::to_string(users.size()) + " users");
    } else {
      status = problem + "; the users stay as they were";
      parts_.log.Warn(status);
    }
  }
  parts_.manager.Ready(status);
}

void Service::LookAtCores() {
  const std::vector<uint32_t> silent = parts_.server.SilentCores();
  if (!silent.empty()) {
    const std::string problem = CoreList(silent) + " made no turn since the last look; the " +
                                "watchdog is not told that we live";
    parts_.log.Error(problem);
    parts_.manager.Status(problem);
  } else {
    if (silent_) parts_.manager.Status(status_);
    parts_.manager.Alive();
  }
  silent_ = !silent.empty();
}

void Service::Drain() {
  const std::string status = "stopping: no new clients; those that are owed something get it first";
  parts_.manager.Stopping(status);
  parts_.log.Info(status);
  parts_.server.BeginDrain();
  const sigset_t signals = StopSignals();
  const timespec pause = {.tv_sec = 0, .tv_nsec = kPollMs * 1'000'000L};
  for (int waited_ms = 0; waited_ms < kDrainMs && !parts_.server.Drained(); waited_ms += kPollMs) {
    if (sigtimedwait(&signals, nullptr, &pause) > 0) return;
  }
}

}  // namespace larder
