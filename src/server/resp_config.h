// CONFIG: what the server was told, under Redis' names, and what of it can change while it runs.
#ifndef LARDER_SERVER_RESP_CONFIG_H_
#define LARDER_SERVER_RESP_CONFIG_H_

#include <cstdint>

#include "server/resp_calls.h"

namespace larder::server {

// GET, and a SET that is wrong.
void AnswerConfig(RespCall& call);
// RESETSTAT, and a SET that is right: done on every core.
[[nodiscard]] bool ChangesConfig(const Worker& worker, const Command& command);
// Of such a SET: the new limit of all cores together, in bytes.
[[nodiscard]] uint64_t MemoryLimitIn(const RespCall& call);

}  // namespace larder::server

#endif  // LARDER_SERVER_RESP_CONFIG_H_
