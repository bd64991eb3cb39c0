// What one core does for a transaction, as bytes of a message, and what it answers.
//
//   part    = PartHead hash* entry*    entry  = EntryHead [ Extras ] key value
//   replies = ( ReplyHead bytes )*
#ifndef LARDER_SERVER_PART_H_
#define LARDER_SERVER_PART_H_

#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "larder/clock.h"
#include "larder/command.h"

namespace larder::server {

// What is to be done with a part, in this order.
struct PartHead {
  bool acquire = false;  // the keys: answer when they are granted
  bool release = false;  // what the transaction has, when the entries have been executed
  uint32_t hashes = 0;   // of the keys
};

// An entry is a command whose reply is encoded; or asks for the item itself.
enum class EntryKind : uint8_t {
  kCommand,
  kProbe,   // the item's CAS unique
  kRead,    // ItemHead, and the value
  kSearch,  // SearchIn(), RunSearch()
  kWrite,   // a command that stores, and whose exptime is a time of the cache's clock
};

struct EntryHead {
  uint64_t hash;
  int64_t exptime;
  uint64_t number;
  uint32_t slot;  // which reply of the transaction it is
  uint32_t key_bytes;
  uint32_t value_bytes;
  uint32_t client_flags;
  Verb verb;
  EntryKind kind;
  bool has_extras;
};

struct ReplyHead {
  uint32_t slot;
  uint32_t bytes;
};

// Of an item that is not there: a unique of 0.
struct ItemHead {
  uint64_t unique = 0;
  CacheSeconds expire_at = kNever;
  uint32_t client_flags = 0;
};

template <typename Value>
void AppendValue(const Value& value, std::string& text) {
  text.append(reinterpret_cast<const char*>(&value), sizeof(value));
}

template <typename Value>
Value TakeValue(std::string_view& text) {
  Value value;
  std::memcpy(&value, text.data(), sizeof(value));
  text.remove_prefix(sizeof(value));
  return value;
}

// Appends a command with one key. Its extras have no flags, as those of meta commands do.
void AppendEntry(const Command& command, EntryKind kind, uint32_t slot, std::string& entries);

std::string MakePart(PartHead head, std::span<const uint64_t> hashes, std::string_view entries);

// Reads a part: its head and the hashes at once, then entry after entry.
class PartReader {
 public:
  explicit PartReader(std::string_view part);

  [[nodiscard]] const PartHead& head() const { return head_; }
  [[nodiscard]] const std::vector<uint64_t>& hashes() const { return hashes_; }
  [[nodiscard]] std::string_view entries() const { return rest_; }

 private:
  std::string_view rest_;
  PartHead head_;
  std::vector<uint64_t> hashes_;
};

class EntryReader {
 public:
  explicit EntryReader(std::string_view entries) : rest_(entries) {}

  [[nodiscard]] bool empty() const { return rest_.empty(); }
  // Valid until the next call.
  const Command& Next(EntryHead& head);

 private:
  std::string_view rest_;
  Extras extras_;
  Command command_;
};

}  // namespace larder::server

#endif  // LARDER_SERVER_PART_H_
