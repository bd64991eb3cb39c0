#include "config/server_options.h"

#include <set>
#include <vector>

namespace larder::config {
namespace {

// Each thread has a CPU of its own if there are enough, in their order. One thread is left to the
// scheduler: two small servers on a host would otherwise both sit on its first CPU, for no reason.
std::vector<int> CpusFor(uint32_t threads, const std::vector<int>& cpus) {
  if (threads < 2 || threads > cpus.size()) return {};
  return {cpus.begin(), cpus.begin() + threads};
}

// On the same hosts as the other port, each once.
void AddRedisPort(const Settings& settings, ServerOptions& options) {
  std::set<std::string> hosts;
  for (const ListenAddress& address : settings.addresses) {
    const bool every = address.host == ListenAddress::kEveryHost;
    const std::string host = every ? "" : address.host;
    if (!hosts.insert(host).second) continue;
    options.listen.push_back(
        {.host = host, .port = settings.redis_port, .entrance = Entrance::kRespOnly});
  }
}

}  // namespace

ServerOptions ServerOptionsOf(const Settings& settings, const runtime::Topology& topology,
                              util::Log& log) {
  ServerOptions options;
  if (settings.ServesTcp()) {
    for (const ListenAddress& address : settings.addresses) {
      const bool own_port = address.port != ListenAddress::kDefaultPort;
      // -p 0: only addresses that bring their own port.
      if (!own_port && settings.tcp_port == 0) continue;
      const bool every = address.host == ListenAddress::kEveryHost;
      options.listen.push_back(
          {.host = every ? "" : address.host, .port = own_port ? address.port : settings.tcp_port});
    }
  }
  if (settings.ServesTcp() && settings.redis_port != 0) AddRedisPort(settings, options);
  options.unix_path = settings.unix_socket;
  options.unix_mode = settings.unix_mask;
  options.backlog = static_cast<int>(settings.backlog);
  options.threads = settings.threads;
  options.cpus = CpusFor(settings.threads, topology.cpus);
  options.io = settings.io;
  options.protocol = settings.protocol;
  options.sasl_enabled = settings.sasl_enabled;
  options.databases = settings.databases;
  options.keys_output_max = settings.keys_output_max;
  options.cluster = settings.cluster_mode;
  options.cluster_announced_host = settings.cluster_announce_ip;
  options.debug_enabled = settings.debug_enabled;
  options.memory_bytes_max = settings.memory_bytes_max;
  options.item_bytes_max = settings.item_bytes_max;
  options.evict = !settings.evictions_disabled;
  options.connections_max = settings.connections_max;
  options.requests_per_turn = settings.requests_per_turn;
  options.idle_timeout_s = settings.idle_timeout_s;
  options.flush_enabled = !settings.flush_disabled;
  options.dumps_enabled = !settings.dumps_disabled;
  options.watch_enabled = !settings.watch_disabled;
  options.detail = !settings.prefix_delimiter.empty();
  if (options.detail) options.prefix_delimiter = settings.prefix_delimiter.front();
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
