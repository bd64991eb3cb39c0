// What `stats` and its sub-commands answer: the names and the order of memcached 1.6.45, with
// Larder's figures. A list of names and values first, because the protocols spell it differently;
// StatText spells it for the text protocol.
//
// Pure but for ReadProcess: everything comes in as arguments, from whichever core asks. Cold: a
// reply is built from strings, some tens of microseconds.
#ifndef LARDER_STATS_STATS_TEXT_H_
#define LARDER_STATS_STATS_TEXT_H_

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "stats/counters.h"
#include "stats/size_classes.h"

namespace larder::stats {

struct Stat {
  std::string name;
  std::string value;
};
using StatList = std::vector<Stat>;

// What a client asks for.
enum class StatsKind : uint8_t {
  kGeneral,
  kItems,
  kSlabs,
  kSizes,
  kSizesStatus,  // sizes_enable, sizes_disable
  kSettings,
  kConns,
  kReset,      // answered RESET
  kDetail,     // on, off or dump follows
  kCachedump,  // a class and a limit follow
  kEmpty,      // a part of memcached that Larder has not: an empty list
  kUnknown,    // answered ERROR
};

// By the first word after `stats`, none being kGeneral; as in memcached, case counts, and what
// follows the word does not matter here.
StatsKind StatsKindOf(std::string_view rest_of_line);

// What the general list tells beside the counters.
struct GeneralStats {
  int64_t pid = 0;
  uint64_t user_us = 0;    // CPU time of the process
  uint64_t system_us = 0;  // and of the kernel on its behalf
  uint64_t uptime_s = 0;
  int64_t unix_time_s = 0;
  std::string_view version;         // the memcached that is spoken, as `version` answers
  std::string_view larder_version;  // and who speaks
  std::string_view libevent;        // libevent's version
  uint64_t max_connections = 0;
  uint64_t reserved_fds = 0;
  uint64_t limit_maxbytes = 0;
  uint64_t accepting_conns = 1;  // 0 while accepting is paused
  uint64_t threads = 0;
};

// Fills in pid, user_us and system_us of the process that runs.
void ReadProcess(GeneralStats& stats);

// `stats`: memcached's 93 names, larder_version, and the counters that memcached has no name for. A
// name that a counter in counters.def claims has the sum of that counter over all blocks; one that
// nothing in Larder corresponds to has 0.
StatList GeneralList(const GeneralStats& stats, std::span<const CounterBlock* const> blocks);

// `stats items`: the classes that hold items.
StatList ItemsList(const SizeTotals& totals);

// `stats slabs`: the same classes, and those that have held items, with as many pages as memcached
// would need for what they hold.
// `heap_bytes` is the memory that the heap really has, as total_malloced.
StatList SlabsList(const SizeTotals& totals, uint64_t heap_bytes);

// `stats sizes_enable` and `sizes_disable`: sizes can always be asked for, and cost nothing else.
StatList SizesStatus();

struct ConnectionStats {
  uint64_t id = 0;                  // its descriptor
  std::string_view address;         // "tcp:127.0.0.1:53122", "tcp6:[::1]:53122", "unix:/run/larder"
  std::string_view listen_address;  // empty for a listener itself
  std::string_view state;           // "conn_parse_cmd", "conn_listening", …
  uint64_t idle_s = 0;
};

// `stats conns`: the lines of one connection.
void AppendConnection(StatList& list, const ConnectionStats& connection);

// "STAT name value" lines.
void AppendStatLines(const StatList& list, std::string& text);

// The lines, and END.
std::string StatText(const StatList& list);

}  // namespace larder::stats

#endif  // LARDER_STATS_STATS_TEXT_H_
