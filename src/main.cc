// larderd: reads what it was told, makes the server, waits for a signal, lets the clients finish.
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>

#include "config/cli.h"
#include "config/server_options.h"
#include "larder/server.h"
#include "runtime/topology.h"
#include "server/process.h"
#include "util/log.h"

namespace {

constexpr int kExitFailure = 1;
// After SIGTERM: how long clients may take to receive what they are owed.
constexpr int kDrainMs = 4000;
constexpr int kPollMs = 10;

int Fail(larder::util::Log& log, const std::string& why) {
  log.Error(why);
  return kExitFailure;
}

sigset_t StopSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  return signals;
}

// True if another signal arrives before the clients are done: then nobody wants to wait.
bool DrainOrSecondSignal(larder::Server& server, const sigset_t& signals) {
  server.BeginDrain();
  const timespec pause = {.tv_sec = 0, .tv_nsec = kPollMs * 1'000'000L};
  for (int waited_ms = 0; waited_ms < kDrainMs && !server.Drained(); waited_ms += kPollMs) {
    if (sigtimedwait(&signals, nullptr, &pause) > 0) return true;
  }
  return false;
}

}  // namespace

int main(int argc, char** argv, char** environment) {
  namespace config = larder::config;
  namespace server = larder::server;
  const larder::runtime::Topology topology = larder::runtime::ReadTopology();
  const config::ParseResult parsed = config::ParseSettings(
      argc, argv, environment,
      {.cpus = topology.UsableCpus(), .memory_limit_bytes = topology.memory_limit_bytes});
  if (parsed.start != config::Start::kRun) {
    const bool wrong = parsed.start == config::Start::kWrong;
    std::fputs(parsed.text.c_str(), wrong ? stderr : stdout);
    return wrong ? config::kExitUsage : 0;
  }
  const config::Settings& settings = parsed.settings;
  larder::util::Log log(larder::util::LevelOfVerbosity(settings.verbosity));
  for (const std::string& warning : parsed.warnings) log.Warn(warning);

  std::string problem;
  if (settings.daemon) problem = server::Daemonize();
  if (problem.empty()) problem = server::RaiseDescriptorLimit(settings.connections_max);
  if (!problem.empty()) log.Warn(problem);
  problem = server::BecomeUser(settings.user);
  if (!problem.empty()) return Fail(log, problem);

  // Blocked before the threads are made, so that they inherit it and only sigwait takes them.
  const sigset_t signals = StopSignals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGHUP, SIG_IGN);

  const auto options = config::ServerOptionsOf(settings, topology, log);
  const auto running = larder::Server::Start(options, &problem);
  if (running == nullptr) return Fail(log, problem);
  if (!settings.pid_file.empty()) problem = server::WritePidFile(settings.pid_file);
  if (const char* path = std::getenv("MEMCACHED_PORT_FILENAME"); path != nullptr) {
    problem += server::WritePortFile(path, running->Addresses());
  }
  if (!problem.empty()) return Fail(log, problem);

  int signal = 0;
  sigwait(&signals, &signal);
  log.Info("stopping: no new clients; those that are owed something get it first");
  if (DrainOrSecondSignal(*running, signals)) std::_Exit(0);
  if (!settings.pid_file.empty()) std::remove(settings.pid_file.c_str());
  return 0;
}
