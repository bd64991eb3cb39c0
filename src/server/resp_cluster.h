// A Redis cluster of one node, for clients that know nothing else: it has all slots, so it never
// sends a client elsewhere, and a command may name keys of several slots.
#ifndef LARDER_SERVER_RESP_CLUSTER_H_
#define LARDER_SERVER_RESP_CLUSTER_H_

#include <string>

#include "server/resp_calls.h"

namespace larder::server {

struct EmulatedCluster {
  std::string announced_host;  // empty: where the client came to
};

// CLUSTER; READONLY, READWRITE and ASKING, which change nothing. An error if there is no cluster.
void AnswerCluster(RespCall& call);

}  // namespace larder::server

#endif  // LARDER_SERVER_RESP_CLUSTER_H_
