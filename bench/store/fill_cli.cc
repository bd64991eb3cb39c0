// larder-fill: fills a cache with items of given sizes, or counts what is left of them, and prints
// one line of JSON. bench/store/measure calls it.
//
//   larder-fill set -s :11211 --value-size 100 --value-size-max 1000 --bytes 768000000
//   larder-fill count -s :11211 --value-size 100 --value-size-max 1000 --every 16
//
// Exit status: 0 all is well (refused sets are a figure, not a failure), 1 a wrong answer or a lost
// connection, 2 wrong usage. Compiled with exceptions, which CLI11 needs.
#include <cstdio>
#include <string>

#include "CLI/CLI.hpp"
#include "bench/load/process_cpu.h"
#include "bench/load/worker.h"
#include "bench/store/fill.h"

namespace larder::bench {
namespace {

struct Options {
  std::string server = "127.0.0.1:11211";
  uint32_t value_size_min = 64;
  uint32_t value_size_max = 0;  // 0: the same
  uint32_t key_size = 20;
  KeyRange range{.first = 0, .count = 1'000'000};
  uint64_t bytes_max = UINT64_MAX;
  uint64_t seed = 0;  // 0: in order
  uint32_t every = 1;
  pid_t server_pid = 0;
};

uint64_t CpuNs(pid_t pid) {
  const auto cpu = pid > 0 ? ProcessCpu::Of(pid) : std::nullopt;
  return cpu ? cpu->run_ns : 0;
}

int Set(const Options& options, Filler& filler) {
  Filled filled;
  const uint64_t cpu_ns = CpuNs(options.server_pid);
  const uint64_t begin_ns = MonotonicNs();
  const bool done = options.seed == 0 ? filler.SetInOrder(options.range, options.bytes_max, filled)
                                      : filler.SetAtRandom(options.range, options.bytes_max,
                                                           options.seed, filled);
  if (!done) return 1;
  const double seconds = static_cast<double>(MonotonicNs() - begin_ns) / 1e9;
  const double cpu_us = static_cast<double>(CpuNs(options.server_pid) - cpu_ns) / 1e3;
  std::printf(
      "{\"sets\": %llu, \"refused\": %llu, \"first_refusal\": \"%s\", \"bytes\": %llu, "
      "\"seconds\": %.6f, \"server_cpu_us\": %.3f}\n",
      static_cast<unsigned long long>(filled.sets), static_cast<unsigned long long>(filled.refused),
      filled.first_refusal.c_str(), static_cast<unsigned long long>(filled.bytes), seconds, cpu_us);
  return 0;
}

int Count(const Options& options, Filler& filler) {
  Counted counted;
  if (!filler.Count(options.range, options.every, counted)) return 1;
  std::printf("{\"asked\": %llu, \"hits\": %llu, \"bytes\": %llu}\n",
              static_cast<unsigned long long>(counted.asked),
              static_cast<unsigned long long>(counted.hits),
              static_cast<unsigned long long>(counted.bytes));
  return 0;
}

std::string Wrong(Options& options) {
  if (options.value_size_max == 0) options.value_size_max = options.value_size_min;
  if (options.value_size_max < options.value_size_min) return "--value-size-max is too small";
  const uint64_t end = uint64_t{options.range.first} + options.range.count;
  if (options.range.count == 0 || end > UINT32_MAX) return "keys have numbers below 2^32";
  if (options.key_size < KeySpace::KeySizeMin(static_cast<uint32_t>(end)) ||
      options.key_size > 250) {
    return "--key-size does not fit these keys";
  }
  return options.every == 0 ? "--every must be at least 1" : "";
}

int Main(int argc, char** argv) {
  Options options;
  CLI::App app("Fills a cache, and counts what is left.", "larder-fill");
  app.require_subcommand(1);
  CLI::App* set = app.add_subcommand("set", "stores keys");
  CLI::App* count = app.add_subcommand("count", "asks for keys, adds up what is there");
  for (CLI::App* command : {set, count}) {
    command->add_option("-s,--server", options.server, "HOST:PORT or a path");
    command->add_option("--value-size", options.value_size_min, "the smallest");
    command->add_option("--value-size-max", options.value_size_max, "if they differ by key");
    command->add_option("--key-size", options.key_size);
    command->add_option("--first", options.range.first, "number of the first key");
    command->add_option("--keys", options.range.count, "how many keys");
  }
  set->add_option("--bytes", options.bytes_max, "ends after so many of keys and values");
  set->add_option("--seed", options.seed, "draws keys at random; without, each once, in order");
  set->add_option("--server-pid", options.server_pid, "to say what CPU time it used");
  count->add_option("--every", options.every, "asks for one key in so many");
  CLI11_PARSE(app, argc, argv);

  const auto endpoint = Endpoint::Parse(options.server);
  std::string wrong = Wrong(options);
  if (!endpoint) wrong = "--server takes HOST:PORT or a path";
  if (options.seed != 0 && options.bytes_max == UINT64_MAX) wrong = "--seed needs --bytes";
  if (!wrong.empty()) {
    std::fprintf(stderr, "larder-fill: %s\n", wrong.c_str());
    return 2;
  }
  const KeySpace keys({.keys = options.range.first + options.range.count,
                       .key_size = options.key_size,
                       .value_size_min = options.value_size_min,
                       .value_size_max = options.value_size_max});
  Filler filler(*endpoint, keys);
  int status = 1;
  if (filler.Connect()) status = set->parsed() ? Set(options, filler) : Count(options, filler);
  if (status == 1) std::fprintf(stderr, "larder-fill: FAILED: %s\n", filler.failure().c_str());
  return status;
}

}  // namespace
}  // namespace larder::bench

int main(int argc, char** argv) { return larder::bench::Main(argc, argv); }
