#include "server/resp_client.h"

#include <absl/strings/str_cat.h>

#include <algorithm>
#include <cstdint>
#include <optional>

#include "io/socket.h"
#include "larder/version.h"
#include "server/connection.h"
#include "server/resp_info.h"
#include "server/worker.h"
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
      call.reply.Error(absl::StrCat("ERR Syntax error in HELLO option '",
                                    absl::string_view(word.data(), word.size()), "'"));
      return false;
    }
  }
  if (!greeting.name || IsName(*greeting.name)) return true;
  call.reply.Error(kBadName);
  return false;
}

void Welcome(RespCall& call, RespVersion version) {
  std::string& text = call.worker.scratch();
  protocol::RespWriter reply(version, text);
  reply.Map(7);
  reply.Bulk("server");
  reply.Bulk("redis");
  reply.Bulk("version");
  reply.Bulk(kRedisVersion);
  reply.Bulk("proto");
  reply.Integer(static_cast<int64_t>(version));
  reply.Bulk("id");
  reply.Integer(ClientId(call.worker, call.client));
  reply.Bulk("mode");
  reply.Bulk("standalone");
  reply.Bulk("role");
  reply.Bulk("master");
  reply.Bulk("modules");
  reply.Array(0);
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

void AnswerSelect(RespCall& call) {
  const std::optional<int64_t> number = util::ParseInt64(call.arguments.Next());
  if (!number || *number < INT32_MIN || *number > INT32_MAX) return call.reply.Error(kNotInteger);
  if (*number < 0 || *number >= call.worker.cluster().databases) {
    return call.reply.Error("ERR DB index is out of range");
  }
  if (*number > 0) {
    call.worker.cluster().databases_used.store(true, std::memory_order_relaxed);
  }
  call.client.SelectDatabase(static_cast<uint8_t>(*number));
  call.reply.Ok();
}

void AnswerQuit(RespCall& call) {
  call.reply.Ok();
  call.client.CloseWhenDone();
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
    return call.reply.Error(absl::StrCat("ERR Unrecognized option '",
                                         absl::string_view(what.data(), what.size()), "'"));
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

struct ClientVerb {
  std::string_view word;
  size_t count;  // of arguments, with CLIENT
  void (*answer)(RespCall& call);
};

constexpr ClientVerb kClientVerbs[] = {
    {"id", 2, [](RespCall& call) { call.reply.Integer(ClientId(call.worker, call.client)); }},
    {"setname", 3, ClientSetName},
    {"getname", 2, ClientGetName},
    {"setinfo", 4, ClientSetInfo},
    {"reply", 3, ClientReply},
    {"no-evict", 3, ClientNoEvict},
    {"info", 2,
     [](RespCall& call) { call.reply.Verbatim(ClientLine(call.worker, call.client) + "\n"); }},
};

}  // namespace

void AnswerClient(RespCall& call) {
  const std::string_view word = call.arguments.Next();
  for (const ClientVerb& verb : kClientVerbs) {
    if (!IsWord(word, verb.word)) continue;
    if (call.count == verb.count) return verb.answer(call);
    return call.reply.Error(WrongArityOf("client", verb.word));
  }
  call.reply.Error(UnknownSubcommand("CLIENT", word));
}

int64_t ClientId(const Worker& worker, const Connection& client) {
  return static_cast<int64_t>(client.id() * worker.cluster().mailboxes.cores() + worker.index());
}

std::string ClientLine(const Worker& worker, Connection& client) {
  const RespSession& session = client.session();
  const CacheSeconds second = worker.now().FloorSeconds();
  return absl::StrCat("id=", ClientId(worker, client), " addr=", io::PeerName(client.fd()),
                      " laddr=", io::LocalName(client.fd()), " fd=", client.fd(),
                      " name=", session.name, " age=", second - client.accepted_at(),
                      " idle=", second - client.last_active(), " flags=N db=", client.database(),
                      " sub=0 psub=0 ssub=0 multi=-1 qbuf=", client.InputBytes(),
                      " qbuf-free=0 obl=", client.OutputBytes(),
                      " oll=0 omem=", client.OutputBytes(), " events=r cmd=client user=default",
                      " redir=-1 resp=", static_cast<int>(client.resp_version()),
                      " lib-name=", session.library, " lib-ver=", session.library_version);
}

std::string WrongArityOf(std::string_view command, std::string_view subcommand) {
  return absl::StrCat("ERR wrong number of arguments for '",
                      absl::string_view(command.data(), command.size()), "|",
                      absl::string_view(subcommand.data(), subcommand.size()), "' command");
}

std::string UnknownSubcommand(std::string_view command, std::string_view subcommand) {
  constexpr size_t kShownBytesMax = 128;
  const std::string_view shown = subcommand.substr(0, kShownBytesMax);
  return absl::StrCat("ERR unknown subcommand '", absl::string_view(shown.data(), shown.size()),
                      "'. Try ", absl::string_view(command.data(), command.size()), " HELP.");
}

}  // namespace larder::server
