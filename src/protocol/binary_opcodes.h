// What each opcode of the binary protocol means, and what a request with it is made of.
#ifndef LARDER_PROTOCOL_BINARY_OPCODES_H_
#define LARDER_PROTOCOL_BINARY_OPCODES_H_

#include <array>
#include <cstdint>

#include "larder/command.h"

namespace larder::protocol {

// Of a part of a request.
enum class Wants : uint8_t { kNone, kOptional, kNeeded };

struct BinaryOpcode {
  Verb verb = Verb::kRejected;  // unknown
  uint8_t extras_bytes = 0;     // exactly; flush_all's delay may be left out
  Wants key = Wants::kNone;
  Wants value = Wants::kNone;
  bool quiet = false;      // the answer that is expected is not sent
  bool shows_key = false;  // the reply to a read brings the key
};

namespace internal {

constexpr std::array<BinaryOpcode, 256> MakeBinaryOpcodes() {
  using enum Wants;
  struct Row {
    uint8_t number;
    BinaryOpcode opcode;
  };
  constexpr Row kRows[] = {
      {0x00, {Verb::kGet, 0, kNeeded}},
      {0x01, {Verb::kSet, 8, kNeeded, kOptional}},
      {0x02, {Verb::kAdd, 8, kNeeded, kOptional}},
      {0x03, {Verb::kReplace, 8, kNeeded, kOptional}},
      {0x04, {Verb::kDelete, 0, kNeeded}},
      {0x05, {Verb::kIncr, 20, kNeeded}},
      {0x06, {Verb::kDecr, 20, kNeeded}},
      {0x07, {Verb::kQuit}},
      {0x08, {Verb::kFlushAll, 4}},
      {0x09, {Verb::kGet, 0, kNeeded, kNone, true}},
      {0x0a, {Verb::kNoop}},
      {0x0b, {Verb::kVersion}},
      {0x0c, {Verb::kGet, 0, kNeeded, kNone, false, true}},
      {0x0d, {Verb::kGet, 0, kNeeded, kNone, true, true}},
      {0x0e, {Verb::kAppend, 0, kNeeded, kOptional}},
      {0x0f, {Verb::kPrepend, 0, kNeeded, kOptional}},
      {0x10, {Verb::kStats, 0, kOptional}},
      {0x11, {Verb::kSet, 8, kNeeded, kOptional, true}},
      {0x12, {Verb::kAdd, 8, kNeeded, kOptional, true}},
      {0x13, {Verb::kReplace, 8, kNeeded, kOptional, true}},
      {0x14, {Verb::kDelete, 0, kNeeded, kNone, true}},
      {0x15, {Verb::kIncr, 20, kNeeded, kNone, true}},
      {0x16, {Verb::kDecr, 20, kNeeded, kNone, true}},
      {0x17, {Verb::kQuit, 0, kNone, kNone, true}},
      {0x18, {Verb::kFlushAll, 4, kNone, kNone, true}},
      {0x19, {Verb::kAppend, 0, kNeeded, kOptional, true}},
      {0x1a, {Verb::kPrepend, 0, kNeeded, kOptional, true}},
      {0x1c, {Verb::kTouch, 4, kNeeded}},
      {0x1d, {Verb::kGat, 4, kNeeded}},
      {0x1e, {Verb::kGat, 4, kNeeded, kNone, true}},
      {0x20, {Verb::kMechanisms}},
      {0x21, {Verb::kAuthenticate, 0, kNeeded, kOptional}},
      {0x22, {Verb::kAuthenticate, 0, kNeeded, kOptional}},
      {0x23, {Verb::kGat, 4, kNeeded, kNone, false, true}},
      {0x24, {Verb::kGat, 4, kNeeded, kNone, true, true}},
  };
  std::array<BinaryOpcode, 256> opcodes{};
  for (const Row& row : kRows) opcodes[row.number] = row.opcode;
  return opcodes;
}

}  // namespace internal

inline constexpr std::array<BinaryOpcode, 256> kBinaryOpcodes = internal::MakeBinaryOpcodes();

}  // namespace larder::protocol

#endif  // LARDER_PROTOCOL_BINARY_OPCODES_H_
