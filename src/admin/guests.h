// Clients of the cache port who ask for a page, on their way from a core to the admin door.
#ifndef LARDER_ADMIN_GUESTS_H_
#define LARDER_ADMIN_GUESTS_H_

#include <mutex>
#include <string>
#include <vector>

#include "io/socket.h"

namespace larder::admin {

struct Guest {
  io::UniqueFd fd;
  std::string said;  // what a core has received of the request, and nobody will receive again
};

// A bounded queue between threads; outlives both ends.
class Guests {
 public:
  static constexpr size_t kWaitingMax = 64;

  Guests();
  Guests(const Guests&) = delete;
  Guests& operator=(const Guests&) = delete;

  // From any thread. Closed if as many wait as may.
  void Add(Guest guest);
  // From the door's thread.
  [[nodiscard]] std::vector<Guest> TakeAll();
  // Readable while somebody waits.
  [[nodiscard]] int fd() const { return waiting_fd_.get(); }

 private:
  const io::UniqueFd waiting_fd_;
  std::mutex mutex_;
  std::vector<Guest> waiting_;  // guarded by mutex_
};

}  // namespace larder::admin

#endif  // LARDER_ADMIN_GUESTS_H_
