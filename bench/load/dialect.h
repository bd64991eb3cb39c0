// How the load generator speaks to a server: the requests it writes and the replies it expects. One
// file per protocol; stateless and shared by all threads.
#ifndef LARDER_BENCH_LOAD_DIALECT_H_
#define LARDER_BENCH_LOAD_DIALECT_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "bench/load/key_space.h"

namespace larder::bench {

enum class Operation : uint8_t { kGet, kSet };

// A request on its way: what its reply must answer.
struct Asked {
  Operation operation;
  std::span<const uint32_t> keys;
};

enum class ScanResult : uint8_t {
  kNeedMore,  // drop `consumed` bytes and come again with more
  kDone,      // the reply is complete and right; `consumed` bytes
  kRefused,   // the reply is a complete error; `consumed` bytes, the line of the error included
  kBroken,    // not a reply to this request: a wrong value, a wrong key, or no such protocol
};

struct Scanned {
  ScanResult result;
  size_t consumed;
};

// How far the reply at the head of a connection has come. Cleared between replies.
struct ScanState {
  uint32_t next_key = 0;  // of Asked::keys: those before it are answered
  bool begun = false;     // the reply's own head was consumed (RESP arrays)
  uint32_t hits = 0;
  uint32_t misses = 0;
};

class Dialect {
 public:
  explicit Dialect(const KeySpace& keys) : keys_(keys) {}
  Dialect(const Dialect&) = delete;
  Dialect& operator=(const Dialect&) = delete;
  virtual ~Dialect() = default;

  virtual void AppendGet(std::span<const uint32_t> keys, std::string& out) const = 0;
  virtual void AppendSet(uint32_t key, std::string& out) const = 0;
  // One request that sets several keys; only if there are such.
  [[nodiscard]] virtual bool HasMultiSet() const { return false; }
  virtual void AppendMultiSet(std::span<const uint32_t> /*keys*/, std::string& /*out*/) const {}
  // Consumes whole parts of a reply (a value, an end): nothing is looked at twice once consumed.
  // The results of any cuts of the same bytes add up to the same.
  virtual Scanned Scan(std::string_view bytes, const Asked& asked, ScanState& state) const = 0;

  // Upper bound of what one part of a reply takes.
  [[nodiscard]] size_t PartBytesMax() const {
    return size_t{keys_.ValueSizeMax()} + keys_.KeySize() + 256;
  }

 protected:
  [[nodiscard]] const KeySpace& keys() const { return keys_; }
  // A store of Memcached's lines: a word, the key, what stands between it and the size.
  void AppendLine(std::string_view word, uint32_t key, std::string_view between,
                  std::string& out) const {
    out.append(word);
    keys_.AppendKey(key, out);
    out.append(between);
    AppendDecimal(keys_.ValueSize(key), out);
    out.append("\r\n");
    keys_.AppendValue(key, out);
    out.append("\r\n");
  }

 private:
  const KeySpace& keys_;
};

std::unique_ptr<Dialect> MakeTextDialect(const KeySpace& keys);
std::unique_ptr<Dialect> MakeMetaDialect(const KeySpace& keys);
std::unique_ptr<Dialect> MakeBinaryDialect(const KeySpace& keys);
std::unique_ptr<Dialect> MakeRespDialect(const KeySpace& keys);

struct DialectName {
  std::string_view name;
  std::unique_ptr<Dialect> (*make)(const KeySpace& keys);
};
inline constexpr DialectName kDialects[] = {{"text", MakeTextDialect},
                                            {"meta", MakeMetaDialect},
                                            {"binary", MakeBinaryDialect},
                                            {"resp", MakeRespDialect}};

// A line that ends in \r\n within `bytes`: its length without the end, or npos.
inline size_t LineLength(std::string_view bytes) { return bytes.find("\r\n"); }

// An error line may be this long.
inline constexpr size_t kErrorLineBytesMax = 1024;

}  // namespace larder::bench

#endif  // LARDER_BENCH_LOAD_DIALECT_H_
