// DEBUG POPULATE: keys in numbers, for tests and for measuring; each core makes its own ones.
#ifndef LARDER_SERVER_POPULATE_H_
#define LARDER_SERVER_POPULATE_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "server/search.h"

namespace larder::server {

// "prefix:0" and so on, with the values "value:0" and so on, which a size cuts or fills up with
// NULs.
struct PopulatePlan {
  uint64_t count = 0;
  int64_t size = -1;  // of values; negative: as it comes
  std::string_view prefix = "key";

  // As a search has it, and back; the prefix is not copied.
  [[nodiscard]] std::string Encode() const;
  static PopulatePlan Decode(std::string_view text);
};

// Makes those of this core's keys that do not exist, `looks_max` numbers at a time; `head` counts
// those that found no room. Where to go on; 0: that was all.
uint64_t Populate(Worker& worker, const Search& search, FoundHead& head);

}  // namespace larder::server

#endif  // LARDER_SERVER_POPULATE_H_
