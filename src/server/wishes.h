// What is to be observed, on all cores: who watches what, and whether `stats detail` is on.
//
// Changed a few times in a server's life, by any core, under a lock. A core compares version() with
// the one that it knows, once a batch; only then does it look closer.
#ifndef LARDER_SERVER_WISHES_H_
#define LARDER_SERVER_WISHES_H_

#include <array>
#include <atomic>
#include <cstdint>
#include <mutex>
#include <vector>

#include "server/events.h"

namespace larder::server {

class Wishes {
 public:
  // As memcached has it.
  static constexpr uint32_t kWatchersMax = 20;

  explicit Wishes(uint32_t cores) : watched_(cores) {}

  struct Snapshot {
    std::vector<Streams> of_core;  // what the watchers of each core want
    bool detail = false;
  };
  [[nodiscard]] Snapshot Read() const;
  // Grows with every change. Acquire: whoever sees a client that was told OK sees its wish.
  [[nodiscard]] uint32_t version() const { return version_.load(std::memory_order_acquire); }

  // A watcher on `core`. False if there are too many.
  bool Add(uint32_t core, Streams streams);
  void Remove(uint32_t core, Streams streams);
  enum class Detail : uint8_t { kOff, kOn };
  void Set(Detail detail);

 private:
  void Change(uint32_t core, Streams streams, uint32_t difference);
  void NewVersion() { version_.fetch_add(1, std::memory_order_release); }

  mutable std::mutex mutex_;
  std::vector<std::array<uint32_t, kStreamCount>> watched_;  // watchers, by core and stream
  uint32_t watchers_ = 0;
  bool detail_ = false;
  std::atomic<uint32_t> version_{0};
};

}  // namespace larder::server

#endif  // LARDER_SERVER_WISHES_H_
