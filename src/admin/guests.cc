#include "admin/guests.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdint>
#include <utility>

#include "util/check.h"

namespace larder::admin {

Guests::Guests() : waiting_fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  CHECK_GE(waiting_fd_.get(), 0);
}

void Guests::Add(Guest guest) {
  const std::lock_guard lock(mutex_);
  if (waiting_.size() == kWaitingMax) return;
  waiting_.push_back(std::move(guest));
  const uint64_t one = 1;
  CHECK_EQ(write(waiting_fd_.get(), &one, sizeof(one)), static_cast<ssize_t>(sizeof(one)));
}

std::vector<Guest> Guests::TakeAll() {
  const std::lock_guard lock(mutex_);
  // Nothing to read is no error: then nobody waits.
  uint64_t count = 0;
  (void)!read(waiting_fd_.get(), &count, sizeof(count));
  return std::exchange(waiting_, {});
}

}  // namespace larder::admin
