// The figures as Prometheus reads them (text format 0.0.4).
//
// Each counter of counters.def is a family of its own, a line a core; a total is a sum() away.
#ifndef LARDER_ADMIN_PROMETHEUS_EXPORT_H_
#define LARDER_ADMIN_PROMETHEUS_EXPORT_H_

#include <cstdint>
#include <string>

#include "stats/figures.h"

namespace larder::admin {

// Whose names there are beside our own and those of memcached_exporter.
enum class MoreNames : uint8_t { kNone, kRedis };

// Reads every figure once. Some milliseconds at 16 cores, none of them on a core.
std::string PrometheusText(const stats::Figures& figures, MoreNames more = MoreNames::kNone);

}  // namespace larder::admin

#endif  // LARDER_ADMIN_PROMETHEUS_EXPORT_H_
