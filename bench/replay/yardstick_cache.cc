// Gives a yardstick what it has not: time.
#include <queue>
#include <vector>

#include "bench/replay/lab_cache.h"

namespace larder::bench {
namespace {

class YardstickCache final : public LabCache {
 public:
  YardstickCache(std::unique_ptr<Yardstick> yardstick, const LabCacheOptions& options)
      : yardstick_(std::move(yardstick)), options_(options), items_(options.workload.ids) {}

  bool Serve(const Request& request) override {
    DropDead(request.time_s);
    const uint32_t id = request.id;
    if (yardstick_->Holds(id) && items_[id].dead_at <= request.time_s) yardstick_->Erase(id);
    const bool held = yardstick_->Holds(id);
    if (request.op == TraceOp::kDelete) {
      if (held) yardstick_->Erase(id);
      return false;
    }
    const bool stores = request.op == TraceOp::kSet || !held;
    if (stores) items_[id] = {request.DeadAt(), WeightOf(request)};
    const Use use = {id, items_[id].weight, NextUse(request)};
    if (held) {
      yardstick_->Hit(use);
    } else if (use.weight <= options_.capacity) {
      yardstick_->Insert(use);
    }
    if (stores) ExpectDeath(id);
    return held && request.op == TraceOp::kGet;
  }

  [[nodiscard]] uint64_t Used() const override { return yardstick_->Used(); }

 private:
  struct Item {
    uint64_t dead_at = kNotInTime;
    uint32_t weight = 0;
  };
  struct Due {
    uint64_t dead_at;
    uint32_t id;
    bool operator<(const Due& other) const { return dead_at > other.dead_at; }
  };

  [[nodiscard]] uint32_t WeightOf(const Request& request) const {
    return options_.kind == CapacityKind::kObjects ? 1 : request.bytes;
  }

  // A request that comes too late for the item, or overwrites or deletes it, is no use of it.
  [[nodiscard]] uint32_t NextUse(const Request& request) const {
    if (request.next == kNoRequest) return kNoRequest;
    const Request& next = options_.workload.requests[request.next];
    const bool reads = next.op == TraceOp::kGet && next.time_s < items_[request.id].dead_at;
    return reads ? request.next : kNoRequest;
  }

  void ExpectDeath(uint32_t id) {
    const uint64_t dead_at = items_[id].dead_at;
    if (options_.expiry == Expiry::kLazy || dead_at == kNotInTime) return;
    if (yardstick_->Holds(id)) due_.push({dead_at, id});
  }

  void DropDead(uint32_t time_s) {
    while (!due_.empty() && due_.top().dead_at <= time_s) {
      // It may have left since, or been stored again.
      const uint32_t id = due_.top().id;
      due_.pop();
      if (yardstick_->Holds(id) && items_[id].dead_at <= time_s) yardstick_->Erase(id);
    }
  }

  const std::unique_ptr<Yardstick> yardstick_;
  const LabCacheOptions options_;
  std::vector<Item> items_;
  std::priority_queue<Due> due_;  // the earliest first
};

}  // namespace

std::unique_ptr<LabCache> MakeYardstickCache(std::unique_ptr<Yardstick> yardstick,
                                             const LabCacheOptions& options) {
  return std::make_unique<YardstickCache>(std::move(yardstick), options);
}

}  // namespace larder::bench
