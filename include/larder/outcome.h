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
  kNonFloat,       // incrbyfloat: the value, or what is to be added, is no number
  kNotFinite,      // nor is their sum
  kOverflow,       // incrby: the sum has no place in 64 bits
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
  kUnauthenticated,  // a client that has to say who it is says anything else; the next 3: wrongly
  kBadTermination,
  kBadAuthToken,
  kAuthTokenTooLong,
  kInvalidFlag,  // the rest of these: meta commands
  kDuplicateFlag,
  kOpaqueTooLong,
  kInvalidStoreMode,
  kInvalidNumberMode,
  kBadToken,  // a flag's argument is no number
  kInvalidInitial,
  kInvalidNumericDelta,
  kBadKeyEncoding,
  kLineTooLong,      // no answer, and the connection closes
  kRefused,          // RESP: Command::number says why
  kForeignProtocol,  // a browser's request: no answer, and the connection closes
};

// How far an outcome has got.
enum class Progress : uint8_t {
  kDone,       // the fields below are the answer
  kParked,     // other cores must speak first; the answer follows, in its turn
  kStreaming,  // the answer is long and comes in pieces, as fast as the client takes them
};

// What a command that had extras learns of the item beside its value.
struct Marks {
  // Had anybody read it since it was stored?
  bool fetched : 1 = false;
  // It was invalidated, and nobody has stored it anew.
  bool stale : 1 = false;
  // Whoever asked is the one to store it anew, and
  bool won : 1 = false;
  // somebody else has been told so before.
  bool won_before : 1 = false;
};

struct Outcome {
  // Of an item that never expires: its ttl_s.
  static constexpr uint32_t kForever = UINT32_MAX;

  Status status = Status::kOk;
  Progress progress = Progress::kDone;
  Marks marks = {};
  // Of Verb::kDescribe: the number of memcached's size class.
  uint8_t size_class = 0;
  uint32_t client_flags = 0;
  // Of kHit, kStored, kNumber and kTouched: the item's CAS unique.
  uint64_t cas = 0;
  // Of kNumber. Of other writes: the size of the value. Of Verb::kDescribe: the size of the item.
  uint64_t number = 0;
  // With extras, of kHit and kNumber: seconds until the item expires, and since it was last read.
  uint32_t ttl_s = kForever;
  uint32_t idle_s = 0;
  // Into the shard; valid until the shard is next changed. With Extras::kNoValue only its size
  // counts.
  std::string_view value = {};
  // What the value lies in, for who wants to hold it; null if it is no item's.
  const store::Item* item = nullptr;
};

}  // namespace larder

#endif  // LARDER_OUTCOME_H_
