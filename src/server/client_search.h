// CLIENT LIST and CLIENT KILL: all clients of all cores, some at a time.
#ifndef LARDER_SERVER_CLIENT_SEARCH_H_
#define LARDER_SERVER_CLIENT_SEARCH_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "server/search.h"

namespace larder::server {

// Which clients; what is empty or 0 says nothing.
struct ClientFilter {
  std::vector<int64_t> ids;
  std::string address;        // as PeerAddress() has it
  std::string local_address;  // as LocalAddress() has it
  int64_t spared = 0;         // this id not
  int64_t asker = 0;          // it gets its answer before it is closed

  // As a search has it, and back.
  [[nodiscard]] std::string Encode() const;
  static ClientFilter Decode(std::string_view text);
};

// Appends a line for each client, or closes it. Where to go on; 0: that was all.
uint64_t SearchClients(Worker& worker, const Search& search, FoundHead& head, std::string& lines);

}  // namespace larder::server

#endif  // LARDER_SERVER_CLIENT_SEARCH_H_
