// Which protocol a client speaks.
//
// Requests of the binary protocol begin with a byte that no line of text begins with, and those of
// RESP with an asterisk, which no command begins with; so the first byte of a connection tells, and
// holds for all of it. On a port of its own, RESP is spoken whatever comes.
#ifndef LARDER_PROTOCOL_DETECT_H_
#define LARDER_PROTOCOL_DETECT_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "larder/options.h"
#include "protocol/codec.h"

namespace larder::protocol {

// Does a client have to say who it is?
enum class Door : uint8_t { kOpen, kLocked };

// Does a connection that has sent `bytes` so far ask for a page over HTTP (GET or HEAD of a path)?
// kPerhaps: more of them will tell. No command of Memcached begins so.
enum class AsksForPage : uint8_t { kNo, kPerhaps, kYes };
inline constexpr size_t kHttpBeginBytesMax = 6;  // so many are enough
AsksForPage DetectHttp(std::string_view bytes);

// `first` is the connection's first byte; `choice`, what the server speaks; `entrance`, which port
// it came to.
const Codec& Detect(ProtocolChoice choice, char first, Door door,
                    Entrance entrance = Entrance::kAny);

}  // namespace larder::protocol

#endif  // LARDER_PROTOCOL_DETECT_H_
