#include "server/hash_slot.h"

namespace larder::server {

uint16_t Crc16(std::string_view bytes) {
  constexpr uint16_t kPolynomial = 0x1021;
  uint16_t crc = 0;
  for (const char c : bytes) {
    crc = static_cast<uint16_t>(crc ^ static_cast<uint8_t>(c) << 8);
    for (int bit = 0; bit < 8; ++bit) {
      const auto shifted = static_cast<uint16_t>(crc << 1);
      crc = (crc & 0x8000) != 0 ? static_cast<uint16_t>(shifted ^ kPolynomial) : shifted;
    }
  }
  return crc;
}

uint16_t HashSlotOf(std::string_view key) {
  const size_t open = key.find('{');
  if (open != std::string_view::npos) {
    const size_t close = key.find('}', open + 1);
    if (close != std::string_view::npos && close > open + 1) {
      key = key.substr(open + 1, close - open - 1);
    }
  }
  return Crc16(key) % kHashSlots;
}

}  // namespace larder::server
