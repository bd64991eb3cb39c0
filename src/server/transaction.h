// Commands with one key each that are executed together, on the cores that own their keys, and
// answered together.
//
//   Add* ──► Start ──► part of this core
//                └──► mailbox ──► parts of others ──► TakePart* ──► done: Reply
//
// A connection has one while it waits for other cores, and executes no later command before its
// end.
#ifndef LARDER_SERVER_TRANSACTION_H_
#define LARDER_SERVER_TRANSACTION_H_

#include <cstdint>
#include <string>
#include <vector>

#include "larder/command.h"
#include "protocol/codec.h"
#include "server/errands.h"

namespace larder::server {

class Connection;
class Worker;

class Transaction {
 public:
  // What becomes of the replies.
  enum class Join : uint8_t {
    kList,  // an array of them
    kSum,   // all are numbers
    kOk,    // the first that is an error, or OK
  };

  Transaction(Worker& worker, Errands& errands, protocol::Protocol protocol, Join join);

  // A command with its hash.
  void Add(const Command& command);
  // Executes what is ours, and asks the others. There is room in their mailboxes.
  void Start();
  // An answer of another core.
  void TakePart(const Message& message);
  [[nodiscard]] bool done() const { return waits_ == 0; }
  [[nodiscard]] std::string Reply() const;

  // Executes the commands of `part`, and appends their replies, encoded as `protocol` has it.
  static void ExecutePart(Worker& worker, const Connection& client, std::string_view part,
                          protocol::Protocol protocol, std::string& replies);

 private:
  void TakeReplies(std::string_view replies);

  Worker& worker_;
  Errands& errands_;
  const protocol::Protocol protocol_;
  const Join join_;
  std::vector<std::string> parts_;  // by core
  std::vector<std::string> replies_;
  uint32_t commands_ = 0;
  uint32_t waits_ = 0;
};

}  // namespace larder::server

#endif  // LARDER_SERVER_TRANSACTION_H_
