// The commands of a transaction that one core executes, as bytes of a message, and their replies.
//
//   part    = entry*    entry  = PartHead [ Extras ] key value
//   replies = ( slot, size, bytes )*
//
// `slot` says which command of the transaction it is.
#ifndef LARDER_SERVER_PART_H_
#define LARDER_SERVER_PART_H_

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "larder/command.h"

namespace larder::server {

struct PartHead {
  uint64_t hash;
  int64_t exptime;
  uint64_t number;
  uint32_t slot;
  uint32_t key_bytes;
  uint32_t value_bytes;
  Verb verb;
  bool has_extras;
};

inline void AppendBytes(std::string& text, const void* bytes, size_t size) {
  text.append(static_cast<const char*>(bytes), size);
}

// Appends a command with one key. Its extras have no flags, as those of meta commands do.
inline void AppendEntry(const Command& command, uint32_t slot, std::string& part) {
  const PartHead head = {.hash = command.hash,
                         .exptime = command.exptime,
                         .number = command.number,
                         .slot = slot,
                         .key_bytes = static_cast<uint32_t>(command.key.size()),
                         .value_bytes = static_cast<uint32_t>(command.value.size()),
                         .verb = command.verb,
                         .has_extras = command.extras != nullptr};
  AppendBytes(part, &head, sizeof(head));
  if (command.extras != nullptr) AppendBytes(part, command.extras, sizeof(Extras));
  part += command.key;
  part += command.value;
}

// Reads them back, one after the other.
class PartReader {
 public:
  explicit PartReader(std::string_view part) : rest_(part) {}

  [[nodiscard]] bool empty() const { return rest_.empty(); }
  // Valid until the next call.
  const Command& Next(uint32_t& slot) {
    PartHead head;
    Take(&head, sizeof(head));
    if (head.has_extras) Take(&extras_, sizeof(extras_));
    command_ = {.verb = head.verb,
                .exptime = head.exptime,
                .number = head.number,
                .hash = head.hash,
                .key = rest_.substr(0, head.key_bytes),
                .value = rest_.substr(head.key_bytes, head.value_bytes),
                .extras = head.has_extras ? &extras_ : nullptr};
    rest_.remove_prefix(head.key_bytes + head.value_bytes);
    slot = head.slot;
    return command_;
  }

 private:
  void Take(void* to, size_t size) {
    std::memcpy(to, rest_.data(), size);
    rest_.remove_prefix(size);
  }

  std::string_view rest_;
  Extras extras_;
  Command command_;
};

struct ReplyHead {
  uint32_t slot;
  uint32_t bytes;
};

}  // namespace larder::server

#endif  // LARDER_SERVER_PART_H_
