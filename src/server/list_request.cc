#include "server/list_request.h"

#include <algorithm>
#include <optional>

#include "protocol/ascii.h"
#include "stats/stats_text.h"
#include "util/bytes.h"

namespace larder::server {
namespace {

using What = Selection::What;

constexpr std::string_view kNoListing = "ERROR\r\n";
constexpr uint64_t kCachedumpBytesMax = 2 << 20;

ListRequest Refuse(std::string_view words) { return {.selection = {}, .refusal = words}; }

ListRequest ParseDump(const protocol::Tokens& words, Dumps dumps) {
  if (words.count() != 2) return Refuse(kNoListing);
  const bool metadump = words[0] == "metadump";
  if (dumps == Dumps::kForbidden) {
    return Refuse(metadump ? "ERROR metadump not allowed\r\n" : "ERROR key dump not allowed\r\n");
  }
  const auto classes = ParseClasses(words[1]);
  if (!classes) return Refuse(kBadClass);
  return {.selection = {.what = metadump ? What::kMetadump : What::kMgdump, .classes = *classes}};
}

ListRequest ParseCachedump(const protocol::Tokens& words, Dumps dumps) {
  if (dumps == Dumps::kForbidden) return Refuse("CLIENT_ERROR stats cachedump not allowed\r\n");
  if (words.count() < 3) return Refuse("CLIENT_ERROR bad command line\r\n");
  const auto number = util::ParseUint64(words[1]);
  const auto limit = util::ParseUint64(words[2]);
  if (!number || !limit) return Refuse("CLIENT_ERROR bad command line format\r\n");
  if (*number > kClassMax) return Refuse("CLIENT_ERROR Illegal slab id\r\n");
  // END is within the bound.
  return {.selection = {.what = What::kCachedump,
                        .classes = uint64_t{1} << *number,
                        .items_max = *limit == 0 ? UINT64_MAX : *limit,
                        .bytes_max = kCachedumpBytesMax - 5}};
}

}  // namespace

std::optional<uint64_t> ParseClasses(std::string_view text) {
  if (text == "all" || text == "hash") return UINT64_MAX;
  uint64_t classes = 0;
  while (!text.empty()) {
    const std::string_view word = text.substr(0, text.find(','));
    text.remove_prefix(std::min(word.size() + 1, text.size()));
    if (word.empty()) continue;
    const auto number = util::ParseUint64(word);
    if (!number || *number == 0 || *number > kClassMax) return std::nullopt;
    classes |= uint64_t{1} << *number;
  }
  return classes != 0 ? std::optional(classes) : std::nullopt;
}

bool IsListing(const Command& command) {
  if (command.verb == Verb::kLruCrawler) {
    const protocol::Tokens words(command.key);
    return words.count() > 0 && (words[0] == "metadump" || words[0] == "mgdump");
  }
  // memcached's binary protocol has no such lists.
  if (command.verb != Verb::kStats || command.extras != nullptr) return false;
  switch (stats::StatsKindOf(command.key)) {
    case stats::StatsKind::kConns:
    case stats::StatsKind::kSizes:
    case stats::StatsKind::kCachedump:
      return true;
    default:
      return false;
  }
}

ListRequest ParseListing(const Command& command, Dumps dumps) {
  const protocol::Tokens words(command.key);
  if (command.verb == Verb::kLruCrawler) return ParseDump(words, dumps);
  switch (stats::StatsKindOf(command.key)) {
    case stats::StatsKind::kConns:
      return {.selection = {.what = What::kConnections}};
    case stats::StatsKind::kSizes:
      return {.selection = {.what = What::kSizes}};
    case stats::StatsKind::kCachedump:
      return ParseCachedump(words, dumps);
    default:
      return Refuse(kNoListing);
  }
}

}  // namespace larder::server
