// Commands of Redis that are done on all cores, piece by piece: SCAN, KEYS, FLUSHDB, CLIENT LIST
// and the like; and those with short answers.
#ifndef LARDER_SERVER_RESP_SERVER_H_
#define LARDER_SERVER_RESP_SERVER_H_

#include "server/resp_calls.h"
#include "server/transaction.h"

namespace larder::server {

// Is it one that goes through all of the cores? Then it is a transaction of its own.
[[nodiscard]] bool IsSearch(const Worker& worker, const Command& command);
// Adds it as a unit; what is wrong with it is the unit's text.
void AddSearch(RespCall& call, Transaction& transaction);

// FLUSHALL, and FLUSHDB while nobody has used another database.
Outcome ExecuteFlush(RespCall& call);
[[nodiscard]] bool IsFlush(const Worker& worker, protocol::RespCommand id);

// While nobody has used another database.
void AnswerDbsize(RespCall& call);
void AnswerSlowlog(RespCall& call);
void AnswerLatency(RespCall& call);
void AnswerSave(RespCall& call);

}  // namespace larder::server

#endif  // LARDER_SERVER_RESP_SERVER_H_
