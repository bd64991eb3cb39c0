// "Did you mean": the nearest of a few known words.
#ifndef LARDER_CONFIG_SPELLING_H_
#define LARDER_CONFIG_SPELLING_H_

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace larder::config {

// Letters to insert, delete, replace or swap with a neighbour to turn one word into the other.
// Costs the product of the lengths; words longer than 64 bytes count as infinitely far.
size_t EditDistance(std::string_view a, std::string_view b);

// The nearest word, if it is near enough to be meant: within a third of its length. Else empty.
std::string_view Nearest(std::string_view word, std::span<const std::string> known);

}  // namespace larder::config

#endif  // LARDER_CONFIG_SPELLING_H_
