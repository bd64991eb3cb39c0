// What a command counts as among the request times (stats/request_times.h).
#ifndef LARDER_SERVER_REQUEST_KIND_H_
#define LARDER_SERVER_REQUEST_KIND_H_

#include "larder/command.h"
#include "protocol/codec.h"
#include "stats/request_times.h"

namespace larder::server {

// Of a command from a client that speaks `protocol`. Three compares.
inline stats::RequestKind RequestKindOf(const Command& command, protocol::Protocol protocol) {
  using protocol::Protocol;
  using stats::Dialect;
  if (protocol == Protocol::kBinary || protocol == Protocol::kLockedBinary) {
    return {Dialect::kBinary, command.verb};
  }
  const bool meta = command.extras != nullptr && command.extras->spelling == Spelling::kMeta;
  return {meta ? Dialect::kMeta : Dialect::kText, command.verb};
}

}  // namespace larder::server

#endif  // LARDER_SERVER_REQUEST_KIND_H_
