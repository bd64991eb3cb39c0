// A request, in no protocol's words: what a parser makes of bytes and the engine executes.
//
// A Command owns nothing. Its views point into the bytes that were
// parsed and live as long as these.
#ifndef LARDER_COMMAND_H_
#define LARDER_COMMAND_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "larder/outcome.h"

namespace larder {

enum class Verb : uint8_t {
#define VERB(id, text, kind, line) k##id,
#include "larder/verbs.def"
#undef VERB
  // No verb: the line was wrong, and `Command::rejection` says how. It is answered in its turn.
  kRejected,
};

inline constexpr size_t kVerbCount = static_cast<size_t>(Verb::kRejected);

enum class VerbKind : uint8_t {
  kRead,    // one key; the value is the answer
  kWrite,   // one key; the answer is a word or a number
  kServer,  // no key: all cores, or none
};

// Longest key of the Memcached protocols, in bytes.
inline constexpr size_t kKeyBytesMax = 250;
// And of any protocol.
inline constexpr size_t kLongKeyBytesMax = 65535;

// The size of an item, wherever Memcached's clients hear of one or choose one: the item limit (-I),
// `me`, dumps, `stats sizes`, and the size classes of `stats items`, `stats slabs` and `watch`. It
// is what memcached 1.6 takes for it, so the same values are refused and tools show the same: 48
// bytes of header, 8 of the CAS unique, the key's NUL, the value's line end; and 4 for client flags
// other than 0. What Larder itself takes is less, and is what `bytes` tells. (`size=` of watch and
// `s` of meta commands are the value's bytes, there as here.)
constexpr uint64_t CountedBytes(size_t key_bytes, uint64_t value_bytes, uint32_t client_flags) {
  return 48 + 8 + key_bytes + 1 + (client_flags == 0 ? 0 : 4) + value_bytes + 2;
}

// How a command was spelled, for who spells its reply.
enum class Spelling : uint8_t { kClassic, kMeta, kBinary, kResp };

// What Command::exptime counts.
enum class TimeIs : uint8_t {
  kMemcached,  // as it says there
  kMsFromNow,  // what is not positive has passed
  kUnixMs,
  kCacheSeconds,  // an expiry as items have it
};

// What a command says beyond its verb and the arguments of the classic ones, as meta and binary
// commands do. It lies apart from the Command, so that the classic ones do not pay for it; whoever
// has the bytes that were parsed has it too, and it lives as long as they do.
struct Extras {
  // What the engine is asked for; a set of these.
  enum Ask : uint32_t {
    kMatchCas = 1 << 0,     // only if the item's CAS unique is `match_cas`; else kExists
    kGiveCas = 1 << 1,      // the item's new CAS unique is `give_cas`
    kTouch = 1 << 2,        // the item's expiry becomes Command::exptime
    kCreate = 1 << 3,       // a miss makes an item with `create_exptime`: a read an empty one (and
                            // wins), incr and decr one that holds `initial`, append and prepend one
                            // that holds their value
    kRecache = 1 << 4,      // a read wins if the item expires before `recache_exptime`
    kInvalidate = 1 << 5,   // delete: the item is stale instead of gone; a store whose `match_cas`
                            // is less than the item's unique: stores, as stale
    kDropValue = 1 << 6,    // delete: only the value and the client flags go
    kNoBump = 1 << 7,       // a read that leaves no trace: eviction does not learn of it
    kNoValue = 1 << 8,      // a read whose answer says about the value, and not the value
    kIfAbsent = 1 << 9,     // exchange: only if there is no item; expire: only if it never expires
    kIfPresent = 1 << 10,   // exchange: only if there is one; expire: only if it does
    kKeepExpiry = 1 << 11,  // exchange: the item's expiry stays
    kGiveOld = 1 << 12,     // exchange: the answer is the value that was there before
    kIfLater = 1 << 13,     // expire: only if that gives the item more time, or
    kIfSooner = 1 << 14,    // less; an item that never expires has more than any
  };
  uint32_t asks = 0;
  TimeIs time = TimeIs::kMemcached;
  // The rest of these are the encoder's.
  Spelling spelling = Spelling::kClassic;
  bool quiet = false;        // the answer that is expected is not sent
  bool encoded_key = false;  // meta: spelled in base64, and so it is in the reply
  uint8_t opcode = 0;        // binary; RESP: which command it was
  uint32_t opaque = 0;       // binary: the reply repeats it
  uint64_t match_cas = 0;
  uint64_t give_cas = 0;
  uint64_t initial = 0;
  int64_t create_exptime = 0;
  int64_t recache_exptime = 0;
  // Of a range of the value: its first byte and its last; negative: from the value's end.
  int64_t first = 0;
  int64_t last = 0;
  // Meta: the flags as they came, which the reply repeats or fills in, in their order.
  std::string_view flags = {};

  [[nodiscard]] bool Asks(Ask what) const { return (asks & what) != 0; }
};

// Where a parser puts what it cannot point to in the bytes that it was given: extras, and a key
// that was spelled otherwise than it is.
struct ParserSpace {
  Extras extras;
  char key[kKeyBytesMax];
  // RESP: a long key that is stored otherwise than it came, and a request that was typed.
  std::string long_key;
  std::string typed;
};

struct Command {
  Verb verb = Verb::kRejected;
  // The reply is executed but not sent.
  bool noreply = false;
  // Of a get with many keys: this one is the last, and its reply closes the list.
  bool last_key = true;
  // Of kRejected: why.
  Status rejection = Status::kUnknownCommand;
  // Flags that the client stores with the value.
  uint32_t client_flags = 0;
  // As the protocol has it: 0 never; 1…2592000 seconds from now; larger: Unix time; negative: at
  // once. Of flush_all: the delay.
  int64_t exptime = 0;
  // Of cas: the unique. Of incr and decr: the delta; of incrby: one with a sign. Of verbosity and
  // cache_memlimit: the argument. Of call: which. Of kRejected as kRefused: why.
  uint64_t number = 0;
  // Filled in by the server, which knows the hash's secret; parsers leave it 0.
  uint64_t hash = 0;
  // The key; of stats, watch and others of kind kServer: the rest of the line; of kRejected as
  // kTooLarge: the key whose old value must go, or empty.
  std::string_view key = {};
  // The value of a storing verb.
  std::string_view value = {};
  // Null: a classic command.
  const Extras* extras = nullptr;
};

// Spelling of `verb` in the text protocol. Static storage.
std::string_view VerbText(Verb verb);
VerbKind KindOf(Verb verb);

}  // namespace larder

#endif  // LARDER_COMMAND_H_
