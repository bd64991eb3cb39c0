#include "server/resp_config.h"

#include <absl/strings/str_cat.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "protocol/resp_requests.h"
#include "server/worker.h"
#include "util/absl_view.h"
#include "util/bytes.h"
#include "util/glob.h"

namespace larder::server {

using protocol::IsWord;
using protocol::RespSubcommand;

namespace {

using Parameters = std::vector<std::pair<std::string, std::string>>;

// What clients ask for, under Redis' names.
Parameters AllParameters(const Worker& worker) {
  const Cluster& cluster = worker.cluster();
  const uint64_t maxmemory = cluster.memory_bytes_max.load(std::memory_order_relaxed);
  return {{"appendonly", "no"},
          {"databases", absl::StrCat(cluster.databases)},
          {"maxclients", absl::StrCat(cluster.connections_max)},
          {"maxmemory", absl::StrCat(maxmemory)},
          {"maxmemory-policy", "allkeys-lfu"},
          {"proto-max-bulk-len", absl::StrCat(cluster.item_bytes_max)},
          {"save", ""},
          {"timeout", absl::StrCat(cluster.idle_timeout_s)}};
}

void ConfigGet(RespCall& call) {
  const Parameters all = AllParameters(call.worker);
  Parameters found;
  std::vector<std::string_view> patterns;
  patterns.reserve(call.count);
  while (!call.arguments.empty()) patterns.push_back(call.arguments.Next());
  for (const auto& parameter : all) {
    const bool wanted = std::any_of(patterns.begin(), patterns.end(), [&](std::string_view each) {
      return util::MatchesGlob(each, parameter.first);
    });
    if (wanted) found.push_back(parameter);
  }
  call.reply.Map(found.size());
  for (const auto& [name, value] : found) {
    call.reply.Bulk(name);
    call.reply.Bulk(value);
  }
}

// Of what can be set, if `name` and `value` are right; else the error.
struct NewLimit {
  uint64_t bytes = 0;
  std::string error = {};
};

std::string SetFailed(std::string_view name, std::string_view why) {
  return absl::StrCat("ERR CONFIG SET failed (possibly related to argument '", util::View(name),
                      "') - ", util::View(why));
}

NewLimit ReadLimit(const Worker& worker, std::string_view name, std::string_view value) {
  // As Redis' file has it: b, k, kb, m, mb, g, gb, where a b makes 1024 of 1000.
  constexpr uint64_t kLimitMin = 8 << 20;
  const size_t digits = std::min(value.find_first_not_of("0123456789"), value.size());
  const std::optional<uint64_t> number = util::ParseUint64(value.substr(0, digits));
  const std::string_view unit = value.substr(digits);
  uint64_t factor = 0;
  for (const auto& [word, each] : {std::pair<std::string_view, uint64_t>{"", 1},
                                   {"b", 1},
                                   {"k", 1000},
                                   {"kb", 1 << 10},
                                   {"m", 1'000'000},
                                   {"mb", 1 << 20},
                                   {"g", 1'000'000'000},
                                   {"gb", 1 << 30}}) {
    if (IsWord(unit, word)) factor = each;
  }
  uint64_t bytes = 0;
  if (!number || factor == 0 || __builtin_mul_overflow(*number, factor, &bytes)) {
    return {.error = SetFailed(name, "argument must be a memory value")};
  }
  const uint32_t cores = worker.cluster().mailboxes.cores();
  if (bytes < kLimitMin) return {.error = SetFailed(name, "8 MB are the least")};
  if (bytes / cores > worker.shard().BudgetBytesMax()) {
    return {.error = SetFailed(name, "more than was foreseen at the start")};
  }
  return {.bytes = bytes};
}

// CONFIG SET as a whole: all of it, or nothing.
NewLimit ReadConfigSet(const Worker& worker, protocol::RespArguments words, size_t count) {
  NewLimit limit;
  if (count % 2 != 0) return {.error = "ERR syntax error"};
  bool known = false;
  while (!words.empty()) {
    const std::string_view name = words.Next();
    const std::string_view value = words.Next();
    known = false;
    for (const auto& parameter : AllParameters(worker)) known |= IsWord(name, parameter.first);
    if (!known) {
      return {.error = absl::StrCat("ERR Unknown option or number of arguments for CONFIG SET - '",
                                    util::View(name), "'")};
    }
    if (!IsWord(name, "maxmemory")) return {.error = SetFailed(name, "can't set immutable config")};
    limit = ReadLimit(worker, name, value);
    if (!limit.error.empty()) return limit;
  }
  return limit;
}

NewLimit ReadConfigSet(const Worker& worker, const Command& command) {
  protocol::RespArguments words(command.key);
  (void)words.Next();
  (void)words.Next();
  return ReadConfigSet(worker, words, static_cast<size_t>(command.exptime));
}

}  // namespace

bool ChangesConfig(const Worker& worker, const Command& command) {
  const RespSubcommand what = protocol::RespSubcommandIn(command);
  return what == RespSubcommand::kConfigResetstat ||
         (what == RespSubcommand::kConfigSet && ReadConfigSet(worker, command).error.empty());
}

uint64_t MemoryLimitIn(const RespCall& call) {
  return ReadConfigSet(call.worker, call.command).bytes;
}

void AnswerConfig(RespCall& call) {
  (void)call.arguments.Next();
  if (call.subcommand == RespSubcommand::kConfigGet) return ConfigGet(call);
  call.reply.Error(ReadConfigSet(call.worker, call.command).error);
}

}  // namespace larder::server
