// larder_sim: runs the whole server under a simulated world.
//
//   larder_sim [--seed=N] [--seeds=COUNT] [--until=STEP] [--cores=N] [--clients=N] [--steps=N]
//
// Runs COUNT seeds from N on. A failure prints `sim --seed=N --until=STEP`; the same seed with the
// same options fails in the same way.
#include <charconv>
#include <csignal>
#include <cstdint>
#include <iostream>
#include <optional>
#include <string_view>

#include "simulation.h"

namespace larder::sim {

void PrintHowToReplay();

namespace {

void OnAbort(int /*signal*/) { PrintHowToReplay(); }

std::optional<uint64_t> NumberOf(std::string_view argument, std::string_view name) {
  if (!argument.starts_with(name)) return std::nullopt;
  argument.remove_prefix(name.size());
  uint64_t number = 0;
  const auto [end, error] =
      std::from_chars(argument.data(), argument.data() + argument.size(), number);
  if (error != std::errc() || end != argument.data() + argument.size()) return std::nullopt;
  return number;
}

int Main(int argc, char** argv) {
  SimOptions options;
  uint64_t seeds = 1;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (const auto seed = NumberOf(argument, "--seed=")) {
      options.seed = *seed;
    } else if (const auto count = NumberOf(argument, "--seeds=")) {
      seeds = *count;
    } else if (const auto until = NumberOf(argument, "--until=")) {
      options.until = *until;
    } else if (const auto steps = NumberOf(argument, "--steps=")) {
      options.steps = *steps;
    } else if (const auto cores = NumberOf(argument, "--cores=")) {
      options.cores = static_cast<uint32_t>(*cores);
    } else if (const auto clients = NumberOf(argument, "--clients=")) {
      options.clients = static_cast<uint32_t>(*clients);
    } else {
      std::cerr << "larder_sim: unknown argument " << argument << "\n";
      return 2;
    }
  }
  std::signal(SIGABRT, OnAbort);
  for (; seeds > 0; --seeds, ++options.seed) {
    const SimReport report = Simulation(options).Run();
    std::cout << "seed " << options.seed << ": " << report.steps << " steps, "
              << report.received_bytes << " bytes in, " << report.sent_bytes << " out, "
              << report.messages << " messages, " << report.lent << " values lent, "
              << report.in_place << " received in place, " << report.moved
              << " clients moved, at most " << report.lent_bytes_peak
              << " bytes lent by a core and " << report.output_bytes_peak
              << " bytes owed to one client; RESP: " << report.resp.replies << " replies, "
              << report.resp.execs << " EXECs, " << report.resp.aborts << " aborted, "
              << report.resp.read_together << " reads of all, " << report.resp.read_in_order
              << " one by one, " << report.resp.sums << " sums, " << report.resp.swaps << " swaps, "
              << report.resp.swaps_lost << " lost" << std::endl;
  }
  return 0;
}

}  // namespace
}  // namespace larder::sim

// Sanitizers abort, so that the handler is asked for its last words.
extern "C" const char* __asan_default_options() { return "abort_on_error=1"; }   // NOLINT
extern "C" const char* __ubsan_default_options() { return "abort_on_error=1"; }  // NOLINT

int main(int argc, char** argv) { return larder::sim::Main(argc, argv); }
