#include "util/glob.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace larder::util {

namespace {

struct OneByte {
  bool matches;
  size_t end;  // behind what stands for the byte
};

// The set at `at`, which is behind its bracket. One that is not closed ends with the pattern.
OneByte MatchSet(std::string_view pattern, size_t at, char byte) {
  const bool none = at < pattern.size() && pattern[at] == '^';
  if (none) ++at;
  bool found = false;
  while (at < pattern.size() && pattern[at] != ']') {
    if (pattern[at] == '\\' && at + 1 < pattern.size()) {
      found = found || pattern[at + 1] == byte;
      at += 2;
    } else if (at + 2 < pattern.size() && pattern[at + 1] == '-') {
      const auto first = static_cast<uint8_t>(pattern[at]);
      const auto last = static_cast<uint8_t>(pattern[at + 2]);
      const auto value = static_cast<uint8_t>(byte);
      found = found || (value >= std::min(first, last) && value <= std::max(first, last));
      at += 3;
    } else {
      found = found || pattern[at] == byte;
      ++at;
    }
  }
  return {found != none, std::min(at + 1, pattern.size())};
}

// Does what stands at `at`, and is no star, stand for `byte`?
OneByte MatchOne(std::string_view pattern, size_t at, char byte) {
  switch (pattern[at]) {
    case '?':
      return {true, at + 1};
    case '[':
      return MatchSet(pattern, at + 1, byte);
    case '\\':
      if (at + 1 < pattern.size()) ++at;
      break;
    default:
      break;
  }
  return {pattern[at] == byte, at + 1};
}

}  // namespace

// A star takes as little as it can; if what follows it does not match, the last star takes one
// more. Earlier ones need not be tried again: what they could take, the last one can.
bool MatchesGlob(std::string_view pattern, std::string_view text) {
  size_t at = 0;
  size_t read = 0;
  size_t star = std::string_view::npos;  // behind the last one
  size_t star_end = 0;                   // of the text that it has taken
  for (uint32_t step = 0; read < text.size(); ++step) {
    if (step == kGlobStepsMax) return false;
    if (at < pattern.size() && pattern[at] == '*') {
      star = ++at;
      star_end = read;
      continue;
    }
    if (at < pattern.size()) {
      const OneByte one = MatchOne(pattern, at, text[read]);
      if (one.matches) {
        at = one.end;
        ++read;
        continue;
      }
    }
    if (star == std::string_view::npos) return false;
    at = star;
    read = ++star_end;
  }
  while (at < pattern.size() && pattern[at] == '*') ++at;
  return at == pattern.size();
}

}  // namespace larder::util
