// larderd: reads what it was told, makes the server, waits for a signal, lets the clients finish.
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "admin/guests.h"
#include "admin/http_server.h"
#include "admin/pages.h"
#include "config/cli.h"
#include "config/server_options.h"
#include "config/start_line.h"
#include "io/socket.h"
#include "larder/server.h"
#include "runtime/topology.h"
#include "server/process.h"
#include "server/service_manager.h"
#include "service.h"
#include "stats/figures.h"
#include "util/log.h"

namespace admin = larder::admin;
namespace config = larder::config;
namespace io = larder::io;
namespace server = larder::server;

namespace {

constexpr int kExitFailure = 1;

int Fail(larder::util::Log& log, const std::string& why) {
  log.Error(why);
  return kExitFailure;
}

// As if somebody had sent the signals: two of them say that nobody wants to wait.
void EndProcess(larder::Shutdown how) {
  kill(getpid(), SIGTERM);
  if (how == larder::Shutdown::kNow) kill(getpid(), SIGINT);
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

// The admin door's sockets, if it is wanted: those that a service manager passes, or those that the
// settings name. Its address is told with the port that was found.
std::string ListenAdmin(const std::vector<int>& passed_fds, config::Settings& settings,
                        std::vector<io::Listener>& listeners) {
  for (const int fd : passed_fds) {
    auto socket = io::AdoptListener(fd);
    if (!socket.ok()) return std::string{socket.status().message()};
    listeners.push_back(*std::move(socket));
    const auto where = io::ParseHostPort(listeners.back().address, 0);
    if (!where.ok()) continue;  // a Unix socket
    settings.admin_listen = config::ListenAddress{.host = where->host, .port = where->port};
  }
  if (!listeners.empty() || !settings.admin_listen) return "";
  config::ListenAddress& door = *settings.admin_listen;
  io::HostPort where;
  where.port = static_cast<uint16_t>(door.port);
  if (door.host != config::ListenAddress::kEveryHost) where.host = door.host;
  io::TcpOptions how;
  how.flags = "--admin-listen, or give it `off`";
  auto sockets = io::ListenTcp(where, how);
  if (!sockets.ok()) return std::string{sockets.status().message()};
  listeners = *std::move(sockets);
  door.port = listeners.front().port;
  return "";
}

// Null if nobody wants it. It goes before the server. `guests` are null if there are none to be.
std::unique_ptr<admin::HttpServer> OpenDoor(std::vector<io::Listener> listeners,
                                            admin::Guests* guests, const larder::Server& running,
                                            admin::MoreNames more, larder::util::Log& log) {
  if (listeners.empty() && guests == nullptr) return nullptr;
  if (!listeners.empty()) log.Info("figures on http://" + listeners.front().address + "/");
  return std::make_unique<admin::HttpServer>(
      admin::HttpServer::Options{.guests = guests}, std::move(listeners),
      [&running, more](std::string_view path) {
        return admin::PageAt(path, running.ReadFigures(), more);
      });
}

// Who asks for a page on the cache's port.
std::function<void(int, std::string_view)> SendTo(admin::Guests* guests) {
  if (guests == nullptr) return {};
  return [guests](int fd, std::string_view said) {
    guests->Add({.fd = io::UniqueFd(fd), .said = std::string(said)});
  };
}

// Sockets that a service manager passes take the place of those that the settings name.
bool UsePassedSockets(server::ServiceManager& manager, larder::ServerOptions& options) {
  options.passed_fds = manager.TakeCacheSockets();
  if (options.passed_fds.empty()) return false;
  options.listen.clear();
  options.unix_path.clear();
  return true;
}

std::string WritePorts(const larder::Server& running) {
  const char* path = std::getenv("MEMCACHED_PORT_FILENAME");
  return path == nullptr || *path == '\0' ? "" : server::WritePortFile(path, running.Addresses());
}

int Run(config::Settings settings, const larder::runtime::Topology& topology,
        larder::util::Log& log) {
  server::ServiceManager manager;
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
  const bool passed = UsePassedSockets(manager, options);
  // Before we are another, who may not be allowed to.
  problem = larder::ReadUsers(settings, options.users);
  if (!problem.empty()) return Fail(log, problem);
  if (settings.shutdown_enabled) options.shutdown = EndProcess;
  problem = EnterUser(settings);
  std::vector<io::Listener> doors;
  if (problem.empty()) problem = ListenAdmin(manager.TakeAdminSockets(), settings, doors);
  if (!problem.empty()) return Fail(log, problem);
  options.settings = config::StatsSettings(settings);

  admin::Guests places;  // go after the server, which sends guests to the last
  admin::Guests* guests = settings.http_on_main_port ? &places : nullptr;
  options.visitor = SendTo(guests);

  larder::BlockSignals();
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
  const auto more = settings.redis_metrics ? admin::MoreNames::kRedis : admin::MoreNames::kNone;
  const auto door = OpenDoor(std::move(doors), guests, *running, more, log);
  const std::string start_line = config::StartLine(
      settings, {.addresses = running->Addresses(), .passed = passed}, running->LoopName());
  log.Info(start_line);
  using Stderr = server::Background::Stderr;
  problem = background.Serve(settings.verbosity > 0 ? Stderr::kKeep : Stderr::kDrop);
  if (!problem.empty()) return Fail(log, problem);

  larder::Service service(
      {.server = *running, .manager = manager, .settings = settings, .log = log}, start_line);
  service.Serve();
  service.Drain();
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
    const bool secret = info.long_name == "requirepass";
    log.Debug(std::string(info.long_name) + " = " +
              (secret ? "(hidden)" : info.write(parsed.settings)));
  }
  return Run(parsed.settings, topology, log);
}
