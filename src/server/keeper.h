// Keeps keys of one core for transactions, and what comes for these keys meanwhile.
//
//   message for a kept key ──► waits here ──► granted ──► executed and answered
//   message of the same client ──► behind it
//   command of a client of this core ──► Connection::Stop, and again when keys are given up
//
// Replies to messages that waited are answers like any others: their asker has kept a place for
// them.
#ifndef LARDER_SERVER_KEEPER_H_
#define LARDER_SERVER_KEEPER_H_

#include <absl/container/flat_hash_map.h>

#include <cstdint>
#include <deque>
#include <span>
#include <vector>

#include "larder/clock.h"
#include "server/intents.h"
#include "server/message.h"

namespace larder::server {

class Worker;

class Keeper {
 public:
  explicit Keeper(Worker& worker) : worker_(worker) {}

  // Does the key belong to a transaction?
  [[nodiscard]] bool IsKept(uint64_t hash) const {
    return !intents_.empty() && intents_.IsKept(hash);
  }
  [[nodiscard]] bool empty() const { return intents_.empty(); }
  // A client of this core has a command for a kept key; it has its turn when keys are given up.
  void AddStopped(Connection& connection) { stopped_.push_back(&connection); }
  void Forget(Connection& connection) { std::erase(stopped_, &connection); }

  // Takes a command of another core over if it has to wait.
  [[nodiscard]] bool TakeCommand(uint32_t from, Message& request) {
    return !intents_.empty() && TakeWaiting(from, request);
  }
  // Does what a part says, now or when its keys are granted; answers then.
  void TakePart(uint32_t from, Message& request);

  // For the transaction of a client of this core. True if the keys are granted at once; else the
  // connection is told.
  [[nodiscard]] bool Acquire(Connection& connection, std::span<const uint64_t> hashes);
  void Release(Connection& connection);

  // From now on, the commands of a RESP client are executed in their order, whatever cores they are
  // of. True if those that were asked for before have been answered; else the connection is told.
  [[nodiscard]] bool KeepOrder(Connection& connection);
  // The same for another core, which is answered then.
  void KeepOrder(uint32_t from, Message& request);
  [[nodiscard]] bool keeps_order() const { return keeps_order_; }
  // A transaction of a client of this core needs that all cores keep order: until LeaveOrder, and
  // some time longer, as the next one will.
  void JoinOrder();
  void LeaveOrder();
  // Once a second: stops what nobody needs any more.
  void Tick();
  // A RESP command is asked of another core; and has been answered. What is returned goes with it.
  [[nodiscard]] uint8_t NoteAsked() {
    ++asked_[era_];
    return static_cast<uint8_t>(era_ + 1);
  }
  void NoteAnswered(uint8_t era);

  // No turn comes any more: gives up the messages.
  void LetGo();

 private:
  // Who waits, or holds keys: a transaction, or the commands of a client of another core.
  struct Waiter {
    Connection* here = nullptr;  // of this core; or
    uint32_t from = 0;           // another one's
    std::deque<Message> messages = {};
  };
  using Owner = Intents::Owner;

  bool TakeWaiting(uint32_t from, Message& request);
  void AnswerPart(uint32_t from, Message& request);
  void ReleaseOwner(Owner owner);
  void Serve(Owner owner);
  void BeginOrder();
  void TellOrdered();

  Worker& worker_;
  Intents intents_;
  absl::flat_hash_map<Owner, Waiter> waiters_;
  std::vector<Connection*> stopped_;
  std::vector<Owner> granted_;
  bool serving_ = false;
  bool keeps_order_ = false;
  // Of keeping order, another era begins; by then, all that was asked in the one before the last
  // has been answered, so two are told apart by one bit.
  uint32_t era_ = 0;
  uint32_t asked_[2] = {0, 0};  // unanswered commands
  std::vector<Waiter> wait_for_order_;
  bool joined_ = false;
  uint32_t relying_ = 0;  // transactions
  CacheSeconds relied_at_ = 0;
};

}  // namespace larder::server

#endif  // LARDER_SERVER_KEEPER_H_
