// What became of a command, in no protocol's words: what the engine answers and an encoder spells.
#ifndef LARDER_OUTCOME_H_
#define LARDER_OUTCOME_H_

#include <cstdint>
#include <string_view>

namespace larder {

namespace store {
class Item;
}

enum class Status : uint8_t {
  // Answers of a cache.
  kOk,         // flush_all, verbosity, … were done
  kHit,        // `value`, `client_flags`, `cas` are set
  kMiss,       // no such item; of a read
  kStored,     // by a storing verb
  kNotStored,  // the verb's condition did not hold (add, replace, append, prepend)
  kExists,     // cas: somebody stored in between
  kNotFound,   // no such item; of a write
  kDeleted,
  kTouched,
  kNumber,  // incr, decr: `number` is the new value
  // The command cannot be done.
  kNonNumeric,     // incr, decr on a value that is no number
  kTooLarge,       // value over the item limit
  kNoMemory,       // no room, and nothing may be evicted
  kLimitTooSmall,  // cache_memlimit below what the server needs
  kNotAllowed,     // the verb is switched off
  kAuthFailed,     // no such user with such a password
  kAuthContinue,   // the credentials are still missing
  // The line was wrong; parsers give these.
  kUnknownCommand,
  kBadFormat,
  kBadDataChunk,
  kInvalidExptime,
  kInvalidDelta,
  kDeleteUsage,      // delete with words that it does not know
  kUnauthenticated,  // a client that has to say who it is says anything else; the next two: wrongly
  kBadTermination,
  kBadAuthToken,
  kLineTooLong,      // no answer, and the connection closes
  kForeignProtocol,  // a browser's request: no answer, and the connection closes
};

// How far an outcome has got.
enum class Progress : uint8_t {
  kDone,       // the fields below are the answer
  kParked,     // other cores must speak first; the answer follows, in its turn
  kStreaming,  // the answer is long and comes in pieces, as fast as the client takes them
};

struct Outcome {
  Status status = Status::kOk;
  Progress progress = Progress::kDone;
  uint32_t client_flags = 0;
  // Of kHit, kStored, kNumber and kTouched: the item's CAS unique.
  uint64_t cas = 0;
  uint64_t number = 0;
  // Into the shard; valid until the shard is next changed.
  std::string_view value = {};
  // What the value lies in, for who wants to hold it; null if it is no item's.
  const store::Item* item = nullptr;
};

}  // namespace larder

#endif  // LARDER_OUTCOME_H_
