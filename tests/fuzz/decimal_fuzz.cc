// Fuzz target: any bytes, as a number. The standard library's from_chars is the oracle for what is
// a number, and writing and reading are each other's inverse.
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>

#include "util/bytes.h"
#include "util/check.h"

namespace larder::util {
namespace {

template <typename Integer>
std::optional<Integer> ReadByStandardLibrary(std::string_view text) {
  Integer value = 0;
  const char* end = text.data() + text.size();
  const auto [stopped_at, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc{} || stopped_at != end) {
    return std::nullopt;
  }
  return value;
}

void TestOneInput(std::string_view text) {
  // Leading zeros beyond the longest number are refused: no client writes them.
  const size_t digits = text.size() - (text.starts_with('-') ? 1 : 0);
  if (digits > kDecimalBytesMax) {
    CHECK(!ParseUint64(text) && !ParseInt64(text));
    return;
  }
  CHECK(ParseUint64(text) == ReadByStandardLibrary<uint64_t>(text));
  CHECK(ParseInt64(text) == ReadByStandardLibrary<int64_t>(text));

  uint64_t number = 0;
  std::memcpy(&number, text.data(), text.size() < sizeof(number) ? text.size() : sizeof(number));
  std::array<char, kDecimalBytesMax> out;
  const char* end = AppendDecimal(out.data(), number);
  CHECK(ParseUint64({out.data(), static_cast<size_t>(end - out.data())}) == number);
}

}  // namespace
}  // namespace larder::util

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size > 0) {
    larder::util::TestOneInput({reinterpret_cast<const char*>(data), size});
  }
  return 0;
}
