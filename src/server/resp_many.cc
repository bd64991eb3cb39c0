#include "server/resp_many.h"

#include <optional>
#include <string>

#include "protocol/resp_arguments.h"
#include "protocol/resp_requests.h"
#include "protocol/resp_writer.h"
#include "protocol/stored_key.h"
#include "server/connection.h"
#include "server/transaction.h"
#include "server/worker.h"
#include "util/bytes.h"
#include "util/check.h"

namespace larder::server {

namespace {

using protocol::IsWord;
using protocol::RespCommand;
using Join = Transaction::Join;

constexpr Outcome kParked = {.status = Status::kOk, .progress = Progress::kParked};

// What a command with many keys is made of: the one with one key, and how the replies are joined.
struct Plan {
  RespCommand each;
  Join join;
  size_t keys_max = SIZE_MAX;  // what follows are options
  uint8_t database = 0;        // of the second key
};

Plan PlanOf(RespCommand id) {
  switch (id) {
    case RespCommand::kMget:
      return {RespCommand::kGet, Join::kList};
    case RespCommand::kMset:
      return {RespCommand::kSet, Join::kOk};
    case RespCommand::kMsetnx:
      return {RespCommand::kSet, Join::kMsetnx};
    case RespCommand::kWatch:
      return {RespCommand::kExists, Join::kWatch};
    case RespCommand::kRename:
      return {RespCommand::kExists, Join::kRename, 2};
    case RespCommand::kRenamenx:
      return {RespCommand::kExists, Join::kRenamenx, 2};
    case RespCommand::kCopy:
      return {RespCommand::kExists, Join::kCopy, 2};
    default:
      return {id, Join::kSum};
  }
}

bool HasValues(const Plan& plan) { return plan.each == RespCommand::kSet; }

// COPY's words behind the keys: an error, or none.
std::string_view ReadCopyOptions(const Worker& worker, protocol::RespArguments words, Plan& plan) {
  for (int i = 0; i < 3; ++i) (void)words.Next();
  while (!words.empty()) {
    const std::string_view word = words.Next();
    if (IsWord(word, "replace")) {
      plan.join = Join::kReplace;
    } else if (IsWord(word, "db") && !words.empty()) {
      const std::optional<int64_t> number = protocol::RespInteger(words.Next());
      if (!number) return kNotIntegerReply;
      if (*number < INT32_MIN || *number > INT32_MAX) return kNotInt32Reply;
      if (*number < 0 || *number >= worker.cluster().databases) {
        return "-ERR DB index is out of range\r\n";
      }
      plan.database = static_cast<uint8_t>(*number);
      if (*number > 0) {
        worker.cluster().databases_used.store(true, std::memory_order_relaxed);
      }
    } else {
      return kSyntaxErrorReply;
    }
  }
  return {};
}

// Calls visit(key, value, database) for each key. The value is empty where there is none.
template <typename Visit>
void ForEachKey(const Connection& client, const Command& command, const Plan& plan,
                const Visit& visit) {
  protocol::RespArguments arguments(command.key);
  (void)arguments.Next();
  for (size_t i = 0; i < plan.keys_max && !arguments.empty(); ++i) {
    const std::string_view key = arguments.Next();
    const std::string_view value = HasValues(plan) ? arguments.Next() : std::string_view{};
    visit(key, value, i == 1 && plan.keys_max == 2 ? plan.database : client.database());
  }
}

// What is wrong with the command, as a reply; or how it is done.
std::string_view Check(const Worker& worker, const Connection& client, const Command& command,
                       Plan& plan) {
  const RespCommand id = protocol::RespCommandIn(command);
  plan = PlanOf(id);
  plan.database = client.database();
  if (HasValues(plan) && command.exptime % 2 == 0) {
    return id == RespCommand::kMset ? "-ERR wrong number of arguments for 'mset' command\r\n"
                                    : "-ERR wrong number of arguments for 'msetnx' command\r\n";
  }
  if (id == RespCommand::kCopy) {
    const std::string_view wrong =
        ReadCopyOptions(worker, protocol::RespArguments(command.key), plan);
    if (!wrong.empty()) return wrong;
  }
  bool too_long = false;
  std::string_view first;
  bool same = plan.join == Join::kCopy || plan.join == Join::kReplace;
  same = same && plan.database == client.database();
  ForEachKey(client, command, plan, [&](std::string_view key, std::string_view, uint8_t database) {
    const size_t prefix = protocol::IsStoredAsItIs(key, database) ? 0 : protocol::kKeyPrefixBytes;
    too_long = too_long || prefix + key.size() > kLongKeyBytesMax;
    same = same && (first.data() == nullptr || first == key);
    first = key;
  });
  if (same) return "-ERR source and destination objects are the same\r\n";
  return too_long ? kLongKeyReply : std::string_view{};
}

// Calls visit(const Command&) for each of the commands that `command` is made of.
template <typename Visit>
void ForEach(const Worker& worker, const Connection& client, const Command& command,
             const Plan& plan, const Visit& visit) {
  ParserSpace space;
  ForEachKey(client, command, plan,
             [&](std::string_view key, std::string_view value, uint8_t database) {
               protocol::RespRequest request;
               request.count = HasValues(plan) ? 3 : 2;
               request.words[1] = key;
               request.words[2] = value;
               protocol::Parsed parsed;
               BuildRespCommand(request, plan.each, {.database = database}, space, parsed);
               parsed.command.hash = worker.cluster().hash(parsed.command.key);
               visit(parsed.command);
             });
}

// All in one go, where they are.
void ExecuteHere(Worker& worker, Connection& client, const Command& command, const Plan& plan) {
  std::string text;
  protocol::RespWriter reply(client.resp_version(), text);
  if (plan.join == Join::kList) {
    reply.Array(static_cast<size_t>(command.exptime) - 1);
    client.Reply(command, Outcome{.status = Status::kOk, .value = text});
    ForEach(worker, client, command, plan, [&](const Command& each) {
      Command muted = each;
      muted.noreply = command.noreply;
      client.ExecuteHere(muted);
    });
    return;
  }
  int64_t sum = 0;
  Outcome failed;
  ForEach(worker, client, command, plan, [&](const Command& each) {
    const Status status = worker.Execute(each, client).status;
    if (status == Status::kHit || status == Status::kDeleted) ++sum;
    if (status == Status::kNoMemory || status == Status::kTooLarge) failed.status = status;
  });
  if (failed.status != Status::kOk) return client.Reply(command, failed);
  plan.join == Join::kOk ? reply.Ok() : reply.Integer(sum);
  client.Reply(command, Outcome{.status = Status::kOk, .value = text});
}

// Is there nobody to wait for, and one step?
bool IsPlain(const Worker& worker, const Plan& plan) {
  const bool one_step =
      plan.join == Join::kList || plan.join == Join::kSum || plan.join == Join::kOk;
  return one_step && worker.keeper().empty();
}

bool IsAllOurs(const Worker& worker, const Connection& client, const Command& command,
               const Plan& plan) {
  if (worker.cluster().mailboxes.cores() == 1) return true;
  bool ours = true;
  ForEach(worker, client, command, plan,
          [&](const Command& each) { ours = ours && worker.OwnerOf(each.hash) == worker.index(); });
  return ours;
}

void AddUnit(Worker& worker, Connection& client, const Command& command, const Plan& plan,
             Transaction& transaction) {
  transaction.BeginUnit(plan.join);
  ForEach(worker, client, command, plan, [&](const Command& each) { transaction.Add(each); });
}

}  // namespace

bool IsOfManyKeys(const Command& command) {
  const RespCommand id = protocol::RespCommandIn(command);
  return command.verb == Verb::kCall && id != RespCommand::kUnknown &&
         InfoOf(id).way == protocol::RespWay::kItems;
}

Outcome ExecuteMany(Worker& worker, Connection& connection, const Command& command) {
  Plan plan;
  const std::string_view wrong = Check(worker, connection, command, plan);
  if (!wrong.empty()) return Outcome{.status = Status::kOk, .value = wrong};
  if (IsPlain(worker, plan) && IsAllOurs(worker, connection, command, plan)) {
    ExecuteHere(worker, connection, command, plan);
    return kParked;
  }
  Transaction& transaction = connection.BeginTransaction(Transaction::Frame::kBare, command);
  AddUnit(worker, connection, command, plan, transaction);
  connection.ContinueTransaction();
  return kParked;
}

void AddMany(Worker& worker, Connection& connection, const Command& command,
             Transaction& transaction) {
  Plan plan;
  const std::string_view wrong = Check(worker, connection, command, plan);
  if (!wrong.empty()) return transaction.BeginUnit(Join::kText, wrong);
  AddUnit(worker, connection, command, plan, transaction);
}

}  // namespace larder::server
