// What a server is told when it is made. Plain values; config/ fills them from flags,
// environment and file.
#ifndef LARDER_OPTIONS_H_
#define LARDER_OPTIONS_H_

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace larder {

// kGraceful: clients get what they are owed first.
enum class Shutdown : uint8_t { kNow, kGraceful };

enum class IoChoice : uint8_t { kAuto, kUring, kEvent };

// What clients may speak. kAuto: each as its first byte tells.
enum class ProtocolChoice : uint8_t { kAuto, kText, kBinary };

// What RESP clients are told of a cluster. kEmulated: that this is one of a single node.
enum class ClusterChoice : uint8_t { kOff, kEmulated };

// Who comes to a port: clients of any protocol, or of RESP only.
enum class Entrance : uint8_t { kAny, kRespOnly };

// The most that one thread can use: its items have addresses of 32 bits, in units of 8 bytes, and
// half of them serve for the holes between large items.
inline constexpr uint64_t kShardMemoryBytesMax = 16ULL << 30;

struct ServerOptions {
  // Where to listen for TCP; none: not at all.
  struct Listen {
    std::string host;  // a name or an address, IPv6 without brackets
    int port = 0;      // -1: any that is free
    Entrance entrance = Entrance::kAny;
  };
  std::vector<Listen> listen;
  std::string unix_path;  // empty: none
  uint32_t unix_mode = 0700;
  // Listening sockets that somebody else has made, and may go on using when we are gone. The server
  // owns the descriptors; all cores accept on each.
  std::vector<int> passed_fds;
  int backlog = 1024;

  uint32_t threads = 1;
  std::vector<int> cpus;  // one per thread to pin it to; empty: not pinned
  IoChoice io = IoChoice::kAuto;
  ProtocolChoice protocol = ProtocolChoice::kAuto;

  // Items, table and buffers of all cores; at most kShardMemoryBytesMax for each thread.
  uint64_t memory_bytes_max = 64ULL << 20;
  uint64_t item_bytes_max = 1ULL << 20;
  bool evict = true;

  uint32_t connections_max = 1024;
  uint32_t requests_per_turn = 512;  // of one client, before the next has its turn; at least 1
  uint32_t idle_timeout_s = 0;       // 0: never
  bool flush_enabled = true;
  bool dumps_enabled = true;  // keys may be listed

  bool watch_enabled = true;
  char prefix_delimiter = ':';  // of `stats detail`: ends a key's prefix
  bool detail = false;          // counts by prefix from the start
  // Ends the process, when a client says `shutdown`; called on any thread. Empty: none may.
  std::function<void(Shutdown how)> shutdown;

  // Who may come in; none: everybody, without a word.
  struct User {
    std::string name;
    std::string password;
  };
  std::vector<User> users;
  bool sasl_enabled = false;  // binary clients may say so by SASL; else they stay outside

  uint32_t databases = 16;          // that RESP clients may select: 1…256
  uint64_t keys_output_max = 8192;  // that KEYS answers, and one step of it more
  bool debug_enabled = false;       // RESP clients may fill the cache by DEBUG POPULATE
  ClusterChoice cluster = ClusterChoice::kOff;
  std::string cluster_announced_host;  // where clients find its node; empty: where they came to

  // Takes over a client that asks for a page over HTTP (GET or HEAD), where none has to say who
  // they are: its descriptor, and what it has said so far. Called on any thread, also while the
  // server goes. Empty: such clients are closed, as all that speak HTTP are.
  std::function<void(int fd, std::string_view said)> visitor;

  int verbosity = 0;
  // Told a line worth logging, on any thread; may be empty. `warning`: it works, but not as wished.
  std::function<void(std::string_view line, bool warning)> log;
  // What `stats settings` answers, in order.
  std::vector<std::pair<std::string, std::string>> settings;
};

}  // namespace larder

#endif  // LARDER_OPTIONS_H_
