// Abseil as Debian builds it has a string_view of its own, which is not std's.
#ifndef LARDER_UTIL_ABSL_VIEW_H_
#define LARDER_UTIL_ABSL_VIEW_H_

#include <absl/strings/string_view.h>

#include <string_view>

namespace larder::util {

// The same characters, for a function of Abseil.
inline absl::string_view View(std::string_view text) { return {text.data(), text.size()}; }

}  // namespace larder::util

#endif  // LARDER_UTIL_ABSL_VIEW_H_
