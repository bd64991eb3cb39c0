#include "server/search.h"

#include <vector>

#include "protocol/resp_writer.h"
#include "protocol/stored_key.h"
#include "server/client_search.h"
#include "server/part.h"
#include "server/populate.h"
#include "server/worker.h"
#include "util/glob.h"

namespace larder::server {

namespace {

// Of a step; longer keys are fewer.
constexpr uint64_t kStepKeyBytes = 64 << 10;

// The key as clients of the database know it, if it is of that database.
bool IsOf(uint16_t database, std::string_view& key) {
  if (!key.starts_with('\0')) return database == 0 || database == Search::kEveryDatabase;
  if (key.size() < protocol::kKeyPrefixBytes) return false;
  if (static_cast<uint8_t>(key[1]) != database && database != Search::kEveryDatabase) return false;
  key.remove_prefix(protocol::kKeyPrefixBytes);
  return true;
}

uint64_t SearchKeys(Worker& worker, const Search& search, FoundHead& head, std::string& keys) {
  std::vector<std::string> doomed;
  protocol::RespWriter list(protocol::RespVersion::kResp2, keys);
  store::Cursor cursor = {search.position};
  uint64_t looks = 0;
  do {
    cursor = worker.shard().Scan(cursor, kStepKeyBytes, [&](const store::Item& item) {
      ++looks;
      std::string_view key = item.Key();
      if (!IsOf(search.database, key)) return;
      if (search.pattern != "*" && !util::MatchesGlob(search.pattern, key)) return;
      ++head.count;
      if (search.what == Search::What::kListKeys) list.Bulk(key);
      if (search.what == Search::What::kDeleteKeys) doomed.emplace_back(item.Key());
    });
    ++looks;  // an empty segment is a look, too
  } while (!cursor.AtEnd() && looks < search.looks_max);
  for (const std::string& key : doomed) {
    (void)worker.shard().Erase(key, worker.cluster().hash(key));
  }
  return cursor.position;
}

}  // namespace

Command CommandOf(const Search& search) {
  return {.verb = Verb::kCall,
          .client_flags = static_cast<uint32_t>(search.what) << 16 | search.database,
          .exptime = search.looks_max,
          .number = search.position,
          .key = search.pattern};
}

Search SearchIn(const Command& command) {
  return {.what = static_cast<Search::What>(command.client_flags >> 16),
          .database = static_cast<uint16_t>(command.client_flags),
          .pattern = command.key,
          .looks_max = static_cast<uint32_t>(command.exptime),
          .position = command.number};
}

void RunSearch(Worker& worker, const Search& search, std::string& reply) {
  FoundHead head;
  std::string found;
  switch (search.what) {
    case Search::What::kListKeys:
    case Search::What::kCountKeys:
    case Search::What::kDeleteKeys:
      head.position = SearchKeys(worker, search, head, found);
      break;
    case Search::What::kListClients:
    case Search::What::kKillClients:
      head.position = SearchClients(worker, search, head, found);
      break;
    case Search::What::kPopulate:
      head.position = Populate(worker, search, head);
      break;
    case Search::What::kResetStats:
      worker.ExecuteEverywhere({.verb = Verb::kStats, .key = "reset"});
      break;
    case Search::What::kLimitMemory:
      worker.ExecuteEverywhere({.verb = Verb::kCacheMemlimit, .number = search.position});
      break;
  }
  AppendValue(head, reply);
  reply += found;
}

}  // namespace larder::server
