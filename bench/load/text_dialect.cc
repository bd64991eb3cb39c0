// Memcached's classic text protocol.
#include <charconv>

#include "bench/load/dialect.h"

namespace larder::bench {
namespace {

class TextDialect final : public Dialect {
 public:
  using Dialect::Dialect;

  void AppendGet(std::span<const uint32_t> wanted, std::string& out) const override {
    out.append("get");
    for (const uint32_t key : wanted) {
      out.push_back(' ');
      keys().AppendKey(key, out);
    }
    out.append("\r\n");
  }

  void AppendSet(uint32_t key, std::string& out) const override {
    AppendLine("set ", key, " 0 0 ", out);
  }

  Scanned Scan(std::string_view bytes, const Asked& asked, ScanState& state) const override {
    if (asked.operation == Operation::kSet) return ScanStored(bytes);
    size_t consumed = 0;
    while (true) {
      const Scanned part = ScanPart(bytes.substr(consumed), asked, state);
      consumed += part.consumed;
      const bool value = part.result == ScanResult::kNeedMore && part.consumed > 0;
      if (!value) return {part.result, consumed};
    }
  }

 private:
  static constexpr std::string_view kStored = "STORED\r\n";
  static constexpr std::string_view kEnd = "END\r\n";
  static constexpr std::string_view kValue = "VALUE ";

  static Scanned ScanStored(std::string_view bytes) {
    if (bytes.starts_with(kStored)) return {ScanResult::kDone, kStored.size()};
    if (kStored.starts_with(bytes)) return {ScanResult::kNeedMore, 0};
    return ScanError(bytes);
  }

  // One VALUE, or the END. A VALUE is kNeedMore with bytes consumed.
  Scanned ScanPart(std::string_view bytes, const Asked& asked, ScanState& state) const {
    if (bytes.starts_with(kValue)) return ScanValue(bytes, asked, state);
    if (bytes.starts_with(kEnd)) {
      state.misses += static_cast<uint32_t>(asked.keys.size()) - state.next_key;
      state.next_key = static_cast<uint32_t>(asked.keys.size());
      return {ScanResult::kDone, kEnd.size()};
    }
    if (kValue.starts_with(bytes) || kEnd.starts_with(bytes)) return {ScanResult::kNeedMore, 0};
    return ScanError(bytes);
  }

  // Values come in the order of the request, without those that are missing.
  Scanned ScanValue(std::string_view bytes, const Asked& asked, ScanState& state) const {
    const size_t key_size = keys().KeySize();
    if (bytes.size() < kValue.size() + key_size) return {ScanResult::kNeedMore, 0};
    const std::string_view key = bytes.substr(kValue.size(), key_size);
    uint32_t found = state.next_key;
    while (found < asked.keys.size() && !keys().IsKey(asked.keys[found], key)) ++found;
    if (found == asked.keys.size()) return {ScanResult::kBroken, 0};

    const size_t line_size = LineLength(bytes.substr(0, kErrorLineBytesMax));
    if (line_size == std::string_view::npos) {
      const bool too_long = bytes.size() >= kErrorLineBytesMax;
      return {too_long ? ScanResult::kBroken : ScanResult::kNeedMore, 0};
    }
    const size_t rest_at = kValue.size() + key_size;
    if (!IsHead(bytes.substr(rest_at, line_size - rest_at), asked.keys[found])) {
      return {ScanResult::kBroken, 0};
    }
    const size_t value_size = keys().ValueSize(asked.keys[found]);
    const size_t whole = line_size + 2 + value_size + 2;
    if (bytes.size() < whole) return {ScanResult::kNeedMore, 0};
    const bool right = keys().IsValue(asked.keys[found], bytes.substr(line_size + 2, value_size)) &&
                       bytes.substr(whole - 2, 2) == "\r\n";
    if (!right) return {ScanResult::kBroken, 0};
    state.misses += found - state.next_key;
    state.next_key = found + 1;
    ++state.hits;
    return {ScanResult::kNeedMore, whole};
  }

  // " 0 64": flags and length, as we stored them.
  [[nodiscard]] bool IsHead(std::string_view rest, uint32_t key) const {
    if (!rest.starts_with(" 0 ")) return false;
    uint32_t size = 0;
    const char* end = rest.data() + rest.size();
    const auto parsed = std::from_chars(rest.data() + 3, end, size);
    return parsed.ec == std::errc() && parsed.ptr == end && size == keys().ValueSize(key);
  }

  static Scanned ScanError(std::string_view bytes) {
    constexpr std::string_view kErrors[] = {"ERROR\r\n", "SERVER_ERROR ", "CLIENT_ERROR ",
                                            "NOT_STORED\r\n", "NOT_FOUND\r\n"};
    for (const std::string_view error : kErrors) {
      const bool same = bytes.size() < error.size() ? error.starts_with(bytes)  //
                                                    : bytes.starts_with(error);
      if (!same) continue;
      const size_t size = LineLength(bytes.substr(0, kErrorLineBytesMax));
      if (size != std::string_view::npos) return {ScanResult::kRefused, size + 2};
      if (bytes.size() < kErrorLineBytesMax) return {ScanResult::kNeedMore, 0};
    }
    return {ScanResult::kBroken, 0};
  }
};

}  // namespace

std::unique_ptr<Dialect> MakeTextDialect(const KeySpace& keys) {
  return std::make_unique<TextDialect>(keys);
}

}  // namespace larder::bench
