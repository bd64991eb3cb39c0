// larder-load: the command line of the load generator. Exit status: 0 all is well, 1 the load
// failed (a wrong value, a protocol error, a refused request, a lost connection), 2 wrong usage.
// Compiled with exceptions, which CLI11 needs.
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <iterator>
#include <string>

#include "CLI/CLI.hpp"
#include "bench/common/endpoint.h"
#include "bench/load/load_run.h"
#include "larder/command.h"

namespace larder::bench {
namespace {

// What flags say in words, before it is understood.
struct Words {
  std::string protocol = "text";
  std::string mix;
  std::string value_size = "64";
  std::string distribution = "uniform";
  std::string json_path;
  double stall_s = 10;
};

void AddFlags(CLI::App& app, LoadOptions& options, Words& words) {
  app.add_option("-s,--server", options.server, "HOST:PORT, or the path of a Unix socket")
      ->capture_default_str();
  app.add_option("-P,--protocol", words.protocol, "text, meta, binary or resp")
      ->capture_default_str();
  app.add_option("-t,--threads", options.threads)->capture_default_str();
  app.add_option("-c,--connections", options.connections, "of all threads together")
      ->capture_default_str();
  app.add_option("-d,--depth", options.worker.depth, "requests on their way per connection")
      ->capture_default_str();
  auto* ratio = app.add_option("--get-ratio", options.worker.get_ratio, "share of gets, 0 to 1")
                    ->capture_default_str();
  app.add_option("--mix", words.mix, "GETS:SETS, such as 9:1; instead of --get-ratio")
      ->excludes(ratio);
  app.add_option("--keys-per-get", options.worker.keys_per_get, "more than 1: multi-key gets")
      ->capture_default_str();
  app.add_option("--keys-per-set", options.worker.keys_per_set, "more than 1: MSET (resp only)")
      ->capture_default_str();
  app.add_option("--keys", options.keys.keys, "how many different keys")->capture_default_str();
  app.add_option("--key-size", options.keys.key_size)->capture_default_str();
  app.add_option("--value-size", words.value_size, "N, or MIN-MAX (a key keeps its size)")
      ->capture_default_str();
  app.add_option("--distribution", words.distribution, "uniform, or zipf:EXPONENT")
      ->capture_default_str();
  app.add_option("--rate", options.rate_per_s,
                 "requests per second, all threads; latency counts from when a request was due");
  app.add_option("-n,--requests", options.requests, "how many; otherwise --duration rules");
  app.add_option("--duration", options.duration_s, "seconds")->capture_default_str();
  app.add_option("--warmup", options.warmup_s, "seconds of the same load before, unmeasured");
  app.add_flag("--preload", options.preload, "store every key once before");
  app.add_flag("--require-hits", options.require_hits, "a missing key is a failure");
  app.add_option("--seed", options.worker.seed)->capture_default_str();
  app.add_option("--server-pid", options.server_pid, "to say what CPU time the server used");
  app.add_option("--cpu", options.cpus, "CPUs to pin the threads to, such as 1 or 2,3")
      ->delimiter(',');
  app.add_option("--stall", words.stall_s, "seconds without any reply that are a failure")
      ->capture_default_str();
  app.add_option("--json", words.json_path, "write the figures to this file too (- : only that)");
  app.add_flag("--progress", options.progress, "a line per second on stderr (default: if a tty)");
}

bool ParseNumber(const std::string& text, double* number) {
  char* end = nullptr;
  *number = std::strtod(text.c_str(), &end);
  return !text.empty() && *end == '\0' && std::isfinite(*number) && *number >= 0;
}

// "A" or "A<separator>B"; B is A where it is not said.
bool ParsePair(const std::string& text, char separator, double* first, double* second) {
  const size_t at = text.find(separator);
  if (!ParseNumber(text.substr(0, at), first)) return false;
  *second = *first;
  return at == std::string::npos || ParseNumber(text.substr(at + 1), second);
}

std::string UnderstandSizes(const Words& words, LoadOptions& options) {
  double low = 0;
  double high = 0;
  if (!ParsePair(words.value_size, '-', &low, &high) || low > high || high > 1 << 30) {
    return "--value-size takes N or MIN-MAX, at most 1 GiB, not " + words.value_size;
  }
  options.keys.value_size_min = static_cast<uint32_t>(low);
  options.keys.value_size_max = static_cast<uint32_t>(high);
  if (options.keys.keys == 0) return "--keys must be at least 1";
  const uint32_t key_size_min = KeySpace::KeySizeMin(options.keys.keys);
  if (options.keys.key_size < key_size_min || options.keys.key_size > kKeyBytesMax) {
    return "--key-size must be " + std::to_string(key_size_min) + " to " +
           std::to_string(kKeyBytesMax) + " for that many keys";
  }
  return "";
}

std::string UnderstandShape(const Words& words, LoadOptions& options) {
  double gets = 0;
  double sets = 0;
  if (!words.mix.empty()) {
    const bool pair = words.mix.find(':') != std::string::npos;
    if (!pair || !ParsePair(words.mix, ':', &gets, &sets) || gets + sets <= 0) {
      return "--mix takes GETS:SETS, such as 9:1, not " + words.mix;
    }
    options.worker.get_ratio = gets / (gets + sets);
  }
  if (options.worker.get_ratio < 0 || options.worker.get_ratio > 1) {
    return "--get-ratio must be 0 to 1";
  }
  if (words.distribution != "uniform") {
    const bool zipf = words.distribution.starts_with("zipf:");
    if (!zipf || !ParseNumber(words.distribution.substr(5), &options.worker.zipf_exponent) ||
        options.worker.zipf_exponent <= 0) {
      return "--distribution takes uniform or zipf:EXPONENT, not " + words.distribution;
    }
  }
  options.dialect =
      std::find_if(std::begin(kDialects), std::end(kDialects),
                   [&](const DialectName& dialect) { return dialect.name == words.protocol; });
  if (options.dialect == std::end(kDialects)) {
    return "--protocol takes text, meta, binary or resp, not " + words.protocol;
  }
  if (options.worker.keys_per_set > 1 && words.protocol != "resp") {
    return "--keys-per-set needs --protocol=resp";
  }
  return "";
}

// One sentence if something cannot be.
std::string Understand(const Words& words, LoadOptions& options) {
  const auto endpoint = Endpoint::Parse(options.server);
  if (!endpoint) return "--server takes HOST:PORT or a path, not " + options.server;
  options.worker.endpoint = *endpoint;
  if (options.threads == 0 || options.threads > options.connections) {
    return "--threads must be 1 to the number of connections";
  }
  if (options.worker.depth == 0 || options.worker.depth > 65'536) {
    return "--depth must be 1 to 65536";
  }
  for (const uint32_t keys : {options.worker.keys_per_get, options.worker.keys_per_set}) {
    if (keys == 0 || keys > 65'536) return "--keys-per-get and --keys-per-set must be 1 to 65536";
  }
  if (options.duration_s <= 0 || options.warmup_s < 0 || options.rate_per_s < 0 ||
      words.stall_s <= 0) {
    return "times and rates must be positive";
  }
  options.worker.stall_ns = static_cast<uint64_t>(words.stall_s * 1e9);
  const std::string sizes = UnderstandSizes(words, options);
  return sizes.empty() ? UnderstandShape(words, options) : sizes;
}

// Ten thousand connections need as many descriptors.
void RaiseDescriptorLimit() {
  rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

bool WriteJson(const std::string& path, const std::string& json) {
  std::FILE* file = path == "-" ? stdout : std::fopen(path.c_str(), "we");
  if (file == nullptr) return false;
  const bool written = std::fwrite(json.data(), 1, json.size(), file) == json.size();
  const bool closed = file == stdout ? std::fflush(file) == 0 : std::fclose(file) == 0;
  return written && closed;
}

int Main(int argc, char** argv) {
  LoadOptions options;
  Words words;
  CLI::App app("A load generator that checks every reply.", "larder-load");
  options.progress = isatty(STDERR_FILENO) == 1;
  AddFlags(app, options, words);
  CLI11_PARSE(app, argc, argv);
  if (const std::string wrong = Understand(words, options); !wrong.empty()) {
    std::fprintf(stderr, "larder-load: %s\n", wrong.c_str());
    return 2;
  }
  RaiseDescriptorLimit();
  const LoadResult result = RunLoad(options);
  if (words.json_path != "-" && result.Requests() > 0) PrintTable(options, result);
  if (!words.json_path.empty() && !WriteJson(words.json_path, ToJson(options, result))) {
    std::fprintf(stderr, "larder-load: cannot write %s\n", words.json_path.c_str());
    return 1;
  }
  if (result.failure.empty()) return 0;
  std::fprintf(stderr, "larder-load: FAILED: %s\n", result.failure.c_str());
  return 1;
}

}  // namespace
}  // namespace larder::bench

int main(int argc, char** argv) { return larder::bench::Main(argc, argv); }
