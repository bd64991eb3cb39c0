#include "config/spelling.h"

#include <algorithm>
#include <array>
#include <limits>

namespace larder::config {
namespace {

constexpr size_t kWordBytesMax = 64;

}  // namespace

size_t EditDistance(std::string_view a, std::string_view b) {
  if (std::max(a.size(), b.size()) > kWordBytesMax) return std::numeric_limits<size_t>::max();
  // distance[i][j]: from the first i letters of a to the first j of b.
  std::array<std::array<size_t, kWordBytesMax + 1>, kWordBytesMax + 1> distance{};
  for (size_t i = 0; i <= a.size(); ++i) distance[i][0] = i;
  for (size_t j = 0; j <= b.size(); ++j) distance[0][j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t replaced = distance[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      size_t best = std::min({distance[i - 1][j] + 1, distance[i][j - 1] + 1, replaced});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        best = std::min(best, distance[i - 2][j - 2] + 1);
      }
      distance[i][j] = best;
    }
  }
  return distance[a.size()][b.size()];
}

std::string_view Nearest(std::string_view word, std::span<const std::string> known) {
  std::string_view nearest;
  size_t least = std::numeric_limits<size_t>::max();
  for (const std::string& candidate : known) {
    const size_t distance = EditDistance(word, candidate);
    if (distance >= least || distance > std::max<size_t>(1, candidate.size() / 3)) continue;
    least = distance;
    nearest = candidate;
  }
  return nearest;
}

}  // namespace larder::config
