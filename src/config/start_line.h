// What is said once the server listens.
#ifndef LARDER_CONFIG_START_LINE_H_
#define LARDER_CONFIG_START_LINE_H_

#include <string>
#include <string_view>
#include <vector>

#include "config/settings.h"
#include "larder/server.h"

namespace larder::config {

struct Listening {
  std::vector<Server::Address> addresses;
  bool passed = false;  // the sockets came from a service manager, whatever the settings name
};

// One line: where, who can reach it if nobody chose the addresses, and what it works with.
std::string StartLine(const Settings& settings, const Listening& listening, std::string_view loop);

}  // namespace larder::config

#endif  // LARDER_CONFIG_START_LINE_H_
