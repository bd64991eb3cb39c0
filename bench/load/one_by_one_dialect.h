// What RESP and meta have in common: each key of a get has an answer of its own, which is a line
// that tells the value's size, and the value; or a line that says that there is none.
#ifndef LARDER_BENCH_LOAD_ONE_BY_ONE_DIALECT_H_
#define LARDER_BENCH_LOAD_ONE_BY_ONE_DIALECT_H_

#include <string>

#include "bench/load/dialect.h"

namespace larder::bench {

class OneByOneDialect : public Dialect {
 public:
  using Dialect::Dialect;

 protected:
  struct Words {
    std::string_view head;  // before the value's size
    std::string_view none;
    std::string_view stored;
  };
  [[nodiscard]] virtual const Words& words() const = 0;
  [[nodiscard]] virtual bool MayBeError(std::string_view bytes) const = 0;

  Scanned ScanValues(std::string_view bytes, const Asked& asked, ScanState& state) const {
    size_t consumed = 0;
    while (state.next_key < asked.keys.size()) {
      const Scanned part = ScanValue(bytes.substr(consumed), asked.keys[state.next_key], state);
      consumed += part.consumed;
      if (part.result != ScanResult::kDone) return {part.result, consumed};
      ++state.next_key;
    }
    return {ScanResult::kDone, consumed};
  }

  // Exactly `word`, or an error.
  [[nodiscard]] Scanned ScanWord(std::string_view bytes, std::string_view word) const {
    if (bytes.starts_with(word)) return {ScanResult::kDone, word.size()};
    if (word.starts_with(bytes)) return {ScanResult::kNeedMore, 0};
    if (!MayBeError(bytes)) return {ScanResult::kBroken, 0};
    const size_t size = LineLength(bytes.substr(0, kErrorLineBytesMax));
    if (size != std::string_view::npos) return {ScanResult::kRefused, size + 2};
    const bool too_long = bytes.size() >= kErrorLineBytesMax;
    return {too_long ? ScanResult::kBroken : ScanResult::kNeedMore, 0};
  }

 private:
  Scanned ScanValue(std::string_view bytes, uint32_t key, ScanState& state) const {
    if (bytes.starts_with(words().none)) {
      ++state.misses;
      return {ScanResult::kDone, words().none.size()};
    }
    if (words().none.starts_with(bytes)) return {ScanResult::kNeedMore, 0};
    std::string head(words().head);
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
};

}  // namespace larder::bench

#endif  // LARDER_BENCH_LOAD_ONE_BY_ONE_DIALECT_H_
