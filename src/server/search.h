// The keys of a database on one core, a piece at a time: for SCAN, KEYS, DBSIZE and FLUSHDB.
#ifndef LARDER_SERVER_SEARCH_H_
#define LARDER_SERVER_SEARCH_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "larder/command.h"

namespace larder::server {

class Worker;

// What is done with the keys that match: kGet lists them, kDescribe counts them, kDelete deletes
// them.
struct Search {
  Verb verb = Verb::kGet;
  uint8_t database = 0;
  std::string_view pattern = {};  // empty: all match
  uint32_t looks_max = 0;         // goes on until it has looked at so many keys
  uint64_t position = 0;          // of store::Cursor
};

// As a command that goes into a part, and back.
Command CommandOf(const Search& search);
Search SearchIn(const Command& command);

struct FoundHead {
  uint64_t position = 0;  // where to go on; 0: that was all
  uint64_t count = 0;     // keys that matched
};

// Appends FoundHead and, of kGet, the keys as RESP strings. At most what is left of one segment of
// the table more than `looks_max` is looked at.
void RunSearch(Worker& worker, const Search& search, std::string& reply);

}  // namespace larder::server

#endif  // LARDER_SERVER_SEARCH_H_
