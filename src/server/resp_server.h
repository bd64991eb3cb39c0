// Commands of Redis about all keys, and about the server: SCAN, KEYS, FLUSHDB, CONFIG and the like.
#ifndef LARDER_SERVER_RESP_SERVER_H_
#define LARDER_SERVER_RESP_SERVER_H_

#include "server/resp_calls.h"
#include "server/transaction.h"

namespace larder::server {

// Is it one that looks through keys? Then it is a transaction of its own.
[[nodiscard]] bool IsSearch(const Worker& worker, protocol::RespCommand id);
// Adds it as a unit; what is wrong with it is the unit's text.
void AddSearch(RespCall& call, Transaction& transaction);

// FLUSHALL, and FLUSHDB while nobody has used another database.
Outcome ExecuteFlush(RespCall& call);
[[nodiscard]] bool IsFlush(const Worker& worker, protocol::RespCommand id);

// While nobody has used another database.
void AnswerDbsize(RespCall& call);
void AnswerConfig(RespCall& call);
void AnswerSlowlog(RespCall& call);
void AnswerLatency(RespCall& call);
void AnswerSave(RespCall& call);

}  // namespace larder::server

#endif  // LARDER_SERVER_RESP_SERVER_H_
