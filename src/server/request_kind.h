// What a command counts as among the request times (stats/request_times.h).
#ifndef LARDER_SERVER_REQUEST_KIND_H_
#define LARDER_SERVER_REQUEST_KIND_H_

#include "larder/command.h"
#include "protocol/codec.h"
#include "stats/request_times.h"

namespace larder::server {

// Of a command from a client that speaks `protocol`.
inline stats::RequestKind RequestKindOf(const Command& command, protocol::Protocol protocol) {
  using protocol::Protocol;
  using stats::Dialect;
  switch (protocol) {
    case Protocol::kText:
    case Protocol::kLockedText: {
      const bool meta = command.extras != nullptr && command.extras->spelling == Spelling::kMeta;
      return {meta ? Dialect::kMeta : Dialect::kText, command.verb};
    }
    case Protocol::kBinary:
    case Protocol::kLockedBinary:
      return {Dialect::kBinary, command.verb};
    case Protocol::kResp2:
    case Protocol::kLockedResp2:
    case Protocol::kResp3:
      break;
  }
  return {Dialect::kResp, command.verb};
}

}  // namespace larder::server

#endif  // LARDER_SERVER_REQUEST_KIND_H_
