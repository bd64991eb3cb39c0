#include "util/hash.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace larder::util {

uint64_t KeyHash::operator()(std::string_view key) const {
  return XXH3_64bits_withSeed(key.data(), key.size(), secret_);
}

}  // namespace larder::util
