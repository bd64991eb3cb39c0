// The commands of Redis that are no verb of the engine (Verb::kCall): about the connection, about
// the server, or with several keys.
//
// Each is executed on the client's core. The text of a reply is valid until the next call.
#ifndef LARDER_SERVER_RESP_CALLS_H_
#define LARDER_SERVER_RESP_CALLS_H_

#include <string>
#include <string_view>

#include "larder/command.h"
#include "larder/outcome.h"
#include "protocol/resp_arguments.h"
#include "protocol/resp_commands.h"
#include "protocol/resp_writer.h"

namespace larder::server {

class Connection;
class Worker;

// A command that is being executed.
struct RespCall {
  Worker& worker;
  Connection& client;
  const Command& command;
  protocol::RespCommand id;
  size_t count;                       // of arguments, with the name
  protocol::RespArguments arguments;  // those behind the name
  protocol::RespWriter& reply;
};

// Errors that several commands have.
inline constexpr std::string_view kSyntaxErrorReply = "-ERR syntax error\r\n";
std::string WrongArityOf(std::string_view command, std::string_view subcommand);
std::string UnknownSubcommand(std::string_view command, std::string_view subcommand);

// Could it be executed now? One with keys of other cores needs that nothing before it is pending.
bool MayExecuteRespCall(const Worker& worker, const Connection& connection, const Command& command);
// Writes what a command without keys answers.
void AnswerCall(Worker& worker, Connection& connection, const Command& command,
                protocol::RespWriter& reply);
Outcome ExecuteRespCall(Worker& worker, Connection& connection, const Command& command);

}  // namespace larder::server

#endif  // LARDER_SERVER_RESP_CALLS_H_
