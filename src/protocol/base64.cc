#include "protocol/base64.h"

#include <array>
#include <cstdint>

namespace larder::protocol {
namespace {

constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr uint8_t kNone = 0xff;

constexpr std::array<uint8_t, 256> kDigits = [] {
  std::array<uint8_t, 256> digits{};
  digits.fill(kNone);
  for (size_t i = 0; i < kAlphabet.size(); ++i) {
    digits[static_cast<uint8_t>(kAlphabet[i])] = static_cast<uint8_t>(i);
  }
  return digits;
}();

}  // namespace

char* AppendBase64(char* out, std::string_view bytes) {
  for (size_t at = 0; at < bytes.size(); at += 3) {
    const size_t count = bytes.size() - at < 3 ? bytes.size() - at : 3;
    uint32_t group = 0;
    for (size_t i = 0; i < 3; ++i) {
      group = group << 8 | (i < count ? static_cast<uint8_t>(bytes[at + i]) : 0U);
    }
    for (size_t i = 0; i < 4; ++i) {
      *out++ = i <= count ? kAlphabet[group >> (18 - 6 * i) & 63] : '=';
    }
  }
  return out;
}

char* DecodeBase64(std::string_view text, char* out) {
  if (text.empty() || text.size() % 4 != 0) return nullptr;
  const size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  const size_t digits = text.size() - padding;
  uint32_t group = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const uint8_t digit = i < digits ? kDigits[static_cast<uint8_t>(text[i])] : uint8_t{0};
    if (digit == kNone) return nullptr;
    group = group << 6 | digit;
    if (i % 4 != 3) continue;
    const size_t count = i + 1 == text.size() ? 3 - padding : 3;
    for (size_t byte = 0; byte < count; ++byte) {
      *out++ = static_cast<char>(group >> (16 - 8 * byte) & 0xff);
    }
    group = 0;
  }
  return out;
}

}  // namespace larder::protocol
