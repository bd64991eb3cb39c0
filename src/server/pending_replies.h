// The replies of one connection that must wait for their turn: slots in request order, from the
// oldest command that another core has not answered yet.
//
//   ticket   7        8        9        10
//          +--------+--------+--------+--------+
//          | waits  | ready  | ready  | waits  | ...
//          +--------+--------+--------+--------+
//            ^ front: when it is filled, 7, 8 and 9 go to the output queue
//
// A slot that concerns all cores waits for several answers. Ready bytes are kept in one growing
// buffer, which is compacted when half of it is dead; large replies have a block each, those of
// other cores the one that they came in; a value that is lent stays where it lies. Empty in the
// common case: a connection has none of these while nothing is outstanding.
#ifndef LARDER_SERVER_PENDING_REPLIES_H_
#define LARDER_SERVER_PENDING_REPLIES_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "io/output_queue.h"
#include "larder/command.h"
#include "stats/request_times.h"

namespace larder::server {

// What a slot waits for: a request of this kind, made in this turn.
struct Asked {
  stats::RequestKind kind = {};
  stats::RequestTimes::Ticks when = 0;
};

class PendingReplies {
 public:
  // More commands of one connection are not in flight at once.
  static constexpr size_t kSlotsMax = 1024;

  [[nodiscard]] bool empty() const { return front_ == slots_.size(); }
  [[nodiscard]] bool full() const { return slots_.size() - front_ >= kSlotsMax; }
  // Bytes of memory that they take, lent values not counted.
  [[nodiscard]] uint64_t memory_bytes() const {
    return held_.capacity() + slots_.capacity() * sizeof(Slot) + block_bytes_;
  }
  // Bytes of lent values.
  [[nodiscard]] uint64_t lent() const { return lent_bytes_; }

  // A slot that waits for `answers` answers; returns its ticket.
  uint32_t Wait(uint32_t answers, Asked asked = {});
  // Of a slot that has not been moved out.
  [[nodiscard]] Asked AskedAt(uint32_t ticket) const { return slots_[IndexOf(ticket)].asked; }

  // Appends a reply that is ready, behind those that wait: write at most `bytes_max` bytes at
  // Reserve, then Commit.
  char* Reserve(size_t bytes_max);
  void Commit(const char* end);
  // The same for a reply whose value is lent: the first `head_bytes` of `around` go before it, the
  // others after it.
  void AppendLent(std::string_view around, size_t head_bytes, io::LoanPtr value);

  // An answer to `ticket`: its bytes, copied; or a block, taken over.
  // True if the slot waits no longer.
  bool Fill(uint32_t ticket, std::string_view bytes);
  bool FillBlock(uint32_t ticket, std::unique_ptr<char[]> block, size_t bytes);
  bool FillLent(uint32_t ticket, std::string_view around, size_t head_bytes, io::LoanPtr value);

  // Moves all that is ready at the front to `output`. True if anything moved.
  bool MoveReady(io::OutputQueue& output);

  void CheckInvariants() const;

 private:
  struct Slot {
    uint32_t waits = 0;  // answers still missing
    uint32_t bytes = 0;
    size_t offset = 0;        // in held_, unless there is a block
    uint32_t head_bytes = 0;  // of these, before the loan's
    Asked asked = {};
    std::unique_ptr<char[]> block = nullptr;
    io::LoanPtr loan = nullptr;
  };

  // Local replies above this have a block of their own, which is not copied again.
  static constexpr size_t kInlineBytesMax = 4096;

  [[nodiscard]] size_t IndexOf(uint32_t ticket) const;
  Slot& SlotOf(uint32_t ticket);
  void Hold(Slot& slot, std::string_view bytes);
  void Lend(Slot& slot, std::string_view around, size_t head_bytes, io::LoanPtr value);
  void Compact();

  std::vector<Slot> slots_;  // those before front_ are gone
  size_t front_ = 0;
  uint32_t front_ticket_ = 0;
  std::string held_;
  uint64_t held_bytes_ = 0;   // of all slots
  uint64_t block_bytes_ = 0;  // those of them that are in blocks
  uint64_t lent_bytes_ = 0;   // of loans, not in held_bytes_
  size_t reserved_at_ = 0;
  std::unique_ptr<char[]> reserved_;
};

}  // namespace larder::server

#endif  // LARDER_SERVER_PENDING_REPLIES_H_
