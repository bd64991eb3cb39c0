// What the verbs mean, in no protocol's words.
//
// Execute runs one command that names a key on the shard that owns it. The shard's turn has begun
// (Shard::BeginTurn); the command's hash is set. It counts what memcached counts per command. Verbs
// that concern all cores are the server's, but each core's part of them is done here, by
// ExecuteOnEveryShard.
#ifndef LARDER_ENGINE_EXECUTE_H_
#define LARDER_ENGINE_EXECUTE_H_

#include <string>

#include "larder/clock.h"
#include "larder/command.h"
#include "larder/outcome.h"
#include "stats/counters.h"
#include "store/shard.h"

namespace larder::engine {

// Where commands are executed: one core's cache and its counters, and where a value lies that is no
// longer an item's, until the next command.
struct Place {
  store::Shard& shard;
  stats::CounterBlock& counters;
  std::string& scratch;
};

// The value of the outcome points into the shard, until the shard is next changed. `command.verb`
// is of kind kRead or kWrite, or kRejected with a key (a value over the limit,
// whose old value must go).
Outcome Execute(Place place, const Command& command);

// Of a store that was refused before its value had come.
void CountRefused(stats::CounterBlock& counters, Status why);

// This shard's part of a verb that concerns all of them: flush_all. (stats reset and cache_memlimit
// concern all cores, but what they change is the server's.)
void ExecuteOnEveryShard(Place place, const Command& command);

// A protocol's exptime as an expiry: 0 never; up to 30 days relative; larger absolute; in the past
// or negative: an expiry that has passed already. Rounded up,
// so that nothing is gone before its time.
CacheSeconds ExpiryOf(int64_t exptime, Now now);
// The same of a command's exptime, whatever that counts.
CacheSeconds ExpiryOf(const Command& command, Now now);

// Relative times end here: 30 days, in seconds.
inline constexpr int64_t kRelativeExptimeMax = 60LL * 60 * 24 * 30;
// What pylibmc sends for -1, as its times have no sign, and what memcached takes for it. Larger and
// smaller ones are times of day: memcached takes those after January 2038 for the past.
inline constexpr int64_t kMinusOneOf32Bits = 0xffffffff;

}  // namespace larder::engine

#endif  // LARDER_ENGINE_EXECUTE_H_
