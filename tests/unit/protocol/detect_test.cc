// Goal: the first byte of a connection tells its protocol, unless the server speaks only one.
#include "protocol/detect.h"

#include <gtest/gtest.h>

namespace larder::protocol {
namespace {

TEST(DetectTest, OnlyTheMagicIsBinary) {
  for (int byte = 0; byte < 256; ++byte) {
    const char first = static_cast<char>(byte);
    const auto detect = [first](ProtocolChoice choice, Door door) {
      return Detect(choice, first, door).protocol;
    };
    const bool is_magic = byte == 0x80;
    EXPECT_EQ(detect(ProtocolChoice::kAuto, Door::kOpen),
              is_magic ? Protocol::kBinary : Protocol::kText);
    EXPECT_EQ(detect(ProtocolChoice::kAuto, Door::kLocked),
              is_magic ? Protocol::kLockedBinary : Protocol::kLockedText);
    EXPECT_EQ(detect(ProtocolChoice::kText, Door::kOpen), Protocol::kText);
    EXPECT_EQ(detect(ProtocolChoice::kText, Door::kLocked), Protocol::kLockedText);
    EXPECT_EQ(detect(ProtocolChoice::kBinary, Door::kOpen), Protocol::kBinary);
    EXPECT_EQ(detect(ProtocolChoice::kBinary, Door::kLocked), Protocol::kLockedBinary);
  }
}

}  // namespace
}  // namespace larder::protocol
