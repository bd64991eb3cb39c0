#include "server/inflow.h"

#include <algorithm>

namespace larder::server {

Inflow::Verdict Inflow::Ask(Connection& client, uint64_t held, uint64_t pool, uint64_t now_ns) {
  if (held <= pool || favoured_ == &client) {
    StopWaiting(client);
    return Verdict::kKeep;
  }
  if (held > 2 * pool) return Verdict::kRefuse;
  if (favoured_ == nullptr && (waiting_.empty() || waiting_.front().client == &client)) {
    favoured_ = &client;
    favoured_since_ns_ = now_ns;
    StopWaiting(client);
    return Verdict::kKeep;
  }
  const auto is_client = [&client](const Waiting& waiting) { return waiting.client == &client; };
  if (std::ranges::none_of(waiting_, is_client)) waiting_.push_back({&client, now_ns});
  return Verdict::kWait;
}

void Inflow::Forget(const Connection& client) {
  if (favoured_ == &client) favoured_ = nullptr;
  StopWaiting(client);
}

void Inflow::StopWaiting(const Connection& client) {
  std::erase_if(waiting_, [&client](const Waiting& waiting) { return waiting.client == &client; });
}

int64_t Inflow::WaitNs(int64_t wait_ns, uint64_t held, uint64_t pool, uint64_t now_ns) const {
  if (waiting_.empty()) return wait_ns;
  const uint64_t until_ns = favoured_since_ns_ + kFavourNs;
  if (favoured_ == nullptr || held <= pool || now_ns >= until_ns) return 0;
  return std::min(wait_ns, static_cast<int64_t>(until_ns - now_ns));
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
