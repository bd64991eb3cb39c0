// Goal: the first byte of a connection tells its protocol, unless the server speaks only one.
#include "protocol/detect.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace larder::protocol {
namespace {

TEST(DetectTest, TheFirstByteTells) {
  for (int byte = 0; byte < 256; ++byte) {
    const char first = static_cast<char>(byte);
    const auto detect = [first](ProtocolChoice choice, Door door) {
      return Detect(choice, first, door).protocol;
    };
    const bool is_magic = byte == 0x80;
    const bool is_array = first == '*';
    EXPECT_EQ(detect(ProtocolChoice::kAuto, Door::kOpen), is_magic   ? Protocol::kBinary
                                                          : is_array ? Protocol::kResp2
                                                                     : Protocol::kText);
    EXPECT_EQ(detect(ProtocolChoice::kAuto, Door::kLocked), is_magic   ? Protocol::kLockedBinary
                                                            : is_array ? Protocol::kLockedResp2
                                                                       : Protocol::kLockedText);
    EXPECT_EQ(detect(ProtocolChoice::kText, Door::kOpen), Protocol::kText);
    EXPECT_EQ(detect(ProtocolChoice::kText, Door::kLocked), Protocol::kLockedText);
    EXPECT_EQ(detect(ProtocolChoice::kBinary, Door::kOpen), Protocol::kBinary);
    EXPECT_EQ(detect(ProtocolChoice::kBinary, Door::kLocked), Protocol::kLockedBinary);
    EXPECT_EQ(Detect(ProtocolChoice::kBinary, first, Door::kOpen, Entrance::kRespOnly).protocol,
              Protocol::kResp2);
    EXPECT_EQ(Detect(ProtocolChoice::kAuto, first, Door::kLocked, Entrance::kRespOnly).protocol,
              Protocol::kLockedResp2);
  }
}

TEST(DetectHttpTest, AsSoonAsItIsSure) {
  for (const std::string_view begin : {"GET /", "HEAD /"}) {
    for (size_t bytes = 0; bytes < begin.size(); ++bytes) {
      EXPECT_EQ(DetectHttp(begin.substr(0, bytes)), AsksForPage::kPerhaps) << bytes;
      const std::string other = std::string(begin.substr(0, bytes)) + '?';
      EXPECT_EQ(DetectHttp(other), AsksForPage::kNo) << other;
    }
    EXPECT_EQ(DetectHttp(begin), AsksForPage::kYes);
    EXPECT_EQ(DetectHttp(std::string(begin) + "metrics HTTP/1.1\r\n"), AsksForPage::kYes);
  }
  for (const std::string_view other :
       {"get /", "GET k", "GET\r\n", "POST /", "gets k", "\x80", "*1"}) {
    EXPECT_EQ(DetectHttp(other), AsksForPage::kNo) << other;
  }
}

}  // namespace
}  // namespace larder::protocol
