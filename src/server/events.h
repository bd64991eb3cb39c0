// What clients may watch: events, as lines of text in memcached's words, of five streams.
//
//   fetchers    type=item_get key= status=found|not_found|expired|flushed clsid= cfd= size=
//   mutations   type=item_store key= status= cmd= ttl= clsid= cfd= size=
//   evictions   type=eviction key= fetch=yes|no ttl= la= clsid= size=
//   connevents  type=conn_new|conn_close rip= rport= transport= [reason=] cfd=; the reason is one
//   of
//               normal|error|idle_timeout|shutdown
//   deletions   type=deleted key= cmd= clsid= size=
//
// Each begins with the time and a number: ts=SECONDS.MICROSECONDS gid=NUMBER. Keys are URI-encoded.
// A gid is unique, and grows within a core. The other streams of memcached (rawcmds, sysevents,
// proxy…) are known by name, and nothing happens in them.
//
// A core collects the events of a turn in a batch and sends it to every core that has watchers:
//
//        0                  20
//        +------------------+------------------------------------------------------+
//        | dropped x5, u32  | records: bytes u16 | stream u8 | line …, one by one  |
//        +------------------+------------------------------------------------------+
//
// Nobody waits for a watcher: what finds no room is counted, as dropped or as skipped.
#ifndef LARDER_SERVER_EVENTS_H_
#define LARDER_SERVER_EVENTS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace larder::server {

enum class Stream : uint8_t { kFetchers, kMutations, kEvictions, kConnEvents, kDeletions };
inline constexpr size_t kStreamCount = 5;
// A set of them: a bit for each.
using Streams = uint32_t;
constexpr Streams StreamBit(Stream stream) { return 1U << static_cast<unsigned>(stream); }

// Why a client has gone: it wanted to, something was wrong with it or its connection, it was silent
// for too long, or nobody is served any more.
enum class Leaving : uint8_t { kNormal, kError, kIdleTimeout, kShutdown };
std::string_view ReasonOf(Leaving why);

// What follows `watch`: names of streams; none: fetchers. Nothing if one is unknown.
std::optional<Streams> ParseStreams(std::string_view words);

// The events of one core's turn.
class EventBatch {
 public:
  static constexpr size_t kBytesMax = 64 << 10;

  // `line` without its end. Counted as dropped if there is no room.
  void Add(Stream stream, std::string_view line);
  // One of that stream is lost.
  void Drop(Stream stream) { ++dropped_[static_cast<size_t>(stream)]; }
  [[nodiscard]] bool empty() const;
  // As bytes to send.
  [[nodiscard]] std::string Encode() const;
  [[nodiscard]] uint64_t lines() const { return lines_; }
  // What is lost here is lost there too; the events follow those that it has, all of them or, if
  // they find no room, none: then they are lost there. False in that case.
  bool AddTo(EventBatch& other) const;
  void Clear();

 private:
  std::array<uint32_t, kStreamCount> dropped_{};
  std::array<uint32_t, kStreamCount> held_{};
  uint64_t lines_ = 0;
  std::string records_;
};

// Reads what EventBatch::Encode() has written.
class EventReader {
 public:
  explicit EventReader(std::string_view bytes);

  // Events of `streams` that were lost.
  [[nodiscard]] uint64_t Dropped(Streams streams) const;
  struct Event {
    Stream stream;
    std::string_view line;
  };
  // The next one, or nothing.
  std::optional<Event> Next();

 private:
  std::string_view dropped_;
  std::string_view records_;
};

}  // namespace larder::server

#endif  // LARDER_SERVER_EVENTS_H_
