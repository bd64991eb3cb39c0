// What one connection has asked of other cores: messages on their way, and the slots in which the
// answers wait for their turn.
//
//   Ask ──► mailbox ──► the owner executes ──► mailbox ──► TakeReply ──► slot ──► output
//
// While anything is unanswered, the replies to later commands wait in slots() behind it, so that
// all leave in request order. With nothing asked there are no slots, and this costs one test.
//
// Whoever asks has looked for room in the mailbox before (Mailboxes::CanAsk). A connection stays
// until every message that names it has come back.
#ifndef LARDER_SERVER_ERRANDS_H_
#define LARDER_SERVER_ERRANDS_H_

#include <cstdint>
#include <memory>
#include <string_view>

#include "io/output_queue.h"
#include "larder/command.h"
#include "protocol/codec.h"
#include "server/message.h"
#include "server/page.h"
#include "server/pending_replies.h"

namespace larder::server {

class Connection;
class Worker;

class Errands {
 public:
  // Answers come to `asker`, and go to `output` when it is their turn.
  Errands(Worker& worker, Connection& asker, io::OutputQueue& output)
      : worker_(worker), asker_(asker), output_(output) {}

  // Is any earlier command still unanswered? Then a reply goes into slots(), behind it.
  [[nodiscard]] bool HasPending() const { return slots_ != nullptr && !slots_->empty(); }
  [[nodiscard]] PendingReplies& slots() { return *slots_; }
  // No more slots may be had.
  [[nodiscard]] bool full() const { return slots_ != nullptr && slots_->full(); }
  // Messages on their way.
  [[nodiscard]] uint32_t asked() const { return asked_; }
  // What their answers may come to: room set aside, and what is likely lent.
  [[nodiscard]] uint64_t ComingBytes() const;
  // Of the slots: memory, and bytes lent.
  [[nodiscard]] uint64_t memory_bytes() const {
    return slots_ != nullptr ? slots_->memory_bytes() : 0;
  }
  [[nodiscard]] uint64_t lent() const { return slots_ != nullptr ? slots_->lent() : 0; }

  // Asks the core that owns the command's key; it encodes the reply.
  void Ask(const Command& command, uint32_t owner, const protocol::Codec& codec);
  // Asks every other core for its part of a verb of all cores. `reply` is sent when all have
  // answered.
  void AskEverywhere(const Command& command, std::string_view reply, const protocol::Codec& codec);
  // Asks `core` for a page of a listing, from `cursor` on.
  void AskPage(uint32_t core, const Selection& selection, uint64_t cursor);

  // Asks `core` for its part of a transaction.
  void AskPart(uint32_t core, std::string_view part, protocol::Protocol protocol);
  // Asks `core` to keep the commands of its clients in order.
  void AskOrder(uint32_t core);
  // Whom the last command was asked of.
  [[nodiscard]] uint32_t last_owner() const { return last_owner_; }

  // An answer has come. TakeReply puts it into its slot; NoteArrived leaves it to the caller.
  void TakeReply(Message& answer);
  void NoteArrived(const Message& answer);
  // Gives up empty slots.
  void Tidy() {
    if (slots_ != nullptr && slots_->empty()) slots_.reset();
  }

 private:
  [[nodiscard]] Asked Now(const Command& command, const protocol::Codec& codec) const;
  PendingReplies& Slots();
  void SetOff(const Message& request);
  bool FillSlot(Message& answer);
  void SetOffPart(Message& message, Message::Kind kind);

  Worker& worker_;
  Connection& asker_;
  io::OutputQueue& output_;
  std::unique_ptr<PendingReplies> slots_;
  uint64_t coming_bytes_ = 0;  // set aside for replies on their way
  uint32_t asked_ = 0;
  uint32_t last_owner_ = 0;
};

}  // namespace larder::server

#endif  // LARDER_SERVER_ERRANDS_H_
