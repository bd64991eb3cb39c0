// Which of the 16384 slots of a Redis cluster a key is in: CRC16 (XMODEM: polynomial 0x1021, from
// 0) of the key, or of what is between its first "{" and the "}" behind that, if there is anything.
#ifndef LARDER_SERVER_HASH_SLOT_H_
#define LARDER_SERVER_HASH_SLOT_H_

#include <cstdint>
#include <string_view>

namespace larder::server {

inline constexpr uint16_t kHashSlots = 16384;

uint16_t Crc16(std::string_view bytes);
uint16_t HashSlotOf(std::string_view key);

}  // namespace larder::server

#endif  // LARDER_SERVER_HASH_SLOT_H_
