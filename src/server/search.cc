#include "server/search.h"

#include <vector>

#include "protocol/resp_requests.h"
#include "protocol/resp_writer.h"
#include "server/part.h"
#include "server/worker.h"
#include "util/glob.h"

namespace larder::server {

namespace {

// Of a step; longer keys are fewer.
constexpr uint64_t kStepKeyBytes = 64 << 10;

// The key as clients of the database know it, if it is of that database.
bool IsOf(uint8_t database, std::string_view& key) {
  if (!key.starts_with('\0')) return database == 0;
  if (key.size() < protocol::kKeyPrefixBytes || static_cast<uint8_t>(key[1]) != database) {
    return false;
  }
  key.remove_prefix(protocol::kKeyPrefixBytes);
  return true;
}

}  // namespace

Command CommandOf(const Search& search) {
  return {.verb = search.verb,
          .client_flags = search.database,
          .exptime = search.looks_max,
          .number = search.position,
          .key = search.pattern};
}

Search SearchIn(const Command& command) {
  return {.verb = command.verb,
          .database = static_cast<uint8_t>(command.client_flags),
          .pattern = command.key,
          .looks_max = static_cast<uint32_t>(command.exptime),
          .position = command.number};
}

void RunSearch(Worker& worker, const Search& search, std::string& reply) {
  FoundHead head;
  std::string keys;
  std::vector<std::string> doomed;
  protocol::RespWriter list(protocol::RespVersion::kResp2, keys);
  store::Cursor cursor = {search.position};
  uint64_t looks = 0;
  do {
    cursor = worker.shard().Scan(cursor, kStepKeyBytes, [&](const store::Item& item) {
      ++looks;
      std::string_view key = item.Key();
      if (!IsOf(search.database, key)) return;
      if (!search.pattern.empty() && !util::MatchesGlob(search.pattern, key)) return;
      ++head.count;
      if (search.verb == Verb::kGet) list.Bulk(key);
      if (search.verb == Verb::kDelete) doomed.emplace_back(item.Key());
    });
    ++looks;  // an empty segment is a look, too
  } while (!cursor.AtEnd() && looks < search.looks_max);
  for (const std::string& key : doomed) {
    (void)worker.shard().Erase(key, worker.cluster().hash(key));
  }
  head.position = cursor.position;
  AppendValue(head, reply);
  reply += keys;
}

}  // namespace larder::server
