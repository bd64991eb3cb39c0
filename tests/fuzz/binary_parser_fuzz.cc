// Fuzz target: any bytes, as one client's input in the binary protocol, before and after it has
// said who it is.
//
// Held against: no crash and no read out of bounds; results in their bounds (CheckResult);
// progress; the same commands however the bytes are cut; the prefix rule; replies within the
// announced size.
#include <cstddef>
#include <cstdint>
#include <random>
#include <string_view>

#include "fuzz/parser_properties.h"
#include "protocol/codec.h"
#include "protocol/parser.h"

namespace larder::protocol::testing {
namespace {

constexpr ParserLimits kLimits = {.item_bytes_max = 1000};

void TestOneInput(std::string_view bytes) {
  std::minstd_rand random(SeedOf(bytes));
  for (const Protocol protocol : {Protocol::kBinary, Protocol::kLockedBinary}) {
    const Codec& codec = CodecOf(protocol);
    CheckConnection(codec, bytes, kLimits, random);
    if (!bytes.empty()) {
      CheckPrefix(codec, bytes, 1 + random() % bytes.size(), Resume{}, kLimits);
    }
  }
}

}  // namespace
}  // namespace larder::protocol::testing

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  larder::protocol::testing::TestOneInput({reinterpret_cast<const char*>(data), size});
  return 0;
}
