#include "server/resp_info.h"

#include <absl/strings/str_cat.h>
#include <absl/strings/str_format.h>
#include <absl/strings/str_split.h>

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "larder/clock.h"
#include "larder/version.h"
#include "server/worker.h"
#include "stats/stats_text.h"
#include "util/absl_view.h"
#include "util/glob.h"
#include "util/memory_usage.h"

namespace larder::server {

using protocol::InfoOf;
using protocol::IsWord;
using protocol::RespCommand;
using protocol::RespCommandInfo;
using stats::Counter;

namespace {

uint64_t Sum(const Worker& worker, Counter counter) {
  uint64_t sum = 0;
  for (const Worker* each : worker.cluster().workers) sum += each->counters().Get(counter);
  return sum;
}

// --- INFO ---------------------------------------------------------------------------------------

// What counts against the limit: items, and the table that finds them.
uint64_t UsedBytes(const Worker& worker) {
  return Sum(worker, Counter::kHeapBytes) + Sum(worker, Counter::kTableBytes);
}

// As people read it.
std::string Human(uint64_t bytes) {
  constexpr double kStep = 1024;
  auto amount = static_cast<double>(bytes);
  size_t unit = 0;
  for (; amount >= kStep && unit < 4; ++unit) amount /= kStep;
  return absl::StrFormat("%.2f%c", amount, "BKMGT"[unit]);
}

std::string ServerSection(const Worker& worker) {
  const Cluster& cluster = worker.cluster();
  stats::GeneralStats process;
  stats::ReadProcess(process);
  const std::string loop(cluster.workers.front()->loop().Name());
  const CacheSeconds up = worker.now().FloorSeconds() - cluster.started_s;
  return absl::StrCat("redis_version:", kRedisVersion, "\r\nlarder_version:", kVersion,
                      "\r\nredis_mode:", cluster.emulated ? "cluster" : "standalone",
                      "\r\nos:Linux\r\narch_bits:64\r\nmultiplexing_api:", loop,
                      "\r\nprocess_id:", process.pid, "\r\nrun_id:", cluster.run_id,
                      "\r\nserver_time_usec:", worker.now().unix_ns / 1000,
                      "\r\nio_threads_active:", cluster.mailboxes.cores() > 1 ? 1 : 0,
                      "\r\nuptime_in_seconds:", up, "\r\nuptime_in_days:", up / 86400, "\r\n");
}

std::string ClientsSection(const Worker& worker) {
  return absl::StrCat("connected_clients:", Sum(worker, Counter::kCurrConnections),
                      "\r\nmaxclients:", worker.cluster().connections_max,
                      "\r\nblocked_clients:0\r\n");
}

std::string MemorySection(const Worker& worker) {
  const uint64_t used = UsedBytes(worker);
  const uint64_t resident = util::ResidentBytes();
  const uint64_t most = worker.cluster().memory_bytes_max.load(std::memory_order_relaxed);
  return absl::StrCat("used_memory:", used, "\r\nused_memory_human:", Human(used),
                      "\r\nused_memory_rss:", resident,
                      "\r\nused_memory_rss_human:", Human(resident),
                      "\r\nused_memory_dataset:", Sum(worker, Counter::kPayloadBytes),
                      "\r\nmaxmemory:", most, "\r\nmaxmemory_human:", Human(most),
                      "\r\nmaxmemory_policy:allkeys-lfu\r\nmem_allocator:larder\r\n");
}

std::string PersistenceSection(const Worker& /*worker*/) {
  return "loading:0\r\nasync_loading:0\r\nrdb_changes_since_last_save:0\r\n"
         "rdb_bgsave_in_progress:0\r\nrdb_last_save_time:0\r\nrdb_last_bgsave_status:ok\r\n"
         "aof_enabled:0\r\n";
}

std::string StatsSection(const Worker& worker) {
  uint64_t requests = 0;
  stats::Traffic recent;
  for (const Worker* each : worker.cluster().workers) {
    const stats::Traffic part = each->RecentTraffic();
    requests += each->times().count();
    recent.requests += part.requests;
    recent.received_bytes += part.received_bytes;
    recent.sent_bytes += part.sent_bytes;
  }
  const auto kilobytes = [](uint64_t bytes) {
    return absl::StrFormat("%.2f", static_cast<double>(bytes) / 1024);
  };
  return absl::StrCat("total_connections_received:", Sum(worker, Counter::kTotalConnections),
                      "\r\ntotal_commands_processed:", requests,
                      "\r\ninstantaneous_ops_per_sec:", recent.requests,
                      "\r\ninstantaneous_input_kbps:", kilobytes(recent.received_bytes),
                      "\r\ninstantaneous_output_kbps:", kilobytes(recent.sent_bytes),
                      "\r\ntotal_net_input_bytes:", Sum(worker, Counter::kBytesRead),
                      "\r\ntotal_net_output_bytes:", Sum(worker, Counter::kBytesWritten),
                      "\r\nrejected_connections:", Sum(worker, Counter::kRejectedConnections),
                      "\r\nexpired_keys:", Sum(worker, Counter::kReclaimed),
                      "\r\nevicted_keys:", Sum(worker, Counter::kEvictions),
                      "\r\nkeyspace_hits:", Sum(worker, Counter::kGetHits),
                      "\r\nkeyspace_misses:", Sum(worker, Counter::kGetMisses), "\r\n");
}

std::string ReplicationSection(const Worker& /*worker*/) {
  return "role:master\r\nconnected_slaves:0\r\nmaster_repl_offset:0\r\n";
}

std::string CpuSection(const Worker& /*worker*/) {
  stats::GeneralStats process;
  stats::ReadProcess(process);
  return absl::StrCat("used_cpu_sys:", static_cast<double>(process.system_us) / 1e6,
                      "\r\nused_cpu_user:", static_cast<double>(process.user_us) / 1e6, "\r\n");
}

std::string ClusterSection(const Worker& worker) {
  return worker.cluster().emulated ? "cluster_enabled:1\r\n" : "cluster_enabled:0\r\n";
}

std::string KeyspaceSection(const Worker& worker) {
  const uint64_t keys = Sum(worker, Counter::kCurrItems);
  if (keys == 0) return "";
  // It is counted up to once a second.
  const uint64_t expiring = std::min(keys, Sum(worker, Counter::kExpiringItems));
  return absl::StrCat("db0:keys=", keys, ",expires=", expiring, ",avg_ttl=0\r\n");
}

struct Section {
  std::string_view word;
  std::string_view title;
  std::string (*text)(const Worker& worker);
};

constexpr Section kSections[] = {
    {"server", "Server", ServerSection},
    {"clients", "Clients", ClientsSection},
    {"memory", "Memory", MemorySection},
    {"persistence", "Persistence", PersistenceSection},
    {"stats", "Stats", StatsSection},
    {"replication", "Replication", ReplicationSection},
    {"cpu", "CPU", CpuSection},
    {"cluster", "Cluster", ClusterSection},
    {"keyspace", "Keyspace", KeyspaceSection},
};

bool IsForAll(std::string_view word) {
  return IsWord(word, "all") || IsWord(word, "default") || IsWord(word, "everything");
}

// --- COMMAND ------------------------------------------------------------------------------------

void DescribeCommand(protocol::RespWriter& reply, const RespCommandInfo& info) {
  reply.Array(10);
  reply.Bulk(info.name);
  reply.Integer(info.arity);
  const std::vector<std::string> flags = absl::StrSplit(util::View(info.flags), ' ');
  reply.Set(flags.size());
  for (const std::string& flag : flags) reply.Simple(flag);
  reply.Integer(info.first_key);
  reply.Integer(info.last_key);
  reply.Integer(info.key_step);
  // Categories of access, hints, key specifications and subcommands.
  for (int i = 0; i < 4; ++i) reply.Array(0);
}

void DocumentCommand(protocol::RespWriter& reply, const RespCommandInfo& info) {
  reply.Bulk(info.name);
  reply.Map(3);
  reply.Bulk("summary");
  reply.Bulk(info.summary);
  reply.Bulk("since");
  reply.Bulk(info.since);
  reply.Bulk("group");
  reply.Bulk(info.group);
}

// COMMAND GETKEYS: of the command that the words are.
void AnswerGetkeys(RespCall& call) {
  std::vector<std::string_view> words;
  words.reserve(call.count);
  while (!call.arguments.empty()) words.push_back(call.arguments.Next());
  const RespCommand id = protocol::RespCommandOf(words[0]);
  if (id == RespCommand::kUnknown) return call.reply.Error("ERR Invalid command specified");
  const RespCommandInfo& info = InfoOf(id);
  if (info.first_key == 0) return call.reply.Error("ERR The command has no key arguments");
  if (!protocol::Takes(info.arity, words.size())) {
    return call.reply.Error("ERR Invalid number of arguments specified for command");
  }
  const auto count = static_cast<int32_t>(words.size());
  const int32_t last = info.last_key < 0 ? count + info.last_key : info.last_key;
  const int32_t keys = (last - info.first_key) / info.key_step + 1;
  call.reply.Array(static_cast<size_t>(keys));
  for (int32_t at = info.first_key; at <= last; at += info.key_step) {
    call.reply.Bulk(words[static_cast<size_t>(at)]);
  }
}

// COMMAND LIST FILTERBY PATTERN is of use; there are no modules, and no categories.
void AnswerCommandList(RespCall& call) {
  std::vector<std::string_view> words;
  words.reserve(call.count);
  while (!call.arguments.empty()) words.push_back(call.arguments.Next());
  const bool filters = words.size() == 3 && IsWord(words[0], "filterby");
  if (!words.empty() && !(filters && IsWord(words[1], "pattern"))) {
    return call.reply.Error("ERR syntax error");
  }
  std::vector<std::string_view> names;
  names.reserve(protocol::kRespCommandCount);
  for (const RespCommandInfo& info : protocol::RespCommands()) {
    if (!filters || util::MatchesGlob(words[2], info.name)) names.push_back(info.name);
  }
  call.reply.Array(names.size());
  for (const std::string_view name : names) call.reply.Bulk(name);
}

std::vector<RespCommand> Named(RespCall& call) {
  std::vector<RespCommand> ids;
  ids.reserve(call.count);
  while (!call.arguments.empty()) ids.push_back(protocol::RespCommandOf(call.arguments.Next()));
  return ids;
}

void AnswerCommandInfo(RespCall& call) {
  if (call.arguments.empty()) {
    call.reply.Array(protocol::kRespCommandCount);
    for (const RespCommandInfo& info : protocol::RespCommands()) DescribeCommand(call.reply, info);
    return;
  }
  const std::vector<RespCommand> ids = Named(call);
  call.reply.Array(ids.size());
  for (const RespCommand id : ids) {
    if (id == RespCommand::kUnknown) {
      call.reply.Null();
    } else {
      DescribeCommand(call.reply, InfoOf(id));
    }
  }
}

void AnswerCommandDocs(RespCall& call) {
  if (call.arguments.empty()) {
    call.reply.Map(protocol::kRespCommandCount);
    for (const RespCommandInfo& info : protocol::RespCommands()) DocumentCommand(call.reply, info);
    return;
  }
  std::vector<RespCommand> ids = Named(call);
  std::erase(ids, RespCommand::kUnknown);
  call.reply.Map(ids.size());
  for (const RespCommand id : ids) DocumentCommand(call.reply, InfoOf(id));
}

}  // namespace

void AnswerInfo(RespCall& call) {
  std::vector<std::string_view> words;
  words.reserve(call.count);
  while (!call.arguments.empty()) words.push_back(call.arguments.Next());
  std::string text;
  for (const Section& section : kSections) {
    bool wanted = words.empty();
    for (const std::string_view word : words) {
      wanted = wanted || IsForAll(word) || IsWord(word, section.word);
    }
    if (!wanted) continue;
    absl::StrAppend(&text, text.empty() ? "" : "\r\n", "# ", util::View(section.title), "\r\n",
                    section.text(call.worker));
  }
  call.reply.Verbatim(text);
}

void AnswerCommand(RespCall& call) {
  if (call.arguments.empty()) return AnswerCommandInfo(call);
  (void)call.arguments.Next();
  switch (call.subcommand) {
    case protocol::RespSubcommand::kCommandCount:
      return call.reply.Integer(protocol::kRespCommandCount);
    case protocol::RespSubcommand::kCommandDocs:
      return AnswerCommandDocs(call);
    case protocol::RespSubcommand::kCommandGetkeys:
      return AnswerGetkeys(call);
    case protocol::RespSubcommand::kCommandList:
      return AnswerCommandList(call);
    default:
      return AnswerCommandInfo(call);
  }
}

void AnswerMemoryStats(RespCall& call) {
  const Worker& worker = call.worker;
  const uint64_t keys = Sum(worker, Counter::kCurrItems);
  const uint64_t payload = Sum(worker, Counter::kPayloadBytes);
  const std::pair<std::string_view, uint64_t> kFigures[] = {
      {"total.allocated", UsedBytes(worker)},
      {"overhead.total", UsedBytes(worker) - std::min(UsedBytes(worker), payload)},
      {"keys.count", keys},
      {"keys.bytes-per-key", keys == 0 ? 0 : UsedBytes(worker) / keys},
      {"dataset.bytes", payload}};
  call.reply.Map(std::size(kFigures));
  for (const auto& [name, value] : kFigures) {
    call.reply.Bulk(name);
    call.reply.Integer(static_cast<int64_t>(value));
  }
}

void AnswerObjectHelp(RespCall& call) {
  constexpr std::string_view kLines[] = {
      "OBJECT subcommand key, with one of",
      "ENCODING: int, embstr or raw, as Redis would keep such a value.",
      "FREQ: an error; frequencies are not told.",
      "IDLETIME: seconds since the key was last read or written.",
      "REFCOUNT: 1.",
  };
  call.reply.Array(std::size(kLines));
  for (const std::string_view line : kLines) call.reply.Simple(line);
}

void AnswerTime(RespCall& call) {
  const int64_t unix_ns = call.worker.now().unix_ns;
  call.reply.Array(2);
  call.reply.Bulk(std::to_string(unix_ns / kNsPerSecond));
  call.reply.Bulk(std::to_string(unix_ns % kNsPerSecond / 1000));
}

}  // namespace larder::server
