#include "server/wishes.h"

#include "util/check.h"

namespace larder::server {

Wishes::Snapshot Wishes::Read() const {
  const std::lock_guard lock(mutex_);
  Snapshot snapshot;
  snapshot.detail = detail_;
  for (const auto& watched : watched_) {
    Streams& streams = snapshot.of_core.emplace_back(0);
    for (size_t i = 0; i < kStreamCount; ++i) {
      if (watched[i] > 0) streams |= 1U << i;
    }
  }
  return snapshot;
}

bool Wishes::Add(uint32_t core, Streams streams) {
  const std::lock_guard lock(mutex_);
  if (watchers_ == kWatchersMax) return false;
  ++watchers_;
  Change(core, streams, 1);
  return true;
}

void Wishes::Remove(uint32_t core, Streams streams) {
  const std::lock_guard lock(mutex_);
  CHECK_GT(watchers_, 0);
  --watchers_;
  Change(core, streams, UINT32_MAX);
}

void Wishes::Set(Detail detail) {
  const std::lock_guard lock(mutex_);
  detail_ = detail == Detail::kOn;
  NewVersion();
}

// Adds `difference`, modulo 2^32, to the number of watchers of each of the streams.
void Wishes::Change(uint32_t core, Streams streams, uint32_t difference) {
  for (size_t i = 0; i < kStreamCount; ++i) {
    if ((streams >> i & 1) != 0) watched_[core][i] += difference;
  }
  NewVersion();
}

}  // namespace larder::server
