// What memcached 1.6.45 can be told and Larder cannot: flags, and the sub-options of -o.
//
// An old command line goes on working: what has no meaning here is accepted and says so in one
// line. What would be missed (TLS, items that outlive a restart) is refused. Flags that mean
// something here are in settings.def, not here; a test holds both lists apart.
#ifndef LARDER_CONFIG_MEMCACHED_FLAGS_H_
#define LARDER_CONFIG_MEMCACHED_FLAGS_H_

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace larder::config {

struct MemcachedFlag {
  enum class Fate : uint8_t { kIgnored, kRefused };

  std::string_view flag;  // one letter or empty
  std::string_view long_name;
  bool takes_value;
  Fate fate;
  // Why, to follow "… is ignored: " or "-Z (--enable-ssl): "; without a full stop.
  std::string_view why;
};

std::span<const MemcachedFlag> MemcachedFlags();

// What the texts of -o come to.
struct Extended {
  // Long names of settings and what they are given.
  std::vector<std::pair<std::string_view, std::string>> settings;
  std::vector<std::string> warnings;  // one for each sub-option that is ignored
  // If not empty, one sentence that stops the start; without a full stop.
  std::string problem;
};

// `text` is what follows one -o: sub-options separated by commas, "name" or "name=value". `where`
// names it in sentences: "-o (--extended)".
Extended ReadExtended(std::string_view text, std::string_view where);

// The names of all sub-options, in memcached's order of help.
std::vector<std::string> ExtendedNames();

}  // namespace larder::config

#endif  // LARDER_CONFIG_MEMCACHED_FLAGS_H_
