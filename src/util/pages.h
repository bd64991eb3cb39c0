// Memory back to the system, page by page.
#ifndef LARDER_UTIL_PAGES_H_
#define LARDER_UTIL_PAGES_H_

#include <sys/mman.h>

#include <cerrno>
#include <cstddef>

namespace larder::util {

// MADV_DONTNEED_LOCKED, which Debian 12's headers do not name; Linux 5.18.
inline constexpr int kMadviseDontNeedLocked = 24;

// The system takes whole pages back; they read as zeros when they are touched again. False if it
// refuses, which it does only where the addresses are wrong, or locked (-k) before Linux 5.18.
[[nodiscard]] inline bool GiveBackPages(void* begin, size_t bytes) {
  if (madvise(begin, bytes, MADV_DONTNEED) == 0) return true;
  // Locked pages are given back only to who says that he knows.
  return errno == EINVAL && madvise(begin, bytes, kMadviseDontNeedLocked) == 0;
}

}  // namespace larder::util

#endif  // LARDER_UTIL_PAGES_H_
