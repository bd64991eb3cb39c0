// A policy that the server's own is measured against, after the paper that describes it: which
// items a cache of so much weight holds. Simple rather than fast; it knows nothing of time, and
// items are the workload's ids. The weight of an item is 1 where capacities count objects, its key
// and value bytes where they count these.
#ifndef LARDER_BENCH_REPLAY_YARDSTICKS_YARDSTICK_H_
#define LARDER_BENCH_REPLAY_YARDSTICKS_YARDSTICK_H_

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

namespace larder::bench {

// An item as it is used: its weight from now on, and when it will be of use again (the index of
// that request, kNoRequest for never), which only an oracle may look at.
struct Use {
  uint32_t id;
  uint32_t weight;
  uint32_t next;
};

class Yardstick {
 public:
  Yardstick() = default;
  Yardstick(const Yardstick&) = delete;
  Yardstick& operator=(const Yardstick&) = delete;
  virtual ~Yardstick() = default;

  [[nodiscard]] virtual bool Holds(uint32_t id) const = 0;
  // Of an item that is held: it was read, or stored again. Its weight may have changed.
  virtual void Hit(const Use& use) = 0;
  // Of one that is not held and whose weight is at most the capacity: it is stored, and others
  // leave for it. An oracle may decline.
  virtual void Insert(const Use& use) = 0;
  // Of an item that is held: it was deleted, or is dead. No trace of it stays but in ghosts.
  virtual void Erase(uint32_t id) = 0;
  // The weight of what is held; at most the capacity after each call.
  [[nodiscard]] virtual uint64_t Used() const = 0;
};

struct YardstickOptions {
  uint32_t ids;       // items are 0…ids-1
  uint64_t capacity;  // in weights
};

// Each policy is a file of this folder and a line in yardsticks.cc.
std::unique_ptr<Yardstick> MakeLru(const YardstickOptions& options);
std::unique_ptr<Yardstick> MakeFifo(const YardstickOptions& options);
std::unique_ptr<Yardstick> MakeS3Fifo(const YardstickOptions& options);
std::unique_ptr<Yardstick> MakeQdlp(const YardstickOptions& options);
std::unique_ptr<Yardstick> MakeArc(const YardstickOptions& options);
std::unique_ptr<Yardstick> MakeSieve(const YardstickOptions& options);
std::unique_ptr<Yardstick> MakeGdsf(const YardstickOptions& options);
std::unique_ptr<Yardstick> MakeBelady(const YardstickOptions& options);

// Their names, as --policy takes them.
std::span<const std::string_view> YardstickNames();
// Null if there is none of that name.
std::unique_ptr<Yardstick> MakeYardstick(std::string_view name, const YardstickOptions& options);

}  // namespace larder::bench

#endif  // LARDER_BENCH_REPLAY_YARDSTICKS_YARDSTICK_H_
