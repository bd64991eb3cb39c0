#include "server/resp_client.h"

#include <absl/strings/str_cat.h>

#include <algorithm>
#include <cstdint>
#include <optional>

#include "io/socket.h"
#include "larder/version.h"
#include "protocol/resp_arguments.h"
#include "server/client_search.h"
#include "server/connection.h"
#include "server/resp_info.h"
#include "server/worker.h"
#include "util/absl_view.h"
#include "util/bytes.h"

namespace larder::server {

using protocol::IsWord;
using protocol::RespVersion;
using stats::Counter;

namespace {

constexpr std::string_view kSyntaxError = "ERR syntax error";
constexpr std::string_view kNotInteger = "ERR value is not an integer or out of range";
constexpr std::string_view kWrongPassword =
    "WRONGPASS invalid username-password pair or user is disabled.";
// Whom a password without a name is of.
constexpr std::string_view kDefaultUser = "default";

// Where nobody has to say who they are, everybody is the default user.
bool Admit(RespCall& call, std::string_view user, std::string_view password) {
  const Credentials* credentials = call.worker.cluster().credentials.get();
  call.worker.counters().Add(Counter::kAuthCommands);
  const bool right =
      credentials == nullptr ? user == kDefaultUser : credentials->Matches(user, password);
  if (!right) {
    call.worker.counters().Add(Counter::kAuthErrors);
    call.reply.Error(kWrongPassword);
    return false;
  }
  call.client.Unlock();
  return true;
}

// A name is told in lists, between blanks.
bool IsName(std::string_view name) {
  return std::all_of(name.begin(), name.end(), [](char c) { return c >= '!' && c <= '~'; });
}

constexpr std::string_view kBadName =
    "ERR Client names cannot contain spaces, newlines or special characters.";

// What HELLO is asked to do beside choosing a version.
struct Greeting {
  std::optional<std::string_view> user;
  std::string_view password;
  std::optional<std::string_view> name;
};

// False, and an error is answered, if the words make no sense.
bool ReadGreeting(RespCall& call, Greeting& greeting) {
  while (!call.arguments.empty()) {
    const std::string_view word = call.arguments.Next();
    std::string_view value = call.arguments.empty() ? "" : call.arguments.Next();
    if (IsWord(word, "auth") && !call.arguments.empty()) {
      greeting.user = value;
      greeting.password = call.arguments.Next();
    } else if (IsWord(word, "setname") && value.data() != nullptr && !value.empty()) {
      greeting.name = value;
    } else {
      call.reply.Error(absl::StrCat("ERR Syntax error in HELLO option '", util::View(word), "'"));
      return false;
    }
  }
  if (!greeting.name || IsName(*greeting.name)) return true;
  call.reply.Error(kBadName);
  return false;
}

void Welcome(RespCall& call, RespVersion version) {
  std::string text;
  protocol::RespWriter reply(version, text);
  reply.Map(7);
  reply.Bulk("server");
  reply.Bulk("redis");
  reply.Bulk("version");
  reply.Bulk(kRedisVersion);
  reply.Bulk("proto");
  reply.Integer(static_cast<int64_t>(version));
  reply.Bulk("id");
  reply.Integer(ClientId(call.client));
  reply.Bulk("mode");
  reply.Bulk(call.worker.cluster().emulated ? "cluster" : "standalone");
  reply.Bulk("role");
  reply.Bulk("master");
  reply.Bulk("modules");
  reply.Array(0);
  call.reply.Raw(text);
}

}  // namespace

void AnswerAuth(RespCall& call) {
  if (call.count > 3) return call.reply.Error(kSyntaxError);
  const std::string_view first = call.arguments.Next();
  if (call.count == 3) {
    if (Admit(call, first, call.arguments.Next())) call.reply.Ok();
    return;
  }
  if (call.worker.cluster().credentials == nullptr) {
    return call.reply.Error(
        "ERR AUTH <password> called without any password configured for the default user. Are you "
        "sure your configuration is correct?");
  }
  if (Admit(call, kDefaultUser, first)) call.reply.Ok();
}

void AnswerHello(RespCall& call) {
  RespVersion version = call.client.resp_version();
  if (!call.arguments.empty()) {
    const std::optional<int64_t> number = util::ParseInt64(call.arguments.Next());
    if (!number) {
      return call.reply.Error("ERR Protocol version is not an integer or out of range");
    }
    if (*number != 2 && *number != 3)
      return call.reply.Error("NOPROTO unsupported protocol version");
    version = static_cast<RespVersion>(*number);
  }
  Greeting greeting;
  if (!ReadGreeting(call, greeting)) return;
  if (greeting.user && !Admit(call, *greeting.user, greeting.password)) return;
  if (call.client.locked()) {
    return call.reply.Error(
        "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO "
        "<proto> AUTH <user> <pass> option can be used to authenticate the client and select the "
        "RESP protocol version at the same time");
  }
  if (greeting.name) call.client.session().name = *greeting.name;
  call.client.Speak(version);
  Welcome(call, version);
}

std::optional<uint8_t> DatabaseIn(const Worker& worker, std::string_view word) {
  const std::optional<int64_t> number = protocol::RespInteger(word);
  const int64_t databases = worker.cluster().emulated ? 1 : worker.cluster().databases;
  if (!number || *number < 0 || *number >= databases) return std::nullopt;
  return static_cast<uint8_t>(*number);
}

void UseDatabase(Worker& worker, Connection& client, uint8_t database) {
  if (database > 0) worker.cluster().databases_used.store(true, std::memory_order_relaxed);
  client.SelectDatabase(database);
}

void AnswerSelect(RespCall& call) {
  const std::string_view word = call.arguments.Next();
  const std::optional<int64_t> number = protocol::RespInteger(word);
  if (!number) return call.reply.Error(kNotInteger);
  if (*number < INT32_MIN || *number > INT32_MAX) {
    return call.reply.Error(
        "ERR value is out of range, value must between -2147483648 and 2147483647");
  }
  if (*number != 0 && call.worker.cluster().emulated) {
    return call.reply.Error("ERR SELECT is not allowed in cluster mode");
  }
  const std::optional<uint8_t> database = DatabaseIn(call.worker, word);
  if (!database) return call.reply.Error("ERR DB index is out of range");
  UseDatabase(call.worker, call.client, *database);
  call.reply.Ok();
}

void AnswerQuit(RespCall& call) {
  call.reply.Ok();
  call.client.CloseWhenDone(Leaving::kNormal);
}

void AnswerReset(RespCall& call) {
  call.client.Reset();
  call.reply.Simple("RESET");
}

// --- CLIENT -------------------------------------------------------------------------------------

namespace {

void ClientSetInfo(RespCall& call) {
  const std::string_view what = call.arguments.Next();
  const std::string_view value = call.arguments.Next();
  const bool name = IsWord(what, "lib-name");
  if (!name && !IsWord(what, "lib-ver")) {
    return call.reply.Error(absl::StrCat("ERR Unrecognized option '", util::View(what), "'"));
  }
  if (!IsName(value)) {
    return call.reply.Error(
        absl::StrCat("ERR ", name ? "lib-name" : "lib-ver",
                     " cannot contain spaces, newlines or special characters."));
  }
  RespSession& session = call.client.session();
  (name ? session.library : session.library_version) = value;
  call.reply.Ok();
}

void ClientSetName(RespCall& call) {
  const std::string_view name = call.arguments.Next();
  if (!IsName(name)) return call.reply.Error(kBadName);
  call.client.session().name = name;
  call.reply.Ok();
}

void ClientGetName(RespCall& call) {
  const std::string& name = call.client.session().name;
  if (name.empty()) return call.reply.Null();
  call.reply.Bulk(name);
}

void ClientReply(RespCall& call) {
  const std::string_view how = call.arguments.Next();
  if (IsWord(how, "on")) {
    call.client.HearReplies(Connection::Replies::kAll);
    if (!call.command.noreply) return call.reply.Ok();
    // This one is heard already.
    call.client.Reply({.verb = Verb::kCall}, {.status = Status::kOk, .value = "+OK\r\n"});
  } else if (IsWord(how, "off")) {
    call.client.HearReplies(Connection::Replies::kNone);
  } else if (IsWord(how, "skip")) {
    call.client.HearReplies(Connection::Replies::kNotNext);
  } else {
    call.reply.Error(kSyntaxError);
  }
}

void ClientNoEvict(RespCall& call) {
  const std::string_view how = call.arguments.Next();
  if (!IsWord(how, "on") && !IsWord(how, "off")) return call.reply.Error(kSyntaxError);
  call.reply.Ok();
}

// As many as a turn can tell of without making others wait.
constexpr uint32_t kClientsOfStep = 64;

enum class ClientType : uint8_t { kNormal, kOther };

// There are no replicas and no subscribers, but they may be asked for.
std::optional<ClientType> ClientTypeIn(std::string_view word) {
  if (IsWord(word, "normal")) return ClientType::kNormal;
  for (const std::string_view other : {"master", "slave", "replica", "pubsub"}) {
    if (IsWord(word, other)) return ClientType::kOther;
  }
  return std::nullopt;
}

std::string UnknownType(std::string_view word) {
  return absl::StrCat("-ERR Unknown client type '", util::View(word), "'\r\n");
}

// Matches no client.
constexpr int64_t kNobody = -1;

std::string ReadListFilter(RespCall& call, ClientFilter& filter) {
  if (call.count == 2) return {};
  const std::string_view word = call.arguments.Next();
  if (IsWord(word, "type") && call.count == 4) {
    const std::string_view name = call.arguments.Next();
    const std::optional<ClientType> type = ClientTypeIn(name);
    if (!type) return UnknownType(name);
    if (*type != ClientType::kNormal) filter.ids.push_back(kNobody);
    return {};
  }
  if (!IsWord(word, "id") || call.count < 4) return std::string(kSyntaxErrorReply);
  while (!call.arguments.empty()) {
    const std::optional<int64_t> id = protocol::RespInteger(call.arguments.Next());
    if (!id) return "-ERR Invalid client ID\r\n";
    filter.ids.push_back(*id);
  }
  return {};
}

// One of CLIENT KILL's pairs of words.
std::string ReadKillOption(RespCall& call, std::string_view word, ClientFilter& filter) {
  const std::string_view value = call.arguments.Next();
  if (IsWord(word, "id")) {
    const std::optional<int64_t> id = protocol::RespInteger(value);
    if (!id || *id < 1) return "-ERR client-id should be greater than 0\r\n";
    filter.ids = {*id};
  } else if (IsWord(word, "type")) {
    const std::optional<ClientType> type = ClientTypeIn(value);
    if (!type) return UnknownType(value);
    if (*type != ClientType::kNormal) filter.ids = {kNobody};
  } else if (IsWord(word, "addr")) {
    filter.address = value;
  } else if (IsWord(word, "laddr")) {
    filter.local_address = value;
  } else if (IsWord(word, "user")) {
    if (value != kDefaultUser) {
      return absl::StrCat("-ERR No such user '", util::View(value), "'\r\n");
    }
  } else if (IsWord(word, "skipme") && (IsWord(value, "yes") || IsWord(value, "no"))) {
    filter.spared = IsWord(value, "yes") ? filter.asker : 0;
  } else {
    return std::string(kSyntaxErrorReply);
  }
  return {};
}

std::string ReadKillFilter(RespCall& call, ClientFilter& filter) {
  filter.asker = ClientId(call.client);
  if (call.count == 3) {
    filter.address = call.arguments.Next();
    // Nobody has an empty one.
    if (filter.address.empty()) filter.ids.push_back(kNobody);
    return {};
  }
  filter.spared = filter.asker;
  while (!call.arguments.empty()) {
    const std::string_view word = call.arguments.Next();
    if (call.arguments.empty()) return std::string(kSyntaxErrorReply);
    std::string wrong = ReadKillOption(call, word, filter);
    if (!wrong.empty()) return wrong;
  }
  return {};
}

}  // namespace

std::string AddClientSearch(RespCall& call, Transaction& transaction) {
  using Join = Transaction::Join;
  const bool kills = call.subcommand == protocol::RespSubcommand::kClientKill;
  ClientFilter filter;
  std::string wrong = kills ? ReadKillFilter(call, filter) : ReadListFilter(call, filter);
  if (!wrong.empty()) return wrong;
  const Join of_kill = call.count == 3 ? Join::kOnce : Join::kCount;
  transaction.BeginUnit(kills ? of_kill : Join::kLines);
  const std::string pattern = filter.Encode();
  const Search::What what = kills ? Search::What::kKillClients : Search::What::kListClients;
  for (uint32_t core = 0; core < call.worker.cluster().mailboxes.cores(); ++core) {
    transaction.AddSearch(core, {.what = what, .pattern = pattern, .looks_max = kClientsOfStep});
  }
  return {};
}

void AnswerClient(RespCall& call) {
  using protocol::RespSubcommand;
  (void)call.arguments.Next();
  switch (call.subcommand) {
    case RespSubcommand::kClientId:
      return call.reply.Integer(ClientId(call.client));
    case RespSubcommand::kClientSetname:
      return ClientSetName(call);
    case RespSubcommand::kClientGetname:
      return ClientGetName(call);
    case RespSubcommand::kClientSetinfo:
      return ClientSetInfo(call);
    case RespSubcommand::kClientReply:
      return ClientReply(call);
    case RespSubcommand::kClientNoEvict:
      return ClientNoEvict(call);
    default:
      return call.reply.Verbatim(ClientLine(call.worker, call.client) + "\n");
  }
}

namespace {

// What names of sockets begin with is of which kind they are.
std::string AddressIn(std::string_view name) {
  const std::string_view address = name.substr(std::min(name.find(':') + 1, name.size()));
  return absl::StrCat(util::View(address), name.starts_with("unix") ? ":0" : "");
}

}  // namespace

std::string PeerAddress(const Connection& client) { return AddressIn(io::PeerName(client.fd())); }
std::string LocalAddress(const Connection& client) { return AddressIn(io::LocalName(client.fd())); }

int64_t ClientId(const Connection& client) { return static_cast<int64_t>(client.id()); }

std::string ClientLine(const Worker& worker, const Connection& client) {
  static const RespSession kNothingTold;
  const RespSession* told = client.told();
  const RespSession& session = told == nullptr ? kNothingTold : *told;
  const CacheSeconds second = worker.now().FloorSeconds();
  return absl::StrCat("id=", ClientId(client), " addr=", PeerAddress(client),
                      " laddr=", LocalAddress(client), " fd=", client.fd(), " name=", session.name,
                      " age=", second - client.accepted_at(),
                      " idle=", second - client.last_active(), " flags=N db=", client.database(),
                      " sub=0 psub=0 ssub=0 multi=-1 qbuf=", client.InputBytes(),
                      " qbuf-free=0 obl=", client.OutputBytes(),
                      " oll=0 omem=", client.OutputBytes(), " events=r cmd=client user=default",
                      " redir=-1 resp=", static_cast<int>(client.resp_version()),
                      " lib-name=", session.library, " lib-ver=", session.library_version);
}

}  // namespace larder::server
