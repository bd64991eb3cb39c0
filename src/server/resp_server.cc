#include "server/resp_server.h"

#include <absl/strings/str_cat.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "server/connection.h"
#include "server/search.h"
#include "server/worker.h"
#include "util/bytes.h"
#include "util/glob.h"

namespace larder::server {

using protocol::IsWord;
using protocol::RespCommand;
using Join = Transaction::Join;

namespace {

constexpr std::string_view kCountIsNoNumber = "-ERR value is not an integer or out of range\r\n";
constexpr std::string_view kBadCursor = "-ERR invalid cursor\r\n";
// What a step of a search through all looks at, on each core.
constexpr uint32_t kLooksOfStep = 512;
constexpr int64_t kScanCount = 10;
constexpr int64_t kScanCountMax = 4096;
// A client's cursor: which core, and where.
constexpr uint32_t kCoreShift = 32;

bool HasDatabases(const Worker& worker) {
  return worker.cluster().databases_used.load(std::memory_order_relaxed);
}

std::string_view AddScan(RespCall& call, Transaction& transaction) {
  const std::optional<uint64_t> cursor = util::ParseUint64(call.arguments.Next());
  if (!cursor) return kBadCursor;
  Search search = {.database = call.client.database(), .looks_max = kScanCount};
  bool strings = true;
  while (!call.arguments.empty()) {
    const std::string_view word = call.arguments.Next();
    if (call.arguments.empty()) return kSyntaxErrorReply;
    const std::string_view value = call.arguments.Next();
    if (IsWord(word, "match")) {
      search.pattern = value;
    } else if (IsWord(word, "count")) {
      const std::optional<int64_t> count = util::ParseInt64(value);
      if (!count) return kCountIsNoNumber;
      if (*count < 1) return kSyntaxErrorReply;
      search.looks_max = static_cast<uint32_t>(std::min(*count, kScanCountMax));
    } else if (IsWord(word, "type")) {
      strings = IsWord(value, "string");
    } else {
      return kSyntaxErrorReply;
    }
  }
  const uint64_t core = *cursor >> kCoreShift;
  search.position = *cursor & 0xffff'ffff;
  if (core >= call.worker.cluster().mailboxes.cores()) return kBadCursor;
  // There are no others.
  if (!strings) search.verb = Verb::kDescribe;
  transaction.BeginUnit(Join::kScan);
  transaction.AddSearch(static_cast<uint32_t>(core), search);
  return {};
}

}  // namespace

bool IsSearch(const Worker& worker, RespCommand id) {
  if (id == RespCommand::kScan || id == RespCommand::kKeys) return true;
  return (id == RespCommand::kDbsize || id == RespCommand::kFlushdb) && HasDatabases(worker);
}

void AddSearch(RespCall& call, Transaction& transaction) {
  (void)call.arguments.Next();
  if (call.id == RespCommand::kScan) {
    const std::string_view wrong = AddScan(call, transaction);
    if (!wrong.empty()) transaction.BeginUnit(Join::kText, wrong);
    return;
  }
  Search search = {.database = call.client.database(), .looks_max = kLooksOfStep};
  if (call.id == RespCommand::kKeys) {
    search.pattern = call.arguments.Next();
    transaction.BeginUnit(Join::kKeys);
  } else if (call.id == RespCommand::kFlushdb) {
    search.verb = Verb::kDelete;
    transaction.BeginUnit(Join::kEraseAll);
  } else {
    search.verb = Verb::kDescribe;
    transaction.BeginUnit(Join::kCount);
  }
  for (uint32_t core = 0; core < call.worker.cluster().mailboxes.cores(); ++core) {
    transaction.AddSearch(core, search);
  }
}

bool IsFlush(const Worker& worker, RespCommand id) {
  return id == RespCommand::kFlushall || (id == RespCommand::kFlushdb && !HasDatabases(worker));
}

Outcome ExecuteFlush(RespCall& call) {
  Worker& worker = call.worker;
  if (!worker.cluster().flush_enabled) {
    call.reply.Error("ERR this command is disabled by --disable-flush-all");
    return {.status = Status::kOk};
  }
  worker.counters().Add(stats::Counter::kCmdFlush);
  const Command flush = {.verb = Verb::kFlushAll, .noreply = call.command.noreply};
  worker.ExecuteEverywhere(flush);
  if (worker.cluster().mailboxes.cores() == 1) {
    call.reply.Ok();
    return {.status = Status::kOk};
  }
  call.client.ReplyWhenAllHave(flush, {.status = Status::kOk});
  return {.status = Status::kOk, .progress = Progress::kParked};
}

// --- CONFIG -------------------------------------------------------------------------------------

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

// Nothing of it changes while the server runs.
void ConfigSet(RespCall& call) {
  const std::string_view name = call.arguments.Next();
  const absl::string_view shown(name.data(), name.size());
  for (const auto& parameter : AllParameters(call.worker)) {
    if (!IsWord(name, parameter.first)) continue;
    return call.reply.Error(absl::StrCat("ERR CONFIG SET failed (possibly related to argument '",
                                         shown, "') - can't set immutable config"));
  }
  call.reply.Error(
      absl::StrCat("ERR Unknown option or number of arguments for CONFIG SET - '", shown, "'"));
}

}  // namespace

void AnswerDbsize(RespCall& call) {
  uint64_t items = 0;
  for (const Worker* each : call.worker.cluster().workers) {
    items += each->counters().Get(stats::Counter::kCurrItems);
  }
  call.reply.Integer(static_cast<int64_t>(items));
}

void AnswerConfig(RespCall& call) {
  const std::string_view word = call.arguments.Next();
  if (IsWord(word, "get") && call.count >= 3) return ConfigGet(call);
  if (IsWord(word, "set") && call.count >= 4) return ConfigSet(call);
  if (IsWord(word, "get")) return call.reply.Error(WrongArityOf("config", "get"));
  if (IsWord(word, "set")) return call.reply.Error(WrongArityOf("config", "set"));
  call.reply.Error(UnknownSubcommand("CONFIG", word));
}

// Nothing is logged, and so nothing is there.
void AnswerSlowlog(RespCall& call) {
  const std::string_view word = call.arguments.Next();
  if (IsWord(word, "get")) return call.reply.Array(0);
  if (IsWord(word, "len")) return call.reply.Integer(0);
  if (IsWord(word, "reset")) return call.reply.Ok();
  call.reply.Error(UnknownSubcommand("SLOWLOG", word));
}

void AnswerLatency(RespCall& call) {
  const std::string_view word = call.arguments.Next();
  if (IsWord(word, "latest") || IsWord(word, "history")) return call.reply.Array(0);
  if (IsWord(word, "reset")) return call.reply.Integer(0);
  call.reply.Error(UnknownSubcommand("LATENCY", word));
}

void AnswerSave(RespCall& call) {
  if (call.id == RespCommand::kLastsave) return call.reply.Integer(0);
  call.reply.Error("ERR a cache is not saved");
}

}  // namespace larder::server
