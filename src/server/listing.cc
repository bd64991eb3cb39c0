#include "server/listing.h"

#include <absl/strings/str_cat.h>

#include <algorithm>
#include <cstring>
#include <string>

#include "server/worker.h"

namespace larder::server {

using What = Selection::What;

Listing::Listing(const Selection& selection, Worker& worker, Errands& errands,
                 io::OutputQueue& output)
    : selection_(selection), worker_(worker), errands_(errands), output_(output) {
  if (selection.what == What::kMetadump || selection.what == What::kMgdump) {
    output_.Append("OK\r\n");
  }
}

bool Listing::ClientTakesMore() const { return output_.owed() < worker_.ReplyMark(); }

Listing::State Listing::Continue() {
  while (!asked_ && ClientTakesMore()) {
    if (core_ == worker_.cluster().mailboxes.cores())
      return Finish() ? State::kDone : State::kWaits;
    if (!NextPage()) return State::kNextTurn;
  }
  return State::kWaits;
}

// False if it is not our turn.
bool Listing::NextPage() {
  if (core_ == worker_.index()) {
    if (!worker_.TakePageOfTurn()) return false;
    uint64_t cursor = cursor_;
    const std::string page = MakePage(worker_, selection_, cursor);
    Take(page, cursor);
    return true;
  }
  if (!worker_.MayAskPage() || !worker_.cluster().mailboxes.CanAsk(worker_.index(), core_)) {
    return false;
  }
  errands_.AskPage(core_, selection_, cursor_);
  asked_ = true;
  return true;
}

void Listing::TakePage(const Message& page) {
  asked_ = false;
  Take(page.Payload(), page.number);
}

void Listing::Take(std::string_view page, uint64_t next_cursor) {
  if (selection_.what == What::kSizes) {
    CountSizes(page);
  } else {
    output_.Append(page);
  }
  if (selection_.what == What::kCachedump) {
    selection_.items_max -= static_cast<uint64_t>(std::count(page.begin(), page.end(), '\n'));
    selection_.bytes_max -= page.size();
  }
  cursor_ = next_cursor;
  if (cursor_ == 0) ++core_;
  if (cursor_ == kCursorStop) core_ = worker_.cluster().mailboxes.cores();
}

void Listing::CountSizes(std::string_view steps) {
  uint32_t step = 0;
  for (; !steps.empty(); steps.remove_prefix(sizeof(step))) {
    std::memcpy(&step, steps.data(), sizeof(step));
    ++sizes_[step];
  }
}

// What comes behind the pages. False if the client shall take some of it first.
bool Listing::Finish() {
  std::string text;
  while (!sizes_.empty()) {
    if (!ClientTakesMore()) return false;
    const auto first = sizes_.begin();
    output_.Append(absl::StrCat("STAT ", uint64_t{first->first} * 32, " ", first->second, "\r\n"));
    sizes_.erase(first);
  }
  output_.Append(selection_.what == What::kMgdump ? "EN\r\n" : "END\r\n");
  return true;
}

}  // namespace larder::server
