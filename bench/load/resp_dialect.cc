// Redis' protocol: GET, MGET and SET.
#include "bench/load/dialect.h"

namespace larder::bench {
namespace {

class RespDialect final : public Dialect {
 public:
  using Dialect::Dialect;

  void AppendGet(std::span<const uint32_t> wanted, std::string& out) const override {
    out.push_back('*');
    AppendDecimal(wanted.size() + 1, out);
    out.append(wanted.size() == 1 ? "\r\n$3\r\nGET\r\n" : "\r\n$4\r\nMGET\r\n");
    for (const uint32_t key : wanted) AppendKey(key, out);
  }

  void AppendSet(uint32_t key, std::string& out) const override {
    out.append("*3\r\n$3\r\nSET\r\n");
    AppendKey(key, out);
    out.push_back('$');
    AppendDecimal(keys().ValueSize(key), out);
    out.append("\r\n");
    keys().AppendValue(key, out);
    out.append("\r\n");
  }

  Scanned Scan(std::string_view bytes, const Asked& asked, ScanState& state) const override {
    if (asked.operation == Operation::kSet) return ScanWord(bytes, "+OK\r\n");
    size_t consumed = 0;
    if (asked.keys.size() > 1 && !state.begun) {
      std::string head = "*";
      AppendDecimal(asked.keys.size(), head);
      head.append("\r\n");
      const Scanned scanned = ScanWord(bytes, head);
      if (scanned.result != ScanResult::kDone) return scanned;
      state.begun = true;
      consumed = scanned.consumed;
    }
    while (state.next_key < asked.keys.size()) {
      const Scanned part = ScanBulk(bytes.substr(consumed), asked.keys[state.next_key], state);
      consumed += part.consumed;
      if (part.result != ScanResult::kDone) return {part.result, consumed};
      ++state.next_key;
    }
    return {ScanResult::kDone, consumed};
  }

 private:
  void AppendKey(uint32_t key, std::string& out) const {
    out.push_back('$');
    AppendDecimal(keys().KeySize(), out);
    out.append("\r\n");
    keys().AppendKey(key, out);
    out.append("\r\n");
  }

  Scanned ScanBulk(std::string_view bytes, uint32_t key, ScanState& state) const {
    constexpr std::string_view kNull = "$-1\r\n";
    if (bytes.starts_with(kNull)) {
      ++state.misses;
      return {ScanResult::kDone, kNull.size()};
    }
    if (kNull.starts_with(bytes)) return {ScanResult::kNeedMore, 0};
    std::string head = "$";
    AppendDecimal(keys().ValueSize(key), head);
    head.append("\r\n");
    const Scanned scanned = ScanWord(bytes, head);
    if (scanned.result != ScanResult::kDone) return scanned;

    const size_t value_size = keys().ValueSize(key);
    const size_t whole = head.size() + value_size + 2;
    if (bytes.size() < whole) return {ScanResult::kNeedMore, 0};
    const bool right = keys().IsValue(key, bytes.substr(head.size(), value_size)) &&
                       bytes.substr(whole - 2, 2) == "\r\n";
    if (!right) return {ScanResult::kBroken, 0};
    ++state.hits;
    return {ScanResult::kDone, whole};
  }

  // Exactly `word`, or an error.
  static Scanned ScanWord(std::string_view bytes, std::string_view word) {
    if (bytes.starts_with(word)) return {ScanResult::kDone, word.size()};
    if (word.starts_with(bytes)) return {ScanResult::kNeedMore, 0};
    if (bytes.front() != '-') return {ScanResult::kBroken, 0};
    const size_t size = LineLength(bytes.substr(0, kErrorLineBytesMax));
    if (size != std::string_view::npos) return {ScanResult::kRefused, size + 2};
    const bool too_long = bytes.size() >= kErrorLineBytesMax;
    return {too_long ? ScanResult::kBroken : ScanResult::kNeedMore, 0};
  }
};

}  // namespace

std::unique_ptr<Dialect> MakeRespDialect(const KeySpace& keys) {
  return std::make_unique<RespDialect>(keys);
}

}  // namespace larder::bench
