// The next live items that a reader of the heap comes to, with their hashes, some way ahead of
// where they are used: by then all that the table will be asked for has arrived, one piece after
// the other where one tells the address of the next, and so has the next item's header.
//
// What is in it is dropped when the reader jumps; what has died meanwhile is stepped over.
#ifndef LARDER_STORE_LOOKAHEAD_H_
#define LARDER_STORE_LOOKAHEAD_H_

#include <array>
#include <cstdint>

#include "store/dashtable.h"
#include "store/item_heap.h"
#include "util/prefetch.h"

namespace larder::store {

class Lookahead {
 public:
  struct Entry {
    Item* item = nullptr;
    uint64_t hash = 0;
    uint64_t passed_bytes = 0;  // since the entry before: this item, and what was dead
  };

  explicit Lookahead(Reader reader) : reader_(reader) {}

  // The next item for which wanted(item) is true; `item` is null when the segment has no more, or
  // `looks` items were looked at without filling the list. hash_of(item) is asked once for each.
  template <typename HashOf, typename Wanted>
  Entry Next(ItemHeap& heap, const DashTable& table, const HashOf& hash_of, const Wanted& wanted,
             uint32_t& looks);

 private:
  static constexpr uint32_t kAhead = 16;
  // Between one piece and the next that it leads to: so many items take longer than memory does.
  static constexpr uint32_t kStride = 5;
  static_assert(2 * kStride < kAhead);

  void Add(const DashTable& table, Item* item, uint64_t hash) {
    table.PrefetchWord(hash);
    waiting_[(first_ + count_) % kAhead] = {item, hash};
    if (count_ >= kStride) table.PrefetchForErase(HashAt(count_ - kStride));
    if (count_ >= 2 * kStride) (void)table.CandidateAtHome(HashAt(count_ - 2 * kStride), 0);
    ++count_;
  }
  [[nodiscard]] uint64_t HashAt(uint32_t i) const { return waiting_[(first_ + i) % kAhead].hash; }

  Reader reader_;
  uint32_t jumps_ = 0;
  uint32_t first_ = 0;
  uint32_t count_ = 0;
  const char* passed_to_ = nullptr;
  struct Waiting {
    Item* item;
    uint64_t hash;
  };
  std::array<Waiting, kAhead> waiting_{};
};

template <typename HashOf, typename Wanted>
Lookahead::Entry Lookahead::Next(ItemHeap& heap, const DashTable& table, const HashOf& hash_of,
                                 const Wanted& wanted, uint32_t& looks) {
  if (heap.Jumps(reader_) != jumps_) {
    jumps_ = heap.Jumps(reader_);
    count_ = 0;
    passed_to_ = nullptr;
  }
  while (true) {
    while (count_ < kAhead && looks > 0) {
      Item* item = heap.Read(reader_);
      if (item == nullptr) break;
      --looks;
      util::Prefetch(reinterpret_cast<const char*>(item) + item->TotalBytes());
      if (wanted(item)) Add(table, item, hash_of(item));
    }
    if (count_ == 0) return {};
    const Waiting next = waiting_[first_];
    first_ = (first_ + 1) % kAhead;
    --count_;
    if (next.item->dead()) continue;
    const char* begin = reinterpret_cast<const char*>(next.item);
    const char* end = begin + next.item->TotalBytes();
    if (passed_to_ == nullptr) passed_to_ = begin;
    const auto passed = static_cast<uint64_t>(end - passed_to_);
    passed_to_ = end;
    return {next.item, next.hash, passed};
  }
}

}  // namespace larder::store

#endif  // LARDER_STORE_LOOKAHEAD_H_
