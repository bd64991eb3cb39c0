// The header of every packet of Memcached's binary protocol.
//
//   byte 0       1        2               4        5        6               8
//        +-------+--------+---------------+--------+--------+---------------+
//        | magic | opcode | key bytes     | extras | data   | reserved; in a|
//        |       |        |               | bytes  | type   | reply: status |
//        +-------+--------+---------------+--------+--------+---------------+
//        | body bytes: extras, key, value | opaque: the reply repeats it    |
//      8 +--------------------------------+---------------------------------+ 16
//        | CAS unique                                                       |
//     16 +------------------------------------------------------------------+ 24
//
// All numbers are in network order. Behind it come extras, key and value, which together are the
// body: so extras and key never exceed it, which a reader checks before anything else.
#ifndef LARDER_PROTOCOL_BINARY_HEADER_H_
#define LARDER_PROTOCOL_BINARY_HEADER_H_

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "util/bytes.h"

namespace larder::protocol {

inline constexpr uint8_t kBinaryRequestMagic = 0x80;
inline constexpr uint8_t kBinaryReplyMagic = 0x81;

enum class BinaryStatus : uint16_t {
  kOk = 0x00,
  kNotFound = 0x01,
  kExists = 0x02,
  kTooLarge = 0x03,
  kInvalid = 0x04,
  kNotStored = 0x05,
  kNonNumeric = 0x06,
  kAuthFailed = 0x20,
  kAuthContinue = 0x21,
  kUnknownCommand = 0x81,
  kNoMemory = 0x82,
};

struct BinaryHeader {
  uint8_t magic = 0;
  uint8_t opcode = 0;
  uint16_t key_bytes = 0;
  uint8_t extras_bytes = 0;
  uint8_t data_type = 0;
  uint16_t status = 0;
  uint32_t body_bytes = 0;
  uint32_t opaque = 0;
  uint64_t unique = 0;

  // Reads the header of the kBinaryHeaderBytes bytes at `from`.
  static BinaryHeader Load(const char* from) {
    BinaryHeader header;
    std::memcpy(&header, from, sizeof(header));
    header.Swap();
    return header;
  }
  // Writes it at `out`; returns the end.
  char* Store(char* out) const {
    BinaryHeader header = *this;
    header.Swap();
    std::memcpy(out, &header, sizeof(header));
    return out + sizeof(header);
  }

  // Does what is declared fit into the body?
  [[nodiscard]] bool IsWhole() const {
    return uint32_t{extras_bytes} + uint32_t{key_bytes} <= body_bytes;
  }
  // Of one that is.
  [[nodiscard]] uint32_t ValueBytes() const { return body_bytes - extras_bytes - key_bytes; }

 private:
  void Swap() {
    key_bytes = util::SwapToNetwork(key_bytes);
    status = util::SwapToNetwork(status);
    body_bytes = util::SwapToNetwork(body_bytes);
    opaque = util::SwapToNetwork(opaque);
    unique = util::SwapToNetwork(unique);
  }
};

inline constexpr size_t kBinaryHeaderBytes = 24;
static_assert(sizeof(BinaryHeader) == kBinaryHeaderBytes);
static_assert(offsetof(BinaryHeader, key_bytes) == 2);
static_assert(offsetof(BinaryHeader, extras_bytes) == 4);
static_assert(offsetof(BinaryHeader, status) == 6);
static_assert(offsetof(BinaryHeader, body_bytes) == 8);
static_assert(offsetof(BinaryHeader, opaque) == 12);
static_assert(offsetof(BinaryHeader, unique) == 16);

}  // namespace larder::protocol

#endif  // LARDER_PROTOCOL_BINARY_HEADER_H_
