// One core's part of the cache: table, heap, policy, expiry and their counters. The only class of
// store/ that upper layers name.
//
// A shard belongs to one thread and takes no locks. Items are found by key and hash; the caller
// hashes once, with the hash that the options name. A pointer or view into an item is valid until
// the shard is next changed (Put, Erase, Touch, Flush, Tick, a Find that meets an expired item),
// unless the item is held.
//
// Memory: MemoryBytes() <= MemoryBytesMax() + one heap segment (256 KiB, the cleaner's spare) after
// every call, but for what a lowered budget has not reached yet, and what held items keep. Where
// nothing may be evicted, every item has room for an expiry, so that Touch needs none.
//
// Cost: Find is one bucket (one cache line, prefetchable) and one item; Put is an append to the
// heap and the same; when memory is short, Put pays for the room it needs: for a value of a
// megabyte, by as many items as make a megabyte.
// Nothing here allocates from the process's allocator on the way of a request, but for the table's
// growth and the free list of large items.
#ifndef LARDER_STORE_SHARD_H_
#define LARDER_STORE_SHARD_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "larder/clock.h"
#include "stats/counters.h"
#include "stats/size_classes.h"
#include "store/adaptive_policy.h"
#include "store/cursor.h"
#include "store/dashtable.h"
#include "store/expiry.h"
#include "store/item.h"
#include "store/item_heap.h"
#include "store/lookahead.h"
#include "util/hash.h"
#include "util/prefetch.h"

namespace larder::store {

enum class WhenFull : uint8_t { kEvict, kRefuse };

// What is full. A server's shard is when its memory is. For experiments with policies, the count of
// items, or the bytes of their keys and values, can be limited as well; then what is evicted is
// exactly what the policy's hands come to, item by item, whatever the sizes of heap segments.
enum class Capacity : uint8_t { kMemory, kItems, kPayloadBytes };

// What Put stores. `value` and `value_tail` are stored one after the other; either may be (part of)
// the value of the item that this one replaces. `value` alone may be that of a draft.
struct NewItem {
  std::string_view key = {};
  uint64_t hash = 0;
  uint32_t client_flags = 0;
  // A time that has come: stored as if expired, that is, the key is erased.
  CacheSeconds expire_at = kNever;
  std::string_view value = {};
  std::string_view value_tail = {};
};

// Told of items that are evicted, while they are still whole; they may not be changed.
class EvictionObserver {
 public:
  virtual void OnEvicted(const Item& item) = 0;

 protected:
  ~EvictionObserver() = default;
};

enum class PutResult : uint8_t { kStored, kTooLarge, kNoMemory };

class Shard {
 public:
  // Of items, in terms of the largest budget.
  static constexpr uint64_t kAddressesPerByte = 2;

  struct Options {
    uint64_t memory_bytes_max = 64ULL << 20;  // items and table together
    uint64_t item_bytes_max = 1ULL << 20;     // largest item, by CountedBytes()
    WhenFull when_full = WhenFull::kEvict;
    bool huge_pages = true;      // ask for them
    uint64_t address_bytes = 0;  // reserved for items; 0: as the budget suggests
    Capacity capacity = Capacity::kMemory;
    uint64_t capacity_max = 0;  // of items or bytes, unless it is kMemory
    // For tests: so many items are moved at every Put, whether it gains anything or not.
    uint32_t forced_cleaning = 0;
    util::KeyHash hash{0};  // the same that callers use
  };

  Shard(const Options& options, stats::CounterBlock& counters);
  ~Shard() = default;
  Shard(const Shard&) = delete;
  Shard& operator=(const Shard&) = delete;

  // Begins a turn: the time that all calls see until the next one.
  // Runs a delayed flush that has come due.
  void BeginTurn(Now now);
  [[nodiscard]] Now now() const { return now_; }

  // Looking ahead, for batches, each stage when the one before has arrived: first the bucket, then
  // the item, then the item if it is not in its home bucket (one in six).
  void PrefetchBucket(uint64_t hash) const { table_.PrefetchBucket(hash); }
  void PrefetchItem(uint64_t hash) const;
  void PrefetchItemElsewhere(uint64_t hash) const;

  // The live item of `key`, or null. `Access::kRead` tells the policy and notes in the item that it
  // was read; kPeek does not. An expired item is erased on the way; `missed` says so.
  enum class Access : uint8_t { kRead, kPeek };
  Item* Find(std::string_view key, uint64_t hash, Access access);
  // The same; and if there is an item, how it was before.
  struct Before {
    bool fetched = false;
    CacheSeconds idle_s = 0;
  };
  Item* Find(std::string_view key, uint64_t hash, Access access, Before& before);
  // Why the last Find returned null. kFlushed is told once for a key, and only until the memory of
  // the flushed item is taken back; never of items above 32 KiB.
  enum class Missed : uint8_t { kAbsent, kExpired, kFlushed };
  [[nodiscard]] Missed missed() const { return missed_; }

  // Stores an item in place of the one with the same key, if there is one, under a new CAS unique.
  // Refuses a value over the item limit, one that no eviction makes room for, and (kRefuse) any
  // that does not fit; then an old item stays unless it was evicted. On kStored, `item` is the new
  // item; null if it had expired already.
  struct Stored {
    PutResult result;
    Item* item;
  };
  Stored Put(const NewItem& item);

  // Room for the value of an item that lies alone, while the value arrives: the memory of the item
  // that it will be, held, and known to nobody. Put of a value that lies in a draft makes the draft
  // the item, if it has the shape that it needs, and copies it else. Null if the value is too small
  // or too large, or there is no memory, of which drafts may take an eighth.
  Item* Draft(size_t key_bytes, uint64_t value_bytes, uint32_t client_flags, bool expires);
  // Ends a draft, which may have become an item by now. Every Draft needs it.
  void EndDraft(Item* draft);

  // The size (Item::CountedBytes) of the live item that there was; 0 if there was none.
  uint64_t Erase(std::string_view key, uint64_t hash);

  // Gives a found item a new expiry; returns where it now is. Its CAS unique stays. Null if there
  // was no room for an expiry: then the item is gone.
  Item* Touch(Item* item, uint64_t hash, CacheSeconds expire_at);

  // A CAS unique that no item of this shard has had, for an item that is changed in place.
  uint64_t NextUnique() { return ++last_cas_; }

  // Gives a found item a new value of the same length in place, under a new CAS unique (incr,
  // decr). Somebody who holds the item sees the change.
  void Overwrite(Item* item, std::string_view value);

  // While an item is held, its bytes stay where they are and readable, whatever becomes of it; held
  // memory counts against the budget and cannot be evicted. Nests; every Hold needs its Release.
  // Holding an item that lies alone keeps nothing else from being moved or evicted.
  void Hold(const Item* item) { heap_.Hold(heap_.SegmentOf(item)); }
  void Release(const Item* item);
  [[nodiscard]] static bool LiesAlone(const Item& item) {
    return ItemHeap::IsSolo(item.TotalBytes());
  }
  // Longer values always lie alone.
  static constexpr uint64_t kSharingValueBytesMax = kSoloBytesMin;

  // All items stored before this moment are gone; with a time in the future, all that are then
  // stored will be. The later call of the two counts.
  void Flush();
  void FlushAt(CacheSeconds when);

  // Null: nobody.
  void SetEvictionObserver(EvictionObserver* observer) { eviction_observer_ = observer; }

  // Calls visit(const Item&) for live items from `cursor` on, those of a segment of the table at
  // most; of fewer, if their keys are longer together than `key_bytes_max`. Returns where to go on,
  // AtEnd() when that was all. An item that lives during the whole scan is visited exactly once,
  // and no key twice. The shard may change between two calls, not during one.
  template <typename Visit>
  Cursor Scan(Cursor cursor, uint64_t key_bytes_max, const Visit& visit) const;

  // Bounded background work: expired and flushed items, the heap after a smaller budget, a table
  // that has become too large. About `items` items are looked at closely: an eighth for one
  // that the sweep sees, two for one that it removes, three for one that a hand judges, a thousand
  // for a megabyte that the system gets back; in time, a hundred nanoseconds each. True if there is
  // more to do now.
  bool Tick(uint32_t items);
  // How often: in steps of less than a millisecond that keep up with more than a million expired
  // items a second while Tick says that there is more; else now and then.
  static constexpr uint32_t kTickItems = 8192;
  static constexpr uint64_t kBusyTickNs = 3'000'000;
  static constexpr uint64_t kIdleTickNs = 250'000'000;

  // Changes the budget (cache_memlimit, or buffers that grew). A smaller one is reached in steps,
  // by Tick and Put.
  void SetMemoryBytesMax(uint64_t bytes);
  [[nodiscard]] uint64_t MemoryBytesMax() const { return memory_bytes_max_; }
  // The largest budget that can be used: the addresses for items are reserved when a shard is made,
  // and half of them are for the holes between large items. Less than the options ask for (0) if
  // the system gave none: such a shard refuses all items.
  [[nodiscard]] uint64_t BudgetBytesMax() const { return heap_.RangeBytes() / kAddressesPerByte; }
  // What is used now: items (dead ones too), free memory of the heap, and table.
  [[nodiscard]] uint64_t MemoryBytes() const {
    return heap_.Bytes() + table_.Bytes() + retired_bytes_;
  }
  [[nodiscard]] uint64_t ItemCount() const { return table_.Count(); }
  // Of keys and values.
  [[nodiscard]] uint64_t PayloadBytes() const { return payload_bytes_; }
  [[nodiscard]] uint64_t ItemBytesMax() const { return item_bytes_max_; }

  // From any thread: items by memcached's size classes.
  [[nodiscard]] const stats::SizeClasses& size_classes() const { return size_classes_; }
  void ResetSizeClasses() { size_classes_.Reset(); }
  // One more of `counter` in the class of an item of that size.
  void Count(stats::ClassCounter counter, uint64_t item_bytes) {
    size_classes_.Count(counter, item_bytes);
  }

  [[nodiscard]] const ItemHeap& heap() const { return heap_; }
  [[nodiscard]] const DashTable& table() const { return table_; }

  // Dies by CHECK if anything does not fit together. Slow: for tests.
  void CheckInvariants() const;

 private:
  using Policy = AdaptivePolicy;

  // The hash of an item that the table or the cleaner has to find a place for.
  class ItemHashes final : public HashSource {
   public:
    ItemHashes(const ItemHeap& heap, util::KeyHash hash) : heap_(heap), hash_(hash) {}
    [[nodiscard]] uint64_t OfKey(std::string_view key) const { return hash_(key); }
    [[nodiscard]] uint64_t Of(const Item* item) const { return hash_(item->Key()); }
    [[nodiscard]] uint64_t HashOf(uint32_t handle) const override { return Of(heap_.At(handle)); }
    void Prefetch(uint32_t handle) const override { util::Prefetch(heap_.At(handle)); }

   private:
    const ItemHeap& heap_;
    util::KeyHash hash_;
  };

  // A table whose items were flushed; taken apart little by little.
  struct Retired {
    DashTable table;
    uint32_t generation;
  };

  enum class Gone : uint8_t { kErased, kReplaced, kExpired, kEvicted };

  enum class Cleaning : uint8_t { kAsNeeded, kForced };

  // How much one writer has waited for items that were kept.
  struct Kept {
    uint32_t items = 0;
    uint64_t bytes = 0;
  };

  [[nodiscard]] Place FindPlace(std::string_view key, uint64_t hash) const {
    return table_.Find(hash, [this, key](Handle h) { return heap_.At(h)->Key() == key; });
  }
  [[nodiscard]] Place FindLive(std::string_view key, uint64_t hash);
  [[gnu::noinline]] void NoteMissed(std::string_view key, uint64_t hash);
  [[gnu::noinline]] void RemoveExpired(const Place& place, uint64_t hash);

  // shard.cc: items come and go.
  [[nodiscard]] Log LogFor(const Place& place, uint64_t hash, const Item::Shape& shape);
  bool ReplaceInPlace(const Place& place, const NewItem& item, const Item::Shape& shape);
  void Fill(Item* fresh, const NewItem& item);
  Item* Append(const Item::Shape& shape, Log log);
  void FillFields(Item* fresh, const NewItem& item);
  [[nodiscard]] Item* DraftOf(std::string_view value) const;
  [[nodiscard]] Item::Shape ShapeFor(size_t key_bytes, uint64_t value_bytes, uint32_t client_flags,
                                     bool expires) const {
    return {.key_bytes = key_bytes,
            .value_bytes = value_bytes,
            .client_flags = client_flags != 0,
            .expiry = expires || when_full_ == WhenFull::kRefuse};
  }
  bool Link(Item* fresh, uint64_t hash, Log log);
  void NoteExpiry(CacheSeconds when) {
    sweep_.Note(when);
    search_.Note(when);
  }
  void CountNew(const Item* item);
  void CountGone(const Item* item, Gone why);
  void Remove(const Place& place, uint64_t hash, Gone why);
  void UpdateGauges();
  void UpdateDetails();

  [[nodiscard]] uint64_t KeyBytesOf(const Scanned& scanned) const;

  // shard_room.cc: memory is found.
  [[nodiscard]] uint64_t BytesInUse() const {
    return heap_.BytesInUse() + table_.Bytes() + retired_bytes_;
  }
  [[nodiscard]] uint64_t BytesAfter(uint64_t item_bytes, Log log) const {
    return BytesInUse() + heap_.GrowthFor(item_bytes, log) + table_.GrowthBytesMax();
  }
  [[nodiscard]] bool Fits(uint64_t item_bytes, Log log) const {
    return BytesAfter(item_bytes, log) <= limit_;
  }
  // There is room for the item, and for the next segment too: nobody needs to pay yet.
  [[nodiscard]] bool IsAmple(uint64_t item_bytes, Log log) const {
    return BytesAfter(item_bytes, log) + kHeapSegmentBytes <= limit_;
  }
  bool MakeRoom(const Item::Shape& shape, Log log) {
    const uint64_t bytes = Item::BytesOf(shape);
    written_bytes_ += bytes;
    if (special_) PrepareSpecially(shape);
    if (!IsAmple(bytes, log)) return FindRoom(bytes, log);
    if (heap_.GrowthFor(bytes, log) > 0) GiveBackSurplus(bytes, log);
    return true;
  }
  bool FindRoom(uint64_t item_bytes, Log log);
  [[gnu::noinline]] void PrepareSpecially(const Item::Shape& shape);
  [[gnu::noinline]] Item* MakePlaceAndAppend(const Item::Shape& shape, Log log);
  bool EvictLowestSolo();
  [[nodiscard]] uint64_t StepsMax() const;
  void GiveBackSurplus(uint64_t item_bytes, Log log);
  bool MayTakeSegment();
  void LowerLimit(uint64_t bytes);

  // shard_steps.cc: one item after the other, for whoever needs room, and Tick.
  bool Step();
  bool StepSearch();
  bool StepClean(Cleaning cleaning);
  bool StepHand();
  [[nodiscard]] bool IsTableSparse() const;
  bool StepShrinkTable();
  bool StepDown(uint32_t items);
  bool BeginCleaning(Cleaning cleaning);
  Lookahead::Entry NextOf(Lookahead& lookahead);
  void Judge(const Lookahead::Entry& next, Log log);
  bool Move(const Place& place, Item* item, Item* copy);
  bool MayGrow(uint64_t bytes) { return bytes == 0 || MayTakeSegment(); }
  void BeginSweep(HeapSegment* segment);
  uint32_t SweepItems(uint32_t& looks);
  uint32_t SweepAtItsPace(uint32_t items);
  void AgeAtItsPace();
  void DismantleRetired(uint32_t segments);

  stats::CounterBlock& counters_;
  ItemHeap heap_;
  ItemHashes hashes_;
  TableArena::Pages table_pages_;
  DashTable table_;
  Policy policy_;
  std::array<Lookahead, kLogCount> hands_ = {Lookahead(HandOf(Log::kProbation)),
                                             Lookahead(HandOf(Log::kMain))};
  Lookahead cleaner_{Reader::kCleaner};
  Lookahead sweeper_{Reader::kSweep};
  Expiry sweep_{Walk::kSweep};
  Expiry search_{Walk::kSearch};
  Now now_;
  CacheSeconds now_s_;
  CacheSeconds flush_at_ = kNever;
  static constexpr Handle kNoHandle = UINT32_MAX;
  void PrefetchBytes(Handle handle) const;

  Missed missed_ = Missed::kAbsent;
  WhenFull when_full_;
  Capacity capacity_;
  bool special_;  // a capacity of its own, or forced cleaning
  uint32_t forced_cleaning_;
  uint64_t capacity_max_;
  uint64_t item_bytes_max_;
  uint64_t memory_bytes_max_;
  static constexpr uint64_t kDraftParts = 8;
  std::vector<Item*> drafts_;
  uint64_t draft_bytes_ = 0;
  uint64_t limit_;  // what Put keeps to: comes down to memory_bytes_max_ in steps
  uint64_t last_cas_ = 0;
  uint64_t least_table_bytes_;  // of an empty one that takes an item
  uint64_t payload_bytes_ = 0;
  uint64_t expiring_items_ = 0;       // with an expiry
  int64_t debt_ = 0;                  // bytes written for which no room has been made since
  uint64_t written_bytes_ = 0;        // ever
  uint64_t credited_bytes_ = 0;       // of them, for copy_credit_
  uint64_t copy_credit_ = 0;          // bytes that the cleaner may still move
  uint64_t sweep_looks_ = 0;          // that the sweep has saved up, of eighths of an item
  uint64_t sweep_items_ = 0;          // the most there were since its pass began
  CacheSeconds unswept_since_s_ = 0;  // when there was last nothing for the sweep to do
  uint64_t sweep_ns_ = 0;             // when it last did
  uint64_t aging_bytes_ = 0;          // of segments whose stamps are due to age
  uint64_t aged_ms_ = 0;              // up to when that is counted
  Kept kept_;
  EvictionObserver* eviction_observer_ = nullptr;
  std::vector<Retired> retired_;
  uint64_t retired_bytes_ = 0;
  stats::SizeClasses size_classes_;
};

inline void Shard::PrefetchBytes(Handle handle) const {
  if (handle == kNoHandle) return;
  // Two lines: the header and the key, and the value's beginning.
  const char* item = reinterpret_cast<const char*>(heap_.At(handle));
  util::Prefetch(item);
  util::Prefetch(item + 64);
}

inline void Shard::PrefetchItem(uint64_t hash) const {
  PrefetchBytes(table_.CandidateAtHome(hash, kNoHandle));
}

inline void Shard::PrefetchItemElsewhere(uint64_t hash) const {
  PrefetchBytes(table_.CandidateElsewhere(hash, kNoHandle));
}

inline Place Shard::FindLive(std::string_view key, uint64_t hash) {
  const Place place = FindPlace(key, hash);
  if (!place) {
    missed_ = Missed::kAbsent;
    if (!retired_.empty()) NoteMissed(key, hash);
    return {};
  }
  if (heap_.At(place.handle())->ExpiredAt(now_s_)) {
    RemoveExpired(place, hash);
    return {};
  }
  return place;
}

inline Item* Shard::Find(std::string_view key, uint64_t hash, Access access, Before& before) {
  const Place place = FindLive(key, hash);
  if (!place) return nullptr;
  Item* item = heap_.At(place.handle());
  before = {.fetched = item->fetched(), .idle_s = item->access().AgeOf(now_s_)};
  if (access == Access::kRead) {
    policy_.OnHit(place, hash);
    item->NoteRead(now_s_);
  }
  return item;
}

inline Item* Shard::Find(std::string_view key, uint64_t hash, Access access) {
  Before nobody_asked;
  return Find(key, hash, access, nobody_asked);
}

template <typename Visit>
Cursor Shard::Scan(Cursor cursor, uint64_t key_bytes_max, const Visit& visit) const {
  Scanned scanned;
  ScanSegment(table_, cursor, hashes_, scanned);
  while (KeyBytesOf(scanned) > key_bytes_max && scanned.Halve()) {
  }
  for (uint32_t i = 0; i < scanned.count; ++i) {
    const Item* item = heap_.At(scanned.entries[i].handle);
    if (!item->ExpiredAt(now_s_)) visit(*item);
  }
  return scanned.Next();
}

}  // namespace larder::store

#endif  // LARDER_STORE_SHARD_H_
