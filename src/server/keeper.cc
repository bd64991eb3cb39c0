#include "server/keeper.h"

#include <algorithm>
#include <utility>

#include "server/connection.h"
#include "server/part.h"
#include "server/transaction.h"
#include "server/worker.h"

namespace larder::server {

namespace {

// So long after the last transaction that needs it, order is kept: telling every core of it takes a
// moment, and keeping it costs other clients of RESP little.
constexpr CacheSeconds kOrderSeconds = 2;

// A client is two owners: its transaction, and its other commands. Connections lie at even
// addresses.
Intents::Owner TransactionOf(const Connection* connection) {
  return reinterpret_cast<uintptr_t>(connection);
}
Intents::Owner CommandsOf(const Connection* connection) { return TransactionOf(connection) | 1; }

// The message, with what it owns.
Message Taken(Message& message) {
  const Message copy = message;
  message.in_block = false;
  return copy;
}

}  // namespace

bool Keeper::TakeWaiting(uint32_t from, Message& request) {
  const Owner owner = CommandsOf(request.asker);
  const auto waiter = waiters_.find(owner);
  if (waiter != waiters_.end()) {
    waiter->second.messages.push_back(Taken(request));
    return true;
  }
  if (!intents_.IsKept(request.hash)) return false;
  const bool granted = intents_.Acquire(owner, {&request.hash, 1});
  CHECK(!granted);
  Waiter& fresh = waiters_[owner];
  fresh.from = from;
  fresh.messages.push_back(Taken(request));
  return true;
}

void Keeper::TakePart(uint32_t from, Message& request) {
  const PartReader part(request.Payload());
  const Owner owner = TransactionOf(request.asker);
  if (part.head().acquire && !intents_.Acquire(owner, part.hashes())) {
    Waiter& waiter = waiters_[owner];
    waiter.from = from;
    waiter.messages.push_back(Taken(request));
    return;
  }
  AnswerPart(from, request);
}

void Keeper::AnswerPart(uint32_t from, Message& request) {
  const PartReader part(request.Payload());
  std::string replies;
  Transaction::ExecuteEntries(worker_, *request.asker, part.entries(), request.protocol, replies);
  Message& reply = worker_.BeginAnswer(from, request);
  reply.kind = Message::Kind::kPartDone;
  std::copy(replies.begin(), replies.end(), reply.MakeRoom(replies.size()));
  request.FreeBlock();
  if (part.head().release) ReleaseOwner(TransactionOf(request.asker));
}

bool Keeper::Acquire(Connection& connection, std::span<const uint64_t> hashes) {
  if (intents_.Acquire(TransactionOf(&connection), hashes)) return true;
  waiters_[TransactionOf(&connection)].here = &connection;
  return false;
}

void Keeper::Release(Connection& connection) { ReleaseOwner(TransactionOf(&connection)); }

void Keeper::ReleaseOwner(Owner owner) {
  intents_.Release(owner, granted_);
  for (Connection* connection : std::exchange(stopped_, {})) worker_.AddToTurn(*connection);
  // Whoever is served may give up keys, too; the outermost call serves all.
  if (serving_) return;
  serving_ = true;
  while (!granted_.empty()) Serve(std::exchange(granted_.front(), granted_.back()));
  serving_ = false;
}

void Keeper::Serve(Owner owner) {
  granted_.pop_back();
  Waiter waiter = std::move(waiters_.extract(owner).mapped());
  if (waiter.here != nullptr) {
    waiter.here->TakeKeys();
    return;
  }
  Message first = waiter.messages.front();
  waiter.messages.pop_front();
  if (first.kind == Message::Kind::kPart) {
    AnswerPart(waiter.from, first);
    return;
  }
  worker_.Answer(waiter.from, first);
  ReleaseOwner(owner);
  // What came behind it may have to wait again, all from there on.
  for (Message& next : waiter.messages) {
    if (!TakeCommand(waiter.from, next)) worker_.Answer(waiter.from, next);
  }
}

// --- order --------------------------------------------------------------------------------------

void Keeper::JoinOrder() {
  if (!joined_) worker_.cluster().order.Join();
  joined_ = true;
  ++relying_;
}

void Keeper::LeaveOrder() {
  --relying_;
  relied_at_ = worker_.now().FloorSeconds();
}

void Keeper::Tick() {
  const CacheSeconds second = worker_.now().FloorSeconds();
  if (joined_ && relying_ == 0 && second - relied_at_ >= kOrderSeconds) {
    joined_ = false;
    worker_.cluster().order.Leave();
  }
  if (keeps_order_ && !worker_.cluster().order.IsWanted()) keeps_order_ = false;
}

void Keeper::BeginOrder() {
  if (keeps_order_) return;
  keeps_order_ = true;
  era_ ^= 1;
  DCHECK_EQ(asked_[era_], 0);
}

bool Keeper::KeepOrder(Connection& connection) {
  BeginOrder();
  if (asked_[era_ ^ 1] == 0) return true;
  wait_for_order_.push_back({.here = &connection});
  return false;
}

void Keeper::KeepOrder(uint32_t from, Message& request) {
  BeginOrder();
  wait_for_order_.push_back({.from = from, .messages = {request}});
  if (asked_[era_ ^ 1] == 0) TellOrdered();
}

void Keeper::NoteAnswered(uint8_t era) {
  const uint32_t index = era - 1U;
  DCHECK_GT(asked_[index], 0);
  if (--asked_[index] == 0 && index != era_) TellOrdered();
}

void Keeper::TellOrdered() {
  for (Waiter& waiter : std::exchange(wait_for_order_, {})) {
    if (waiter.here != nullptr) {
      waiter.here->TakeKeys();
      continue;
    }
    Message& reply = worker_.BeginAnswer(waiter.from, waiter.messages.front());
    reply.kind = Message::Kind::kPartDone;
    reply.MakeRoom(0);
  }
}

void Keeper::LetGo() {
  for (auto& [owner, waiter] : waiters_) {
    for (Message& message : waiter.messages) message.Drop();
  }
  waiters_.clear();
}

}  // namespace larder::server
