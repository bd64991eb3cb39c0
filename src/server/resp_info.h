// What clients of Redis ask about the server: INFO, COMMAND, TIME.
#ifndef LARDER_SERVER_RESP_INFO_H_
#define LARDER_SERVER_RESP_INFO_H_

#include "server/resp_calls.h"

namespace larder::server {

void AnswerInfo(RespCall& call);
void AnswerCommand(RespCall& call);
void AnswerTime(RespCall& call);
void AnswerMemoryStats(RespCall& call);
void AnswerObjectHelp(RespCall& call);

}  // namespace larder::server

#endif  // LARDER_SERVER_RESP_INFO_H_
