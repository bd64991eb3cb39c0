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

#include <cstdint>

#include "io/output_queue.h"
#include "server/errands.h"
#include "server/message.h"

namespace larder::server {

class Worker;

class Listing {
 public:
  Listing(Worker& worker, Errands& errands, io::OutputQueue& output)
      : worker_(worker), errands_(errands), output_(output) {}

  enum class State : uint8_t {
    kWaits,    // for the client, or for a page
    kStarved,  // for room in a mailbox
    kDone,
  };
  // Goes on as far as it can.
  State Continue();
  // The page that was asked for.
  void TakePage(const Message& page);

 private:
  void MoveOn(uint64_t cursor);

  Worker& worker_;
  Errands& errands_;
  io::OutputQueue& output_;
  uint64_t cursor_ = 0;  // of this core's part; 0: its beginning
  uint32_t core_ = 0;
  bool asked_ = false;  // a page is on its way
};

}  // namespace larder::server

#endif  // LARDER_SERVER_LISTING_H_
