// Memcached's meta commands: mg and ms. A get of many keys is as many lines.
#include "bench/load/one_by_one_dialect.h"

namespace larder::bench {
namespace {

class MetaDialect final : public OneByOneDialect {
 public:
  using OneByOneDialect::OneByOneDialect;

  void AppendGet(std::span<const uint32_t> wanted, std::string& out) const override {
    for (const uint32_t key : wanted) {
      out.append("mg ");
      keys().AppendKey(key, out);
      out.append(" v\r\n");
    }
  }

  void AppendSet(uint32_t key, std::string& out) const override {
    AppendLine("ms ", key, " ", out);
  }

  Scanned Scan(std::string_view bytes, const Asked& asked, ScanState& state) const override {
    if (asked.operation == Operation::kSet) return ScanWord(bytes, words().stored);
    return ScanValues(bytes, asked, state);
  }

 private:
  [[nodiscard]] const Words& words() const override {
    static constexpr Words kWords = {.head = "VA ", .none = "EN\r\n", .stored = "HD\r\n"};
    return kWords;
  }
  [[nodiscard]] bool MayBeError(std::string_view bytes) const override {
    for (const std::string_view error : {"ERROR\r\n", "SERVER_ERROR ", "CLIENT_ERROR ", "NS\r\n"}) {
      if (bytes.substr(0, error.size()) == error.substr(0, bytes.size())) return true;
    }
    return false;
  }
};

}  // namespace

std::unique_ptr<Dialect> MakeMetaDialect(const KeySpace& keys) {
  return std::make_unique<MetaDialect>(keys);
}

}  // namespace larder::bench
