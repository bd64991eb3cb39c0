#include "server/pending_replies.h"

#include <cstring>
#include <utility>

#include "util/check.h"

namespace larder::server {

namespace {

constexpr size_t kDeadBytesMax = 64 << 10;

}  // namespace

uint32_t PendingReplies::Wait(uint32_t answers, Asked asked) {
  DCHECK(!full());
  DCHECK_GT(answers, 0);
  slots_.push_back(Slot{.waits = answers, .asked = asked});
  return front_ticket_ + static_cast<uint32_t>(slots_.size() - front_) - 1;
}

char* PendingReplies::Reserve(size_t bytes_max) {
  if (bytes_max > kInlineBytesMax) {
    reserved_.reset(new char[bytes_max]);
    return reserved_.get();
  }
  reserved_at_ = held_.size();
  held_.resize(reserved_at_ + bytes_max);
  return held_.data() + reserved_at_;
}

void PendingReplies::Commit(const char* end) {
  DCHECK(!empty());
  if (reserved_ != nullptr) {
    const size_t bytes = static_cast<size_t>(end - reserved_.get());
    held_bytes_ += bytes;
    block_bytes_ += bytes;
    slots_.push_back(Slot{.bytes = static_cast<uint32_t>(bytes), .block = std::move(reserved_)});
    return;
  }
  const size_t bytes = static_cast<size_t>(end - (held_.data() + reserved_at_));
  held_.resize(reserved_at_ + bytes);
  held_bytes_ += bytes;
  Slot& last = slots_.back();
  // Neighbours that are both ready are one.
  if (last.waits == 0 && last.block == nullptr && last.loan == nullptr &&
      last.offset + last.bytes == reserved_at_) {
    last.bytes += static_cast<uint32_t>(bytes);
    return;
  }
  slots_.push_back(Slot{.bytes = static_cast<uint32_t>(bytes), .offset = reserved_at_});
}

void PendingReplies::AppendLent(std::string_view around, size_t head_bytes, io::LoanPtr value) {
  DCHECK(!empty());
  Lend(slots_.emplace_back(), around, head_bytes, std::move(value));
}

size_t PendingReplies::IndexOf(uint32_t ticket) const {
  const uint32_t index = ticket - front_ticket_;
  CHECK_LT(index, slots_.size() - front_);
  return front_ + index;
}

PendingReplies::Slot& PendingReplies::SlotOf(uint32_t ticket) {
  Slot& slot = slots_[IndexOf(ticket)];
  CHECK_GT(slot.waits, 0);
  return slot;
}

bool PendingReplies::Fill(uint32_t ticket, std::string_view bytes) {
  Slot& slot = SlotOf(ticket);
  --slot.waits;
  if (!bytes.empty()) Hold(slot, bytes);
  return slot.waits == 0;
}

bool PendingReplies::FillLent(uint32_t ticket, std::string_view around, size_t head_bytes,
                              io::LoanPtr value) {
  Slot& slot = SlotOf(ticket);
  --slot.waits;
  Lend(slot, around, head_bytes, std::move(value));
  return slot.waits == 0;
}

void PendingReplies::Hold(Slot& slot, std::string_view bytes) {
  DCHECK_EQ(slot.bytes, 0);
  slot.offset = held_.size();
  slot.bytes = static_cast<uint32_t>(bytes.size());
  held_.append(bytes);
  held_bytes_ += bytes.size();
}

void PendingReplies::Lend(Slot& slot, std::string_view around, size_t head_bytes,
                          io::LoanPtr value) {
  Hold(slot, around);
  slot.head_bytes = static_cast<uint32_t>(head_bytes);
  lent_bytes_ += value->bytes().size();
  slot.loan = std::move(value);
}

bool PendingReplies::FillBlock(uint32_t ticket, std::unique_ptr<char[]> block, size_t bytes) {
  Slot& slot = SlotOf(ticket);
  --slot.waits;
  DCHECK_EQ(slot.bytes, 0);
  slot.block = std::move(block);
  slot.bytes = static_cast<uint32_t>(bytes);
  held_bytes_ += bytes;
  block_bytes_ += bytes;
  return slot.waits == 0;
}

bool PendingReplies::MoveReady(io::OutputQueue& output) {
  const size_t before = front_;
  while (front_ < slots_.size() && slots_[front_].waits == 0) {
    Slot& slot = slots_[front_];
    if (slot.block != nullptr) {
      block_bytes_ -= slot.bytes;
      output.AppendOwned(std::move(slot.block), slot.bytes);
    } else if (slot.loan != nullptr) {
      const std::string_view around(held_.data() + slot.offset, slot.bytes);
      output.Append(around.substr(0, slot.head_bytes));
      lent_bytes_ -= slot.loan->bytes().size();
      output.AppendLent(std::move(slot.loan));
      output.Append(around.substr(slot.head_bytes));
    } else if (slot.bytes > 0) {
      output.Append({held_.data() + slot.offset, slot.bytes});
    }
    held_bytes_ -= slot.bytes;
    ++front_;
    ++front_ticket_;
  }
  if (front_ == before) return false;
  if (empty()) {
    slots_.clear();
    front_ = 0;
    held_.clear();
    DCHECK_EQ(held_bytes_, 0);
  } else if (front_ >= kSlotsMax || held_.size() > kDeadBytesMax + 2 * held_bytes_) {
    Compact();
  }
  return true;
}

// A connection that always has something outstanding never runs empty: the slots and bytes behind
// us are dropped now and then.
void PendingReplies::Compact() {
  slots_.erase(slots_.begin(), slots_.begin() + static_cast<ptrdiff_t>(front_));
  front_ = 0;
  std::string live;
  for (Slot& slot : slots_) {
    if (slot.block != nullptr || slot.bytes == 0) continue;
    const size_t offset = live.size();
    live.append(held_, slot.offset, slot.bytes);
    slot.offset = offset;
  }
  held_ = std::move(live);
}

void PendingReplies::CheckInvariants() const {
  uint64_t bytes = 0;
  uint64_t block_bytes = 0;
  uint64_t lent_bytes = 0;
  for (size_t i = front_; i < slots_.size(); ++i) {
    const Slot& slot = slots_[i];
    bytes += slot.bytes;
    if (slot.block != nullptr) block_bytes += slot.bytes;
    if (slot.loan != nullptr) lent_bytes += slot.loan->bytes().size();
    CHECK_LE(slot.head_bytes, slot.bytes);
    if (slot.block == nullptr && slot.bytes > 0) {
      CHECK_LE(slot.offset + slot.bytes, held_.size());
    }
  }
  CHECK_EQ(bytes, held_bytes_);
  CHECK_EQ(block_bytes, block_bytes_);
  CHECK_EQ(lent_bytes, lent_bytes_);
  CHECK(empty() || slots_[front_].waits > 0 || front_ == 0);
}

}  // namespace larder::server
