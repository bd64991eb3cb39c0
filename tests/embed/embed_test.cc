// The server inside a program that knows nothing but include/: it starts on a free port, answers,
// drains while a client is there, and stops. ctest's timeout bounds the waiting.
#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <string_view>
#include <thread>

#include "larder/server.h"

namespace {

int Fail(std::string_view why) {
  std::fprintf(stderr, "embed_test: %.*s\n", static_cast<int>(why.size()), why.data());
  return 1;
}

}  // namespace

int main() {
  larder::ServerOptions options;
  options.listen = {{.host = "127.0.0.1", .port = -1}};
  options.threads = 2;
  std::string error;
  auto server = larder::Server::Start(options, &error);
  if (server == nullptr) return Fail(error);
  if (server->Addresses().size() != 1) return Fail("it does not listen on one address");

  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(server->Addresses()[0].port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (connect(client, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    return Fail("it does not listen");
  }
  constexpr std::string_view kRequest = "set k 0 0 1\r\nv\r\n";
  if (send(client, kRequest.data(), kRequest.size(), 0) != static_cast<ssize_t>(kRequest.size())) {
    return Fail("it does not receive");
  }
  char reply[8];
  if (recv(client, reply, sizeof(reply), MSG_WAITALL) != sizeof(reply) ||
      std::string_view(reply, sizeof(reply)) != "STORED\r\n") {
    return Fail("it does not answer");
  }

  server->BeginDrain();
  if (recv(client, reply, sizeof(reply), 0) != 0) return Fail("it does not close an idle client");
  close(client);
  while (!server->Drained()) std::this_thread::yield();
  server.reset();
  return 0;
}
