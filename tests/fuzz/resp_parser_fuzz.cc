// Fuzz target: any bytes, as one client's input of RESP, of one who is in and of one who has to say
// who it is.
//
// Held against: no crash and no read out of bounds; results in their bounds (CheckResult);
// progress; the same commands however the bytes are cut; the prefix rule from every place, and
// whatever the client has chosen; a request that is given up ends where it would have ended;
// replies within the announced size. Where to cut is drawn from the bytes themselves, so that an
// input replays.
#include <array>
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

using At = Resume::At;
using Mute = Resume::Mute;
constexpr std::array<Resume, 5> kPlaces = {
    {{},
     {.at = At::kLineStart, .database = 3},
     {.at = At::kLineStart, .queueing = true, .mute = Mute::kAll},
     {.at = At::kLineStart, .database = 255, .mute = Mute::kNext},
     {.at = At::kSkipArguments, .arguments_left = 3}}};

void TestCodec(const Codec& codec, std::string_view bytes) {
  std::minstd_rand random(SeedOf(bytes));
  CheckConnection(codec, bytes, kLimits, random, kPlaces[random() % kPlaces.size()]);
  if (bytes.empty()) return;
  for (const Resume& place : kPlaces) {
    CheckPrefix(codec, bytes, 1 + random() % bytes.size(), place, kLimits);
  }
}

void TestOneInput(std::string_view bytes) {
  TestCodec(CodecOf(Protocol::kResp2), bytes);
  TestCodec(CodecOf(Protocol::kResp3), bytes);
  TestCodec(CodecOf(Protocol::kLockedResp2), bytes);
}

}  // namespace
}  // namespace larder::protocol::testing

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  larder::protocol::testing::TestOneInput({reinterpret_cast<const char*>(data), size});
  return 0;
}
