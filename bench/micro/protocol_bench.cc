// What a request costs in the protocol layer: nanoseconds for one command parsed, and for one
// answer spelled. Pipelines are parsed from a buffer of 16 requests, as they come from a socket.
//
//   bin/protocol_bench [--benchmark_filter=REGEX]
#include <benchmark/benchmark.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/binary_header.h"
#include "protocol/codec.h"
#include "util/bytes.h"
#include "util/check.h"

namespace larder::protocol {
namespace {

constexpr size_t kDepth = 16;
constexpr Resume kLineStart = {Resume::At::kLineStart, Verb::kRejected, 0};

std::string Key(size_t i) { return "memtier-" + std::to_string(10'000'000 + i * 7919); }

// Parses all of `wire` again and again; counts commands.
void ParsePipeline(benchmark::State& state, const std::string& wire, size_t commands,
                   Protocol protocol = Protocol::kText) {
  const Codec& codec = CodecOf(protocol);
  uint64_t checksum = 0;
  ParserSpace space;
  for (auto _ : state) {
    std::string_view rest = wire;
    Resume resume = kLineStart;
    size_t parsed_count = 0;
    while (!rest.empty()) {
      const Parsed parsed = codec.parse(rest, resume, {}, space);
      DCHECK(parsed.state == ParseState::kReady);
      checksum += parsed.command.key.size() + static_cast<uint64_t>(parsed.command.verb);
      rest.remove_prefix(parsed.consumed);
      resume = parsed.resume;
      ++parsed_count;
    }
    CHECK_EQ(parsed_count, commands);
  }
  benchmark::DoNotOptimize(checksum);
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations()) *
                          static_cast<int64_t>(commands));
  state.SetLabel("checksum " + std::to_string(checksum / state.iterations()));
}

void BM_ParseGet(benchmark::State& state) {
  std::string wire;
  for (size_t i = 0; i < kDepth; ++i) {
    wire += "get " + Key(i) + "\r\n";
  }
  ParsePipeline(state, wire, kDepth);
}
BENCHMARK(BM_ParseGet);

void BM_ParseSet(benchmark::State& state) {
  std::string wire;
  for (size_t i = 0; i < kDepth; ++i) {
    wire += "set " + Key(i) + " 0 0 64\r\n" + std::string(64, 'v') + "\r\n";
  }
  ParsePipeline(state, wire, kDepth);
}
BENCHMARK(BM_ParseSet);

void BM_ParseIncr(benchmark::State& state) {
  std::string wire;
  for (size_t i = 0; i < kDepth; ++i) {
    wire += "incr " + Key(i) + " 1\r\n";
  }
  ParsePipeline(state, wire, kDepth);
}
BENCHMARK(BM_ParseIncr);

void BM_ParseGetOfManyKeys(benchmark::State& state) {
  std::string wire = "get";
  for (size_t i = 0; i < 100; ++i) {
    wire += " " + Key(i);
  }
  ParsePipeline(state, wire + "\r\n", 100);
}
BENCHMARK(BM_ParseGetOfManyKeys);

// A binary request: extras of no meaning, a key and a value.
std::string BinaryRequest(uint8_t opcode, size_t extras, const std::string& key, size_t value) {
  const BinaryHeader header = {.magic = kBinaryRequestMagic,
                               .opcode = opcode,
                               .key_bytes = static_cast<uint16_t>(key.size()),
                               .extras_bytes = static_cast<uint8_t>(extras),
                               .body_bytes = static_cast<uint32_t>(extras + key.size() + value)};
  std::array<char, kBinaryHeaderBytes> out;
  header.Store(out.data());
  return std::string(out.data(), out.size()) + std::string(extras, '\0') + key +
         std::string(value, 'v');
}

void BM_ParseBinaryGet(benchmark::State& state) {
  std::string wire;
  for (size_t i = 0; i < kDepth; ++i) wire += BinaryRequest(0x00, 0, Key(i), 0);
  ParsePipeline(state, wire, kDepth, Protocol::kBinary);
}
BENCHMARK(BM_ParseBinaryGet);

void BM_ParseBinarySet(benchmark::State& state) {
  std::string wire;
  for (size_t i = 0; i < kDepth; ++i) wire += BinaryRequest(0x01, 8, Key(i), 64);
  ParsePipeline(state, wire, kDepth, Protocol::kBinary);
}
BENCHMARK(BM_ParseBinarySet);

void Encode(benchmark::State& state, const Command& command, const Outcome& outcome,
            Protocol protocol = Protocol::kText) {
  const Codec& codec = CodecOf(protocol);
  std::vector<char> out(codec.encoded_bytes_max(command, outcome));
  size_t written = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(codec.encoded_bytes_max(command, outcome));
    written = static_cast<size_t>(codec.encode(command, outcome, out.data()) - out.data());
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations()));
  state.SetLabel("bytes " + std::to_string(written));
}

void BM_EncodeHit(benchmark::State& state) {
  const std::string key = Key(1);
  const std::string value(static_cast<size_t>(state.range(0)), 'v');
  Encode(state, {.verb = Verb::kGet, .key = key}, {.status = Status::kHit, .value = value});
}
BENCHMARK(BM_EncodeHit)->Arg(64)->Arg(1024);

void BM_EncodeBinaryHit(benchmark::State& state) {
  const std::string key = Key(1);
  const std::string value(static_cast<size_t>(state.range(0)), 'v');
  const Extras extras = {.spelling = Spelling::kBinary};
  Encode(state, {.verb = Verb::kGet, .key = key, .extras = &extras},
         {.status = Status::kHit, .value = value}, Protocol::kBinary);
}
BENCHMARK(BM_EncodeBinaryHit)->Arg(64)->Arg(1024);

void BM_EncodeStored(benchmark::State& state) {
  Encode(state, {.verb = Verb::kSet, .key = "k"}, {.status = Status::kStored});
}
BENCHMARK(BM_EncodeStored);

void BM_AppendDecimal(benchmark::State& state) {
  std::array<char, util::kDecimalBytesMax> out;
  uint64_t value = static_cast<uint64_t>(state.range(0));
  for (auto _ : state) {
    benchmark::DoNotOptimize(value);
    benchmark::DoNotOptimize(util::AppendDecimal(out.data(), value));
    benchmark::ClobberMemory();
  }
}
BENCHMARK(BM_AppendDecimal)->Arg(0)->Arg(64)->Arg(1'048'576)->Arg(1'234'567'890'123'456'789);

void BM_ParseDecimal(benchmark::State& state) {
  const std::string text = std::to_string(state.range(0));
  std::string_view view = text;
  for (auto _ : state) {
    benchmark::DoNotOptimize(view);
    benchmark::DoNotOptimize(util::ParseUint64(view));
  }
}
BENCHMARK(BM_ParseDecimal)->Arg(0)->Arg(64)->Arg(1'048'576)->Arg(1'234'567'890'123'456'789);

}  // namespace
}  // namespace larder::protocol

BENCHMARK_MAIN();
