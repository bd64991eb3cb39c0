// Values that arrive in pieces and are kept with their command until they are whole: who may keep
// more of one.
//
//   held   0 ........ the pool ................... twice that ...............
//          everybody | one at a time, others wait | and who comes is refused
//
// Many large values at once are more than may be held. If all went on, none would ever be whole; if
// all were refused, clients would be told of a lack of memory that the cache does not have. So
// beyond the pool only one goes on, the favoured one, and the others are not received from,
// in the order in which they came: whoever gets whole makes room. A favoured client that says
// nothing makes way for the next; who has waited too long is refused, and so is, while others want
// the room, who has said nothing for some seconds.
//
// Belongs to one core. Costs nothing while nobody waits.
#ifndef LARDER_SERVER_INFLOW_H_
#define LARDER_SERVER_INFLOW_H_

#include <cstdint>
#include <deque>
#include <optional>

#include "larder/clock.h"

namespace larder::server {

class Connection;

class Inflow {
 public:
  // How long a client waits at most, and how long it is favoured without its value getting whole.
  static constexpr uint64_t kWaitNs = 2'000'000'000;
  static constexpr uint64_t kFavourNs = 100'000'000;
  static constexpr CacheSeconds kSilentSeconds = 2;

  enum class Verdict : uint8_t {
    kKeep,
    kWait,    // is told by Next()
    kRefuse,  // there is no room at all
  };
  // `client` holds part of a value and more of it will come; all clients hold `held` bytes of the
  // `pool`. A client that waits may ask again.
  [[nodiscard]] Verdict Ask(Connection& client, uint64_t held, uint64_t pool, uint64_t now_ns);
  // Its value is whole, or will never be.
  void Forget(const Connection& client);

  // Who waits no longer, and with what verdict: once a turn, until there is none.
  struct Answer {
    Connection* client;
    Verdict verdict;
  };
  [[nodiscard]] std::optional<Answer> Next(uint64_t held, uint64_t pool, uint64_t now_ns);
  // How soon Next() may have something to say, though nothing happens; at most `wait_ns`.
  [[nodiscard]] int64_t WaitNs(int64_t wait_ns, uint64_t held, uint64_t pool,
                               uint64_t now_ns) const;

 private:
  void StopWaiting(const Connection& client);

  struct Waiting {
    Connection* client;
    uint64_t since_ns;
  };

  std::deque<Waiting> waiting_;
  Connection* favoured_ = nullptr;
  uint64_t favoured_since_ns_ = 0;
};

}  // namespace larder::server

#endif  // LARDER_SERVER_INFLOW_H_
