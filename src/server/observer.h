// What one core sees of what clients watch, and of `stats detail`: it words the events of a turn
// and sends them to the cores that have watchers.
//
// While nobody wishes to see anything, it costs its worker one test a command. While somebody does,
// an event costs about a microsecond, and nobody waits: for a core that does not take batches as
// fast as they come, one more is collected; what finds no room in it is lost, and the core's
// watchers are told how many events that were.
#ifndef LARDER_SERVER_OBSERVER_H_
#define LARDER_SERVER_OBSERVER_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "larder/command.h"
#include "larder/outcome.h"
#include "server/events.h"
#include "server/wishes.h"
#include "stats/prefix_stats.h"
#include "store/shard.h"

namespace larder::server {

class Worker;

class Observer final : public store::EvictionObserver {
 public:
  Observer(Worker& worker, uint32_t cores, char prefix_delimiter)
      : worker_(worker), prefixes_(prefix_delimiter), waiting_(cores), under_way_(cores, 0) {}

  // Is there anything to observe?
  [[nodiscard]] bool observes() const { return observes_; }
  // Looks whether the wishes have changed; cheap.
  void Look(const Wishes& wishes) {
    if (wishes.version() != version_) LookCloser(wishes);
  }

  // Executes the command, and sees what becomes of it. `fd` is the client's.
  Outcome Execute(const Command& command, int fd);
  // store::EvictionObserver
  void OnEvicted(const store::Item& item) override;
  // A client has come, or goes; its descriptor is still open.
  void SawClient(int fd);
  void SawClientLeave(int fd, Leaving why);

  // At the end of a turn: sends the events of it. Watchers of this core get theirs at once.
  void Send();
  // `core` has taken a batch.
  void Arrived(uint32_t core) { --under_way_[core]; }

  [[nodiscard]] stats::PrefixStats& prefixes() { return prefixes_; }
  [[nodiscard]] const stats::PrefixStats& prefixes() const { return prefixes_; }

 private:
  // What an item event tells about an item.
  struct Shown {
    size_t size_class = 0;   // of the item
    uint64_t bytes = 0;      // of its value
    CacheSeconds ttl_s = 0;  // 0: for ever, or no longer
  };

  void LookCloser(const Wishes& wishes);
  [[nodiscard]] bool Wants(Stream stream) const { return (streams_ & StreamBit(stream)) != 0; }
  [[nodiscard]] Shown Show(const store::Item& item) const;
  [[nodiscard]] Shown ItemOf(const Command& command) const;
  [[nodiscard]] Shown ItemWanted(const Command& command, const Outcome& outcome) const;
  [[nodiscard]] CacheSeconds TtlOf(CacheSeconds expire_at) const;
  void SawRead(const Command& command, const Outcome& outcome, int fd);
  void SawWrite(const Command& command, const Outcome& outcome, int fd);
  void SawDelete(const Command& command, Shown gone);
  void CountPrefix(const Command& command, const Outcome& outcome);
  [[nodiscard]] bool SendBatch(uint32_t core, std::string_view bytes);
  // "ts=… gid=… type=TYPE ": what every line begins with.
  [[nodiscard]] std::string Begin(std::string_view type);

  Worker& worker_;
  bool observes_ = false;
  stats::PrefixStats prefixes_;
  uint32_t version_ = 0;
  Wishes::Snapshot wishes_;
  Streams streams_ = 0;  // of any core
  uint64_t events_ = 0;
  EventBatch batch_;
  std::vector<EventBatch> waiting_;  // by core: what it is to be sent when it can take it
  uint32_t waiting_cores_ = 0;       // that are to be sent something
  std::vector<uint32_t> under_way_;  // batches that each core has not taken yet
};

}  // namespace larder::server

#endif  // LARDER_SERVER_OBSERVER_H_
