#include "server/events.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "util/bytes.h"
#include "util/check.h"

namespace larder::server {

namespace {

constexpr size_t kDroppedBytes = kStreamCount * sizeof(uint32_t);
constexpr size_t kHeaderBytes = sizeof(uint16_t) + 1;

// All names of 1.6.45; those that nothing happens in have no bit.
constexpr std::pair<std::string_view, Streams> kNames[] = {
    {"fetchers", StreamBit(Stream::kFetchers)},
    {"mutations", StreamBit(Stream::kMutations)},
    {"evictions", StreamBit(Stream::kEvictions)},
    {"connevents", StreamBit(Stream::kConnEvents)},
    {"deletions", StreamBit(Stream::kDeletions)},
    {"rawcmds", 0},
    {"sysevents", 0},
    {"proxyreqs", 0},
    {"proxyevents", 0},
    {"proxyuser", 0},
};

}  // namespace

std::string_view ReasonOf(Leaving why) {
  switch (why) {
    case Leaving::kNormal:
      return "normal";
    case Leaving::kError:
      return "error";
    case Leaving::kIdleTimeout:
      return "idle_timeout";
    case Leaving::kShutdown:
      return "shutdown";
  }
  CHECK(false);
}

std::optional<Streams> ParseStreams(std::string_view words) {
  Streams streams = 0;
  bool any = false;
  while (true) {
    words.remove_prefix(std::min(words.find_first_not_of(' '), words.size()));
    if (words.empty()) return any ? streams : StreamBit(Stream::kFetchers);
    const std::string_view word = words.substr(0, words.find(' '));
    const auto* known = std::find_if(std::begin(kNames), std::end(kNames),
                                     [word](const auto& name) { return name.first == word; });
    if (known == std::end(kNames)) return std::nullopt;
    streams |= known->second;
    any = true;
    words.remove_prefix(word.size());
  }
}

void EventBatch::Add(Stream stream, std::string_view line) {
  const auto index = static_cast<size_t>(stream);
  if (records_.size() + kHeaderBytes + line.size() > kBytesMax - kDroppedBytes ||
      line.size() > UINT16_MAX) {
    ++dropped_[index];
    return;
  }
  const auto bytes = static_cast<uint16_t>(line.size());
  records_.append(reinterpret_cast<const char*>(&bytes), sizeof(bytes));
  records_ += static_cast<char>(stream);
  records_ += line;
  ++held_[index];
  ++lines_;
}

bool EventBatch::empty() const {
  return records_.empty() && std::all_of(dropped_.begin(), dropped_.end(),
                                         [](uint32_t dropped) { return dropped == 0; });
}

std::string EventBatch::Encode() const {
  std::string bytes(reinterpret_cast<const char*>(dropped_.data()), kDroppedBytes);
  bytes += records_;
  return bytes;
}

bool EventBatch::AddTo(EventBatch& other) const {
  const bool fits = other.records_.size() + records_.size() <= kBytesMax - kDroppedBytes;
  std::array<uint32_t, kStreamCount>& others = fits ? other.held_ : other.dropped_;
  for (size_t i = 0; i < kStreamCount; ++i) {
    other.dropped_[i] += dropped_[i];
    others[i] += held_[i];
  }
  if (!fits) return false;
  other.records_ += records_;
  other.lines_ += lines_;
  return true;
}

void EventBatch::Clear() {
  dropped_ = {};
  held_ = {};
  lines_ = 0;
  records_.clear();
}

EventReader::EventReader(std::string_view bytes)
    : dropped_(bytes.substr(0, kDroppedBytes)), records_(bytes.substr(kDroppedBytes)) {}

uint64_t EventReader::Dropped(Streams streams) const {
  uint64_t dropped = 0;
  for (size_t i = 0; i < kStreamCount; ++i) {
    if ((streams >> i & 1) == 0) continue;
    dropped += util::LoadUnaligned<uint32_t>(dropped_.data() + i * sizeof(uint32_t));
  }
  return dropped;
}

std::optional<EventReader::Event> EventReader::Next() {
  if (records_.empty()) return std::nullopt;
  DCHECK_GE(records_.size(), kHeaderBytes);
  const auto bytes = util::LoadUnaligned<uint16_t>(records_.data());
  const auto stream = static_cast<Stream>(records_[sizeof(uint16_t)]);
  const Event event = {.stream = stream, .line = records_.substr(kHeaderBytes, bytes)};
  records_.remove_prefix(kHeaderBytes + bytes);
  return event;
}

}  // namespace larder::server
