#include "server/server_verbs.h"

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "larder/version.h"
#include "protocol/ascii.h"
#include "server/admin_verbs.h"
#include "server/connection.h"
#include "server/figures.h"
#include "server/list_request.h"
#include "server/resp_calls.h"
#include "server/worker.h"
#include "stats/prefix_stats.h"
#include "stats/stats_text.h"
#include "util/check.h"

namespace larder::server {

using stats::Counter;

namespace {

// memcached's minimum for cache_memlimit, in megabytes.
constexpr uint64_t kMemlimitMegabytesMin = 8;
// Beyond memory of any machine; a limit in bytes is a number of 64 bits.
constexpr uint64_t kMemlimitMegabytesMax = 1ULL << 40;
// Higher levels mean this one, as in memcached.
constexpr uint64_t kVerbosityMax = 2;

Outcome Text(std::string_view text) { return Outcome{.status = Status::kOk, .value = text}; }

// Gives every core its part of the command, and answers when all have done it.
Outcome OnEveryCore(Worker& worker, Connection& connection, const Command& command,
                    const Outcome& outcome) {
  worker.ExecuteEverywhere(command);
  if (worker.cluster().mailboxes.cores() == 1) return outcome;
  connection.ReplyWhenAllHave(command, outcome);
  return Outcome{.status = Status::kOk, .progress = Progress::kParked};
}

bool IsOfAllCores(const Command& command) {
  return command.verb == Verb::kFlushAll || command.verb == Verb::kCacheMemlimit ||
         (command.verb == Verb::kStats &&
          stats::StatsKindOf(command.key) == stats::StatsKind::kReset);
}

stats::StatList General(const Worker& worker) {
  const stats::Figures figures = ReadFigures(worker.cluster());
  return stats::GeneralList(figures.general, figures.Counters());
}

stats::StatList SlabsOf(const stats::Figures& figures) {
  return stats::SlabsList(figures.Sizes(), figures.Sum(Counter::kHeapBytes));
}

// As the server was started, but for what clients can change.
stats::StatList Settings(const Worker& worker) {
  const Cluster& cluster = worker.cluster();
  const uint64_t maxbytes = cluster.memory_bytes_max.load(std::memory_order_relaxed);
  const int verbosity = cluster.verbosity.load(std::memory_order_relaxed);
  stats::StatList list;
  for (const auto& [name, value] : cluster.settings) {
    if (name == "maxbytes") {
      list.push_back({name, std::to_string(maxbytes)});
    } else if (name == "verbosity") {
      list.push_back({name, std::to_string(verbosity)});
    } else if (name == "detail_enabled") {
      list.push_back({name, cluster.wishes.Read().detail ? "yes" : "no"});
    } else {
      list.push_back({name, value});
    }
  }
  return list;
}

// A reply in pages; or words, if what is asked for cannot be listed.
Outcome List(const Worker& worker, Connection& connection, const Command& command) {
  const ListRequest request = ParseListing(command, worker.cluster().dumps);
  if (!request.refusal.empty()) return Text(request.refusal);
  connection.StartListing(request.selection);
  return Outcome{.status = Status::kOk, .progress = Progress::kStreaming};
}

// stats detail on|off|dump; empty if it is none of these.
std::string Detail(Worker& worker, const Command& command) {
  const protocol::Tokens words(command.key);
  const std::string_view what = words.count() > 1 ? words[1] : "";
  if (what == "dump") {
    stats::PrefixStats::Table table;
    for (const Worker* each : worker.cluster().workers) each->observer().prefixes().AddTo(table);
    return stats::PrefixText(table);
  }
  if (what != "on" && what != "off") return {};
  Cluster& cluster = worker.cluster();
  cluster.wishes.Set(what == "on" ? Wishes::Detail::kOn : Wishes::Detail::kOff);
  // From the next command on, which may be of the same batch.
  worker.observer().Look(cluster.wishes);
  return "OK\r\n";
}

Outcome Stats(Worker& worker, Connection& connection, const Command& command) {
  std::string& text = worker.scratch();
  switch (stats::StatsKindOf(command.key)) {
    case stats::StatsKind::kGeneral:
      text = stats::StatText(General(worker));
      break;
    case stats::StatsKind::kItems:
      text = stats::StatText(stats::ItemsList(ReadFigures(worker.cluster()).Sizes()));
      break;
    case stats::StatsKind::kSlabs:
      text = stats::StatText(SlabsOf(ReadFigures(worker.cluster())));
      break;
    case stats::StatsKind::kSizesStatus:
      text = stats::StatText(stats::SizesStatus());
      break;
    case stats::StatsKind::kSettings:
      text = stats::StatText(Settings(worker));
      break;
    case stats::StatsKind::kEmpty:
      text = stats::StatText({});
      break;
    case stats::StatsKind::kSizes:
      if (IsListing(command)) return List(worker, connection, command);
      text = stats::StatText({{"sizes_status", "disabled"}});
      break;
    case stats::StatsKind::kConns:
    case stats::StatsKind::kCachedump:
      if (IsListing(command)) return List(worker, connection, command);
      return Outcome{.status = Status::kUnknownCommand};
    case stats::StatsKind::kReset:
      return OnEveryCore(worker, connection, command, Text("RESET\r\n"));
    case stats::StatsKind::kDetail:
      // Prefixes tell of keys.
      if (worker.cluster().dumps == Dumps::kForbidden) {
        if (command.extras != nullptr) return Outcome{.status = Status::kUnknownCommand};
        return Text("CLIENT_ERROR stats detail not allowed\r\n");
      }
      text = Detail(worker, command);
      if (!text.empty()) break;
      // Only binary commands have extras, and no words for it.
      if (command.extras != nullptr) return Outcome{.status = Status::kUnknownCommand};
      text = "CLIENT_ERROR usage: stats detail on|off|dump\r\n";
      break;
    case stats::StatsKind::kUnknown:
      return Outcome{.status = Status::kUnknownCommand};
  }
  return Text(text);
}

Outcome SetMemoryLimit(Worker& worker, Connection& connection, const Command& command) {
  if (command.number < kMemlimitMegabytesMin) return Outcome{.status = Status::kLimitTooSmall};
  const uint64_t bytes = command.number << 20;
  Command part = command;
  part.number = bytes / worker.cluster().mailboxes.cores();
  // All shards were made alike, so ours speaks for all.
  if (command.number > kMemlimitMegabytesMax || part.number > worker.shard().BudgetBytesMax()) {
    return Outcome{.status = Status::kNoMemory};
  }
  worker.cluster().memory_bytes_max.store(bytes, std::memory_order_relaxed);
  return OnEveryCore(worker, connection, part, Outcome{.status = Status::kOk});
}

bool IsSaslOn(const Worker& worker) { return worker.cluster().sasl_enabled; }

Outcome Authenticate(Worker& worker, Connection& connection, const Command& command) {
  const Credentials* credentials = worker.cluster().credentials.get();
  // Only binary commands have extras: to them, the door is open with -S.
  if (command.extras != nullptr && !IsSaslOn(worker)) {
    return Outcome{.status = Status::kUnknownCommand};
  }
  // Whoever wants to be somebody else is nobody until that is settled.
  connection.Lock();
  if (command.number > 0) return Outcome{.status = Status::kAuthContinue};
  worker.counters().Add(Counter::kAuthCommands);
  if (credentials == nullptr || !credentials->Matches(command.key, command.value)) {
    worker.counters().Add(Counter::kAuthErrors);
    return Outcome{.status = Status::kAuthFailed};
  }
  connection.Unlock();
  return Outcome{.status = Status::kOk};
}

Outcome Watch(Worker& worker, Connection& connection, const Command& command) {
  if (!worker.cluster().watch_enabled) return Text("CLIENT_ERROR watch commands not allowed\r\n");
  const std::optional<Streams> streams = ParseStreams(command.key);
  if (!streams) return Outcome{.status = Status::kUnknownCommand};
  if (!connection.StartWatching(*streams)) {
    return Text("WATCHER_TOO_MANY log watcher limit reached\r\n");
  }
  return Text("OK\r\n");
}

// shutdown [graceful]: no answer but the end.
Outcome EndServer(Worker& worker, Connection& connection, const Command& command) {
  const auto& shutdown = worker.cluster().shutdown;
  if (!shutdown) return Text("SERVER_ERROR: shutdown not enabled\r\n");
  if (!command.key.empty() && command.key != "graceful") {
    return Text("CLIENT_ERROR invalid shutdown mode\r\n");
  }
  shutdown(command.key.empty() ? Shutdown::kNow : Shutdown::kGraceful);
  connection.CloseWhenDone(Leaving::kShutdown);
  return Text({});
}

}  // namespace

bool MayExecuteServerVerb(const Worker& worker, const Connection& connection,
                          const Command& command) {
  if (command.verb == Verb::kCall) return MayExecuteRespCall(worker, connection, command);
  if (IsListing(command)) return !connection.HasPending();
  // What the client has asked before counts.
  if (command.verb == Verb::kStats && connection.HasPending()) return false;
  if (!IsOfAllCores(command)) return true;
  const Mailboxes& mailboxes = worker.cluster().mailboxes;
  for (uint32_t core = 0; core < mailboxes.cores(); ++core) {
    if (core != worker.index() && !mailboxes.CanAsk(worker.index(), core)) return false;
  }
  return true;
}

Outcome ExecuteServerVerb(Worker& worker, Connection& connection, const Command& command) {
  switch (command.verb) {
    case Verb::kFlushAll:
      if (!worker.cluster().flush_enabled) return Outcome{.status = Status::kNotAllowed};
      worker.counters().Add(Counter::kCmdFlush);
      return OnEveryCore(worker, connection, command, Outcome{.status = Status::kOk});
    case Verb::kCacheMemlimit:
      return SetMemoryLimit(worker, connection, command);
    case Verb::kStats:
      return Stats(worker, connection, command);
    case Verb::kLruCrawler:
      if (IsListing(command)) return List(worker, connection, command);
      return Text(AnswerAdmin(command));
    case Verb::kVerbosity:
      worker.cluster().verbosity.store(static_cast<int>(std::min(command.number, kVerbosityMax)),
                                       std::memory_order_relaxed);
      return Outcome{.status = Status::kOk};
    case Verb::kMechanisms:
      return Outcome{.status = IsSaslOn(worker) ? Status::kOk : Status::kUnknownCommand};
    case Verb::kSlabs:
    case Verb::kLru:
      return Text(AnswerAdmin(command));
    case Verb::kWatch:
      return Watch(worker, connection, command);
    case Verb::kShutdown:
      return EndServer(worker, connection, command);
    case Verb::kAuthenticate:
      return Authenticate(worker, connection, command);
    case Verb::kVersion:
    case Verb::kNoop:
    case Verb::kQuit:
      return Outcome{.status = Status::kOk};
    case Verb::kCall:
      return ExecuteRespCall(worker, connection, command);
    case Verb::kRejected:
      NoteRefused(connection, command);
      engine::CountRefused(worker.counters(), command.rejection);
      return Outcome{.status = command.rejection};
#define KEY_VERB(id, text, kind, line) case Verb::k##id:
#define SERVER_VERB(id, text, kind, line)
#include "larder/verbs.def"
      break;
  }
  CHECK(false);
}

}  // namespace larder::server
