// `stats detail`: what was done to keys of each prefix, the part of a key before the delimiter.
//
// A core counts in one of its own; whoever answers `stats detail dump` adds them up. Its lock is
// taken for a few instructions each time, and only while detail is on.
//
// Bounded: after the first kPrefixesMax prefixes, keys of further ones are counted together, under
// the delimiter itself, which is no prefix of any key.
#ifndef LARDER_STATS_PREFIX_STATS_H_
#define LARDER_STATS_PREFIX_STATS_H_

#include <absl/container/btree_map.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>

namespace larder::stats {

struct PrefixCounts {
  uint64_t gets = 0;
  uint64_t hits = 0;
  uint64_t sets = 0;
  uint64_t deletes = 0;

  PrefixCounts& operator+=(const PrefixCounts& other);
  bool operator==(const PrefixCounts&) const = default;
};

class PrefixStats {
 public:
  static constexpr size_t kPrefixesMax = 1000;
  using Table = absl::btree_map<std::string, PrefixCounts, std::less<>>;

  explicit PrefixStats(char delimiter) : delimiter_(delimiter) {}

  // Adds `counts` to the prefix of `key`, if it has one.
  void Count(std::string_view key, const PrefixCounts& counts);
  void Clear();
  // Adds everything to `table`. From any thread, as the others.
  void AddTo(Table& table) const;

 private:
  const char delimiter_;
  mutable std::mutex mutex_;
  Table table_;
};

// The lines of the dump, and END.
std::string PrefixText(const PrefixStats::Table& table);

}  // namespace larder::stats

#endif  // LARDER_STATS_PREFIX_STATS_H_
