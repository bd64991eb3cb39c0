// What a server tells of itself at one moment, and what happened between two of them. Pure: texts
// in, numbers out.
#ifndef LARDER_CTL_SAMPLE_H_
#define LARDER_CTL_SAMPLE_H_

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "ctl/client.h"

namespace larder::ctl {

// Durations of one kind of request.
struct Durations {
  double count = 0;
  double sum_s = 0;
  std::map<double, double> at_most;  // by upper bound in seconds: so many took no longer
};

struct Sample {
  double at_s = 0;                         // by any clock that goes on
  std::map<std::string, double> stats;     // numbers of `stats`
  std::string version;                     // Larder's
  std::map<int, double> cpu_s;             // by core; empty without an admin door
  std::map<std::string, Durations> verbs;  // by "protocol verb"
};

void AddStats(const Stats& stats, Sample& sample);
// `text` as /metrics has it.
void AddMetrics(std::string_view text, Sample& sample);

struct VerbFigures {
  std::string name;
  double per_s = 0;
  double mean_s = 0;
  double p99_s = 0;  // a bound that 99 of 100 kept
};

// Between two samples; per second where the name says so.
struct Figures {
  double seconds = 0;
  double hit_ratio = 0;  // of 1
  double gets_per_s = 0;
  double sets_per_s = 0;
  double deletes_per_s = 0;
  double evictions_per_s = 0;
  double expiries_per_s = 0;
  double received_bytes_per_s = 0;
  double sent_bytes_per_s = 0;
  double clients_per_s = 0;
  // Now.
  double uptime_s = 0;
  double clients = 0;
  double clients_max = 0;
  double items = 0;
  double live_bytes = 0;      // items
  double dead_bytes = 0;      // left by items, not cleaned yet
  double overhead_bytes = 0;  // table and buffers
  double limit_bytes = 0;
  std::vector<double> core_loads;  // of 1
  std::vector<VerbFigures> verbs;  // the slowest first
  std::string version;
};

// Without `before`: since the server started.
Figures Compare(const Sample* before, const Sample& now);

}  // namespace larder::ctl

#endif  // LARDER_CTL_SAMPLE_H_
