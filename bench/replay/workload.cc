#include "bench/replay/workload.h"

#include <algorithm>
#include <queue>
#include <unordered_map>
#include <utility>

#include "larder/command.h"
#include "util/check.h"

namespace larder::bench {
namespace {

constexpr uint64_t kProgressEvery = 65'536;

class Builder {
 public:
  explicit Builder(std::string_view name) { workload_.name = name; }

  void Add(const TraceRecord& record) {
    CHECK_LT(workload_.requests.size(), size_t{kNoRequest});
    const auto fresh = static_cast<uint32_t>(numbers_.size());
    Request request;
    request.id = numbers_.emplace(record.id, fresh).first->second;
    request.time_s = time_s_ = std::max(time_s_, record.time);
    request.ttl_s = record.ttl_s;
    if (request.id == fresh) key_sizes_.push_back(KeySizeOf(record));
    request.key_size = key_sizes_[request.id];
    request.bytes = static_cast<uint32_t>(
        std::min<uint64_t>(uint64_t{record.key_size} + record.size, UINT32_MAX));
    request.op = record.op;
    workload_.gets += request.op == TraceOp::kGet ? 1 : 0;
    workload_.has_sizes |= request.bytes != 1;
    workload_.requests.push_back(request);
  }

  Workload Finish() {
    workload_.ids = static_cast<uint32_t>(numbers_.size());
    FindNext();
    FindPeak();
    return std::move(workload_);
  }

 private:
  // As long as the protocol takes it.
  static uint16_t KeySizeOf(const TraceRecord& record) {
    const uint32_t size = record.key_size > 0 ? record.key_size : record.size;
    const size_t most = record.key_size > 0 ? kKeyBytesMax : kAssumedKeyBytes;
    return static_cast<uint16_t>(std::min<size_t>(size, most));
  }

  void FindNext() {
    std::vector<uint32_t> next(workload_.ids, kNoRequest);
    for (size_t i = workload_.requests.size(); i-- > 0;) {
      Request& request = workload_.requests[i];
      request.next = std::exchange(next[request.id], static_cast<uint32_t>(i));
    }
  }

  void FindPeak();

  Workload workload_;
  std::unordered_map<uint64_t, uint32_t> numbers_;
  std::vector<uint16_t> key_sizes_;  // by number
  uint32_t time_s_ = 0;
};

// A cache without a bound, in which what is dead goes at once.
class LiveSet {
 public:
  explicit LiveSet(uint32_t ids) : stored_(ids) {}

  void Serve(const Request& request) {
    Expire(request.time_s);
    if (request.op == TraceOp::kDelete) return Drop(request.id);
    if (request.op == TraceOp::kGet && stored_[request.id].alive) return;
    Drop(request.id);
    const uint64_t dead_at = request.DeadAt();
    stored_[request.id] = {true, request.bytes, dead_at};
    if (dead_at != kNotInTime) due_.push({dead_at, request.id});
    ++now_.objects;
    now_.bytes += request.bytes;
    peak_.objects = std::max(peak_.objects, now_.objects);
    peak_.bytes = std::max(peak_.bytes, now_.bytes);
  }

  [[nodiscard]] Amount peak() const { return peak_; }

 private:
  struct Stored {
    bool alive = false;
    uint64_t bytes = 0;
    uint64_t dead_at = 0;
  };
  struct Due {
    uint64_t dead_at;
    uint32_t id;
    bool operator<(const Due& other) const { return dead_at > other.dead_at; }
  };

  void Expire(uint32_t time_s) {
    while (!due_.empty() && due_.top().dead_at <= time_s) {
      // It may have been stored again since, to live longer.
      if (stored_[due_.top().id].dead_at == due_.top().dead_at) Drop(due_.top().id);
      due_.pop();
    }
  }

  void Drop(uint32_t id) {
    if (!stored_[id].alive) return;
    stored_[id].alive = false;
    --now_.objects;
    now_.bytes -= stored_[id].bytes;
  }

  std::vector<Stored> stored_;
  std::priority_queue<Due> due_;  // the earliest first
  Amount now_;
  Amount peak_;
};

void Builder::FindPeak() {
  LiveSet live(workload_.ids);
  for (const Request& request : workload_.requests) live.Serve(request);
  workload_.peak = live.peak();
}

}  // namespace

bool ReadWorkload(const WorkloadPlan& plan, Workload* workload, std::string* failure) {
  TraceReader reader;
  Builder builder(TraceNameOf(plan.path));
  bool more = reader.Open(plan.path);
  for (uint64_t read = 0; more && (plan.requests_max == 0 || read < plan.requests_max); ++read) {
    TraceRecord record;
    more = reader.Next(&record) == TraceReader::Result::kRecord;
    if (more) builder.Add(record);
    if (plan.progress && read % kProgressEvery == 0) plan.progress(reader.Fraction());
  }
  *failure = reader.failure();
  if (!failure->empty()) return false;
  *workload = builder.Finish();
  if (workload->gets == 0) *failure = plan.path + " holds no gets";
  return failure->empty();
}

Workload MakeWorkload(std::string_view name, std::span<const TraceRecord> records) {
  Builder builder(name);
  for (const TraceRecord& record : records) builder.Add(record);
  return builder.Finish();
}

std::string TraceNameOf(std::string_view path) {
  const size_t slash = path.rfind('/');
  const auto file = slash == std::string_view::npos ? path : path.substr(slash + 1);
  return std::string(file.substr(0, file.find('.')));
}

}  // namespace larder::bench
