// A client that watches: it sends nothing that is read, and gets lines of the streams that it asked
// for, as many as it takes. What it does not take in time is skipped, and told: "skipped=N".
#ifndef LARDER_SERVER_WATCHER_H_
#define LARDER_SERVER_WATCHER_H_

#include <cstdint>
#include <string_view>

#include "io/output_queue.h"
#include "server/events.h"
#include "stats/counters.h"

namespace larder::server {

class Watcher {
 public:
  // What a watcher may owe; memcached's own bound.
  static constexpr uint64_t kOwedBytesMax = 256 << 10;

  explicit Watcher(Streams streams) : streams_(streams) {}

  [[nodiscard]] Streams streams() const { return streams_; }

  // Events of some core, as EventBatch has encoded them.
  void Take(std::string_view batch, io::OutputQueue& output, stats::CounterBlock& counters);
  // Says how many were skipped, if there is something to say and room to say it.
  void TellSkipped(io::OutputQueue& output);

 private:
  const Streams streams_;
  uint64_t skipped_ = 0;  // since the last time that it was told
};

}  // namespace larder::server

#endif  // LARDER_SERVER_WATCHER_H_
