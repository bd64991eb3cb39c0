// A request, in no protocol's words: what a parser makes of bytes and the engine executes.
//
// A Command owns nothing. Its views point into the bytes that were
// parsed and live as long as these.
#ifndef LARDER_COMMAND_H_
#define LARDER_COMMAND_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "larder/outcome.h"

namespace larder {

enum class Verb : uint8_t {
#define VERB(id, text, kind) k##id,
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

// What an item counts against the item limit (-I), which is what memcached 1.6 takes for it: so the
// same values are refused. 48 bytes of header, 8 of the CAS unique, the key's NUL, the value's line
// end; and 4 for client flags other than 0. What Larder itself takes is less.
constexpr uint64_t CountedBytes(size_t key_bytes, uint64_t value_bytes, uint32_t client_flags) {
  return 48 + 8 + key_bytes + 1 + (client_flags == 0 ? 0 : 4) + value_bytes + 2;
}

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
  // Of cas: the unique. Of incr and decr: the delta. Of verbosity and cache_memlimit: the argument.
  uint64_t number = 0;
  // Filled in by the server, which knows the hash's secret; parsers leave it 0.
  uint64_t hash = 0;
  // The key; of stats: the rest of the line; of kRejected as kTooLarge: the key whose old value
  // must go, or empty.
  std::string_view key = {};
  // The value of a storing verb.
  std::string_view value = {};
};

// Spelling of `verb` in the text protocol. Static storage.
std::string_view VerbText(Verb verb);
VerbKind KindOf(Verb verb);

}  // namespace larder

#endif  // LARDER_COMMAND_H_
