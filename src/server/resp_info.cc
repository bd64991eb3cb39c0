#include "server/resp_info.h"

#include <absl/strings/str_cat.h>
#include <absl/strings/str_split.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "larder/clock.h"
#include "larder/version.h"
#include "server/worker.h"
#include "stats/stats_text.h"
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

std::string ServerSection(const Worker& worker) {
  const Cluster& cluster = worker.cluster();
  stats::GeneralStats process;
  stats::ReadProcess(process);
  const CacheSeconds up = worker.now().FloorSeconds() - cluster.started_s;
  return absl::StrCat("redis_version:", kRedisVersion, "\r\nlarder_version:", kVersion,
                      "\r\nredis_mode:standalone\r\nos:Linux\r\narch_bits:64\r\nprocess_id:",
                      process.pid, "\r\nio_threads_active:", cluster.mailboxes.cores() > 1 ? 1 : 0,
                      "\r\nuptime_in_seconds:", up, "\r\nuptime_in_days:", up / 86400, "\r\n");
}

std::string ClientsSection(const Worker& worker) {
  return absl::StrCat("connected_clients:", Sum(worker, Counter::kCurrConnections),
                      "\r\nmaxclients:", worker.cluster().connections_max,
                      "\r\nblocked_clients:0\r\n");
}

std::string MemorySection(const Worker& worker) {
  const uint64_t used = Sum(worker, Counter::kHeapBytes) + Sum(worker, Counter::kTableBytes);
  const uint64_t most = worker.cluster().memory_bytes_max.load(std::memory_order_relaxed);
  return absl::StrCat(
      "used_memory:", used, "\r\nused_memory_dataset:", Sum(worker, Counter::kPayloadBytes),
      "\r\nmaxmemory:", most, "\r\nmaxmemory_policy:allkeys-lfu\r\nmem_allocator:larder\r\n");
}

std::string PersistenceSection(const Worker& /*worker*/) {
  return "loading:0\r\nasync_loading:0\r\nrdb_changes_since_last_save:0\r\n"
         "rdb_bgsave_in_progress:0\r\nrdb_last_save_time:0\r\nrdb_last_bgsave_status:ok\r\n"
         "aof_enabled:0\r\n";
}

std::string StatsSection(const Worker& worker) {
  return absl::StrCat("total_connections_received:", Sum(worker, Counter::kTotalConnections),
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

std::string ClusterSection(const Worker& /*worker*/) { return "cluster_enabled:0\r\n"; }

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
  const std::vector<std::string> flags =
      absl::StrSplit(absl::string_view(info.flags.data(), info.flags.size()), ' ');
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
      call.reply.NullArray();
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
    absl::StrAppend(&text, text.empty() ? "" : "\r\n", "# ",
                    absl::string_view(section.title.data(), section.title.size()), "\r\n",
                    section.text(call.worker));
  }
  call.reply.Verbatim(text);
}

void AnswerCommand(RespCall& call) {
  if (call.arguments.empty()) return AnswerCommandInfo(call);
  const std::string_view word = call.arguments.Next();
  if (IsWord(word, "count")) return call.reply.Integer(protocol::kRespCommandCount);
  if (IsWord(word, "info")) return AnswerCommandInfo(call);
  if (IsWord(word, "docs")) return AnswerCommandDocs(call);
  if (IsWord(word, "list") && call.count == 2) {
    call.reply.Array(protocol::kRespCommandCount);
    for (const RespCommandInfo& info : protocol::RespCommands()) call.reply.Bulk(info.name);
    return;
  }
  call.reply.Error(UnknownSubcommand("COMMAND", word));
}

void AnswerTime(RespCall& call) {
  const int64_t unix_ns = call.worker.now().unix_ns;
  call.reply.Array(2);
  call.reply.Bulk(std::to_string(unix_ns / kNsPerSecond));
  call.reply.Bulk(std::to_string(unix_ns % kNsPerSecond / 1000));
}

}  // namespace larder::server
