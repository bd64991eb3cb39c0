// What a server is told when it is made. Plain values; config/ fills them from flags, environment and file.
#ifndef LARDER_OPTIONS_H_
#define LARDER_OPTIONS_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace larder {

enum class IoChoice : uint8_t { kAuto, kUring, kEvent };

struct ServerOptions {
  // Where to listen. TCP unless `port` is 0; -1 takes any free port.
  int port = 11211;
  std::vector<std::string> listen_addresses = {"127.0.0.1"};  // host, host:port, [v6]:port
  std::string unix_path;                                      // empty: none
  uint32_t unix_mode = 0700;
  int backlog = 1024;

  uint32_t threads = 1;
  std::vector<uint32_t> cpus;  // one per thread to pin it to; empty: not pinned
  IoChoice io = IoChoice::kAuto;

  uint64_t memory_bytes_max = 64ULL << 20;  // items, table and buffers of all cores
  uint64_t item_bytes_max = 1ULL << 20;
  bool evict = true;

  uint32_t connections_max = 1024;
  uint32_t idle_timeout_s = 0;  // 0: never
  bool flush_enabled = true;

  int verbosity = 0;
  // What `stats settings` answers, in order.
  std::vector<std::pair<std::string, std::string>> settings;
};

}  // namespace larder

#endif  // LARDER_OPTIONS_H_
