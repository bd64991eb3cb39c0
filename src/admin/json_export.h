// The figures as JSON, for the console page and for scripts.
//
//   {"version": "0.1.0", "unix_time": 1, "clock_seconds": 0.1, "uptime_seconds": 1, "pid": 1,
//    "draining": false, "memory_limit_bytes": 1, "connections_max": 1, "user_cpu_seconds": 0.1,
//    "system_cpu_seconds": 0.1,
//    "totals": {"get_hits": 1, …},           each counter as in /metrics, without larder_, _total
//    "cores": [{"counters": {"get_hits": 1, …}, "cpu_seconds": 0.1, "turn_age_seconds": 0.1,
//               "turns": {"count": 1, "sum_seconds": 0.1, "buckets": [0, 1, …]}}, …],
//    "bucket_bounds_seconds": [0.000001024, …],  of all but the last bucket
//    "requests": [{"protocol": "text", "verb": "get", "count": 1, "sum_seconds": 0.1,
//                  "buckets": [0, 1, …]}, …]}
//
// clock_seconds says when the figures were read: to know rates, ask twice. A core that has not
// turned yet has a turn_age_seconds of null.
#ifndef LARDER_ADMIN_JSON_EXPORT_H_
#define LARDER_ADMIN_JSON_EXPORT_H_

#include <string>

#include "stats/figures.h"

namespace larder::admin {

std::string JsonText(const stats::Figures& figures);

}  // namespace larder::admin

#endif  // LARDER_ADMIN_JSON_EXPORT_H_
