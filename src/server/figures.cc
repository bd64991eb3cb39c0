#include "server/figures.h"

#include "larder/version.h"

namespace larder::server {

stats::Figures ReadFigures(const Cluster& cluster) {
  const Now now = cluster.clock.Read();
  stats::Figures figures;
  figures.cores.reserve(cluster.workers.size());
  for (const Worker* worker : cluster.workers) {
    const uint64_t turn_ns = worker->TurnBeganNs();
    stats::CoreFigures core = {.counters = &worker->counters(),
                               .size_classes = &worker->shard().size_classes(),
                               .times = &worker->times()};
    // A turn may have begun since the clock was read.
    if (turn_ns != 0) core.turn_age_ns = now.ns > turn_ns ? now.ns - turn_ns : 0;
    figures.cores.push_back(core);
    figures.draining = figures.draining || worker->phase() != Worker::Phase::kServe;
  }
  figures.now_ns = now.ns;
  figures.settings = cluster.settings;
  stats::GeneralStats& general = figures.general;
  stats::ReadProcess(general);
  general.uptime_s = now.FloorSeconds() - cluster.started_s;
  general.unix_time_s = now.unix_ns / 1'000'000'000;
  general.version = kMemcachedVersion;
  general.larder_version = kVersion;
  general.libevent = cluster.loop_version;
  general.max_connections = cluster.connections_max;
  general.limit_maxbytes = cluster.memory_bytes_max.load(std::memory_order_relaxed);
  general.accepting_conns = figures.Sum(stats::Counter::kListenersPaused) == 0 ? 1 : 0;
  general.threads = cluster.mailboxes.cores();
  return figures;
}

}  // namespace larder::server
