// Asks for a cache line before it is needed.
#ifndef LARDER_UTIL_PREFETCH_H_
#define LARDER_UTIL_PREFETCH_H_

namespace larder::util {

inline void Prefetch(const void* address) {
  __builtin_prefetch(address);
  // To gcc 12, a function that only prefetches has no effect, and with link-time optimisation it
  // drops calls of it. An empty statement that it may not drop keeps it and its callers;
  // store_bench shows what is lost otherwise.
  asm volatile("" : : "r"(address));
}

}  // namespace larder::util

#endif  // LARDER_UTIL_PREFETCH_H_
