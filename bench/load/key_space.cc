#include "bench/load/key_space.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

#include "bench/load/random.h"
#include "larder/command.h"
#include "util/check.h"

namespace larder::bench {

void AppendDecimal(uint64_t number, std::string& out) {
  std::array<char, 20> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number);
  out.append(digits.data(), end.ptr);
}

uint32_t KeySpace::KeySizeMin(uint32_t keys) {
  uint32_t digits = 1;
  for (uint32_t rest = keys - 1; rest >= 10; rest /= 10) ++digits;
  return digits + 1;
}

KeySpace::KeySpace(const Options& options) : options_(options) {
  CHECK_GT(options.keys, 0U);
  CHECK_GE(options.key_size, KeySizeMin(options.keys));
  CHECK_LE(options.key_size, kKeyBytesMax);
  CHECK_LE(options.value_size_min, options.value_size_max);
  key_template_ = "k" + std::string(options.key_size - 1, '0');
  filler_ = std::string(options.value_size_max, 'v');
}

uint32_t KeySpace::ValueSize(uint32_t number) const {
  const uint64_t sizes = uint64_t{options_.value_size_max} - options_.value_size_min + 1;
  if (sizes == 1) return options_.value_size_min;
  return options_.value_size_min + static_cast<uint32_t>(Mix(number + 1ULL) % sizes);
}

void KeySpace::WriteDigits(uint32_t number, char* end) const {
  for (; number > 0; number /= 10) *--end = static_cast<char>('0' + number % 10);
}

void KeySpace::AppendKey(uint32_t number, std::string& out) const {
  out.append(key_template_);
  WriteDigits(number, out.data() + out.size());
}

void KeySpace::AppendValue(uint32_t number, std::string& out) const {
  const uint32_t size = ValueSize(number);
  const size_t end = out.size() + size;
  AppendKey(number, out);
  if (size > options_.key_size) out.append(filler_, 0, size - options_.key_size);
  out.resize(end);
}

bool KeySpace::IsKey(uint32_t number, std::string_view bytes) const {
  std::array<char, kKeyBytesMax> key;
  std::memcpy(key.data(), key_template_.data(), options_.key_size);
  WriteDigits(number, key.data() + options_.key_size);
  return bytes == std::string_view(key.data(), options_.key_size);
}

bool KeySpace::IsValue(uint32_t number, std::string_view bytes) const {
  if (bytes.size() != ValueSize(number)) return false;
  std::array<char, kKeyBytesMax> key;
  std::memcpy(key.data(), key_template_.data(), options_.key_size);
  WriteDigits(number, key.data() + options_.key_size);
  const size_t head = std::min<size_t>(bytes.size(), options_.key_size);
  if (std::memcmp(bytes.data(), key.data(), head) != 0) return false;
  return std::memcmp(bytes.data() + head, filler_.data(), bytes.size() - head) == 0;
}

}  // namespace larder::bench
