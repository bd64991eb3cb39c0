#include "ctl/json.h"

#include <array>
#include <cstdio>

namespace larder::ctl {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

size_t DigitsAt(std::string_view text, size_t at) {
  size_t end = at;
  while (end < text.size() && IsDigit(text[end])) ++end;
  return end - at;
}

// The grammar of RFC 8259, without exponents.
bool IsNumber(std::string_view text) {
  size_t at = text.starts_with('-') ? 1 : 0;
  const size_t whole = DigitsAt(text, at);
  if (whole == 0 || (whole > 1 && text[at] == '0')) return false;
  // Readers take numbers for doubles: a longer one would come out as another.
  constexpr size_t kExactDigits = 15;
  if (whole > kExactDigits) return false;
  at += whole;
  if (at == text.size()) return true;
  if (text[at] != '.') return false;
  const size_t fraction = DigitsAt(text, at + 1);
  return fraction > 0 && at + 1 + fraction == text.size();
}

// Bytes of the character that begins at `text`, or 0.
size_t CharacterBytes(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return 1;
  size_t size = 0;
  if (first >= 0xc2 && first <= 0xdf) size = 2;
  if (first >= 0xe0 && first <= 0xef) size = 3;
  if (first >= 0xf0 && first <= 0xf4) size = 4;
  if (size == 0 || text.size() < size) return 0;
  for (size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
  }
  // Overlong, a surrogate, or beyond the last character.
  if (first == 0xe0 && byte(1) < 0xa0) return 0;
  if (first == 0xed && byte(1) > 0x9f) return 0;
  if (first == 0xf0 && byte(1) < 0x90) return 0;
  if (first == 0xf4 && byte(1) > 0x8f) return 0;
  return size;
}

}  // namespace

bool IsUtf8(std::string_view bytes) {
  while (!bytes.empty()) {
    const size_t size = CharacterBytes(bytes);
    if (size == 0) return false;
    bytes.remove_prefix(size);
  }
  return true;
}

std::string JsonText(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      std::array<char, 8> escape{};
      (void)std::snprintf(escape.data(), escape.size(), "\\u%04x", static_cast<unsigned>(c));
      out += escape.data();
    } else {
      out += c;
    }
  }
  return out + "\"";
}

std::string JsonValue(std::string_view text) {
  return IsNumber(text) ? std::string(text) : JsonText(text);
}

void JsonObject::Add(std::string_view name, std::string_view json) {
  if (!members_.empty()) members_ += ", ";
  members_ += JsonText(name);
  members_ += ": ";
  members_ += json;
}

}  // namespace larder::ctl
