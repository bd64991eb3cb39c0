// Commands of Redis about the connection itself.
#ifndef LARDER_SERVER_RESP_CLIENT_H_
#define LARDER_SERVER_RESP_CLIENT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "server/resp_calls.h"

namespace larder::server {

class Transaction;

// What a client has told of itself.
struct RespSession {
  std::string name;
  std::string library;
  std::string library_version;
};

// As Redis tells them: an address and a port, or a path and 0.
std::string PeerAddress(const Connection& client);
std::string LocalAddress(const Connection& client);
// As CLIENT tells of it.
int64_t ClientId(const Connection& client);
std::string ClientLine(const Worker& worker, const Connection& client);

// The database that SELECT means by a word; none: there is no such.
std::optional<uint8_t> DatabaseIn(const Worker& worker, std::string_view word);
// From now on the client's keys are of it.
void UseDatabase(Worker& worker, Connection& client, uint8_t database);
void AnswerAuth(RespCall& call);
void AnswerHello(RespCall& call);
void AnswerSelect(RespCall& call);
void AnswerQuit(RespCall& call);
void AnswerReset(RespCall& call);
void AnswerClient(RespCall& call);
// LIST and KILL; an error, or none. `call.arguments` are behind the second word.
std::string AddClientSearch(RespCall& call, Transaction& transaction);

}  // namespace larder::server

#endif  // LARDER_SERVER_RESP_CLIENT_H_
