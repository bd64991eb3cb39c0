#include "server/client_search.h"

#include <algorithm>

#include "server/connection.h"
#include "server/part.h"
#include "server/resp_client.h"
#include "server/worker.h"

namespace larder::server {

namespace {

bool Matches(const ClientFilter& filter, const Connection& client) {
  const int64_t id = ClientId(client);
  if (id == filter.spared || client.closing()) return false;
  const bool is_one_of_them =
      filter.ids.empty() || std::find(filter.ids.begin(), filter.ids.end(), id) != filter.ids.end();
  return is_one_of_them && (filter.address.empty() || PeerAddress(client) == filter.address) &&
         (filter.local_address.empty() || LocalAddress(client) == filter.local_address);
}

void Close(const ClientFilter& filter, Connection& client) {
  if (ClientId(client) == filter.asker) {
    client.CloseWhenDone(Leaving::kNormal);
  } else {
    client.Abort(Leaving::kNormal);
  }
}

}  // namespace

std::string ClientFilter::Encode() const {
  std::string text;
  AppendValue(spared, text);
  AppendValue(asker, text);
  AppendValue(ids.size(), text);
  for (const int64_t id : ids) AppendValue(id, text);
  AppendValue(address.size(), text);
  return text + address + local_address;
}

ClientFilter ClientFilter::Decode(std::string_view text) {
  ClientFilter filter;
  filter.spared = TakeValue<int64_t>(text);
  filter.asker = TakeValue<int64_t>(text);
  filter.ids.resize(TakeValue<size_t>(text));
  for (int64_t& id : filter.ids) id = TakeValue<int64_t>(text);
  const auto address_bytes = TakeValue<size_t>(text);
  filter.address = text.substr(0, address_bytes);
  filter.local_address = text.substr(address_bytes);
  return filter;
}

uint64_t SearchClients(Worker& worker, const Search& search, FoundHead& head, std::string& lines) {
  const ClientFilter filter = ClientFilter::Decode(search.pattern);
  uint32_t looks = 0;
  auto next = worker.connections().lower_bound(search.position);
  // Closing is only begun here: the connection stays until the loop has let go of it.
  for (; next != worker.connections().end() && looks < search.looks_max; ++next, ++looks) {
    Connection& client = *next->second;
    if (!Matches(filter, client)) continue;
    ++head.count;
    if (search.what == Search::What::kKillClients) {
      Close(filter, client);
    } else {
      lines += ClientLine(worker, client) + "\n";
    }
  }
  return next == worker.connections().end() ? 0 : next->first;
}

}  // namespace larder::server
