// A cache that a workload is replayed against in this process: the server's own shard, or a
// yardstick. Which item it drops is what the laboratory is about; what a request does is the same
// everywhere:
//
//   get      a hit if the item is there and alive; otherwise a miss, after which the client stores
//   it set      stores; if there is one already, that counts as a hit for the policy delete removes
//
// An item is dead from the second of its store plus its time to live on; a get does not extend it.
#ifndef LARDER_BENCH_REPLAY_LAB_CACHE_H_
#define LARDER_BENCH_REPLAY_LAB_CACHE_H_

#include <cstdint>
#include <memory>
#include <string>

#include "bench/replay/workload.h"
#include "bench/replay/yardsticks/yardstick.h"

namespace larder::bench {

// What a capacity counts: items, or the bytes of their keys and values. Nothing else counts, no
// table and no header.
enum class CapacityKind : uint8_t { kObjects, kBytes };

// When a dead item leaves a yardstick: in the very second in which it dies, or when it is asked for
// or evicted. The server's shard has its own ways.
enum class Expiry : uint8_t { kProactive, kLazy };

class LabCache {
 public:
  LabCache() = default;
  LabCache(const LabCache&) = delete;
  LabCache& operator=(const LabCache&) = delete;
  virtual ~LabCache() = default;

  // True if it is a get that hits. Times must not decrease.
  virtual bool Serve(const Request& request) = 0;
  // In objects or bytes.
  [[nodiscard]] virtual uint64_t Used() const = 0;
  // One sentence if anything went wrong.
  [[nodiscard]] virtual std::string Failure() const { return {}; }
};

struct LabCacheOptions {
  const Workload& workload;
  CapacityKind kind = CapacityKind::kObjects;
  uint64_t capacity = 0;
  Expiry expiry = Expiry::kProactive;
  uint64_t seed = 0;  // of the shard's hash
};

std::unique_ptr<LabCache> MakeYardstickCache(std::unique_ptr<Yardstick> yardstick,
                                             const LabCacheOptions& options);
std::unique_ptr<LabCache> MakeShardCache(const LabCacheOptions& options);

}  // namespace larder::bench

#endif  // LARDER_BENCH_REPLAY_LAB_CACHE_H_
