// The one hash of a key: 64 bits, under a secret drawn when the process starts, so that nobody
// outside can choose keys that collide.
//
// Disjoint bits serve disjoint purposes; who takes which is written here and nowhere else:
//
//   63         48 47              28 27   20 19         8 7         0
//   +------------+------------------+-------+------------+-----------+
//   |   shard    |     segment, from the top |   bucket   |    tag    |
//   +------------+------------------+-------+------------+-----------+
//                                   | ghost |
//
// The ghost's bits serve a segment only in a shard of more than half a billion items.
#ifndef LARDER_UTIL_HASH_H_
#define LARDER_UTIL_HASH_H_

#include <cstdint>
#include <string_view>

namespace larder::util {

class KeyHash {
 public:
  explicit KeyHash(uint64_t secret) : secret_(secret) {}

  [[nodiscard]] uint64_t operator()(std::string_view key) const;

 private:
  uint64_t secret_;
};

// Which of `shards` (1…4096) owns the key.
inline uint32_t ShardOf(uint64_t hash, uint32_t shards) {
  return static_cast<uint32_t>(((hash >> 48) * shards) >> 16);
}
// The 28 bits that choose a segment, at the top of 64: the directory takes as many as it has.
constexpr uint64_t SegmentBitsOf(uint64_t hash) { return hash << 16; }
// Which of `buckets` (1…4096) of the segment is the key's home.
inline uint32_t BucketOf(uint64_t hash, uint32_t buckets) {
  return static_cast<uint32_t>((((hash >> 8) & 0xfff) * buckets) >> 12);
}
inline uint8_t TagOf(uint64_t hash) { return static_cast<uint8_t>(hash); }
// What a bucket remembers of an evicted key: 1…255.
inline uint8_t GhostOf(uint64_t hash) {
  return static_cast<uint8_t>(1 + (((hash >> 20) & 0xff) * 255 >> 8));
}

}  // namespace larder::util

#endif  // LARDER_UTIL_HASH_H_
