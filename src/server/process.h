// What a daemon does to its own process, once, at the start. Each returns a sentence if it failed,
// else an empty string.
#ifndef LARDER_SERVER_PROCESS_H_
#define LARDER_SERVER_PROCESS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "larder/server.h"

namespace larder::server {

// Goes to the background: a new session, no terminal, stdin and stdout on /dev/null. Before any
// thread is made.
std::string Daemonize();

// Gives up root for `user`. Does nothing if we are that user, or if `user` is empty.
std::string BecomeUser(const std::string& user);

// Makes room for `connections` clients and our own files, as far as the hard limit allows.
std::string RaiseDescriptorLimit(uint64_t connections);

std::string WritePidFile(const std::string& path);

// One line per address, as memcached writes them for its test suites: "TCP INET: 11211".
std::string WritePortFile(const std::string& path, const std::vector<Server::Address>& addresses);

}  // namespace larder::server

#endif  // LARDER_SERVER_PROCESS_H_
