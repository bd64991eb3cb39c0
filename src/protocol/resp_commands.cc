#include "protocol/resp_commands.h"

#include <array>
#include <cstddef>
#include <iterator>

namespace larder::protocol {

namespace {

constexpr std::array<RespCommandInfo, kRespCommandCount> kCommands = {{
#define RESP(id, name, arity, way, first, last, step, flags, group, since, summary) \
  {name, arity, RespWay::way, first, last, step, flags, group, since, summary},
#include "protocol/resp_commands.def"
#undef RESP
}};

constexpr RespSubcommandInfo kSubcommands[] = {
#define SUBCOMMAND(id, command, name, arity, way) \
  {RespCommand::k##command, name, arity, RespWay::way},
#include "protocol/resp_subcommands.def"
#undef SUBCOMMAND
};
static_assert(std::size(kSubcommands) == static_cast<size_t>(RespSubcommand::kNone));

constexpr size_t kNameBytesMax = 16;
constexpr size_t kBuckets = 256;

constexpr char LowerOf(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; }

// Of a name in lower case, 1…kNameBytesMax bytes.
constexpr size_t BucketOf(std::string_view name) {
  uint32_t hash = static_cast<uint32_t>(name.size());
  for (const char c : name) hash = hash * 31 + static_cast<uint8_t>(c);
  return (hash ^ (hash >> 8)) % kBuckets;
}

using Table = std::array<RespCommand, kBuckets>;

// Open addressing: a name is in its bucket, or in one of those behind it, before the first free
// one.
constexpr Table kTable = [] {
  Table table{};
  for (RespCommand& entry : table) entry = RespCommand::kUnknown;
  for (size_t id = 0; id < kCommands.size(); ++id) {
    size_t at = BucketOf(kCommands[id].name);
    while (table[at] != RespCommand::kUnknown) at = (at + 1) % kBuckets;
    table[at] = static_cast<RespCommand>(id);
  }
  return table;
}();

static_assert(kRespCommandCount < kBuckets / 2);

}  // namespace

std::span<const RespCommandInfo, kRespCommandCount> RespCommands() { return kCommands; }

RespCommand RespCommandOf(std::string_view name) {
  if (name.empty() || name.size() > kNameBytesMax) return RespCommand::kUnknown;
  std::array<char, kNameBytesMax> lower;
  for (size_t i = 0; i < name.size(); ++i) lower[i] = LowerOf(name[i]);
  const std::string_view wanted(lower.data(), name.size());
  for (size_t at = BucketOf(wanted); kTable[at] != RespCommand::kUnknown;
       at = (at + 1) % kBuckets) {
    if (InfoOf(kTable[at]).name == wanted) return kTable[at];
  }
  return RespCommand::kUnknown;
}

RespSubcommand RespSubcommandOf(RespCommand command, std::string_view name) {
  bool has_some = false;
  for (size_t id = 0; id < std::size(kSubcommands); ++id) {
    if (kSubcommands[id].command != command) continue;
    has_some = true;
    if (IsWord(name, kSubcommands[id].name)) return static_cast<RespSubcommand>(id);
  }
  return has_some ? RespSubcommand::kUnknown : RespSubcommand::kNone;
}

const RespSubcommandInfo& InfoOf(RespSubcommand subcommand) {
  return kSubcommands[static_cast<size_t>(subcommand)];
}

bool IsWord(std::string_view text, std::string_view lower) {
  if (text.size() != lower.size()) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    if (LowerOf(text[i]) != lower[i]) return false;
  }
  return true;
}

}  // namespace larder::protocol
