#include "server/inflow.h"

#include <algorithm>

namespace larder::server {

Inflow::Verdict Inflow::Ask(Connection& client, uint64_t held, uint64_t pool, uint64_t now_ns) {
  if (held <= pool || favoured_ == &client) return Verdict::kKeep;
  if (held > 2 * pool) return Verdict::kRefuse;
  if (favoured_ == nullptr) {
    favoured_ = &client;
    favoured_since_ns_ = now_ns;
    return Verdict::kKeep;
  }
  const auto is_client = [&client](const Waiting& waiting) { return waiting.client == &client; };
  if (std::ranges::none_of(waiting_, is_client)) waiting_.push_back({&client, now_ns});
  return Verdict::kWait;
}

void Inflow::Forget(const Connection& client) {
  if (favoured_ == &client) favoured_ = nullptr;
  std::erase_if(waiting_, [&client](const Waiting& waiting) { return waiting.client == &client; });
}

std::optional<Inflow::Answer> Inflow::Next(uint64_t held, uint64_t pool, uint64_t now_ns) {
  if (waiting_.empty()) return std::nullopt;
  const Waiting first = waiting_.front();
  Verdict verdict = Verdict::kKeep;
  if (held > pool) {
    const bool waited_long = now_ns >= first.since_ns + kWaitNs;
    const bool stalls = favoured_ == nullptr || now_ns >= favoured_since_ns_ + kFavourNs;
    if (!stalls && !waited_long) return std::nullopt;
    if (stalls) {
      favoured_ = first.client;
      favoured_since_ns_ = now_ns;
    } else {
      verdict = Verdict::kRefuse;
    }
  }
  waiting_.pop_front();
  return Answer{first.client, verdict};
}

}  // namespace larder::server
