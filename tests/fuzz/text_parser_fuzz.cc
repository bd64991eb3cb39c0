// Fuzz target: any bytes, as one client's input in the classic text protocol.
//
// Held against: no crash and no read out of bounds; results in their bounds (CheckResult);
// progress; the same commands however the bytes are cut; the prefix rule from every place in a
// line; replies within the announced size. Where to cut is drawn from the bytes themselves, so that
// an input replays.
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <random>
#include <string_view>

#include "fuzz/parser_properties.h"
#include "larder/command.h"
#include "larder/outcome.h"
#include "protocol/codec.h"
#include "protocol/parser.h"
#include "util/check.h"

namespace larder::protocol::testing {
namespace {

constexpr ParserLimits kLimits = {.item_bytes_max = 1000};

uint64_t SeedOf(std::string_view bytes) {
  uint64_t seed = bytes.size();
  for (const char byte : bytes) {
    seed = seed * 0x9e3779b97f4a7c15 + static_cast<uint8_t>(byte);
  }
  return seed;
}

void CheckReply(const Codec& codec, const OwnedCommand& owned) {
  Command command = owned.command;
  command.key = owned.key;
  const Outcome hit = {
      .status = Status::kHit, .client_flags = ~0U, .cas = ~0ULL, .value = owned.value};
  const size_t bytes_max = codec.encoded_bytes_max(command, hit);
  const auto block = std::make_unique<char[]>(bytes_max);
  const char* end = codec.encode(command, hit, block.get());
  CHECK_LE(static_cast<size_t>(end - block.get()), bytes_max);
}

void TestOneInput(std::string_view bytes) {
  const Codec& codec = CodecOf(Protocol::kText);
  std::minstd_rand random(static_cast<uint32_t>(SeedOf(bytes)));

  Client whole(codec, kLimits);
  whole.Receive(bytes);
  Client cut(codec, kLimits);
  const uint64_t longest = 1 + random() % (1 + bytes.size());
  for (size_t at = 0; at < bytes.size();) {
    const std::string_view piece = bytes.substr(at, 1 + random() % longest);
    cut.Receive(piece);
    at += piece.size();
  }
  CHECK(whole == cut);
  for (const OwnedCommand& command : whole.commands()) {
    CheckReply(codec, command);
  }

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

}  // namespace
}  // namespace larder::protocol::testing

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  larder::protocol::testing::TestOneInput({reinterpret_cast<const char*>(data), size});
  return 0;
}
