// Where a server listens, and a connection to it. The tools' own socket code: it shares nothing
// with the server's, so that a fault there cannot hide here.
#ifndef LARDER_BENCH_COMMON_ENDPOINT_H_
#define LARDER_BENCH_COMMON_ENDPOINT_H_

#include <cstdint>
#include <optional>
#include <string>

namespace larder::bench {

struct Endpoint {
  std::string host;  // a name or an address; unused with `path`
  std::string port;
  std::string path;  // of a Unix socket

  // "HOST:PORT", "[V6]:PORT", ":PORT" (127.0.0.1), or a path, which has a slash in it.
  static std::optional<Endpoint> Parse(const std::string& text);
};

// A connected, blocking socket without Nagle's delay; or -1, with one sentence in `error`.
int Connect(const Endpoint& endpoint, std::string* error);

}  // namespace larder::bench

#endif  // LARDER_BENCH_COMMON_ENDPOINT_H_
