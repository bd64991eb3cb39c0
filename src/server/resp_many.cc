#include "server/resp_many.h"

#include <array>
#include <memory>
#include <string>
#include <utility>

#include "protocol/resp_arguments.h"
#include "protocol/resp_requests.h"
#include "protocol/resp_writer.h"
#include "server/connection.h"
#include "server/transaction.h"
#include "server/worker.h"
#include "util/check.h"

namespace larder::server {

namespace {

using protocol::RespCommand;
using Join = Transaction::Join;

// What a command with many keys is made of: the one with one key, and how the replies are joined.
struct Plan {
  RespCommand each;
  Join join;
};

Plan PlanOf(RespCommand id) {
  switch (id) {
    case RespCommand::kMget:
      return {RespCommand::kGet, Join::kList};
    case RespCommand::kMset:
      return {RespCommand::kSet, Join::kOk};
    default:
      return {id, Join::kSum};
  }
}

constexpr std::string_view kLongKey = "-ERR key is longer than 65535 bytes\r\n";

// Is any key longer than those that are stored may be?
bool HasLongKey(const Connection& client, const Command& command, const Plan& plan) {
  protocol::RespArguments arguments(command.key);
  (void)arguments.Next();
  while (!arguments.empty()) {
    const std::string_view key = arguments.Next();
    const size_t prefix =
        protocol::IsStoredAsItIs(key, client.database()) ? 0 : protocol::kKeyPrefixBytes;
    if (prefix + key.size() > kLongKeyBytesMax) return true;
    if (plan.each == RespCommand::kSet) (void)arguments.Next();
  }
  return false;
}

// Calls visit(const Command&) for each of the commands that `command` is made of.
template <typename Visit>
void ForEach(const Worker& worker, const Connection& client, const Command& command,
             const Plan& plan, const Visit& visit) {
  protocol::RespArguments arguments(command.key);
  (void)arguments.Next();
  const protocol::Resume resume = {.database = client.database()};
  ParserSpace space;
  const bool has_value = plan.each == RespCommand::kSet;
  while (!arguments.empty()) {
    protocol::RespRequest request;
    request.words[1] = arguments.Next();
    request.count = 2;
    if (has_value) request.words[request.count++] = arguments.Next();
    protocol::Parsed parsed;
    BuildRespCommand(request, plan.each, resume, space, parsed);
    parsed.command.hash = worker.cluster().hash(parsed.command.key);
    visit(parsed.command);
  }
}

// All in one go, where they are.
void ExecuteHere(Worker& worker, Connection& client, const Command& command, const Plan& plan) {
  std::string text;
  protocol::RespWriter reply(client.resp_version(), text);
  if (plan.join == Join::kList) {
    reply.Array(static_cast<size_t>(command.exptime) - 1);
    client.Reply(command, Outcome{.status = Status::kOk, .value = text});
    ForEach(worker, client, command, plan, [&](const Command& each) {
      Command quiet = each;
      quiet.noreply = command.noreply;
      client.ExecuteHere(quiet);
    });
    return;
  }
  int64_t sum = 0;
  Outcome failed;
  ForEach(worker, client, command, plan, [&](const Command& each) {
    const Outcome outcome = worker.Execute(each, client);
    const Status status = outcome.status;
    if (status == Status::kHit || status == Status::kDeleted) ++sum;
    if (status == Status::kNoMemory || status == Status::kTooLarge) failed.status = status;
  });
  if (failed.status != Status::kOk) return client.Reply(command, failed);
  plan.join == Join::kOk ? reply.Ok() : reply.Integer(sum);
  client.Reply(command, Outcome{.status = Status::kOk, .value = text});
}

bool IsAllOurs(const Worker& worker, const Connection& client, const Command& command,
               const Plan& plan) {
  if (worker.cluster().mailboxes.cores() == 1) return true;
  bool ours = true;
  ForEach(worker, client, command, plan,
          [&](const Command& each) { ours = ours && worker.OwnerOf(each.hash) == worker.index(); });
  return ours;
}

}  // namespace

bool IsOfManyKeys(const Command& command) {
  return command.number < protocol::kRespCommandCount &&
         InfoOf(static_cast<RespCommand>(command.number)).way == protocol::RespWay::kItems;
}

bool MayExecuteMany(const Worker& worker, const Connection& connection) {
  const Mailboxes& mailboxes = worker.cluster().mailboxes;
  if (mailboxes.cores() == 1) return true;
  if (connection.HasPending()) return false;
  for (uint32_t core = 0; core < mailboxes.cores(); ++core) {
    if (core != worker.index() && !mailboxes.CanAsk(worker.index(), core)) return false;
  }
  return true;
}

Outcome ExecuteMany(Worker& worker, Connection& connection, const Command& command) {
  const Outcome parked = {.status = Status::kOk, .progress = Progress::kParked};
  const Plan plan = PlanOf(static_cast<RespCommand>(command.number));
  if (plan.each == RespCommand::kSet && command.exptime % 2 == 0) {
    return Outcome{.status = Status::kOk,
                   .value = "-ERR wrong number of arguments for 'mset' command\r\n"};
  }
  if (HasLongKey(connection, command, plan)) {
    return Outcome{.status = Status::kOk, .value = kLongKey};
  }
  if (IsAllOurs(worker, connection, command, plan)) {
    ExecuteHere(worker, connection, command, plan);
    return parked;
  }
  Transaction& transaction = connection.BeginTransaction(plan.join, command);
  ForEach(worker, connection, command, plan, [&](const Command& each) { transaction.Add(each); });
  transaction.Start();
  return parked;
}

}  // namespace larder::server
