// Commands of Redis with several keys, which may live on several cores.
#ifndef LARDER_SERVER_RESP_MANY_H_
#define LARDER_SERVER_RESP_MANY_H_

#include "larder/command.h"
#include "larder/outcome.h"

namespace larder::server {

class Connection;
class Worker;

[[nodiscard]] bool IsOfManyKeys(const Command& command);
// Could one be executed now?
[[nodiscard]] bool MayExecuteMany(const Worker& worker, const Connection& connection);
// Replies by itself: at once, or when the last core has done its part.
Outcome ExecuteMany(Worker& worker, Connection& connection, const Command& command);

}  // namespace larder::server

#endif  // LARDER_SERVER_RESP_MANY_H_
