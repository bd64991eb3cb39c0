#include "server/listing.h"

#include "server/worker.h"

namespace larder::server {

Listing::State Listing::Continue() {
  const Mailboxes& mailboxes = worker_.cluster().mailboxes;
  while (!asked_ && output_.owed() < worker_.ReplyMark()) {
    if (core_ == mailboxes.cores()) {
      output_.Append("END\r\n");
      return State::kDone;
    }
    if (core_ == worker_.index()) {
      uint64_t cursor = cursor_;
      output_.Append(worker_.ListConnections(cursor));
      MoveOn(cursor);
    } else if (mailboxes.CanAsk(worker_.index(), core_)) {
      errands_.AskPage(core_, cursor_);
      asked_ = true;
    } else {
      return State::kStarved;
    }
  }
  return State::kWaits;
}

void Listing::TakePage(const Message& page) {
  output_.Append(page.Payload());
  asked_ = false;
  MoveOn(page.number);
}

void Listing::MoveOn(uint64_t cursor) {
  cursor_ = cursor;
  if (cursor_ == 0) ++core_;
}

}  // namespace larder::server
