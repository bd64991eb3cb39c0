// Numbered queues of items, doubly linked through an array: an item is in one of them or in none.
// All operations take constant time.
#ifndef LARDER_BENCH_REPLAY_YARDSTICKS_QUEUES_H_
#define LARDER_BENCH_REPLAY_YARDSTICKS_QUEUES_H_

#include <cstdint>
#include <vector>

#include "bench/replay/yardsticks/yardstick.h"
#include "util/check.h"

namespace larder::bench {

class Queues {
 public:
  static constexpr uint32_t kNobody = UINT32_MAX;
  static constexpr uint8_t kNowhere = UINT8_MAX;

  Queues(uint32_t ids, uint8_t queues) : links_(ids), queues_(queues) {}

  [[nodiscard]] uint8_t Where(uint32_t id) const { return links_[id].queue; }
  [[nodiscard]] bool IsEmpty(uint8_t queue) const { return queues_[queue].tail == kNobody; }
  // The item that has been there longest.
  [[nodiscard]] uint32_t Tail(uint8_t queue) const { return queues_[queue].tail; }
  // The next newer one of the same queue, kNobody at its head.
  [[nodiscard]] uint32_t Newer(uint32_t id) const { return links_[id].newer; }
  // Of all items in the queue.
  [[nodiscard]] uint64_t Weight(uint8_t queue) const { return queues_[queue].weight; }

  void SetWeight(uint32_t id, uint32_t weight) {
    Link& link = links_[id];
    if (link.queue != kNowhere) {
      queues_[link.queue].weight -= link.weight;
      queues_[link.queue].weight += weight;
    }
    link.weight = weight;
  }

  void PushHead(uint8_t queue, uint32_t id) {
    Link& link = links_[id];
    DCHECK_EQ(link.queue, kNowhere);
    Ends& ends = queues_[queue];
    link.queue = queue;
    link.newer = kNobody;
    link.older = ends.head;
    (ends.head == kNobody ? ends.tail : links_[ends.head].newer) = id;
    ends.head = id;
    ends.weight += link.weight;
  }

  void Remove(uint32_t id) {
    Link& link = links_[id];
    DCHECK_NE(link.queue, kNowhere);
    Ends& ends = queues_[link.queue];
    (link.newer == kNobody ? ends.head : links_[link.newer].older) = link.older;
    (link.older == kNobody ? ends.tail : links_[link.older].newer) = link.newer;
    ends.weight -= link.weight;
    link.queue = kNowhere;
  }

  // Out of where it is, if it is anywhere, to the head.
  void MoveToHead(uint8_t queue, uint32_t id) {
    if (Where(id) != kNowhere) Remove(id);
    PushHead(queue, id);
  }

 private:
  struct Link {
    uint32_t newer = kNobody;
    uint32_t older = kNobody;
    uint32_t weight = 0;
    uint8_t queue = kNowhere;
  };
  struct Ends {
    uint32_t head = kNobody;
    uint32_t tail = kNobody;
    uint64_t weight = 0;
  };

  std::vector<Link> links_;
  std::vector<Ends> queues_;
};

}  // namespace larder::bench

#endif  // LARDER_BENCH_REPLAY_YARDSTICKS_QUEUES_H_
