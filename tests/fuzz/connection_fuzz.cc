// Fuzz target: any bytes, as what one client says to a whole server of two cores, cut as the first
// bytes of the input say, in every protocol.
//
// Held against: no crash, no CHECK, nothing read out of bounds; a client that has finished is
// answered and closed; and what it says disturbs nobody: another client's item is there, or has
// gone for a reason that is the protocol's (a flush; CLIENT KILL). The server lives on from one
// input to the next, or there would be few of them; it starts anew often enough that what an input
// left shows soon.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>

#include "sim/sim_server.h"
#include "util/check.h"

namespace larder::sim {

// Of the simulator, which is not here.
void SimFailed(const std::string& what) {
  std::fprintf(stderr, "%s\n", what.c_str());
  std::abort();
}

namespace {

constexpr int kInputsPerServer = 2000;
constexpr size_t kCutBytes = 4;
constexpr int kTurnsMax = 20'000;

// Reads what the server has for it, until it hangs up.
void WaitForEnd(SimServer& server, SimSocket& client) {
  for (int turn = 0; turn < kTurnsMax; ++turn) {
    (void)client.Read(SIZE_MAX);
    if (client.at_end() || client.reset_by_server()) return;
    server.RunOnce();
  }
  CHECK(false);  // it was never closed
}

void TalkTo(SimServer& server, std::string_view input) {
  std::string_view cuts = input.substr(0, std::min(input.size(), kCutBytes));
  std::string_view words = input.substr(cuts.size());
  const auto client = server.Connect();
  for (size_t i = 0; !words.empty(); ++i) {
    const size_t cut = i < cuts.size() ? size_t{static_cast<uint8_t>(cuts[i])} + 1 : words.size();
    client->Write(words.substr(0, cut));
    words.remove_prefix(std::min(cut, words.size()));
    server.RunOnce();
    server.RunOnce();
    (void)client->Read(SIZE_MAX);
  }
  client->FinishWriting();
  WaitForEnd(server, *client);
}

void TestOneInput(std::string_view input) {
  static std::unique_ptr<SimServer> server;
  static int inputs = 0;
  if (server == nullptr || ++inputs % kInputsPerServer == 0) {
    server.reset();
    server = std::make_unique<SimServer>(2, server::Worker::Options{.memory_bytes_max = 4 << 20});
  }
  const auto other = server->Connect();
  other->Write("set of/another/client 0 0 5\r\nvalue\r\n");
  TalkTo(*server, input);
  other->Write("get of/another/client\r\nquit\r\n");
  std::string answer;
  for (int turn = 0; turn < kTurnsMax && !other->at_end(); ++turn) {
    server->RunOnce();
    answer += other->Read(SIZE_MAX);
  }
  CHECK(other->at_end());
  CHECK(answer == "STORED\r\nVALUE of/another/client 0 5\r\nvalue\r\nEND\r\n" ||
        answer == "STORED\r\nEND\r\n" || answer == "STORED\r\n");
}

}  // namespace
}  // namespace larder::sim

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  larder::sim::TestOneInput({reinterpret_cast<const char*>(data), size});
  return 0;
}
