// What can be wrong with a RESP request: of a command that is kRejected as kRefused, in its number.
#ifndef LARDER_PROTOCOL_RESP_ERRORS_H_
#define LARDER_PROTOCOL_RESP_ERRORS_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "protocol/resp_commands.h"

namespace larder::protocol {

enum class RespError : uint8_t {
  // The connection closes after these.
  kMultibulkLength,
  kBulkLength,
  kNoBulk,  // `byte` came instead of a "$"
  kLongLine,
  kQuotes,
  kStrangerMultibulk,
  kStrangerBulk,
  // After these it goes on.
  kArity,            // of `command`
  kSubcommand,       // of `command`; Command::value is none of its
  kSubcommandArity,  // of `subcommand`
  kExpireTime,       // of `command`
  kSyntax,
  kNotInteger,
  kOffset,
  kDecrement,
  kLongKey,
  kNxAndOthers,
  kGtAndLt,
  kOption,  // that Command::value has is none
  kNoAuth,
};

// As a number, and back.
struct RespRefusal {
  RespError error = RespError::kSyntax;
  RespCommand command = RespCommand::kUnknown;
  uint8_t byte = 0;
  RespSubcommand subcommand = RespSubcommand::kNone;

  [[nodiscard]] uint64_t Pack() const {
    return static_cast<uint64_t>(error) | static_cast<uint64_t>(command) << 8 |
           uint64_t{byte} << 16 | static_cast<uint64_t>(subcommand) << 24;
  }
  static RespRefusal Unpack(uint64_t number) {
    return {.error = static_cast<RespError>(number & 0xff),
            .command = static_cast<RespCommand>((number >> 8) & 0xff),
            .byte = static_cast<uint8_t>(number >> 16),
            .subcommand = static_cast<RespSubcommand>((number >> 24) & 0xff)};
  }
};

// The longest text that AppendRefusal() writes.
inline constexpr size_t kRefusalBytesMax = 256;

// Writes the error as Redis words it, with its "-" and line end; returns the end. `word` is what a
// kOption or a kSubcommand is about.
char* AppendRefusal(const RespRefusal& refusal, std::string_view word, char* out);

}  // namespace larder::protocol

#endif  // LARDER_PROTOCOL_RESP_ERRORS_H_
