// From what the process was started with to Settings, or to the reason why not.
//
// A flag counts before the environment (LARDER_PORT for --port, …), the environment before the file
// (--config, LARDER_CONFIG), the file before Debian's file of memcached flags (--memcached-conf,
// LARDER_MEMCACHED_CONF), that before the default. Within the flags the last one wins, as in
// memcached, but for -l, which adds up, and -v, which counts. A variable that is set to nothing is
// not set. What memcached has and we have not is ignored with a line, or refused; see
// memcached_flags.h. Every wrong word stops the start, wherever it stands: an unknown flag, an
// unknown name in the file, an unknown LARDER_ variable, a name that the file gives twice, a value
// out of bounds.
//
// Reads the file and nothing else; prints nothing. cli.cc is the one file of the tree with CLI11
// and with exceptions, none of which leave it.
#ifndef LARDER_CONFIG_CLI_H_
#define LARDER_CONFIG_CLI_H_

#include <cstdint>
#include <string>
#include <vector>

#include "config/settings.h"

namespace larder::config {

enum class Start : uint8_t {
  kRun,    // with `settings`, after logging `warnings`
  kPrint,  // `text` to stdout, exit with 0
  kWrong,  // `text` to stderr, exit with kExitUsage
};

// EX_USAGE of sysexits.h; memcached's, too.
inline constexpr int kExitUsage = 64;

struct ParseResult {
  Start start = Start::kWrong;
  Settings settings;
  // Of kWrong: one sentence, "larderd: …", with a newline.
  std::string text;
  // Sentences without a newline.
  std::vector<std::string> warnings;
};

// `arguments` and `environment` as main() has them: the first argument is the program's name, the
// environment ends with a null pointer (and may itself be null).
ParseResult ParseSettings(int argument_count, const char* const* arguments,
                          const char* const* environment, const Machine& machine);

}  // namespace larder::config

#endif  // LARDER_CONFIG_CLI_H_
