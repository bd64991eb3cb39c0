// From the arguments of a RESP request to a Command: which verb, which key, which options.
#ifndef LARDER_PROTOCOL_RESP_REQUESTS_H_
#define LARDER_PROTOCOL_RESP_REQUESTS_H_

#include <array>
#include <cstddef>
#include <string_view>

#include "protocol/parser.h"
#include "protocol/resp_commands.h"

namespace larder::protocol {

// A request that has come whole.
struct RespRequest {
  // As many as any command with one key has, and one more.
  static constexpr size_t kWordsMax = 16;

  std::string_view raw;                           // all arguments, as they came
  size_t count = 0;                               // of them, with the command's name; at least 1
  std::array<std::string_view, kWordsMax> words;  // the first ones
  RespSubcommand subcommand = RespSubcommand::kNone;
};

// Fills in command, state and close of `parsed`, whose `consumed` is set.
void BuildRespCommand(const RespRequest& request, RespCommand id, const Resume& resume,
                      ParserSpace& space, Parsed& parsed);

// In Extras::opaque of GETEX: the rest is the refusal of a time that is wrong, if there is a value.
inline constexpr uint32_t kRefusesHit = 1u << 31;

// Which command a Verb::kCall is.
inline uint64_t PackRespCall(RespCommand command, RespSubcommand subcommand) {
  return static_cast<uint64_t>(command) | static_cast<uint64_t>(subcommand) << 8;
}
inline RespCommand RespCommandIn(const Command& call) {
  return static_cast<RespCommand>(call.number & 0xff);
}
inline RespSubcommand RespSubcommandIn(const Command& call) {
  return static_cast<RespSubcommand>((call.number >> 8) & 0xff);
}

}  // namespace larder::protocol

#endif  // LARDER_PROTOCOL_RESP_REQUESTS_H_
