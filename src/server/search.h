// What is done with all of a core, a piece at a time: keys are looked for, or made, clients are
// told of, figures begin anew. For SCAN, KEYS, DBSIZE, RANDOMKEY, FLUSHDB, CLIENT LIST, DEBUG
// POPULATE and the like.
#ifndef LARDER_SERVER_SEARCH_H_
#define LARDER_SERVER_SEARCH_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "larder/command.h"

namespace larder::server {

class Worker;

struct Search {
  enum class What : uint8_t {
    // Of the keys of the database that match the pattern:
    kListKeys,
    kCountKeys,
    kDeleteKeys,
    // Of the clients that match (ClientFilter, in `pattern`):
    kListClients,
    kKillClients,
    kPopulate,     // PopulatePlan, in `pattern`
    kResetStats,   // in one piece; the next one, too
    kLimitMemory,  // to `position` bytes
  };
  static constexpr uint16_t kEveryDatabase = UINT16_MAX;

  What what = What::kListKeys;
  uint16_t database = 0;
  std::string_view pattern = "*";
  uint32_t looks_max = 0;  // goes on until it has looked at so many
  uint64_t position = 0;   // of store::Cursor, or as it is counted
};

// As a command that goes into a part, and back.
Command CommandOf(const Search& search);
Search SearchIn(const Command& command);

struct FoundHead {
  uint64_t position = 0;  // where to go on; 0: that was all
  uint64_t count = 0;     // that matched
};

// Appends FoundHead and what is listed: keys as RESP strings, clients as lines. At most what is
// left of one segment of the table more than `looks_max` is looked at.
void RunSearch(Worker& worker, const Search& search, std::string& reply);

}  // namespace larder::server

#endif  // LARDER_SERVER_SEARCH_H_
