#include "server/resp_multi.h"

#include <optional>
#include <utility>

#include "protocol/resp_requests.h"
#include "server/connection.h"
#include "server/resp_client.h"
#include "server/resp_many.h"
#include "server/resp_server.h"
#include "server/worker.h"

namespace larder::server {

using protocol::RespCommand;
using Join = Transaction::Join;

namespace {

// So much may be queued, whatever others have.
constexpr uint64_t kSmallQueueBytes = 4 << 10;

void Close(RespCall& call) {
  call.client.queue() = {};
  call.client.SetQueueing(false);
}

void AddQueued(RespCall& exec, const RespQueue::Queued& queued, Transaction& transaction) {
  protocol::RespRequest request;
  request.raw = queued.arguments;
  request.subcommand = queued.subcommand;
  protocol::RespArguments arguments(queued.arguments);
  while (!arguments.empty() && request.count < protocol::RespRequest::kWordsMax) {
    request.words[request.count++] = arguments.Next();
  }
  request.count = queued.count;
  ParserSpace space;
  protocol::Parsed parsed;
  BuildRespCommand(request, queued.id, {.database = exec.client.database()}, space, parsed);
  Command& command = parsed.command;
  if (command.verb == Verb::kRejected) {
    const protocol::Codec& codec = protocol::CodecOf(protocol::Protocol::kResp2);
    const Outcome refused = {.status = command.rejection};
    std::string text(codec.encoded_bytes_max(command, refused), '\0');
    text.resize(static_cast<size_t>(codec.encode(command, refused, text.data()) - text.data()));
    transaction.BeginUnit(Join::kText, text);
  } else if (command.verb != Verb::kCall) {
    command.hash = exec.worker.cluster().hash(command.key);
    transaction.BeginUnit(Join::kOne);
    transaction.Add(command);
  } else if (IsSearch(exec.worker, command) || IsFlush(exec.worker, queued.id) ||
             queued.id == RespCommand::kDbsize) {
    std::string unused;
    protocol::RespWriter reply(exec.client.resp_version(), unused);
    RespCall call = {.worker = exec.worker,
                     .client = exec.client,
                     .command = command,
                     .id = queued.id,
                     .subcommand = queued.subcommand,
                     .count = queued.count,
                     .arguments = protocol::RespArguments(queued.arguments),
                     .reply = reply};
    AddSearch(call, transaction);
  } else if (IsOfManyKeys(command)) {
    AddMany(exec.worker, exec.client, command, transaction);
  } else {
    transaction.AddCall(command);
    // The keys behind it are of that database; it is selected when it is certain.
    if (queued.id == RespCommand::kSelect) {
      const std::optional<uint8_t> database = DatabaseIn(exec.worker, request.words[1]);
      if (database) UseDatabase(exec.worker, exec.client, *database);
    }
  }
}

}  // namespace

bool IsQueued(RespCommand id) {
  switch (id) {
    case RespCommand::kMulti:
    case RespCommand::kExec:
    case RespCommand::kDiscard:
    case RespCommand::kWatch:
    case RespCommand::kQuit:
    case RespCommand::kReset:
    case RespCommand::kUnknown:
      return false;
    default:
      return true;
  }
}

void AnswerQueued(RespCall& call) {
  RespQueue& queue = call.client.queue();
  const uint64_t bytes = call.command.key.size() + sizeof(RespQueue::Queued);
  if (queue.bytes + bytes > kSmallQueueBytes && !call.worker.MayKeepInput()) {
    queue.wrong = true;
    return call.reply.Error("OOM command not allowed when used memory > 'maxmemory'.");
  }
  queue.bytes += bytes;
  queue.commands.push_back({.id = call.id,
                            .subcommand = call.subcommand,
                            .count = call.count,
                            .arguments = std::string(call.command.key)});
  call.reply.Simple("QUEUED");
}

void AnswerMulti(RespCall& call) {
  if (call.client.queue().open) return call.reply.Error("ERR MULTI calls can not be nested");
  call.client.queue().open = true;
  call.client.SetQueueing(true);
  call.reply.Ok();
}

void AnswerDiscard(RespCall& call) {
  if (!call.client.queue().open) return call.reply.Error("ERR DISCARD without MULTI");
  Close(call);
  call.reply.Ok();
}

void AnswerUnwatch(RespCall& call) {
  call.client.queue().watched.clear();
  call.reply.Ok();
}

Outcome ExecuteExec(RespCall& call) {
  const Outcome said = {.status = Status::kOk};
  if (!call.client.queue().open) {
    call.reply.Error("ERR EXEC without MULTI");
    return said;
  }
  const RespQueue queue = std::move(call.client.queue());
  Close(call);
  if (queue.wrong) {
    call.reply.Error("EXECABORT Transaction discarded because of previous errors.");
    return said;
  }
  Transaction& transaction = call.client.BeginTransaction(Transaction::Frame::kArray, call.command);
  if (!queue.watched.empty()) transaction.AddWatched(queue.watched);
  const uint8_t database = call.client.database();
  for (const RespQueue::Queued& queued : queue.commands) AddQueued(call, queued, transaction);
  call.client.SelectDatabase(database);
  call.client.ContinueTransaction();
  return {.status = Status::kOk, .progress = Progress::kParked};
}

Outcome ExecuteWatch(RespCall& call) {
  if (call.client.queue().open) {
    call.reply.Error("ERR WATCH inside MULTI is not allowed");
    return {.status = Status::kOk};
  }
  Transaction& transaction = call.client.BeginTransaction(Transaction::Frame::kBare, call.command);
  AddMany(call.worker, call.client, call.command, transaction);
  call.client.ContinueTransaction();
  return {.status = Status::kOk, .progress = Progress::kParked};
}

}  // namespace larder::server
