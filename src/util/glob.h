// Patterns as KEYS and SCAN have them.
//
//     *  any bytes    ?  one byte    [abc] [a-z] [^a]  one of these, or none of them    \c  c
//     itself
#ifndef LARDER_UTIL_GLOB_H_
#define LARDER_UTIL_GLOB_H_

#include <cstdint>
#include <string_view>

namespace larder::util {

// Looks at most so often at a byte of the text; a pattern that would need more matches nothing.
inline constexpr uint32_t kGlobStepsMax = 1 << 20;

[[nodiscard]] bool MatchesGlob(std::string_view pattern, std::string_view text);

}  // namespace larder::util

#endif  // LARDER_UTIL_GLOB_H_
