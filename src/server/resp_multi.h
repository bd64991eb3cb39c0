// MULTI, EXEC, DISCARD, WATCH and UNWATCH: commands that wait to be executed as one.
#ifndef LARDER_SERVER_RESP_MULTI_H_
#define LARDER_SERVER_RESP_MULTI_H_

#include <cstdint>
#include <string>
#include <vector>

#include "server/resp_calls.h"
#include "server/transaction.h"

namespace larder::server {

// What a client has said since MULTI, and what it watches.
struct RespQueue {
  struct Queued {
    protocol::RespCommand id;
    protocol::RespSubcommand subcommand;
    size_t count;
    std::string arguments;
  };
  bool open = false;   // MULTI has been said
  bool wrong = false;  // something that was queued is no command
  uint64_t bytes = 0;
  std::vector<Queued> commands;
  std::vector<WatchedKey> watched;
};

// Is the command kept for EXEC, if MULTI has been said?
[[nodiscard]] bool IsQueued(protocol::RespCommand id);
void AnswerQueued(RespCall& call);
void AnswerMulti(RespCall& call);
void AnswerDiscard(RespCall& call);
void AnswerUnwatch(RespCall& call);
// Replies by itself, unless it answers with a text.
Outcome ExecuteExec(RespCall& call);
Outcome ExecuteWatch(RespCall& call);

}  // namespace larder::server

#endif  // LARDER_SERVER_RESP_MULTI_H_
