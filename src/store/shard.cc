#include "store/shard.h"

#include <algorithm>
#include <cstring>
#include <span>
#include <utility>

#include "larder/command.h"
#include "larder/options.h"
#include "util/check.h"

namespace larder::store {

using stats::ClassCounter;
using stats::Counter;

namespace {

// Room for a budget that grows. Addresses cost nothing, but a process with many small shards should
// not ask for terabytes.
constexpr uint64_t kRangeBytesMin = 2ULL << 30;
constexpr uint64_t kRangePerBudget = 4 * Shard::kAddressesPerByte;
static_assert(kShardMemoryBytesMax * Shard::kAddressesPerByte == kHeapRangeBytesMax);
// Below this, one huge page is too large a part of the budget.
constexpr uint64_t kHugeBudgetMin = 16ULL << 20;
// So many flushes may wait to be cleared up.
constexpr size_t kRetiredMax = 8;

ItemHeap::Options HeapOptions(const Shard::Options& options) {
  const uint64_t budget = std::min(options.memory_bytes_max, kHeapRangeBytesMax);
  const uint64_t range = std::clamp(budget * kRangePerBudget, kRangeBytesMin, kHeapRangeBytesMax);
  return {.range_bytes = options.address_bytes == 0 ? range : options.address_bytes,
          .huge_pages = options.huge_pages && options.memory_bytes_max >= kHugeBudgetMin};
}

}  // namespace

Shard::Shard(const Options& options, stats::CounterBlock& counters)
    : counters_(counters),
      heap_(HeapOptions(options)),
      hashes_(heap_, options.hash),
      table_pages_(HeapOptions(options).huge_pages ? TableArena::Pages::kHuge
                                                   : TableArena::Pages::kSmall),
      table_(table_pages_),
      now_s_(now_.FloorSeconds()),
      when_full_(options.when_full),
      capacity_(options.capacity),
      special_(options.capacity != Capacity::kMemory || options.forced_cleaning > 0),
      forced_cleaning_(options.forced_cleaning),
      capacity_max_(options.capacity_max),
      item_bytes_max_(options.item_bytes_max),
      memory_bytes_max_(options.memory_bytes_max),
      limit_(options.memory_bytes_max),
      least_table_bytes_(table_.Bytes() + table_.GrowthBytesMax()) {
  CHECK_GT(item_bytes_max_, 0U);
  // What counts against the limit is more than the value.
  CHECK_LE(item_bytes_max_, kValueBytesMax + 1);
  CHECK(capacity_ == Capacity::kMemory || capacity_max_ > 0);
  UpdateGauges();
}

void Shard::BeginTurn(Now now) {
  now_ = now;
  now_s_ = now.FloorSeconds();
  if (flush_at_ != kNever && now_s_ >= flush_at_) Flush();
}

void Shard::NoteMissed(std::string_view key, uint64_t hash) {
  // Not for long: of many flushes, the last ones.
  const size_t looks = std::min(retired_.size(), kRetiredMax);
  for (Retired& retired : std::span(retired_).last(looks)) {
    if (!retired.table.Holds(hash)) continue;
    const Place place = retired.table.Find(hash, [&](Handle handle) {
      return heap_.IsIntact(handle, retired.generation) && heap_.At(handle)->Key() == key;
    });
    if (!place) continue;
    retired.table.Erase(place);
    missed_ = Missed::kFlushed;
  }
}

void Shard::RemoveExpired(const Place& place, uint64_t hash) {
  missed_ = Missed::kExpired;
  Remove(place, hash, Gone::kExpired);
}

void Shard::CountGone(const Item* item, Gone why) {
  const uint64_t bytes = item->CountedBytes();
  counters_.Subtract(Counter::kCurrItems, 1);
  counters_.Subtract(Counter::kItemBytes, item->TotalBytes());
  payload_bytes_ -= item->Key().size() + item->Value().size();
  if (item->expire_at() != kNever) --expiring_items_;
  size_classes_.Remove(bytes);
  if (why == Gone::kExpired) {
    counters_.Add(Counter::kReclaimed);
    size_classes_.Count(ClassCounter::kReclaimed, bytes);
    if (!item->fetched()) {
      counters_.Add(Counter::kExpiredUnfetched);
      size_classes_.Count(ClassCounter::kExpiredUnfetched, bytes);
    }
  } else if (why == Gone::kEvicted) {
    if (eviction_observer_ != nullptr) eviction_observer_->OnEvicted(*item);
    counters_.Add(Counter::kEvictions);
    size_classes_.Count(ClassCounter::kEvicted, bytes);
    if (item->expire_at() != kNever) size_classes_.Count(ClassCounter::kEvictedNonzero, bytes);
    if (!item->fetched()) {
      counters_.Add(Counter::kEvictedUnfetched);
      size_classes_.Count(ClassCounter::kEvictedUnfetched, bytes);
    }
  }
}

void Shard::Remove(const Place& place, uint64_t hash, Gone why) {
  Item* item = heap_.At(place.handle());
  // An evicted one was judged: the policy knows.
  if (why != Gone::kEvicted) policy_.OnErase(place, hash);
  table_.Erase(place);
  CountGone(item, why);
  heap_.Kill(item);
  UpdateGauges();
}

void Shard::UpdateGauges() {
  counters_.Set(Counter::kHeapBytes, heap_.Bytes());
  counters_.Set(Counter::kTableBytes, table_.Bytes() + retired_bytes_);
}

// Not at every change: so often nobody looks.
void Shard::UpdateDetails() {
  const uint64_t full = heap_.LiveBytes() + heap_.DeadBytes();
  counters_.Set(Counter::kDeadBytes, heap_.DeadBytes());
  counters_.Set(Counter::kFreeBytes, heap_.Bytes() - full);
  counters_.Set(Counter::kPayloadBytes, payload_bytes_);
  counters_.Set(Counter::kExpiringItems, expiring_items_);
  counters_.Set(Counter::kStoreBytesMax, memory_bytes_max_);
  const uint64_t probation = heap_.Fill(Log::kProbation).bytes;
  const uint64_t main = heap_.Fill(Log::kMain).bytes;
  counters_.Set(Counter::kProbationBytes, probation);
  counters_.Set(Counter::kMainBytes, main);
  counters_.Set(
      Counter::kProbationBytesWanted,
      static_cast<uint64_t>(policy_.ProbationShare() * static_cast<double>(probation + main)));
}

Item* Shard::Append(const Item::Shape& shape, Log log) {
  Item* fresh = heap_.Append(shape, log);
  return fresh != nullptr ? fresh : MakePlaceAndAppend(shape, log);
}

// All but the value.
void Shard::FillFields(Item* fresh, const NewItem& item) {
  fresh->set_access(AccessStamp::At(now_s_));
  if (fresh->HasClientFlags()) fresh->set_client_flags(item.client_flags);
  if (fresh->HasExpiry()) {
    fresh->set_expire_at(item.expire_at);
    heap_.SegmentOf(fresh)->NoteExpiry(item.expire_at);
    NoteExpiry(item.expire_at);
  }
  // memcpy of nothing wants a pointer nevertheless.
  if (!item.key.empty()) std::memcpy(fresh->KeyBytes(), item.key.data(), item.key.size());
}

void Shard::Fill(Item* fresh, const NewItem& item) {
  FillFields(fresh, item);
  char* value = fresh->ValueBytes();
  if (!item.value.empty()) std::memcpy(value, item.value.data(), item.value.size());
  if (!item.value_tail.empty()) {
    std::memcpy(value + item.value.size(), item.value_tail.data(), item.value_tail.size());
  }
}

// An item that takes as many bytes as the one before, and bytes that nobody holds: then nothing is
// left dead, and nobody needs room. The item stays as old as it was.
bool Shard::ReplaceInPlace(const Place& place, const NewItem& item, const Item::Shape& shape) {
  Item* old = heap_.At(place.handle());
  if (old->TotalBytes() != Item::BytesOf(shape)) return false;
  if (heap_.SegmentOf(old)->holds > 0) return false;
  if (special_ && old->Value().size() < shape.value_bytes) return false;
  policy_.OnOverwrite(place, item.hash);
  CountGone(old, old->ExpiredAt(now_s_) ? Gone::kExpired : Gone::kReplaced);
  Fill(Item::Make(old, shape), item);
  CountNew(old);
  return true;
}

void Shard::CountNew(const Item* item) {
  counters_.Add(Counter::kCurrItems);
  counters_.Add(Counter::kItemBytes, item->TotalBytes());
  payload_bytes_ += item->Key().size() + item->Value().size();
  if (item->expire_at() != kNever) ++expiring_items_;
  size_classes_.Store(item->CountedBytes());
}

// Puts a new item into the table, in place of the one with its key. False, and the item is gone, if
// the table has no place for it: then so many keys collide with it that it is an attack.
bool Shard::Link(Item* fresh, uint64_t hash, Log log) {
  const Handle handle = heap_.HandleOf(fresh);
  Place place = FindPlace(fresh->Key(), hash);
  if (place) {
    Item* old = heap_.At(place.handle());
    policy_.OnOverwrite(place, hash);
    place.bucket->handles[place.slot] = handle;
    CountGone(old, old->ExpiredAt(now_s_) ? Gone::kExpired : Gone::kReplaced);
    heap_.Kill(old);
  } else {
    place = table_.Insert(hash, handle, hashes_);
    if (!place && when_full_ == WhenFull::kEvict) {
      Remove(table_.Rival(hash), hash, Gone::kEvicted);
      place = table_.Insert(hash, handle, hashes_);
    }
    if (!place) {
      heap_.Kill(fresh);
      return false;
    }
    policy_.OnInsert(place, hash, log);
    // The table may have grown into what free segments take.
    if (heap_.BytesFree() > 0) GiveBackSurplus(0, log);
  }
  CountNew(fresh);
  UpdateGauges();
  return true;
}

Log Shard::LogFor(const Place& place, uint64_t hash, const Item::Shape& shape) {
  if (place) return policy_.LogForOverwrite(place, hash, heap_.LogOf(heap_.At(place.handle())));
  return policy_.LogForNew(
      {.home = *table_.HomeOf(hash), .hash = hash, .item_bytes = Item::BytesOf(shape)});
}

Shard::Stored Shard::Put(const NewItem& item) {
  DCHECK_EQ(item.hash, hashes_.OfKey(item.key));
  const uint64_t value_bytes = item.value.size() + item.value_tail.size();
  if (CountedBytes(item.key.size(), value_bytes, item.client_flags) > item_bytes_max_) {
    return {PutResult::kTooLarge, nullptr};
  }
  if (item.expire_at != kNever && item.expire_at <= now_s_) {
    (void)Erase(item.key, item.hash);
    return {PutResult::kStored, nullptr};
  }
  const Item::Shape shape =
      ShapeFor(item.key.size(), value_bytes, item.client_flags, item.expire_at != kNever);
  const Place place = FindPlace(item.key, item.hash);
  // The old item must stay readable if the new one is made of it, though making room may drop or
  // move it.
  const Item* source = nullptr;
  Item* draft = nullptr;
  if (heap_.Contains(item.value.data()) || heap_.Contains(item.value_tail.data())) {
    draft = DraftOf(item.value);
    if (draft == nullptr) {
      CHECK(static_cast<bool>(place));
      source = heap_.At(place.handle());
      Hold(source);
    } else if (!draft->HasShape(shape) || !heap_.Revive(draft)) {
      draft = nullptr;
    }
  }
  if (place && draft == nullptr && ReplaceInPlace(place, item, shape)) {
    Item* same = heap_.At(place.handle());
    same->set_cas(++last_cas_);
    counters_.Add(Counter::kTotalItems);
    return {PutResult::kStored, same};
  }
  const Log log = LogFor(place, item.hash, shape);
  Item* fresh = draft;
  if (draft != nullptr) {
    FillFields(draft, item);
    heap_.Renew(heap_.SegmentOf(draft), log);
    counters_.Add(Counter::kValuesInPlace);
  } else if (MakeRoom(shape, log)) {
    fresh = Append(shape, log);
    if (fresh != nullptr) Fill(fresh, item);
  }
  if (fresh != nullptr) fresh->set_cas(++last_cas_);
  if (fresh != nullptr && !Link(fresh, item.hash, log)) fresh = nullptr;
  if (source != nullptr) Release(source);
  if (fresh == nullptr) {
    UpdateGauges();
    size_classes_.Count(ClassCounter::kOutOfMemory,
                        CountedBytes(item.key.size(), shape.value_bytes, item.client_flags));
    return {PutResult::kNoMemory, nullptr};
  }
  counters_.Add(Counter::kTotalItems);
  return {PutResult::kStored, fresh};
}

// A draft is dead and held: so nobody counts it, moves it or judges it.
Item* Shard::Draft(size_t key_bytes, uint64_t value_bytes, uint32_t client_flags, bool expires) {
  const Item::Shape shape = ShapeFor(key_bytes, value_bytes, client_flags, expires);
  const uint64_t bytes = Item::BytesOf(shape);
  if (!ItemHeap::IsSolo(bytes) || capacity_ != Capacity::kMemory ||
      CountedBytes(key_bytes, value_bytes, client_flags) > item_bytes_max_ ||
      draft_bytes_ + bytes > memory_bytes_max_ / kDraftParts) {
    return nullptr;
  }
  const Log log = Log::kProbation;
  Item* draft = MakeRoom(shape, log) ? Append(shape, log) : nullptr;
  if (draft != nullptr) {
    Hold(draft);
    heap_.Kill(draft);
    drafts_.push_back(draft);
    draft_bytes_ += bytes;
  }
  UpdateGauges();
  return draft;
}

void Shard::EndDraft(Item* draft) {
  const auto it = std::find(drafts_.begin(), drafts_.end(), draft);
  CHECK(it != drafts_.end());
  drafts_.erase(it);
  draft_bytes_ -= draft->TotalBytes();
  Release(draft);
  UpdateGauges();
}

Item* Shard::DraftOf(std::string_view value) const {
  const auto it = std::find_if(drafts_.begin(), drafts_.end(), [value](const Item* draft) {
    return draft->Value().data() == value.data();
  });
  return it != drafts_.end() ? *it : nullptr;
}

uint64_t Shard::Erase(std::string_view key, uint64_t hash) {
  const Place place = FindPlace(key, hash);
  if (!place) return 0;
  const Item* item = heap_.At(place.handle());
  const bool expired = item->ExpiredAt(now_s_);
  const uint64_t bytes = item->CountedBytes();
  Remove(place, hash, expired ? Gone::kExpired : Gone::kErased);
  return expired ? 0 : bytes;
}

Item* Shard::Touch(Item* item, uint64_t hash, CacheSeconds expire_at) {
  if (item->HasExpiry()) {
    if (item->expire_at() != kNever) --expiring_items_;
    if (expire_at != kNever) ++expiring_items_;
    item->set_expire_at(expire_at);
    heap_.SegmentOf(item)->NoteExpiry(expire_at);
    NoteExpiry(expire_at);
    return item;
  }
  if (expire_at == kNever) return item;
  // It has no room for an expiry (where nothing may be evicted, all have): a new copy has. The old
  // bytes are held, for making room may drop or move the item.
  const NewItem copy{.key = item->Key(),
                     .hash = hash,
                     .client_flags = item->client_flags(),
                     .expire_at = expire_at,
                     .value = item->Value(),
                     .value_tail = {}};
  const Item::Shape shape{.key_bytes = copy.key.size(),
                          .value_bytes = copy.value.size(),
                          .client_flags = item->HasClientFlags(),
                          .expiry = true};
  const Log log = heap_.LogOf(item);
  Hold(item);
  Item* fresh = MakeRoom(shape, log) ? Append(shape, log) : nullptr;
  if (fresh != nullptr) {
    Fill(fresh, copy);
    fresh->TakeMarksOf(*item);
    if (!Link(fresh, hash, log)) fresh = nullptr;
  }
  // Rather gone than beyond its time.
  if (fresh == nullptr) (void)Erase(copy.key, hash);
  Release(item);
  return fresh;
}

void Shard::Overwrite(Item* item, std::string_view value) {
  CHECK_EQ(value.size(), item->Value().size());
  if (!value.empty()) std::memcpy(item->ValueBytes(), value.data(), value.size());
  item->set_access(AccessStamp::At(now_s_));
  item->set_cas(++last_cas_);
}

void Shard::Release(const Item* item) {
  heap_.Release(heap_.SegmentOf(item));
  UpdateGauges();
}

void Shard::Flush() {
  flush_at_ = kNever;
  if (table_.Count() == 0) return;
  const uint32_t generation = heap_.generation();
  heap_.BeginGeneration();
  sweep_.Reset();
  search_.Reset();
  payload_bytes_ = 0;
  expiring_items_ = 0;
  retired_bytes_ += table_.Bytes();
  retired_.push_back({std::move(table_), generation});
  table_ = DashTable(table_pages_);
  size_classes_.RemoveAll();
  counters_.Set(Counter::kCurrItems, 0);
  counters_.Set(Counter::kItemBytes, 0);
  // Whoever does nothing but set and flush pays here.
  if (retired_.size() > kRetiredMax) DismantleRetired(64);
  // For the new table.
  GiveBackSurplus(0, Log::kMain);
  UpdateGauges();
}

void Shard::FlushAt(CacheSeconds when) {
  if (when <= now_s_) {
    Flush();
  } else {
    flush_at_ = when;
  }
}

uint64_t Shard::KeyBytesOf(const Scanned& scanned) const {
  uint64_t bytes = 0;
  for (uint32_t i = 0; i < scanned.count; ++i) {
    bytes += heap_.At(scanned.entries[i].handle)->Key().size();
  }
  return bytes;
}

void Shard::CheckInvariants() const {
  // The table's check asks for each entry's hash: there its item is checked.
  class CheckedHashes final : public HashSource {
   public:
    explicit CheckedHashes(const Shard& shard) : shard_(shard) {}
    [[nodiscard]] uint64_t HashOf(uint32_t handle) const override {
      const Item* item = shard_.heap_.At(handle);
      CHECK(!item->dead());
      CHECK_EQ(shard_.heap_.SegmentOf(item)->generation, shard_.heap_.generation());
      return shard_.hashes_.Of(item);
    }

   private:
    const Shard& shard_;
  };
  heap_.CheckInvariants();
  table_.CheckInvariants(CheckedHashes(*this));
  CHECK_EQ(table_.Count(), heap_.LiveItems());
  CHECK_EQ(counters_.Get(Counter::kCurrItems), table_.Count());
  CHECK_EQ(counters_.Get(Counter::kItemBytes), heap_.LiveBytes());
  CHECK_EQ(counters_.Get(Counter::kHeapBytes), heap_.Bytes());
  CHECK_EQ(counters_.Get(Counter::kTableBytes), table_.Bytes() + retired_bytes_);
  CHECK_GE(limit_, memory_bytes_max_);
  uint64_t retired_bytes = 0;
  for (const Retired& retired : retired_) retired_bytes += retired.table.Bytes();
  CHECK_EQ(retired_bytes, retired_bytes_);
  uint64_t payload_bytes = 0;
  uint64_t expiring_items = 0;
  for (const Log log : {Log::kProbation, Log::kMain}) {
    for (const HeapSegment* s = heap_.Oldest(log); s != nullptr; s = s->younger) {
      if (s->generation != heap_.generation()) continue;
      for (const Item* i = heap_.FirstItem(s); i != nullptr; i = heap_.NextItem(s, i)) {
        if (i->dead()) continue;
        payload_bytes += i->Key().size() + i->Value().size();
        if (i->expire_at() != kNever) ++expiring_items;
      }
      if (s == heap_.At(Reader::kSweep) || sweep_.walking()) continue;
      CHECK_GE(s->least_expiry, sweep_.next());
    }
  }
  CHECK_EQ(payload_bytes, payload_bytes_);
  CHECK_EQ(expiring_items, expiring_items_);
}

}  // namespace larder::store
