// Memcached's meta commands: Outcome to bytes.
//
//     "VA " size *( " " flag ) "\r\n" value "\r\n"     a value was asked for with v, and is there
//     code *( " " flag ) "\r\n"                        HD done, EN or NF no item, NS not stored, EX
//                                                      another unique
//
// The flags that were asked for come back in the order in which they were asked for, and behind
// them those that tell of a stale item: Z, X, W. All but O, k and b are left out where there is no
// item. With q, the answer that is expected is left out: EN of mg, HD of ms, HD and NF of md, HD,
// VA and NF of ma.
//
// What goes wrong is told in the words of the text protocol.
#ifndef LARDER_PROTOCOL_META_ENCODER_H_
#define LARDER_PROTOCOL_META_ENCODER_H_

#include <cstddef>

#include "larder/command.h"
#include "larder/outcome.h"

namespace larder::protocol {

// Is it a meta command's, and an answer that has a code there?
inline bool IsMetaAnswer(const Command& command, const Outcome& outcome) {
  if (command.extras == nullptr || command.verb == Verb::kRejected) return false;
  switch (outcome.status) {
    case Status::kHit:
    case Status::kMiss:
    case Status::kStored:
    case Status::kNotStored:
    case Status::kExists:
    case Status::kNotFound:
    case Status::kDeleted:
    case Status::kNumber:
      return true;
    default:
      return false;
  }
}

size_t EncodedMetaBytesMax(const Command& command, const Outcome& outcome);
char* EncodeMeta(const Command& command, const Outcome& outcome, char* out);
// The parts of a hit's reply around its value.
char* EncodeMetaHead(const Command& command, const Outcome& outcome, char* out);
char* EncodeMetaTail(char* out);

}  // namespace larder::protocol

#endif  // LARDER_PROTOCOL_META_ENCODER_H_
