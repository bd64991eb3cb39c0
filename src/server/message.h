// What cores tell each other: a fixed-size envelope with small keys and values inline.
//
//   byte 0                      64                                                   256
//        +----------------------+-----------------------------------------------------+
//        | header: one line     | payload: [extras, flags,] key, value; or a reply     |
//        +----------------------+-----------------------------------------------------+
//
// What does not fit inline travels as a heap block, whose ownership goes with the message. Only the
// lines that are used are written and read.
#ifndef LARDER_SERVER_MESSAGE_H_
#define LARDER_SERVER_MESSAGE_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <type_traits>

#include "io/loan.h"
#include "io/socket.h"
#include "larder/command.h"
#include "larder/outcome.h"
#include "protocol/codec.h"

namespace larder::server {

class Connection;
struct MovingClient;

struct alignas(64) Message {
  enum class Kind : uint8_t {
    kCommand,     // execute it on your shard, encode the reply, answer with kReply
    kEverywhere,  // your part of a verb of all cores; answer with an empty kReply
    kListPage,   // your page at `number` of the listing that the payload selects; answer with kPage
    kReply,      // to `asker`, slot `ticket`
    kLentReply,  // the same, and the value is lent: the payload is what goes around it
    kEvents,     // EventBatch::Encode() for your watchers; answer with kEventsTaken
    kEventsTaken,
    kClient,  // `number` is the descriptor of a new client of yours, from listener `ticket`; answer
              // with kClientTaken
    kClientTaken,
    kMoved,  // `client` is yours from now on; answer with kClientTaken
    kPart,   // PartReader: do what it says; answer with kPartDone and the replies
    kOrder,  // keep your clients' commands in order; answer with kPartDone
    kPartDone,
    kPage,  // to `asker`: a page of its listing, and `number` where to go on
  };

  Kind kind;
  Verb verb;
  Status rejection;
  protocol::Protocol protocol;
  bool noreply : 1;
  bool last_key : 1;
  bool has_extras : 1;  // in front of the key
  bool in_block : 1;    // the payload is in `block`
  uint8_t era;          // when it was asked for (Keeper::NoteAsked); an answer says it again
  uint16_t key_bytes;
  uint32_t ticket;  // the asker's slot for the reply
  uint32_t client_flags;
  uint32_t payload_bytes;  // key and value; or the reply
  // Memory that the asker has set aside for the reply of a read: what is longer is lent. And what
  // the value of a write takes. Every answer says it again.
  uint32_t reserved_bytes;
  Connection* asker;  // only the core that asked may look into it, but for its fd()
  char* block;        // of new char[]; the receiver deletes it
  union {
    uint64_t hash;         // of a command
    io::Loan* loan;        // of kLentReply; the receiver returns it
    MovingClient* client;  // of kMoved; the receiver deletes it
  };
  union {
    int64_t exptime;      // of a command
    uint64_t head_bytes;  // of kLentReply: so much of the payload goes before the value
  };
  uint64_t number;  // of a command, its own; of kListPage and kPage, where to go on

  static constexpr size_t kInlineBytesMax = 192;
  char payload[kInlineBytesMax];

  // Room for `bytes` of payload: inline, or a new block.
  char* MakeRoom(size_t bytes) {
    payload_bytes = static_cast<uint32_t>(bytes);
    in_block = bytes > kInlineBytesMax;
    block = in_block ? new char[bytes] : nullptr;
    return in_block ? block : payload;
  }
  [[nodiscard]] std::string_view Payload() const {
    return {in_block ? block : payload, payload_bytes};
  }
  void FreeBlock() {
    if (in_block) delete[] block;
    in_block = false;
  }
  // Nobody will read it: gives up what it owns.
  void Drop();
};

static_assert(sizeof(Message) == 256);
static_assert(offsetof(Message, payload) == 64);
static_assert(std::is_trivially_copyable_v<Extras> && alignof(Extras) <= alignof(void*));

// Fills the envelope of a command for the core that owns its key, and reads it there. The views of
// the result point into the message.
inline void PutCommand(const Command& command, Message& message) {
  message.kind = Message::Kind::kCommand;
  message.reserved_bytes = 0;
  message.verb = command.verb;
  message.noreply = command.noreply;
  message.last_key = command.last_key;
  message.rejection = command.rejection;
  message.has_extras = command.extras != nullptr;
  message.era = 0;
  message.key_bytes = static_cast<uint16_t>(command.key.size());
  message.client_flags = command.client_flags;
  message.hash = command.hash;
  message.exptime = command.exptime;
  message.number = command.number;
  const size_t extras_bytes =
      command.extras == nullptr ? 0 : sizeof(Extras) + command.extras->flags.size();
  char* out = message.MakeRoom(extras_bytes + command.key.size() + command.value.size());
  // memcpy of nothing wants a pointer nevertheless.
  const auto put = [&out](const void* bytes, size_t size) {
    if (size > 0) std::memcpy(out, bytes, size);
    out += size;
  };
  if (command.extras != nullptr) {
    Extras extras = *command.extras;
    extras.flags = {out + sizeof(Extras), extras.flags.size()};
    put(&extras, sizeof(extras));
    put(command.extras->flags.data(), command.extras->flags.size());
  }
  put(command.key.data(), command.key.size());
  put(command.value.data(), command.value.size());
}

inline Command CommandIn(const Message& message) {
  std::string_view payload = message.Payload();
  const Extras* extras = nullptr;
  if (message.has_extras) {
    extras = reinterpret_cast<const Extras*>(payload.data());
    payload.remove_prefix(sizeof(Extras) + extras->flags.size());
  }
  return Command{.verb = message.verb,
                 .noreply = message.noreply,
                 .last_key = message.last_key,
                 .rejection = message.rejection,
                 .client_flags = message.client_flags,
                 .exptime = message.exptime,
                 .number = message.number,
                 .hash = message.hash,
                 .key = payload.substr(0, message.key_bytes),
                 .value = payload.substr(message.key_bytes),
                 .extras = extras};
}

}  // namespace larder::server

#endif  // LARDER_SERVER_MESSAGE_H_
