#include "util/memory_usage.h"

#include <gperftools/malloc_extension.h>

#include <algorithm>
#include <cstddef>

namespace larder::util {

std::optional<AllocatorUsage> ReadAllocator() {
  MallocExtension* allocator = MallocExtension::instance();
  size_t used = 0;
  size_t heap = 0;
  size_t given_back = 0;
  // Each refusal means that malloc is not tcmalloc's: some other one is preloaded.
  if (!allocator->GetNumericProperty("generic.current_allocated_bytes", &used)) return {};
  if (!allocator->GetNumericProperty("generic.heap_size", &heap)) return {};
  if (!allocator->GetNumericProperty("tcmalloc.pageheap_unmapped_bytes", &given_back)) return {};
  // The three are read one after the other, while other threads go on.
  const size_t held = heap - std::min(heap, given_back);
  return AllocatorUsage{.used_bytes = used, .held_bytes = std::max(used, held)};
}

void ReleaseFreeMemory() { MallocExtension::instance()->ReleaseFreeMemory(); }

}  // namespace larder::util
