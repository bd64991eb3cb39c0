// DEBUG, for who has switched it on: nothing of it stops a core, or the server.
#ifndef LARDER_SERVER_DEBUG_H_
#define LARDER_SERVER_DEBUG_H_

#include <string_view>

#include "server/resp_calls.h"
#include "server/transaction.h"

namespace larder::server {

// Everything but POPULATE.
void AnswerDebug(RespCall& call);
// DEBUG POPULATE count [prefix [size]]; an error, or none. `call.arguments` are behind POPULATE.
std::string_view AddPopulate(RespCall& call, Transaction& transaction);

}  // namespace larder::server

#endif  // LARDER_SERVER_DEBUG_H_
