#include "server/page.h"

#include <absl/strings/str_cat.h>

#include <algorithm>
#include <array>
#include <bit>
#include <optional>
#include <span>
#include <string_view>

#include "io/socket.h"
#include "protocol/ascii.h"
#include "protocol/base64.h"
#include "protocol/stored_key.h"
#include "server/worker.h"
#include "stats/size_classes.h"
#include "stats/stats_text.h"
#include "store/item.h"

namespace larder::server {
namespace {

using store::Item;

constexpr size_t kConnectionPageBytes = 16 << 10;
// Of a page of items: so its text is at most three times that, and what 600 lines have beside.
constexpr uint64_t kPageKeyBytes = 16 << 10;

// Of every address once, however many cores accept there.
void AppendListeners(const Worker& worker, std::string& text) {
  const Cluster& cluster = worker.cluster();
  const std::span<const int> fds = worker.listener_fds();
  stats::StatList list;
  for (size_t i = 0; i < std::min(fds.size(), cluster.listener_names.size()); ++i) {
    stats::AppendConnection(list, {.id = static_cast<uint64_t>(fds[i]),
                                   .address = cluster.listener_names[i],
                                   .listen_address = "",
                                   .state = "conn_listening",
                                   .idle_s = worker.now().FloorSeconds() - cluster.started_s});
  }
  stats::AppendStatLines(list, text);
}

// By their descriptors, as memcached has it, and as `watch` calls them.
std::string ConnectionPage(const Worker& worker, uint64_t& cursor) {
  const Cluster& cluster = worker.cluster();
  stats::StatList list;
  std::string text;
  if (worker.index() == 0 && cursor == 0) AppendListeners(worker, text);
  auto it = worker.connections().upper_bound(cursor);
  for (; it != worker.connections().end() && text.size() < kConnectionPageBytes; ++it) {
    const Connection& connection = *it->second;
    const std::string address = io::PeerName(connection.fd());
    const auto& names = cluster.listener_names;
    const auto listener = static_cast<size_t>(connection.listener());
    list.clear();
    stats::AppendConnection(
        list, {.id = static_cast<uint64_t>(connection.fd()),
               .address = address,
               .listen_address = listener < names.size() ? std::string_view{names[listener]} : "",
               .state = connection.watching()  ? "conn_watch"
                        : connection.closing() ? "conn_closing"
                                               : "conn_read",
               .idle_s = worker.now().FloorSeconds() - connection.last_active()});
    stats::AppendStatLines(list, text);
    cursor = connection.id();
  }
  if (it == worker.connections().end()) cursor = 0;
  return text;
}

// The Unix time that corresponds to a moment of the cache's clock.
int64_t UnixSeconds(Now now, CacheSeconds when) {
  constexpr int64_t kNs = 1'000'000'000;
  return (now.unix_ns - static_cast<int64_t>(now.ns) + int64_t{when} * kNs) / kNs;
}

void AppendMetadump(const Item& item, std::string_view key, Now now, std::string& text) {
  text += "key=";
  AppendEncoded(text, key);
  const CacheSeconds second = now.FloorSeconds();
  const CacheSeconds idle_s = std::min(item.access().AgeOf(second), second);
  absl::StrAppend(
      &text, " exp=", item.expire_at() == kNever ? -1 : UnixSeconds(now, item.expire_at()),
      " la=", UnixSeconds(now, second - idle_s), " cas=", item.cas(),
      " fetch=", item.fetched() ? "yes" : "no", " cls=", stats::ClassOf(item.CountedBytes()),
      " size=", item.CountedBytes(), " flags=", item.client_flags(), "\n");
}

void AppendMgdump(std::string_view key, std::string& text) {
  text += "mg ";
  if (protocol::IsKey(key)) {
    text += key;
    text += "\r\n";
    return;
  }
  // As its reader has to spell it.
  const size_t begin = text.size();
  text.resize(begin + protocol::Base64Bytes(key.size()));
  (void)protocol::AppendBase64(text.data() + begin, key);
  text += " b\r\n";
}

void AppendCachedump(const Item& item, std::string_view key, Now now, std::string& text) {
  text += "ITEM ";
  // Others have a meta spelling only; here they must not look like more than a key.
  if (protocol::IsKey(key)) {
    text += key;
  } else {
    AppendEncoded(text, key);
  }
  absl::StrAppend(&text, " [", item.Value().size(), " b; ",
                  item.expire_at() == kNever ? 0 : UnixSeconds(now, item.expire_at()), " s]\r\n");
}

void AppendSize(const Item& item, std::string& steps) {
  const auto step =
      std::bit_cast<std::array<char, sizeof(uint32_t)>>(SizeStep(item.CountedBytes()));
  steps.append(step.data(), step.size());
}

// `key` is what clients call it.
void AppendItem(const Item& item, std::string_view key, Selection::What what, Now now,
                std::string& text) {
  switch (what) {
    case Selection::What::kMetadump:
      return AppendMetadump(item, key, now, text);
    case Selection::What::kMgdump:
      return AppendMgdump(key, text);
    case Selection::What::kCachedump:
      return AppendCachedump(item, key, now, text);
    case Selection::What::kSizes:
      return AppendSize(item, text);
    case Selection::What::kConnections:
      break;
  }
  CHECK(false);
}

std::string ItemPage(const Worker& worker, const Selection& selection, uint64_t& cursor) {
  std::string text;
  uint64_t items_left = selection.items_max;
  bool full = false;
  const store::Cursor next = worker.shard().Scan({cursor}, kPageKeyBytes, [&](const Item& item) {
    if ((selection.classes >> stats::ClassOf(item.CountedBytes()) & 1) == 0 || full) return;
    const std::optional<std::string_view> key = protocol::MemcachedKeyOf(item.Key());
    if (selection.what != Selection::What::kSizes && !key) return;
    const size_t before = text.size();
    AppendItem(item, key.value_or(""), selection.what, worker.now(), text);
    full = text.size() > selection.bytes_max || items_left == 0;
    if (full) text.resize(before);
    --items_left;
  });
  cursor = full ? kCursorStop : next.position;
  return text;
}

}  // namespace

std::string MakePage(const Worker& worker, const Selection& selection, uint64_t& cursor) {
  return selection.what == Selection::What::kConnections ? ConnectionPage(worker, cursor)
                                                         : ItemPage(worker, selection, cursor);
}

uint32_t SizeStep(uint64_t item_bytes) {
  // Steps are 32 bytes, or a 256th of the octave.
  const uint64_t step_bytes = std::max<uint64_t>(32, std::bit_floor(item_bytes - 1) / 256);
  return static_cast<uint32_t>((item_bytes + step_bytes - 1) / step_bytes * (step_bytes / 32));
}

void AppendEncoded(std::string& text, std::string_view key) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  for (const char c : key) {
    const auto byte = static_cast<uint8_t>(c);
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '.' || c == '_' || c == '~';
    if (plain) {
      text += c;
    } else {
      const char encoded[] = {'%', kDigits[byte >> 4], kDigits[byte & 15]};
      text.append(encoded, sizeof(encoded));
    }
  }
}

}  // namespace larder::server
