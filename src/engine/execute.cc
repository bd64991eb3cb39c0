#include "engine/execute.h"

#include <cstdint>
#include <limits>

#include "engine/verbs.h"
#include "larder/clock.h"
#include "util/check.h"

namespace larder::engine {

Outcome Execute(Place place, const Command& command) {
  switch (command.verb) {
    case Verb::kGet:
    case Verb::kGets:
      return Get(place, command);
    case Verb::kGat:
    case Verb::kGats:
      return GetAndTouch(place, command);
    case Verb::kSet:
      return Set(place, command);
    case Verb::kAdd:
      return Add(place, command);
    case Verb::kReplace:
      return Replace(place, command);
    case Verb::kAppend:
      return Append(place, command);
    case Verb::kPrepend:
      return Prepend(place, command);
    case Verb::kCas:
      return CompareAndSwap(place, command);
    case Verb::kDelete:
      return Delete(place, command);
    case Verb::kTouch:
      return Touch(place, command);
    case Verb::kIncr:
      return Increment(place, command);
    case Verb::kDecr:
      return Decrement(place, command);
    case Verb::kDescribe:
      return Describe(place, command);
    case Verb::kRange:
      return Range(place, command);
    case Verb::kDeadline:
      return Deadline(place, command);
    case Verb::kExchange:
      return Exchange(place, command);
    case Verb::kTake:
      return Take(place, command);
    case Verb::kWriteRange:
      return WriteRange(place, command);
    case Verb::kSum:
      return Sum(place, command);
    case Verb::kSumFloat:
      return SumFloat(place, command);
    case Verb::kExpire:
      return Expire(place, command);
    case Verb::kRejected:
      return ForgetRefused(place, command);
#define KEY_VERB(id, text, kind, line)
#define SERVER_VERB(id, text, kind, line) case Verb::k##id:
#include "larder/verbs.def"
      break;
  }
  CHECK(false);
}

void CountRefused(stats::CounterBlock& counters, Status why) {
  if (why == Status::kTooLarge) counters.Add(stats::Counter::kStoreTooLarge);
  if (why == Status::kNoMemory) counters.Add(stats::Counter::kStoreNoMemory);
}

void ExecuteOnEveryShard(Place place, const Command& command) {
  CHECK(command.verb == Verb::kFlushAll);
  // memcached takes the delay as it takes an exptime: 0 and the past mean now.
  if (command.exptime <= 0) {
    place.shard.Flush();
    return;
  }
  const CacheSeconds when = ExpiryOf(command.exptime, place.shard.now());
  place.shard.FlushAt(when != kNever ? when : std::numeric_limits<CacheSeconds>::max());
}

namespace {

constexpr int64_t kNsPerMs = 1'000'000;

// Beyond the clock's 136 years, never is true enough.
CacheSeconds Bounded(int64_t seconds) {
  if (seconds > std::numeric_limits<CacheSeconds>::max()) return kNever;
  return static_cast<CacheSeconds>(seconds);
}

// So long after now, rounded up.
CacheSeconds After(int64_t remaining_ns, Now now) {
  return Bounded((static_cast<int64_t>(now.ns) + remaining_ns + kNsPerSecond - 1) / kNsPerSecond);
}

}  // namespace

CacheSeconds ExpiryOf(const Command& command, Now now) {
  if (command.extras == nullptr || command.extras->time == TimeIs::kMemcached) {
    return ExpiryOf(command.exptime, now);
  }
  if (command.extras->time == TimeIs::kCacheSeconds) {
    return static_cast<CacheSeconds>(command.exptime);
  }
  const bool from_now = command.extras->time == TimeIs::kMsFromNow;
  const int64_t ms = command.exptime;
  if (ms <= 0) return now.FloorSeconds();
  // Half of the range leaves room for the sums below.
  if (ms > std::numeric_limits<int64_t>::max() / kNsPerMs / 2) return kNever;
  // Whole seconds from now, so that what is told of them at once is what was asked for.
  if (from_now) return Bounded(int64_t{now.CeilSeconds()} + (ms + 999) / 1000);
  const int64_t remaining_ns = ms * kNsPerMs - now.unix_ns;
  return remaining_ns <= 0 ? now.FloorSeconds() : After(remaining_ns, now);
}

CacheSeconds ExpiryOf(int64_t exptime, Now now) {
  const CacheSeconds already = now.FloorSeconds();
  if (exptime == 0) return kNever;
  if (exptime < 0 || exptime == kMinusOneOf32Bits) return already;
  if (exptime <= kRelativeExptimeMax) return Bounded(int64_t{now.CeilSeconds()} + exptime);
  // The wall clock counts only here: later steps of it expire nothing. Half of the range leaves
  // room for the sums; it ends in the year 2116.
  if (exptime > std::numeric_limits<int64_t>::max() / kNsPerSecond / 2) return kNever;
  const int64_t remaining_ns = exptime * kNsPerSecond - now.unix_ns;
  return remaining_ns <= 0 ? already : After(remaining_ns, now);
}

}  // namespace larder::engine
