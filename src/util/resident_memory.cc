#include <fcntl.h>
#include <unistd.h>

#include <charconv>
#include <string_view>

#include "util/memory_usage.h"

namespace larder::util {

// The file is one line of counts of pages: the whole address space, then what is resident, …
uint64_t ResidentBytes() {
  const int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  char line[128];
  const ssize_t length = read(fd, line, sizeof(line));
  close(fd);
  if (length <= 0) return 0;
  const std::string_view text(line, static_cast<size_t>(length));
  const size_t resident = text.find(' ') + 1;
  uint64_t pages = 0;
  std::from_chars(text.data() + resident, text.data() + text.size(), pages);
  return pages * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
}

}  // namespace larder::util
