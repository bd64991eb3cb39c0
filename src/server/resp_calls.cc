#include "server/resp_calls.h"

#include <algorithm>
#include <string>

#include "protocol/resp_errors.h"
#include "protocol/resp_requests.h"
#include "server/connection.h"
#include "server/debug.h"
#include "server/resp_client.h"
#include "server/resp_cluster.h"
#include "server/resp_config.h"
#include "server/resp_info.h"
#include "server/resp_many.h"
#include "server/resp_multi.h"
#include "server/resp_server.h"
#include "server/worker.h"
#include "util/check.h"

namespace larder::server {

namespace {

using protocol::RespCommand;

constexpr size_t kShownBytesMax = 128;
constexpr std::string_view kNoDebug =
    "ERR DEBUG command not allowed. If the enable-debug-command option is set to \"local\", you "
    "can "
    "run it from a local connection, otherwise you need to set this option in the configuration "
    "file, and then restart the server.";

// The error names the command and how its arguments begin.
void AnswerUnknown(RespCall& call, std::string_view name) {
  std::string text = "ERR unknown command '";
  text += name.substr(0, kShownBytesMax);
  text += "', with args beginning with: ";
  size_t shown = 0;
  while (!call.arguments.empty() && shown < kShownBytesMax) {
    const std::string_view argument = call.arguments.Next().substr(0, kShownBytesMax - shown);
    text += '\'';
    text += argument;
    text += "' ";
    shown += argument.size() + 3;
  }
  call.reply.Error(text);
}

void Ping(RespCall& call) {
  if (call.count > 2) return call.reply.Error("ERR wrong number of arguments for 'ping' command");
  if (call.count == 1) return call.reply.Simple("PONG");
  call.reply.Bulk(call.arguments.Next());
}

void Answer(RespCall& call, std::string_view name) {
  switch (call.id) {
    case RespCommand::kPing:
      return Ping(call);
    case RespCommand::kEcho:
      return call.reply.Bulk(call.arguments.Next());
    case RespCommand::kAuth:
      return AnswerAuth(call);
    case RespCommand::kHello:
      return AnswerHello(call);
    case RespCommand::kSelect:
      return AnswerSelect(call);
    case RespCommand::kQuit:
      return AnswerQuit(call);
    case RespCommand::kReset:
      return AnswerReset(call);
    case RespCommand::kClient:
      return AnswerClient(call);
    case RespCommand::kMulti:
      return AnswerMulti(call);
    case RespCommand::kDiscard:
      return AnswerDiscard(call);
    case RespCommand::kUnwatch:
      return AnswerUnwatch(call);
    case RespCommand::kInfo:
      return AnswerInfo(call);
    case RespCommand::kCommand:
      return AnswerCommand(call);
    case RespCommand::kTime:
      return AnswerTime(call);
    case RespCommand::kDbsize:
      return AnswerDbsize(call);
    case RespCommand::kConfig:
      return AnswerConfig(call);
    case RespCommand::kSlowlog:
      return AnswerSlowlog(call);
    case RespCommand::kLatency:
      return AnswerLatency(call);
    case RespCommand::kObject:
      return AnswerObjectHelp(call);
    case RespCommand::kMemory:
      return AnswerMemoryStats(call);
    case RespCommand::kDebug:
      return AnswerDebug(call);
    case RespCommand::kCluster:
    case RespCommand::kReadonly:
    case RespCommand::kReadwrite:
    case RespCommand::kAsking:
      return AnswerCluster(call);
    case RespCommand::kLastsave:
    case RespCommand::kSave:
    case RespCommand::kBgsave:
      return AnswerSave(call);
    default:
      return AnswerUnknown(call, name);
  }
}

// What may not be said here, or not in a transaction: an error, or none.
std::string_view ForbiddenNow(const RespCall& call) {
  if (call.id == RespCommand::kDebug && !call.worker.cluster().debug_enabled) return kNoDebug;
  if (call.id == RespCommand::kSave && call.client.queue().open) {
    return "ERR Command not allowed inside a transaction";
  }
  const bool tells_keys = call.id == RespCommand::kKeys || call.id == RespCommand::kScan ||
                          call.id == RespCommand::kRandomkey;
  if (tells_keys && call.worker.cluster().dumps == Dumps::kForbidden) {
    return "ERR keys are told to nobody here (--disable-dumping)";
  }
  return {};
}

RespCall CallOf(Worker& worker, Connection& connection, const Command& command,
                protocol::RespWriter& reply) {
  return {.worker = worker,
          .client = connection,
          .command = command,
          .id = protocol::RespCommandIn(command),
          .subcommand = protocol::RespSubcommandIn(command),
          .count = static_cast<size_t>(command.exptime),
          .arguments = protocol::RespArguments(command.key),
          .reply = reply};
}

}  // namespace

bool MayExecuteRespCall(const Worker& worker, const Connection& connection,
                        const Command& command) {
  const RespCommand id = protocol::RespCommandIn(command);
  // DBSIZE adds up what the cores have stored.
  const bool has_keys = IsOfManyKeys(command) || id == RespCommand::kExec ||
                        id == RespCommand::kDbsize || IsSearch(worker, command);
  if (has_keys && connection.HasPending()) return false;
  if (!IsFlush(worker, id)) return true;
  const Mailboxes& mailboxes = worker.cluster().mailboxes;
  for (uint32_t core = 0; core < mailboxes.cores(); ++core) {
    if (core != worker.index() && !mailboxes.CanAsk(worker.index(), core)) return false;
  }
  return true;
}

void NoteRefused(Connection& connection, const Command& command) {
  connection.NoteRefused();
  if (command.rejection != Status::kRefused) return;
  if (protocol::RespRefusal::Unpack(command.number).command == RespCommand::kExec) {
    connection.queue() = {};
    connection.SetQueueing(false);
  }
}

void AnswerCall(Worker& worker, Connection& connection, const Command& command,
                protocol::RespWriter& reply) {
  RespCall call = CallOf(worker, connection, command, reply);
  const std::string_view name = call.arguments.Next();
  Answer(call, name);
}

Outcome ExecuteRespCall(Worker& worker, Connection& connection, const Command& command) {
  std::string& text = worker.scratch();
  text.clear();
  // HELLO answers in the version that it chooses.
  protocol::RespWriter reply(connection.resp_version(), text);
  RespCall call = CallOf(worker, connection, command, reply);
  Outcome outcome = {.status = Status::kOk};
  if (const std::string_view error = ForbiddenNow(call); !error.empty()) {
    connection.NoteRefused();
    reply.Error(error);
  } else if (connection.queue().open && IsQueued(call.id)) {
    AnswerQueued(call);
  } else if (call.id == RespCommand::kExec) {
    outcome = ExecuteExec(call);
  } else if (call.id == RespCommand::kWatch) {
    outcome = ExecuteWatch(call);
  } else if (IsFlush(worker, call.id)) {
    outcome = ExecuteFlush(call);
  } else if (IsSearch(worker, command)) {
    AddSearch(call, connection.BeginTransaction(Transaction::Frame::kBare, command));
    connection.ContinueTransaction();
    return {.status = Status::kOk, .progress = Progress::kParked};
  } else if (IsOfManyKeys(command)) {
    return ExecuteMany(worker, connection, command);
  } else {
    if (call.id == RespCommand::kUnknown) connection.NoteRefused();
    Answer(call, call.arguments.Next());
  }
  outcome.value = text;
  return outcome;
}

}  // namespace larder::server
