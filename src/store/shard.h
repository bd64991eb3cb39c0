// One core's part of the cache: table, heap, policy, expiry and their counters. The only class of
// store/ that upper layers name.
//
// A shard belongs to one thread and takes no locks. Items are found by key and hash; the caller
// hashes once. A pointer or view into an item is valid until the shard is next changed (Put, Erase,
// Touch, Flush, Tick), unless the item is held.
//
// Cost: Find is one bucket (one cache line, prefetchable) and one item; Put is an append to the
// heap and the same; when memory is short, Put pays for the room it needs, in bounded steps.
// Nothing here allocates from the process's allocator on the way of a request, but for the table's
// growth.
#ifndef LARDER_STORE_SHARD_H_
#define LARDER_STORE_SHARD_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "larder/clock.h"
#include "stats/counters.h"
#include "store/item.h"

namespace larder::store {

enum class WhenFull : uint8_t { kEvict, kRefuse };

// What Put stores. `value` and `value_tail` are stored one after the other; both may point into an
// item of this shard.
struct NewItem {
  std::string_view key = {};
  uint64_t hash = 0;
  uint32_t client_flags = 0;
  CacheSeconds expire_at =
      kNever;  // not kNever and <= now: stored as if expired, that is, the key is erased
  std::string_view value = {};
  std::string_view value_tail = {};
};

enum class PutResult : uint8_t { kStored, kTooLarge, kNoMemory };

class Shard {
 public:
  struct Options {
    uint64_t memory_bytes_max = 64ULL << 20;  // items and table together
    uint64_t item_bytes_max = 1ULL << 20;     // largest value, in bytes
    WhenFull when_full = WhenFull::kEvict;
    uint64_t seed = 0;       // of the policy's randomness
    bool huge_pages = true;  // ask for them
  };

  Shard(const Options& options, stats::CounterBlock& counters);
  ~Shard();
  Shard(const Shard&) = delete;
  Shard& operator=(const Shard&) = delete;

  // Begins a turn: the time that all calls see until the next one. Runs a delayed flush that has
  // come due.
  void BeginTurn(Now now);
  [[nodiscard]] Now now() const;

  // Two stages of looking ahead, for batches: first the bucket, later (it has arrived) the item.
  void PrefetchBucket(uint64_t hash) const;
  void PrefetchItem(uint64_t hash) const;

  // The live item of `key`, or null. `Access::kRead` tells the policy and marks the item as
  // fetched; kPeek does not. An expired or flushed item is erased on the way, and counted as
  // `missed` says.
  enum class Access : uint8_t { kRead, kPeek };
  Item* Find(std::string_view key, uint64_t hash, Access access);
  // Why the last Find returned null.
  enum class Missed : uint8_t { kAbsent, kExpired, kFlushed };
  [[nodiscard]] Missed missed() const;

  // Stores an item in place of the one with the same key, if there is one, under a new CAS unique.
  // Refuses only a value over the item limit, or (kRefuse) a full cache; then an old item stays. On
  // kStored, `item` is the new item.
  struct Stored {
    PutResult result;
    Item* item;
  };
  Stored Put(const NewItem& item);

  // True if there was a live item.
  bool Erase(std::string_view key, uint64_t hash);

  // Gives a found item a new expiry; returns where it now is.
  Item* Touch(Item* item, uint64_t hash, CacheSeconds expire_at);

  // Gives a found item a new value of the same length in place, under a new CAS unique (incr,
  // decr).
  void Overwrite(Item* item, std::string_view value);

  // All items stored before this moment are gone; with a time in the future, all that are then
  // stored will be.
  void Flush();
  void FlushAt(CacheSeconds when);

  // Bounded background work: expired and flushed items, the heap after a smaller budget. About
  // `items` items are looked at. True if there is more to do now.
  bool Tick(uint32_t items);

  // Changes the budget (cache_memlimit, or buffers that grew). A smaller one is reached in steps,
  // by Tick and Put.
  void SetMemoryBytesMax(uint64_t bytes);
  [[nodiscard]] uint64_t MemoryBytesMax() const;
  // What is used now: items (dead ones too) and table.
  [[nodiscard]] uint64_t MemoryBytes() const;
  [[nodiscard]] uint64_t ItemCount() const;
  [[nodiscard]] uint64_t ItemBytesMax() const;

  // Dies by CHECK if anything does not fit together. Slow: for tests.
  void CheckInvariants() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace larder::store

#endif  // LARDER_STORE_SHARD_H_
