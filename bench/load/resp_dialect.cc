// Redis' protocol: GET, MGET, SET and MSET.
#include "bench/load/one_by_one_dialect.h"

namespace larder::bench {
namespace {

class RespDialect final : public OneByOneDialect {
 public:
  using OneByOneDialect::OneByOneDialect;

  void AppendGet(std::span<const uint32_t> wanted, std::string& out) const override {
    out.push_back('*');
    AppendDecimal(wanted.size() + 1, out);
    out.append(wanted.size() == 1 ? "\r\n$3\r\nGET\r\n" : "\r\n$4\r\nMGET\r\n");
    for (const uint32_t key : wanted) AppendKey(key, out);
  }

  void AppendSet(uint32_t key, std::string& out) const override {
    out.append("*3\r\n$3\r\nSET\r\n");
    AppendPair(key, out);
  }

  [[nodiscard]] bool HasMultiSet() const override { return true; }
  void AppendMultiSet(std::span<const uint32_t> wanted, std::string& out) const override {
    out.push_back('*');
    AppendDecimal(2 * wanted.size() + 1, out);
    out.append("\r\n$4\r\nMSET\r\n");
    for (const uint32_t key : wanted) AppendPair(key, out);
  }

  Scanned Scan(std::string_view bytes, const Asked& asked, ScanState& state) const override {
    if (asked.operation == Operation::kSet) return ScanWord(bytes, words().stored);
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
    const Scanned values = ScanValues(bytes.substr(consumed), asked, state);
    return {values.result, consumed + values.consumed};
  }

 private:
  [[nodiscard]] const Words& words() const override {
    static constexpr Words kWords = {.head = "$", .none = "$-1\r\n", .stored = "+OK\r\n"};
    return kWords;
  }
  [[nodiscard]] bool MayBeError(std::string_view bytes) const override {
    return bytes.front() == '-';
  }
  void AppendPair(uint32_t key, std::string& out) const {
    AppendKey(key, out);
    out.push_back('$');
    AppendDecimal(keys().ValueSize(key), out);
    out.append("\r\n");
    keys().AppendValue(key, out);
    out.append("\r\n");
  }
  void AppendKey(uint32_t key, std::string& out) const {
    out.push_back('$');
    AppendDecimal(keys().KeySize(), out);
    out.append("\r\n");
    keys().AppendKey(key, out);
    out.append("\r\n");
  }
};

}  // namespace

std::unique_ptr<Dialect> MakeRespDialect(const KeySpace& keys) {
  return std::make_unique<RespDialect>(keys);
}

}  // namespace larder::bench
