#include "config/server_options.h"

namespace larder::config {

ServerOptions ServerOptionsOf(const Settings& settings, const runtime::Topology& topology,
                              util::Log& log) {
  ServerOptions options;
  if (settings.ServesTcp()) {
    for (const ListenAddress& address : settings.addresses) {
      const bool own_port = address.port != ListenAddress::kDefaultPort;
      // -p 0: only addresses that bring their own port.
      if (!own_port && settings.tcp_port == 0) continue;
      options.listen.push_back(
          {.host = address.host, .port = own_port ? address.port : settings.tcp_port});
    }
  }
  options.unix_path = settings.unix_socket;
  options.unix_mode = settings.unix_mask;
  options.backlog = static_cast<int>(settings.backlog);
  options.threads = settings.threads;
  // With fewer threads than CPUs, the scheduler may choose; otherwise each has its own.
  if (settings.threads == topology.cpus.size()) options.cpus = topology.cpus;
  options.io = settings.io;
  options.memory_bytes_max = settings.memory_bytes_max;
  options.item_bytes_max = settings.item_bytes_max;
  options.evict = !settings.evictions_disabled;
  options.connections_max = settings.connections_max;
  options.requests_per_turn = settings.requests_per_turn;
  options.idle_timeout_s = settings.idle_timeout_s;
  options.flush_enabled = !settings.flush_disabled;
  options.verbosity = static_cast<int>(settings.verbosity);
  options.settings = StatsSettings(settings);
  options.log = [&log](std::string_view line, bool warning) {
    if (warning) {
      log.Warn(line);
    } else {
      log.Info(line);
    }
  };
  return options;
}

}  // namespace larder::config
