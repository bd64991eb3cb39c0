// larderd: reads what it was told, makes the server, waits for a signal, lets the clients finish.
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "admin/http_server.h"
#include "admin/pages.h"
#include "config/cli.h"
#include "config/server_options.h"
#include "config/start_line.h"
#include "io/socket.h"
#include "larder/server.h"
#include "runtime/topology.h"
#include "server/credentials.h"
#include "server/process.h"
#include "stats/figures.h"
#include "util/log.h"

namespace admin = larder::admin;
namespace config = larder::config;
namespace io = larder::io;
namespace server = larder::server;

namespace {

constexpr int kExitFailure = 1;
// After SIGTERM: how long clients may take to receive what they are owed.
constexpr int kDrainMs = 4000;
constexpr int kPollMs = 10;

int Fail(larder::util::Log& log, const std::string& why) {
  log.Error(why);
  return kExitFailure;
}

// Who may come in, if the settings name a file of users.
std::string ReadUsers(const config::Settings& settings,
                      std::vector<larder::ServerOptions::User>& users) {
  if (settings.auth_file.empty()) {
    return settings.sasl_enabled ? "-S (--enable-sasl): nobody could come in without users; name "
                                   "their file with -Y (--auth-file)"
                                 : "";
  }
  const std::string problem = server::ReadUsers(settings.auth_file, users);
  return problem.empty() ? "" : "-Y (--auth-file): " + problem;
}

sigset_t StopSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  return signals;
}

// As if somebody had sent the signals: two of them say that nobody wants to wait.
void EndProcess(larder::Shutdown how) {
  kill(getpid(), SIGTERM);
  if (how == larder::Shutdown::kNow) kill(getpid(), SIGINT);
}

// Until somebody wants us to stop. SIGHUP: the file of users has changed.
void Serve(larder::Server& running, const config::Settings& settings, larder::util::Log& log) {
  sigset_t signals = StopSignals();
  sigaddset(&signals, SIGHUP);
  int signal = 0;
  while (sigwait(&signals, &signal) == 0 && signal == SIGHUP) {
    if (settings.auth_file.empty()) continue;
    std::vector<larder::ServerOptions::User> users;
    const std::string problem = ReadUsers(settings, users);
    if (problem.empty()) {
      running.SetUsers(users);
      log.Info("read " + settings.auth_file + " again: " + std::to_string(users.size()) + " users");
    } else {
      log.Warn(problem + "; the users stay as they were");
    }
  }
}

// Until the clients have what they are owed, or have had their time. A second signal says that
// nobody wants to wait.
void Drain(larder::Server& server, const sigset_t& signals) {
  server.BeginDrain();
  const timespec pause = {.tv_sec = 0, .tv_nsec = kPollMs * 1'000'000L};
  for (int waited_ms = 0; waited_ms < kDrainMs && !server.Drained(); waited_ms += kPollMs) {
    if (sigtimedwait(&signals, nullptr, &pause) > 0) return;
  }
}

// What takes root is done before it is given up, and what giving it up takes away is asked for
// again.
std::string EnterUser(const config::Settings& settings) {
  std::string problem;
  if (settings.memory_locked) server::RaiseLockLimit();
  if (settings.core_files) problem = server::RaiseCoreLimit();
  if (problem.empty()) problem = server::BecomeUser(settings.user);
  if (problem.empty() && settings.core_files) problem = server::AllowCoreFile();
  return problem;
}

// The admin door's sockets, if it is wanted. Its address is told with the port that was found.
std::string ListenAdmin(config::Settings& settings, std::vector<io::Listener>& listeners) {
  if (!settings.admin_listen) return "";
  config::ListenAddress& door = *settings.admin_listen;
  io::HostPort where;
  where.port = static_cast<uint16_t>(door.port);
  if (door.host != config::ListenAddress::kEveryHost) where.host = door.host;
  io::TcpOptions how;
  how.flags = "--admin-listen, or give it `off`";
  auto sockets = io::ListenTcp(where, how);
  if (!sockets.ok()) return std::string(sockets.status().message());
  listeners = *std::move(sockets);
  door.port = listeners.front().port;
  return "";
}

// Null if nobody wants it. It goes before the server.
std::unique_ptr<admin::HttpServer> OpenDoor(std::vector<io::Listener> listeners,
                                            const larder::Server& running, larder::util::Log& log) {
  if (listeners.empty()) return nullptr;
  log.Info("figures on http://" + listeners.front().address + "/metrics");
  return std::make_unique<admin::HttpServer>(
      admin::HttpServer::Options{}, std::move(listeners),
      [&running](std::string_view path) { return admin::PageAt(path, running.ReadFigures()); });
}

std::string WritePorts(const larder::Server& running) {
  const char* path = std::getenv("MEMCACHED_PORT_FILENAME");
  return path == nullptr || *path == '\0' ? "" : server::WritePortFile(path, running.Addresses());
}

int Run(config::Settings settings, const larder::runtime::Topology& topology,
        larder::util::Log& log) {
  server::Background background;
  std::string problem;
  if (settings.daemon) {
    // It will leave this directory.
    settings.unix_socket = server::AbsolutePath(settings.unix_socket);
    settings.pid_file = server::AbsolutePath(settings.pid_file);
    settings.auth_file = server::AbsolutePath(settings.auth_file);
    problem = background.Enter();
    if (!problem.empty()) return Fail(log, problem);
  }
  problem = server::RaiseDescriptorLimit(settings.connections_max);
  if (!problem.empty()) log.Warn(problem);
  larder::ServerOptions options = config::ServerOptionsOf(settings, topology, log);
  // Before we are another, who may not be allowed to.
  problem = ReadUsers(settings, options.users);
  if (!problem.empty()) return Fail(log, problem);
  if (settings.shutdown_enabled) options.shutdown = EndProcess;
  problem = EnterUser(settings);
  std::vector<io::Listener> doors;
  if (problem.empty()) problem = ListenAdmin(settings, doors);
  if (!problem.empty()) return Fail(log, problem);
  options.settings = config::StatsSettings(settings);

  // Blocked before the threads are made, so that they inherit it and only sigwait takes them.
  const sigset_t signals = StopSignals();
  sigset_t blocked = signals;
  sigaddset(&blocked, SIGHUP);
  pthread_sigmask(SIG_BLOCK, &blocked, nullptr);
  std::signal(SIGPIPE, SIG_IGN);

  server::PidFile pid_file;  // goes after the server
  const auto running = larder::Server::Start(options, &problem);
  if (running == nullptr) return Fail(log, problem);
  if (settings.memory_locked) {
    problem = server::LockMemory(settings.memory_bytes_max);
    if (!problem.empty()) log.Warn(std::exchange(problem, {}));
  }
  // As with memcached: a cache without its pid file serves all the same.
  if (!settings.pid_file.empty()) {
    problem = pid_file.Write(settings.pid_file);
    if (!problem.empty()) log.Warn(std::exchange(problem, {}));
  }
  problem = WritePorts(*running);
  if (!problem.empty()) return Fail(log, problem);
  const auto door = OpenDoor(std::move(doors), *running, log);
  log.Info(config::StartLine(settings, running->Addresses(), running->LoopName()));
  using Stderr = server::Background::Stderr;
  problem = background.Serve(settings.verbosity > 0 ? Stderr::kKeep : Stderr::kDrop);
  if (!problem.empty()) return Fail(log, problem);

  Serve(*running, settings, log);
  log.Info("stopping: no new clients; those that are owed something get it first");
  Drain(*running, signals);
  return 0;
}

}  // namespace

int main(int argc, char** argv, char** environment) {
  const larder::runtime::Topology topology = larder::runtime::ReadTopology();
  const config::ParseResult parsed = config::ParseSettings(
      argc, argv, environment,
      {.cpus = topology.UsableCpus(), .memory_limit_bytes = topology.memory_limit_bytes});
  if (parsed.start != config::Start::kRun) {
    const bool wrong = parsed.start == config::Start::kWrong;
    std::fputs(parsed.text.c_str(), wrong ? stderr : stdout);
    return wrong ? config::kExitUsage : 0;
  }
  larder::util::Log log(larder::util::LevelOfVerbosity(parsed.settings.verbosity));
  for (const std::string& warning : parsed.warnings) log.Warn(warning);
  for (const config::SettingInfo& info : config::AllSettings()) {
    log.Debug(std::string(info.long_name) + " = " + info.write(parsed.settings));
  }
  return Run(parsed.settings, topology, log);
}
