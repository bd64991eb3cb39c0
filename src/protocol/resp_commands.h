// The commands of Redis that are understood: names, and what the parser and COMMAND must know of
// each. All of it comes from resp_commands.def, and resp_subcommands.def for those of two words.
#ifndef LARDER_PROTOCOL_RESP_COMMANDS_H_
#define LARDER_PROTOCOL_RESP_COMMANDS_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace larder::protocol {

enum class RespCommand : uint8_t {
#define RESP(id, ...) k##id,
#include "protocol/resp_commands.def"
#undef RESP
  kUnknown,
};

inline constexpr size_t kRespCommandCount = static_cast<size_t>(RespCommand::kUnknown);

// The second word of a command of two words.
enum class RespSubcommand : uint8_t {
#define SUBCOMMAND(id, ...) k##id,
#include "protocol/resp_subcommands.def"
#undef SUBCOMMAND
  kNone,     // the command has no second word
  kUnknown,  // and this is none of its
};

// How a command is executed.
enum class RespWay : uint8_t {
  kItem,   // one key: a verb of the engine, on the core that owns it
  kItems,  // several keys; with one, as kItem where that means the same
  kCall,   // Verb::kCall, on the client's core
  kFirst,  // the same, before the next bytes are parsed: it may change what they mean
};

struct RespCommandInfo {
  std::string_view name;  // lower case
  int32_t arity;          // arguments with the name; negative: at least so many
  RespWay way;
  int32_t first_key;
  int32_t last_key;  // negative: from the end
  int32_t key_step;
  std::string_view flags;
  std::string_view group;
  std::string_view since;
  std::string_view summary;
};

struct RespSubcommandInfo {
  RespCommand command;
  std::string_view name;  // lower case
  int32_t arity;          // arguments with both names
  RespWay way;
};

// May there be so many arguments?
inline bool Takes(int32_t arity, size_t arguments) {
  const auto wanted = static_cast<size_t>(arity < 0 ? -arity : arity);
  return arity < 0 ? arguments >= wanted : arguments == wanted;
}

// By id.
std::span<const RespCommandInfo, kRespCommandCount> RespCommands();
inline const RespCommandInfo& InfoOf(RespCommand command) {
  return RespCommands()[static_cast<size_t>(command)];
}

// The command of that name, in any case of letters; kUnknown if there is none.
RespCommand RespCommandOf(std::string_view name);

// Of which the second word is `name`, in any case of letters; kNone if the command takes any.
RespSubcommand RespSubcommandOf(RespCommand command, std::string_view name);
// Of one that is known.
const RespSubcommandInfo& InfoOf(RespSubcommand subcommand);

// Are they the same but for the case of letters? `lower` has none in upper case.
bool IsWord(std::string_view text, std::string_view lower);

}  // namespace larder::protocol

#endif  // LARDER_PROTOCOL_RESP_COMMANDS_H_
