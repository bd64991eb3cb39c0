#include "protocol/detect.h"

#include <cstdint>
#include <string_view>

#include "protocol/binary_header.h"
#include "util/check.h"

namespace larder::protocol {

namespace {

bool IsBinary(ProtocolChoice choice, char first) {
  switch (choice) {
    case ProtocolChoice::kAuto:
      return static_cast<uint8_t>(first) == kBinaryRequestMagic;
    case ProtocolChoice::kText:
      return false;
    case ProtocolChoice::kBinary:
      return true;
  }
  CHECK(false);
}

constexpr char kRespArray = '*';

}  // namespace

AsksForPage DetectHttp(std::string_view bytes) {
  for (const std::string_view begin : {"GET /", "HEAD /"}) {
    if (bytes.starts_with(begin)) return AsksForPage::kYes;
    if (begin.starts_with(bytes)) return AsksForPage::kPerhaps;
  }
  return AsksForPage::kNo;
}

const Codec& Detect(ProtocolChoice choice, char first, Door door, Entrance entrance) {
  const bool locked = door == Door::kLocked;
  if (entrance == Entrance::kRespOnly || (choice == ProtocolChoice::kAuto && first == kRespArray)) {
    return CodecOf(locked ? Protocol::kLockedResp2 : Protocol::kResp2);
  }
  if (IsBinary(choice, first)) {
    return CodecOf(locked ? Protocol::kLockedBinary : Protocol::kBinary);
  }
  return CodecOf(locked ? Protocol::kLockedText : Protocol::kText);
}

}  // namespace larder::protocol
