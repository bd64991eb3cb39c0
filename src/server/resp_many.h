// Commands of Redis with several keys, which may live on several cores.
#ifndef LARDER_SERVER_RESP_MANY_H_
#define LARDER_SERVER_RESP_MANY_H_

#include "larder/command.h"
#include "larder/outcome.h"

namespace larder::server {

class Connection;
class Transaction;
class Worker;

[[nodiscard]] bool IsOfManyKeys(const Command& command);
// Replies by itself: at once, or when the last core has done its part.
Outcome ExecuteMany(Worker& worker, Connection& connection, const Command& command);
// Adds it as a unit of a transaction; what is wrong with it is the unit's text.
void AddMany(Worker& worker, Connection& connection, const Command& command,
             Transaction& transaction);

}  // namespace larder::server

#endif  // LARDER_SERVER_RESP_MANY_H_
