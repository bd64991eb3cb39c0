// Where clients live: on the core that their packets arrive on, if it has time for them.
//
// A request whose packet arrives on one CPU, is answered on another and goes back to the first pays
// for the way twice, in the kernel. Who listens per CPU (AttachReuseportByCpu) starts right; but
// where a client connects is not where it talks for years, and a core that is full is no good home
// whatever arrives there. So once a second a core looks at some of its clients, and those that
// would be better off elsewhere move, when nothing is owed and nothing is unread:
//
//   Look ──► Connection::Move ──► Loop::Release ──► SetOff ──► kMoved ──► Arrived: the same client,
//   once a second   at a turn's end    lets go of the socket     mailbox    a new Connection
//
// The client notices nothing. Belongs to one core.
#ifndef LARDER_SERVER_PLACEMENT_H_
#define LARDER_SERVER_PLACEMENT_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "io/socket.h"
#include "larder/clock.h"
#include "protocol/codec.h"
#include "server/message.h"
#include "server/resp_client.h"

namespace larder::server {

class Connection;
class Worker;

// Where a client should live, as far as is known.
struct Home {
  uint32_t seen = 0;               // where its packets arrived when it was last looked at
  uint32_t next = 0;               // where it is to move
  CacheSeconds settled_until = 0;  // it stays where it is
};

// All that is known of a client between two requests.
struct MovingClient {
  uint64_t id;
  io::UniqueFd fd;
  int listener;
  const protocol::Codec* codec;
  protocol::Resume resume;
  std::unique_ptr<RespSession> session;
  CacheSeconds last_active;
  CacheSeconds accepted_at;
  Home home;
  std::string unread;
};

// What the cores know of each other's work, and where packets arrive. One per server.
struct Homes {
  explicit Homes(uint32_t cores);

  // How much of the last second it worked, or wanted to, in thousandths. Relaxed: a hint.
  struct alignas(64) Load {
    std::atomic<uint32_t> thousandths{0};
  };
  std::vector<Load> loads;
  // The core that lives where the packets of the socket arrive; empty, or no answer: nobody knows.
  std::function<std::optional<uint32_t>(int fd)> of;
  // How long the core, which asks, has worked or wanted to.
  std::function<uint64_t(uint32_t core)> busy_ns;
};

class Placement {
 public:
  // So many clients are looked at in a second.
  static constexpr uint32_t kLooksMax = 128;
  // A core that is busier than this takes nobody; with less, it gives nobody away but to where the
  // packets arrive.
  static constexpr uint32_t kFullThousandths = 900;
  // And only to one that works so much less.
  static constexpr uint32_t kMuchThousandths = 300;
  // Who was sent away from a full core stays where it is for so long, whatever that is like.
  static constexpr CacheSeconds kSettledSeconds = 60;

  explicit Placement(Worker& worker) : worker_(worker) {}

  // Once a second: looks at some clients, and sends those off that should live elsewhere.
  void Look(CacheSeconds second);
  // The loop has let go of the client's socket, and the client goes. False: it has to stay after
  // all.
  [[nodiscard]] bool SetOff(Connection& connection);
  // A client of another core lives here from now on.
  void Arrived(Message& message);

 private:
  [[nodiscard]] uint32_t LoadOf(uint32_t core) const;
  void NoteLoad();
  [[nodiscard]] uint32_t IdlestCore() const;
  void LookAt(Connection& connection, CacheSeconds second);

  Worker& worker_;
  uint64_t looked_at_ = 0;  // the number of the last client
  uint64_t looked_ns_ = 0;
  uint64_t busy_ns_ = 0;
  // In this second: clients that may leave because the core is full, and to where they belong.
  size_t to_leave_ = 0;
  size_t to_go_home_ = 0;
  std::vector<Connection*> looked_;  // scratch
};

}  // namespace larder::server

#endif  // LARDER_SERVER_PLACEMENT_H_
