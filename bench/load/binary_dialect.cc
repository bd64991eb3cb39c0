// Memcached's binary protocol: get and set. A get of many keys is as many frames.
#include "bench/load/dialect.h"

namespace larder::bench {
namespace {

// request   80 | opcode | key size, 2 | extras size | type | 2 | body size, 4 | opaque, 4 | CAS, 8
// response  81 | …                                         | status, 2 | …
constexpr size_t kHeaderBytes = 24;
constexpr size_t kOpaqueAt = 12;
constexpr char kGet = 0x00;
constexpr char kSet = 0x01;
constexpr size_t kSetExtrasBytes = 8;  // client flags and exptime
constexpr size_t kGetExtrasBytes = 4;  // client flags, in the reply
constexpr uint32_t kOk = 0;
constexpr uint32_t kNotFound = 1;

uint32_t Number(std::string_view bytes) {
  uint32_t number = 0;
  for (const char byte : bytes) number = number << 8 | static_cast<uint8_t>(byte);
  return number;
}

class BinaryDialect final : public Dialect {
 public:
  using Dialect::Dialect;

  void AppendGet(std::span<const uint32_t> wanted, std::string& out) const override {
    for (const uint32_t key : wanted) {
      AppendHeader(kGet, 0, keys().KeySize(), out);
      keys().AppendKey(key, out);
    }
  }

  void AppendSet(uint32_t key, std::string& out) const override {
    AppendHeader(kSet, kSetExtrasBytes, kSetExtrasBytes + keys().KeySize() + keys().ValueSize(key),
                 out);
    out.append(kSetExtrasBytes, '\0');
    keys().AppendKey(key, out);
    keys().AppendValue(key, out);
  }

  Scanned Scan(std::string_view bytes, const Asked& asked, ScanState& state) const override {
    size_t consumed = 0;
    while (state.next_key < asked.keys.size()) {
      const Scanned part = ScanFrame(bytes.substr(consumed), asked, state);
      consumed += part.consumed;
      if (part.result != ScanResult::kDone) return {part.result, consumed};
      ++state.next_key;
    }
    return {ScanResult::kDone, consumed};
  }

 private:
  void AppendHeader(char opcode, size_t extras_bytes, size_t body_bytes, std::string& out) const {
    const size_t key_bytes = keys().KeySize();
    const char header[] = {'\x80',
                           opcode,
                           static_cast<char>(key_bytes >> 8),
                           static_cast<char>(key_bytes),
                           static_cast<char>(extras_bytes),
                           0,
                           0,
                           0,
                           static_cast<char>(body_bytes >> 24),
                           static_cast<char>(body_bytes >> 16),
                           static_cast<char>(body_bytes >> 8),
                           static_cast<char>(body_bytes)};
    out.append(header, sizeof(header));
    out.append(kHeaderBytes - sizeof(header), '\0');
  }

  Scanned ScanFrame(std::string_view bytes, const Asked& asked, ScanState& state) const {
    if (bytes.size() < kHeaderBytes) return {ScanResult::kNeedMore, 0};
    const bool get = asked.operation == Operation::kGet;
    const uint32_t status = Number(bytes.substr(6, 2));
    const char extras_bytes = get && status == kOk ? kGetExtrasBytes : 0;
    const char head[] = {'\x81', get ? kGet : kSet, 0, 0, extras_bytes, 0};
    const bool ours = bytes.starts_with(std::string_view(head, sizeof(head))) &&
                      Number(bytes.substr(kOpaqueAt, 4)) == 0;
    if (!ours) return {ScanResult::kBroken, 0};
    const size_t body_bytes = Number(bytes.substr(8, 4));
    const uint32_t key = asked.keys[state.next_key];
    const size_t expected = get ? kGetExtrasBytes + keys().ValueSize(key) : 0;
    const bool right_size =
        status == kOk ? body_bytes == expected : body_bytes <= kErrorLineBytesMax;
    if (!right_size) return {ScanResult::kBroken, 0};
    const size_t whole = kHeaderBytes + body_bytes;
    if (bytes.size() < whole) return {ScanResult::kNeedMore, 0};
    if (get && status == kNotFound) {
      ++state.misses;
    } else if (status != kOk) {
      return {ScanResult::kRefused, whole};
    } else if (get) {
      const std::string_view value =
          bytes.substr(kHeaderBytes + kGetExtrasBytes, body_bytes - kGetExtrasBytes);
      if (!keys().IsValue(key, value)) return {ScanResult::kBroken, 0};
      ++state.hits;
    }
    return {ScanResult::kDone, whole};
  }
};

}  // namespace

std::unique_ptr<Dialect> MakeBinaryDialect(const KeySpace& keys) {
  return std::make_unique<BinaryDialect>(keys);
}

}  // namespace larder::bench
