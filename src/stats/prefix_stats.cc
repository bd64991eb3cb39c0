#include "stats/prefix_stats.h"

#include <absl/strings/str_cat.h>

namespace larder::stats {

PrefixCounts& PrefixCounts::operator+=(const PrefixCounts& other) {
  gets += other.gets;
  hits += other.hits;
  sets += other.sets;
  deletes += other.deletes;
  return *this;
}

void PrefixStats::Count(std::string_view key, const PrefixCounts& counts) {
  const size_t end = key.find(delimiter_);
  if (end == std::string_view::npos || end == 0) return;
  const std::lock_guard lock(mutex_);
  auto found = table_.find(key.substr(0, end));
  if (found == table_.end()) {
    const bool full = table_.size() >= kPrefixesMax;
    found = table_.try_emplace(full ? std::string(1, delimiter_) : std::string(key, 0, end)).first;
  }
  found->second += counts;
}

void PrefixStats::Clear() {
  const std::lock_guard lock(mutex_);
  table_.clear();
}

void PrefixStats::AddTo(Table& table) const {
  const std::lock_guard lock(mutex_);
  for (const auto& [prefix, counts] : table_) table[prefix] += counts;
}

std::string PrefixText(const PrefixStats::Table& table) {
  std::string text;
  for (const auto& [prefix, counts] : table) {
    absl::StrAppend(&text, "PREFIX ", prefix, " get ", counts.gets, " hit ", counts.hits, " set ",
                    counts.sets, " del ", counts.deletes, "\r\n");
  }
  text += "END\r\n";
  return text;
}

}  // namespace larder::stats
