#include "server/errands.h"

#include <cstring>
#include <utility>

#include "server/request_kind.h"
#include "server/worker.h"

namespace larder::server {

using stats::Counter;

namespace {

// A read has room set aside for its reply, and so has a page; the value of a write is unread bytes
// on their way.
Worker::Cargo CargoOf(const Message& message) {
  if (message.kind == Message::Kind::kListPage || message.kind == Message::Kind::kPage) {
    return Worker::Cargo::kPage;
  }
  return KindOf(message.verb) == VerbKind::kRead ? Worker::Cargo::kReply : Worker::Cargo::kValue;
}

}  // namespace

PendingReplies& Errands::Slots() {
  if (slots_ == nullptr) slots_ = std::make_unique<PendingReplies>();
  return *slots_;
}

uint64_t Errands::ComingBytes() const {
  // What a reply says beside a value: a key and an opaque, perhaps.
  constexpr uint64_t kWordsBytes = 256;
  return coming_bytes_ + asked_ * (worker_.lent_mean() + kWordsBytes);
}

Asked Errands::Now(const Command& command, const protocol::Codec& codec) const {
  return {.kind = RequestKindOf(command, codec.protocol),
          .when = stats::RequestTimes::TicksOf(worker_.now().ns)};
}

void Errands::Ask(const Command& command, uint32_t owner, const protocol::Codec& codec) {
  Message& message = worker_.cluster().mailboxes.Ask(worker_.index(), owner);
  PutCommand(command, message);
  if (KindOf(command.verb) == VerbKind::kRead) {
    message.reserved_bytes = worker_.ReplyReserve();
  } else if (message.in_block) {
    message.reserved_bytes = message.payload_bytes;
  }
  message.asker = &asker_;
  message.protocol = codec.protocol;
  message.ticket = Slots().Wait(1, Now(command, codec));
  last_owner_ = owner;
  if (protocol::IsResp(codec.protocol)) message.era = worker_.keeper().NoteAsked();
  ++asked_;
  SetOff(message);
  worker_.counters().Add(Counter::kMessagesSent);
}

void Errands::AskEverywhere(const Command& command, std::string_view reply,
                            const protocol::Codec& codec) {
  Mailboxes& mailboxes = worker_.cluster().mailboxes;
  const uint32_t ticket = Slots().Wait(mailboxes.cores(), Now(command, codec));
  for (uint32_t core = 0; core < mailboxes.cores(); ++core) {
    if (core == worker_.index()) continue;
    Message& message = mailboxes.Ask(worker_.index(), core);
    PutCommand(command, message);
    message.kind = Message::Kind::kEverywhere;
    message.asker = &asker_;
    message.ticket = ticket;
    ++asked_;
  }
  // Our own part is done, and brings the words.
  slots_->Fill(ticket, reply);
}

void Errands::AskPage(uint32_t core, const Selection& selection, uint64_t cursor) {
  Message& message = worker_.cluster().mailboxes.Ask(worker_.index(), core);
  PutCommand({.verb = Verb::kStats, .number = cursor}, message);
  message.kind = Message::Kind::kListPage;
  message.asker = &asker_;
  message.reserved_bytes = kPageBytes;
  std::memcpy(message.MakeRoom(sizeof(selection)), &selection, sizeof(selection));
  ++asked_;
  SetOff(message);
}

void Errands::AskPart(uint32_t core, std::string_view part, protocol::Protocol protocol) {
  Message& message = worker_.cluster().mailboxes.Ask(worker_.index(), core);
  // Of a write, as most are: what it holds are unread bytes on their way.
  PutCommand({.verb = Verb::kSet, .value = part}, message);
  message.protocol = protocol;
  SetOffPart(message, Message::Kind::kPart);
}

void Errands::AskOrder(uint32_t core) {
  Message& message = worker_.cluster().mailboxes.Ask(worker_.index(), core);
  PutCommand({.verb = Verb::kSet}, message);
  SetOffPart(message, Message::Kind::kOrder);
}

void Errands::SetOffPart(Message& message, Message::Kind kind) {
  message.kind = kind;
  message.reserved_bytes = message.payload_bytes;
  message.asker = &asker_;
  ++asked_;
  SetOff(message);
  worker_.counters().Add(Counter::kMessagesSent);
}

void Errands::SetOff(const Message& request) {
  const Worker::Cargo cargo = CargoOf(request);
  if (cargo != Worker::Cargo::kValue) coming_bytes_ += request.reserved_bytes;
  worker_.SetOff(cargo, request.reserved_bytes);
}

void Errands::NoteArrived(const Message& answer) {
  --asked_;
  if (answer.era != 0) worker_.keeper().NoteAnswered(answer.era);
  const Worker::Cargo cargo = CargoOf(answer);
  if (cargo != Worker::Cargo::kValue) coming_bytes_ -= answer.reserved_bytes;
  worker_.Arrived(cargo, answer.reserved_bytes);
}

void Errands::TakeReply(Message& answer) {
  NoteArrived(answer);
  const uint32_t ticket = answer.ticket;
  if (!FillSlot(answer)) return;
  const Asked asked = slots_->AskedAt(ticket);
  worker_.times().CountLate(asked.kind, asked.when);
  slots_->MoveReady(output_);
}

// True if the slot waits no longer.
bool Errands::FillSlot(Message& answer) {
  if (answer.kind == Message::Kind::kLentReply) {
    io::LoanPtr value(answer.loan);
    worker_.NoteReply(0, value->bytes().size());
    const bool ready =
        slots_->FillLent(answer.ticket, answer.Payload(), answer.head_bytes, std::move(value));
    answer.FreeBlock();
    return ready;
  }
  worker_.NoteReply(answer.payload_bytes, 0);
  if (!answer.in_block) return slots_->Fill(answer.ticket, answer.Payload());
  std::unique_ptr<char[]> block(answer.block);
  answer.in_block = false;
  return slots_->FillBlock(answer.ticket, std::move(block), answer.payload_bytes);
}

}  // namespace larder::server
