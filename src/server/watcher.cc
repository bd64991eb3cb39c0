#include "server/watcher.h"

#include <string>

namespace larder::server {

using stats::Counter;

void Watcher::Take(std::string_view batch, io::OutputQueue& output, stats::CounterBlock& counters) {
  EventReader events(batch);
  uint64_t skipped = events.Dropped(streams_);
  skipped_ += skipped;
  while (const auto event = events.Next()) {
    if ((streams_ & StreamBit(event->stream)) == 0) continue;
    // Once something was skipped, more is until the client has taken half: then it is told at once
    // how much, and the lines behind that have room.
    const bool room = skipped_ == 0 ? output.owed() + event->line.size() < kOwedBytesMax
                                    : output.owed() <= kOwedBytesMax / 2;
    if (!room) {
      ++skipped;
      ++skipped_;
      continue;
    }
    TellSkipped(output);
    output.Append(event->line);
    output.Append("\n");
    counters.Add(Counter::kWatcherSent);
  }
  counters.Add(Counter::kWatcherSkipped, skipped);
}

void Watcher::TellSkipped(io::OutputQueue& output) {
  if (skipped_ == 0 || output.owed() > kOwedBytesMax / 2) return;
  output.Append("skipped=" + std::to_string(skipped_) + "\n");
  skipped_ = 0;
}

}  // namespace larder::server
