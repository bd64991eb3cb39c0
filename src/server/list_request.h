// What a client asks to be listed: `stats conns`, `stats sizes`, `stats cachedump CLASS LIMIT`, and
// `lru_crawler metadump` and `mgdump` of `all`, `hash` or CLASS[,CLASS…].
#ifndef LARDER_SERVER_LIST_REQUEST_H_
#define LARDER_SERVER_LIST_REQUEST_H_

#include <cstdint>
#include <optional>
#include <string_view>

#include "larder/command.h"
#include "server/page.h"

namespace larder::server {

struct ListRequest {
  Selection selection;
  // In memcached's words, with the line end: why there is none. Empty: there is.
  std::string_view refusal = {};
};

// Classes of memcached go so far, whether any item is in them or not.
inline constexpr uint64_t kClassMax = 63;
inline constexpr std::string_view kBadClass = "BADCLASS invalid class id\r\n";

// `all`, `hash`, or numbers of classes with commas between them: a bit for each.
std::optional<uint64_t> ParseClasses(std::string_view text);

// Is it one that can be listed, right or wrong?
bool IsListing(const Command& command);

// Keys are told only if `dumps` are allowed (-X forbids them).
enum class Dumps : bool { kForbidden, kAllowed };
ListRequest ParseListing(const Command& command, Dumps dumps);

}  // namespace larder::server

#endif  // LARDER_SERVER_LIST_REQUEST_H_
