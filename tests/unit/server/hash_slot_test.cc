// Goal: keys are in the slots that clients of a Redis cluster expect them in.
// Method: the check value of CRC16/XMODEM; slots that redis-server 7.0 told (CLUSTER KEYSLOT).
#include "server/hash_slot.h"

#include <gtest/gtest.h>

#include <string>

namespace larder::server {
namespace {

TEST(HashSlotTest, CrcIsXmodems) {
  EXPECT_EQ(Crc16("123456789"), 0x31C3);
  EXPECT_EQ(Crc16(""), 0);
  EXPECT_EQ(Crc16(std::string("\0", 1)), 0);
}

TEST(HashSlotTest, SlotsAreRedis) {
  EXPECT_EQ(HashSlotOf("foo"), 12182);
  EXPECT_EQ(HashSlotOf("bar"), 5061);
  EXPECT_EQ(HashSlotOf("hello"), 866);
  EXPECT_EQ(HashSlotOf(""), 0);
}

TEST(HashSlotTest, OnlyTheFirstTagCounts) {
  EXPECT_EQ(HashSlotOf("{foo}"), HashSlotOf("foo"));
  EXPECT_EQ(HashSlotOf("a{foo}b{bar}"), HashSlotOf("foo"));
  EXPECT_EQ(HashSlotOf("{{foo}}"), HashSlotOf("{foo"));
  // Empty or open: the whole key.
  EXPECT_EQ(HashSlotOf("{}foo"), Crc16("{}foo") % kHashSlots);
  EXPECT_EQ(HashSlotOf("{foo"), Crc16("{foo") % kHashSlots);
  EXPECT_EQ(HashSlotOf("foo}{"), Crc16("foo}{") % kHashSlots);
}

}  // namespace
}  // namespace larder::server
