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
  protocol::RespSubcommand subcommand;
  size_t count;                       // of arguments, with the name
  protocol::RespArguments arguments;  // those behind the name
  protocol::RespWriter& reply;
};

// Errors that several commands have, as replies.
inline constexpr std::string_view kSyntaxErrorReply = "-ERR syntax error\r\n";
inline constexpr std::string_view kNotIntegerReply =
    "-ERR value is not an integer or out of range\r\n";
inline constexpr std::string_view kNotInt32Reply =
    "-ERR value is out of range, value must between -2147483648 and 2147483647\r\n";
inline constexpr std::string_view kLongKeyReply = "-ERR key is longer than 65535 bytes\r\n";
inline constexpr std::string_view kLongValueReply =
    "-ERR string exceeds maximum allowed size (proto-max-bulk-len)\r\n";

// Could it be executed now? One with keys of other cores needs that nothing before it is pending.
bool MayExecuteRespCall(const Worker& worker, const Connection& connection, const Command& command);
// A command was refused before it could be queued, which the transaction remembers; a wrong EXEC
// ends it.
void NoteRefused(Connection& connection, const Command& command);
// Writes what a command without keys answers.
void AnswerCall(Worker& worker, Connection& connection, const Command& command,
                protocol::RespWriter& reply);
Outcome ExecuteRespCall(Worker& worker, Connection& connection, const Command& command);

}  // namespace larder::server

#endif  // LARDER_SERVER_RESP_CALLS_H_
