// Binary requests, right and wrong, for tests.
#ifndef LARDER_TESTS_UNIT_PROTOCOL_BINARY_PACKETS_H_
#define LARDER_TESTS_UNIT_PROTOCOL_BINARY_PACKETS_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "protocol/binary_header.h"
#include "util/bytes.h"

namespace larder::protocol::testing {

// Numbers in network order, one behind the other.
template <typename... Integer>
std::string Network(Integer... numbers) {
  std::string bytes;
  const auto append = [&bytes](auto number) {
    std::array<char, sizeof(number)> out;
    const char* end = util::AppendNetwork(out.data(), number);
    bytes.append(out.data(), static_cast<size_t>(end - out.data()));
  };
  (append(numbers), ...);
  return bytes;
}

struct Request {
  uint8_t opcode = 0;
  std::string key = {};
  std::string extras = {};
  std::string value = {};
  uint64_t unique = 0;
  uint32_t opaque = 0xdeadbeef;
  uint8_t magic = kBinaryRequestMagic;
  // What the header says, if it is not the truth.
  std::optional<uint16_t> key_bytes = {};
  std::optional<uint8_t> extras_bytes = {};
  std::optional<uint32_t> body_bytes = {};

  [[nodiscard]] std::string Bytes() const {
    const auto body = static_cast<uint32_t>(extras.size() + key.size() + value.size());
    const BinaryHeader header = {
        .magic = magic,
        .opcode = opcode,
        .key_bytes = key_bytes.value_or(static_cast<uint16_t>(key.size())),
        .extras_bytes = extras_bytes.value_or(static_cast<uint8_t>(extras.size())),
        .body_bytes = body_bytes.value_or(body),
        .opaque = opaque,
        .unique = unique};
    std::array<char, kBinaryHeaderBytes> out;
    header.Store(out.data());
    return std::string(out.data(), out.size()) + extras + key + value;
  }
};

}  // namespace larder::protocol::testing

#endif  // LARDER_TESTS_UNIT_PROTOCOL_BINARY_PACKETS_H_
