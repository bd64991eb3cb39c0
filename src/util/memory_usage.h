// How much memory the process uses: by the kernel's count, and by the allocator's.
//
// From any thread. Cold: a read of /proc, some tens of microseconds; ReleaseFreeMemory more.
//
// The allocator is tcmalloc, seen by memory_usage.cc alone; builds with sanitizers have an
// allocator of their own, and memory_usage_plain.cc in its place.
#ifndef LARDER_UTIL_MEMORY_USAGE_H_
#define LARDER_UTIL_MEMORY_USAGE_H_

#include <cstdint>
#include <optional>

namespace larder::util {

// Bytes of the process that are in RAM: heap, mapped memory and code. 0 where /proc cannot be read.
uint64_t ResidentBytes();

struct AllocatorUsage {
  uint64_t used_bytes = 0;  // given out and not yet freed
  uint64_t held_bytes = 0;  // had from the kernel and not given back; no less than used_bytes
};

// What goes through malloc and new. Memory that is mapped past them, as the item heap's, is not in
// it. Nothing where the allocator keeps no such count.
std::optional<AllocatorUsage> ReadAllocator();

// Gives back to the kernel what the allocator keeps although it is free. It does so by itself only
// little by little, and only while memory is being freed: after a large table has gone, the
// process would stay large. Takes the allocator's lock for about 0.1 ms a MiB: for when much has
// been freed, not for every turn. Nothing where the allocator has no such call.
void ReleaseFreeMemory();

}  // namespace larder::util

#endif  // LARDER_UTIL_MEMORY_USAGE_H_
