// A reply that is long and comes in pages, core by core, as fast as the client takes it.
//
//   core 0, cursor ──► page ──► output ──► client takes it ──► core 0, next cursor ──► … ──► core 1
//
// There is one page on its way at most, and none is made before the client has taken enough of the
// last: so a slow reader costs a page of memory, and a listing of millions no more than one of
// hundreds. Pages of other cores come by message.
//
// A connection has one while it lists, and executes no later command before its end.
#ifndef LARDER_SERVER_LISTING_H_
#define LARDER_SERVER_LISTING_H_

#include <absl/container/btree_map.h>

#include <cstdint>
#include <string_view>

#include "io/output_queue.h"
#include "server/errands.h"
#include "server/message.h"
#include "server/page.h"

namespace larder::server {

class Worker;

class Listing {
 public:
  Listing(const Selection& selection, Worker& worker, Errands& errands, io::OutputQueue& output);

  enum class State : uint8_t {
    kWaits,     // for the client, or for a page
    kNextTurn,  // others have had this one
    kDone,
  };
  // Goes on as far as it can.
  State Continue();
  // The page that was asked for.
  void TakePage(const Message& page);

 private:
  [[nodiscard]] bool ClientTakesMore() const;
  bool NextPage();
  void Take(std::string_view page, uint64_t next_cursor);
  void CountSizes(std::string_view steps);
  bool Finish();

  Selection selection_;
  Worker& worker_;
  Errands& errands_;
  io::OutputQueue& output_;
  uint64_t cursor_ = 0;  // of the part of core_; 0: its beginning
  uint32_t core_ = 0;
  bool asked_ = false;                         // a page is on its way
  absl::btree_map<uint32_t, uint64_t> sizes_;  // of kSizes: how many items are of each step
};

}  // namespace larder::server

#endif  // LARDER_SERVER_LISTING_H_
