#include "server/intents.h"

#include <algorithm>
#include <utility>

#include "util/check.h"

namespace larder::server {

bool Intents::Acquire(Owner owner, std::span<const uint64_t> hashes) {
  Wants wants;
  wants.hashes.assign(hashes.begin(), hashes.end());
  std::sort(wants.hashes.begin(), wants.hashes.end());
  wants.hashes.erase(std::unique(wants.hashes.begin(), wants.hashes.end()), wants.hashes.end());
  for (const uint64_t hash : wants.hashes) {
    Queue& queue = keys_[hash];
    if (!queue.empty()) ++wants.missing;
    queue.push_back(owner);
  }
  const bool granted = wants.missing == 0;
  const bool added = owners_.emplace(owner, std::move(wants)).second;
  CHECK(added);
  return granted;
}

void Intents::Release(Owner owner, std::vector<Owner>& granted) {
  const auto found = owners_.find(owner);
  CHECK(found != owners_.end());
  const std::vector<uint64_t> hashes = std::move(found->second.hashes);
  owners_.erase(found);
  for (const uint64_t hash : hashes) {
    const auto key = keys_.find(hash);
    CHECK(key != keys_.end());
    Queue& queue = key->second;
    const bool was_first = queue.front() == owner;
    queue.erase(std::find(queue.begin(), queue.end(), owner));
    if (queue.empty()) {
      keys_.erase(key);
      continue;
    }
    if (!was_first) continue;
    Wants& next = owners_.find(queue.front())->second;
    if (--next.missing == 0) granted.push_back(queue.front());
  }
}

void Intents::CheckInvariants() const {
  size_t places = 0;
  for (const auto& [hash, queue] : keys_) {
    CHECK(!queue.empty());
    places += queue.size();
  }
  for (const auto& [owner, wants] : owners_) {
    uint32_t missing = 0;
    for (const uint64_t hash : wants.hashes) {
      const auto key = keys_.find(hash);
      CHECK(key != keys_.end());
      if (key->second.front() != owner) ++missing;
      CHECK_EQ(std::count(key->second.begin(), key->second.end(), owner), 1);
    }
    CHECK_EQ(missing, wants.missing);
    CHECK_LE(wants.hashes.size(), places);
    places -= wants.hashes.size();
  }
  CHECK_EQ(places, 0);
}

}  // namespace larder::server
