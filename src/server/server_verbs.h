// The verbs that name no key: all cores have a part in them, or none.
#ifndef LARDER_SERVER_SERVER_VERBS_H_
#define LARDER_SERVER_SERVER_VERBS_H_

#include "larder/command.h"
#include "larder/outcome.h"

namespace larder::server {

class Connection;
class Worker;

// Could it be executed now? A verb of all cores needs room in every mailbox; a listing needs that
// nothing before it is pending.
bool MayExecuteServerVerb(const Worker& worker, const Connection& connection,
                          const Command& command);

// Executes `command` for `connection`. kParked and kStreaming: the connection has been told how the
// reply will come. A text in the outcome's value is valid until the next call.
Outcome ExecuteServerVerb(Worker& worker, Connection& connection, const Command& command);

}  // namespace larder::server

#endif  // LARDER_SERVER_SERVER_VERBS_H_
