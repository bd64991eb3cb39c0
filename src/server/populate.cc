#include "server/populate.h"

#include <algorithm>

#include "protocol/stored_key.h"
#include "server/part.h"
#include "server/worker.h"

namespace larder::server {

namespace {

// Of a step: large values are fewer.
constexpr uint64_t kStepValueBytes = 1 << 20;

std::string StoredKey(std::string_view prefix, uint64_t number, uint16_t database) {
  std::string key(prefix);
  key += ':';
  key += std::to_string(number);
  const auto id = static_cast<uint8_t>(database);
  if (!protocol::IsStoredAsItIs(key, id)) key.insert(0, {'\0', static_cast<char>(id)});
  return key;
}

}  // namespace

std::string PopulatePlan::Encode() const {
  std::string text;
  AppendValue(count, text);
  AppendValue(size, text);
  return text.append(prefix);
}

PopulatePlan PopulatePlan::Decode(std::string_view text) {
  PopulatePlan plan;
  plan.count = TakeValue<uint64_t>(text);
  plan.size = TakeValue<int64_t>(text);
  plan.prefix = text;
  return plan;
}

uint64_t Populate(Worker& worker, const Search& search, FoundHead& head) {
  const PopulatePlan plan = PopulatePlan::Decode(search.pattern);
  const uint64_t end = std::min(plan.count, search.position + search.looks_max);
  uint64_t bytes = 0;
  uint64_t number = search.position;
  for (; number < end && bytes < kStepValueBytes; ++number) {
    const std::string key = StoredKey(plan.prefix, number, search.database);
    const uint64_t hash = worker.cluster().hash(key);
    if (worker.OwnerOf(hash) != worker.index()) continue;
    std::string value = "value:" + std::to_string(number);
    if (plan.size >= 0) value.resize(static_cast<size_t>(plan.size), '\0');
    bytes += value.size();
    const Command add = {.verb = Verb::kAdd, .hash = hash, .key = key, .value = value};
    const Status status = engine::Execute(worker.place(), add).status;
    if (status == Status::kNoMemory || status == Status::kTooLarge) ++head.count;
  }
  // Where there is no room, it ends.
  return number < plan.count && head.count == 0 ? number : 0;
}

}  // namespace larder::server
