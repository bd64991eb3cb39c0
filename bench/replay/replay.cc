#include "bench/replay/replay.h"

#include <algorithm>
#include <chrono>
#include <vector>

#include "bench/load/key_space.h"
#include "bench/replay/trace_reader.h"
#include "util/check.h"

namespace larder::bench {
namespace {

// Reading the clock for progress costs nothing once per so many requests.
constexpr uint64_t kRecordsPerReport = 4096;

uint32_t ValueSizeOf(const ReplayPlan& plan, const TraceRecord& record) {
  if (plan.value_size > 0) return plan.value_size;
  return record.size <= 1 ? kUnsizedValueBytes : record.size;
}

}  // namespace

double ReplayCounts::HitRatio() const {
  return requests == 0 ? 0 : static_cast<double>(hits) / static_cast<double>(requests);
}

std::string KeyOf(uint32_t trace, uint64_t id) {
  std::string key;
  AppendDecimal(trace, key);
  key.push_back(':');
  AppendDecimal(id, key);
  return key;
}

void AppendReplayValue(std::string_view key, uint32_t size, std::string& out) {
  const size_t head = std::min<size_t>(key.size(), size);
  out.append(key.substr(0, head));
  out.append(size - head, 'v');
}

bool IsReplayValue(std::string_view key, std::string_view value) {
  const size_t head = std::min(key.size(), value.size());
  if (value.substr(0, head) != key.substr(0, head)) return false;
  return value.size() == head || (value[head] == 'v' && value.back() == 'v');
}

ReplayResult Replay(const ReplayPlan& plan, ReplayTarget& target) {
  CHECK_GT(plan.window, 0U);
  ReplayResult result;
  TraceReader reader;
  if (!reader.Open(plan.path)) {
    result.failure = reader.failure();
    return result;
  }
  if (reader.format() != TraceFormat::kOracleGeneral) {
    result.failure = plan.path + " has sets, deletes and times to live: give --objects or --bytes";
    return result;
  }
  const auto begin = std::chrono::steady_clock::now();
  std::vector<Access> window;
  bool well = target.Begin(plan.trace);
  bool more = well;
  uint64_t read = 0;
  while (well && more) {
    TraceRecord record;
    const bool enough = plan.requests_max > 0 && read == plan.requests_max;
    const auto next = enough ? TraceReader::Result::kEnd : reader.Next(&record);
    more = next == TraceReader::Result::kRecord;
    if (more) {
      window.push_back({record.time, record.id, ValueSizeOf(plan, record)});
      ++read;
    }
    if (window.size() == plan.window || (!more && !window.empty())) {
      well = target.Run(window, result.counts);
      window.clear();
    }
    if (plan.progress && read % kRecordsPerReport == 0) plan.progress(reader.Fraction(), read);
  }
  well = well && target.End(result.counts);
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  result.capacity = well ? target.CapacityNow() : Capacity{.kind = "unknown"};
  result.failure = target.failure().empty() ? reader.failure() : target.failure();
  return result;
}

}  // namespace larder::bench
