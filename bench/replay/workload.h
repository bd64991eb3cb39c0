// A trace in memory, ready to be replayed many times: what the laboratory works on.
//
// Ids are numbered 0, 1, 2… in the order in which they first come, so that a policy can keep its
// state in arrays. A request knows the next one for the same id, which only an oracle may look at.
// Times never decrease: a record that is earlier than the one before it gets that one's time.
#ifndef LARDER_BENCH_REPLAY_WORKLOAD_H_
#define LARDER_BENCH_REPLAY_WORKLOAD_H_

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bench/replay/trace_reader.h"

namespace larder::bench {

// No request any more; also: a use that never comes.
inline constexpr uint32_t kNoRequest = UINT32_MAX;

// A second that never comes.
inline constexpr uint64_t kNotInTime = UINT64_MAX;

struct Request {
  uint32_t id = 0;
  uint32_t time_s = 0;
  uint32_t ttl_s = 0;  // of what this request stores; 0: for ever
  uint32_t bytes = 0;  // of key and value
  uint32_t next = kNoRequest;
  // Of the id's text key: the same in all its requests, as the first one has it.
  uint16_t key_size = 0;
  TraceOp op = TraceOp::kGet;

  // The second from which on what it stores is dead.
  [[nodiscard]] uint64_t DeadAt() const {
    return ttl_s == 0 ? kNotInTime : uint64_t{time_s} + ttl_s;
  }
};

// What an unbounded cache would hold.
struct Amount {
  uint64_t objects = 0;
  uint64_t bytes = 0;  // keys and values
};

struct Workload {
  std::string name;
  std::vector<Request> requests;
  uint32_t ids = 0;
  uint64_t gets = 0;
  // False if the trace says 1 for the size of everything.
  bool has_sizes = false;
  // The most that is alive at one time. Without times to live and deletes: all objects.
  Amount peak;
};

// Where a trace says how large an object is and not how large its key, so much of it is the key;
// less of an object that is smaller.
inline constexpr uint16_t kAssumedKeyBytes = 8;

struct WorkloadPlan {
  std::string path;
  uint64_t requests_max = 0;  // 0: all
  std::function<void(double)> progress = nullptr;
};

// False on failure, which is told in one sentence.
bool ReadWorkload(const WorkloadPlan& plan, Workload* workload, std::string* failure);

// The same, of records that are in memory.
Workload MakeWorkload(std::string_view name, std::span<const TraceRecord> records);

// "/some/where/arc_OLTP.oracleGeneral.zst" as "arc_OLTP".
std::string TraceNameOf(std::string_view path);

}  // namespace larder::bench

#endif  // LARDER_BENCH_REPLAY_WORKLOAD_H_
