#include "util/memory_usage.h"

namespace larder::util {

std::optional<AllocatorUsage> ReadAllocator() { return std::nullopt; }

void ReleaseFreeMemory() {}

}  // namespace larder::util
