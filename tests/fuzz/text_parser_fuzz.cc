// Fuzz target: any bytes, as one client's input of classic text and meta commands, of one who is in
// and of one who has to say who it is.
//
// Held against: no crash and no read out of bounds; results in their bounds (CheckResult);
// progress; the same commands however the bytes are cut; the prefix rule from every place in a
// line; replies within the announced size. Where to cut is drawn from the bytes themselves, so that
// an input replays.
#include <array>
#include <cstddef>
#include <cstdint>
#include <random>
#include <string_view>

#include "fuzz/parser_properties.h"
#include "larder/command.h"
#include "protocol/codec.h"
#include "protocol/parser.h"

namespace larder::protocol::testing {
namespace {

constexpr ParserLimits kLimits = {.item_bytes_max = 1000};

void TestCodec(const Codec& codec, std::string_view bytes) {
  std::minstd_rand random(static_cast<uint32_t>(SeedOf(bytes)));

  CheckConnection(codec, bytes, kLimits, random);
  if (bytes.empty()) {
    return;
  }
  const std::array<Resume, 5> places = {{{},
                                         {Resume::At::kLineStart, Verb::kRejected, 0},
                                         {Resume::At::kKeys, Verb::kGet, 0},
                                         {Resume::At::kKeys, Verb::kGats, -7},
                                         {Resume::At::kSkipLine, Verb::kRejected, 0}}};
  for (const Resume& resume : places) {
    CheckPrefix(codec, bytes, 1 + random() % bytes.size(), resume, kLimits);
  }
}

void TestOneInput(std::string_view bytes) {
  TestCodec(CodecOf(Protocol::kText), bytes);
  TestCodec(CodecOf(Protocol::kLockedText), bytes);
}

}  // namespace
}  // namespace larder::protocol::testing

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  larder::protocol::testing::TestOneInput({reinterpret_cast<const char*>(data), size});
  return 0;
}
