// One core's part of a listing, a page at a time: what to list, and the text of a page.
//
// A page is made on the core that it tells about, in one go: one segment of the table at most, or a
// few hundred connections. It keeps nothing: where to go on is a number, which the asker brings.
#ifndef LARDER_SERVER_PAGE_H_
#define LARDER_SERVER_PAGE_H_

#include <cstdint>
#include <string>
#include <type_traits>

namespace larder::server {

class Worker;

// What a listing lists. Travels between cores as it lies in memory.
struct Selection {
  enum class What : uint8_t {
    kConnections,  // stats conns
    kMetadump,     // lru_crawler metadump
    kMgdump,       // lru_crawler mgdump
    kCachedump,    // stats cachedump
    kSizes,        // stats sizes: a page is numbers of steps, as SizeStep has them, not text
  };
  What what = What::kConnections;
  uint64_t classes = UINT64_MAX;    // of items: a bit for each size class
  uint64_t items_max = UINT64_MAX;  // lines, all cores together
  uint64_t bytes_max = UINT64_MAX;  // and their text
};
static_assert(std::is_trivially_copyable_v<Selection>);

// A cursor: 0 is the beginning, and the end; this: no core has more to say.
inline constexpr uint64_t kCursorStop = UINT64_MAX;

// What a page is expected to take at most; long keys may make it a few times that.
inline constexpr uint64_t kPageBytes = 64 << 10;

// The page at `cursor`, which becomes where to go on.
std::string MakePage(const Worker& worker, const Selection& selection, uint64_t& cursor);

// Steps of `stats sizes`, in units of 32 bytes as memcached has them; above 16 KiB they are
// coarser, so that there are few thousand whatever the item limit is.
uint32_t SizeStep(uint64_t item_bytes);

// `key` as a dump writes it: letters, digits and "-._~" as they are, of all other bytes "%" and two
// hexadecimal digits.
void AppendEncoded(std::string& text, std::string_view key);

}  // namespace larder::server

#endif  // LARDER_SERVER_PAGE_H_
