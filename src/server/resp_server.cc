#include "server/resp_server.h"

#include <absl/strings/str_cat.h>

#include <algorithm>
#include <bit>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "protocol/resp_requests.h"
#include "server/client_search.h"
#include "server/connection.h"
#include "server/debug.h"
#include "server/resp_client.h"
#include "server/resp_config.h"
#include "server/search.h"
#include "server/worker.h"
#include "store/cursor.h"
#include "util/bytes.h"

namespace larder::server {

using protocol::IsWord;
using protocol::RespCommand;
using protocol::RespSubcommand;
using Join = Transaction::Join;

namespace {

constexpr std::string_view kFlushForbidden =
    "-ERR this command is disabled by --disable-flush-all\r\n";
constexpr std::string_view kBadCursor = "-ERR invalid cursor\r\n";
// What a step of a search through all looks at, on each core.
constexpr uint32_t kLooksOfStep = 512;
constexpr int64_t kScanCount = 10;
constexpr int64_t kScanCountMax = 4096;
// A client's cursor: which core, and where.
constexpr uint32_t kCoreShift = 32;
constexpr uint64_t kItemsOfSegmentMin = 64;

bool HasDatabases(const Worker& worker) {
  return worker.cluster().databases_used.load(std::memory_order_relaxed);
}

// Whatever Redis takes for one: empty is 0, and a minus is one from the other end, where nothing
// is.
std::optional<uint64_t> CursorIn(std::string_view text) {
  if (text.empty()) return 0;
  if (!text.starts_with('-')) return util::ParseUint64(text);
  const std::optional<uint64_t> number = util::ParseUint64(text.substr(1));
  return number ? std::optional<uint64_t>(0 - *number) : std::nullopt;
}

std::string_view AddScan(RespCall& call, Transaction& transaction) {
  const std::optional<uint64_t> cursor = CursorIn(call.arguments.Next());
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
      const std::optional<int64_t> count = protocol::RespInteger(value);
      if (!count) return kNotIntegerReply;
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
  // Of no scan of ours: nothing is there.
  if (core >= call.worker.cluster().mailboxes.cores() || search.position >= store::kCursorEnd) {
    transaction.BeginUnit(Join::kText, "*2\r\n$1\r\n0\r\n*0\r\n");
    return {};
  }
  // There are no others.
  if (!strings) search.what = Search::What::kCountKeys;
  transaction.BeginUnit(Join::kScan);
  transaction.AddSearch(static_cast<uint32_t>(core), search);
  return {};
}

// The same on every core.
std::string_view AddToAll(RespCall& call, Transaction& transaction, Join join,
                          const Search& search) {
  transaction.BeginUnit(join);
  for (uint32_t core = 0; core < call.worker.cluster().mailboxes.cores(); ++core) {
    transaction.AddSearch(core, search);
  }
  return {};
}

std::string_view AddRandomKey(RespCall& call, Transaction& transaction) {
  Worker& worker = call.worker;
  const uint64_t core = worker.Draw() % worker.cluster().mailboxes.cores();
  // A step takes the rest of a segment: so it should begin where one does. How fine the table is
  // there, only a guess tells; each guess is right often enough that any key may come.
  const uint64_t items = worker.cluster().workers[core]->counters().Get(stats::Counter::kCurrItems);
  const auto depth_max = static_cast<uint64_t>(std::bit_width(items / kItemsOfSegmentMin)) + 4;
  const uint64_t depth = worker.Draw() % depth_max;
  const uint64_t unit = store::kCursorEnd >> depth;
  transaction.BeginUnit(Join::kRandom);
  transaction.AddSearch(static_cast<uint32_t>(core),
                        {.database = call.client.database(),
                         .looks_max = 1,
                         .position = worker.Draw() % store::kCursorEnd / unit * unit});
  return {};
}

// SYNC and ASYNC are the same here.
bool HasFlushWords(const RespCall& call) {
  if (call.count == 1) return true;
  protocol::RespArguments words = call.arguments;
  const std::string_view word = words.Next();
  return call.count == 2 && (IsWord(word, "sync") || IsWord(word, "async"));
}

std::string_view AddFlush(RespCall& call, Transaction& transaction) {
  if (!HasFlushWords(call)) return kSyntaxErrorReply;
  if (!call.worker.cluster().flush_enabled) return kFlushForbidden;
  const bool all = call.id == RespCommand::kFlushall;
  return AddToAll(call, transaction, Join::kDone,
                  {.what = Search::What::kDeleteKeys,
                   .database = all ? Search::kEveryDatabase : uint16_t{call.client.database()},
                   .looks_max = kLooksOfStep});
}

// What is wrong, as a reply.
std::string_view AddConfig(RespCall& call, Transaction& transaction) {
  (void)call.arguments.Next();
  if (call.subcommand == RespSubcommand::kConfigResetstat) {
    return AddToAll(call, transaction, Join::kDone, {.what = Search::What::kResetStats});
  }
  Cluster& cluster = call.worker.cluster();
  const uint64_t bytes = MemoryLimitIn(call);
  cluster.memory_bytes_max.store(bytes, std::memory_order_relaxed);
  return AddToAll(
      call, transaction, Join::kDone,
      {.what = Search::What::kLimitMemory, .position = bytes / cluster.mailboxes.cores()});
}

std::string_view AddKeySearch(RespCall& call, Transaction& transaction) {
  Search search = {.database = call.client.database(), .looks_max = kLooksOfStep};
  switch (call.id) {
    case RespCommand::kScan:
      return AddScan(call, transaction);
    case RespCommand::kRandomkey:
      return AddRandomKey(call, transaction);
    case RespCommand::kKeys:
      search.pattern = call.arguments.Next();
      return AddToAll(call, transaction, Join::kKeys, search);
    case RespCommand::kDbsize:
      search.what = Search::What::kCountKeys;
      return AddToAll(call, transaction, Join::kCount, search);
    default:
      return AddFlush(call, transaction);
  }
}

}  // namespace

bool IsSearch(const Worker& worker, const Command& command) {
  switch (protocol::RespCommandIn(command)) {
    case RespCommand::kScan:
    case RespCommand::kKeys:
    case RespCommand::kRandomkey:
      return true;
    case RespCommand::kDbsize:
    case RespCommand::kFlushdb:
      return HasDatabases(worker);
    case RespCommand::kClient:
      return protocol::RespSubcommandIn(command) == RespSubcommand::kClientList ||
             protocol::RespSubcommandIn(command) == RespSubcommand::kClientKill;
    case RespCommand::kConfig:
      return ChangesConfig(worker, command);
    case RespCommand::kDebug: {
      protocol::RespArguments words(command.key);
      (void)words.Next();
      return command.exptime >= 3 && command.exptime <= 5 && IsWord(words.Next(), "populate");
    }
    default:
      return false;
  }
}

void AddSearch(RespCall& call, Transaction& transaction) {
  (void)call.arguments.Next();
  std::string client_error;
  std::string_view wrong;
  switch (call.id) {
    case RespCommand::kClient:
      (void)call.arguments.Next();
      client_error = AddClientSearch(call, transaction);
      wrong = client_error;
      break;
    case RespCommand::kConfig:
      wrong = AddConfig(call, transaction);
      break;
    case RespCommand::kDebug:
      (void)call.arguments.Next();
      wrong = AddPopulate(call, transaction);
      break;
    default:
      wrong = AddKeySearch(call, transaction);
  }
  if (!wrong.empty()) transaction.BeginUnit(Join::kText, wrong);
}

bool IsFlush(const Worker& worker, RespCommand id) {
  return id == RespCommand::kFlushall || (id == RespCommand::kFlushdb && !HasDatabases(worker));
}

Outcome ExecuteFlush(RespCall& call) {
  Worker& worker = call.worker;
  (void)call.arguments.Next();
  const std::string_view wrong = !HasFlushWords(call)
                                     ? kSyntaxErrorReply
                                     : (worker.cluster().flush_enabled ? "" : kFlushForbidden);
  if (!wrong.empty()) {
    call.reply.Raw(wrong);
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

// --- what is short -------------------------------------------------------------------------------

void AnswerDbsize(RespCall& call) {
  uint64_t items = 0;
  for (const Worker* each : call.worker.cluster().workers) {
    items += each->counters().Get(stats::Counter::kCurrItems);
  }
  call.reply.Integer(static_cast<int64_t>(items));
}

// Nothing is logged, and so nothing is there.
void AnswerSlowlog(RespCall& call) {
  (void)call.arguments.Next();
  if (call.subcommand == RespSubcommand::kSlowlogLen) return call.reply.Integer(0);
  if (call.subcommand == RespSubcommand::kSlowlogReset) return call.reply.Ok();
  if (call.count > 3) return call.reply.Raw(kSyntaxErrorReply);
  if (call.count == 3) {
    const std::optional<int64_t> count = protocol::RespInteger(call.arguments.Next());
    if (!count || *count < -1) {
      return call.reply.Error("ERR count should be greater than or equal to -1");
    }
  }
  call.reply.Array(0);
}

void AnswerLatency(RespCall& call) {
  if (call.subcommand == RespSubcommand::kLatencyReset) return call.reply.Integer(0);
  call.reply.Array(0);
}

void AnswerSave(RespCall& call) {
  if (call.id == RespCommand::kLastsave) return call.reply.Integer(0);
  if (call.id == RespCommand::kBgsave && call.count > 1) {
    if (call.count > 2 || !IsWord(call.arguments.Next(), "schedule"))
      return call.reply.Raw(kSyntaxErrorReply);
  }
  call.reply.Error("ERR a cache is not saved");
}

}  // namespace larder::server
