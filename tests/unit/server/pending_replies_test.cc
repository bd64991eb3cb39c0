// Goal: replies leave in the order of their commands, each byte once, whatever the order in which
// they become ready; and what has left takes no memory.
// Method: seeded random calls against a queue of strings.
#include "server/pending_replies.h"

#include <gtest/gtest.h>

#include <cstring>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "io/output_queue.h"
#include "util/prng.h"

namespace larder::server {
namespace {

using util::Prng;

class PendingRepliesTest : public testing::Test {
 protected:
  // Everything in the queue, taken out.
  std::string TakeOutput() {
    std::string text;
    while (output_.owed() > 0) {
      iovec parts[4];
      const size_t count = output_.Parts(parts);
      size_t bytes = 0;
      for (size_t i = 0; i < count; ++i) {
        text.append(static_cast<const char*>(parts[i].iov_base), parts[i].iov_len);
        bytes += parts[i].iov_len;
      }
      output_.Sent(bytes);
    }
    return text;
  }
  void Ready(std::string_view bytes, size_t spare) {
    char* out = replies_.Reserve(bytes.size() + spare);
    if (!bytes.empty()) std::memcpy(out, bytes.data(), bytes.size());
    replies_.Commit(out + bytes.size());
  }
  // A value of somebody else's: counts whether it has come back.
  struct Value final : public io::Loan {
    Value(std::string_view bytes, int& its_returns) : Loan(bytes), returns(its_returns) {}
    void Return() override {
      ++returns;
      delete this;
    }
    int& returns;
  };
  io::LoanPtr Lend(std::string_view bytes) {
    ++lent_;
    return io::LoanPtr(new Value(bytes, returns_));
  }
  bool FillBlock(uint32_t ticket, std::string_view bytes) {
    std::unique_ptr<char[]> block(new char[bytes.size()]);
    std::memcpy(block.get(), bytes.data(), bytes.size());
    return replies_.FillBlock(ticket, std::move(block), bytes.size());
  }

  int lent_ = 0;
  int returns_ = 0;
  io::BlockPool pool_;
  io::OutputQueue output_{pool_};
  PendingReplies replies_;
};

TEST_F(PendingRepliesTest, TheFrontHoldsBackTheOthers) {
  const uint32_t first = replies_.Wait(1);
  Ready("second ", 0);
  const uint32_t third = replies_.Wait(1);
  EXPECT_TRUE(replies_.Fill(third, "third"));
  EXPECT_FALSE(replies_.MoveReady(output_));
  EXPECT_TRUE(replies_.Fill(first, "first "));
  EXPECT_TRUE(replies_.MoveReady(output_));
  EXPECT_EQ(TakeOutput(), "first second third");
  EXPECT_TRUE(replies_.empty());
}

TEST_F(PendingRepliesTest, ASlotOfAllCoresWaitsForAllOfThem) {
  const uint32_t ticket = replies_.Wait(3);
  EXPECT_FALSE(replies_.Fill(ticket, {}));
  EXPECT_FALSE(replies_.Fill(ticket, "OK\r\n"));
  EXPECT_FALSE(replies_.MoveReady(output_));
  EXPECT_TRUE(replies_.Fill(ticket, {}));
  EXPECT_TRUE(replies_.MoveReady(output_));
  EXPECT_EQ(TakeOutput(), "OK\r\n");
}

TEST_F(PendingRepliesTest, LentValuesKeepTheirPlaceAndComeBackWhenSent) {
  const std::string value(100'000, 'v');
  const uint32_t first = replies_.Wait(1);
  replies_.AppendLent("<>", 1, Lend(value));
  Ready("after", 0);
  EXPECT_EQ(replies_.lent(), value.size());
  EXPECT_LE(replies_.memory_bytes(), 4096U);
  EXPECT_TRUE(replies_.FillLent(first, "[]", 1, Lend(value)));
  EXPECT_TRUE(replies_.MoveReady(output_));
  EXPECT_EQ(output_.lent(), 2 * value.size());
  EXPECT_EQ(returns_, 0);
  EXPECT_EQ(TakeOutput(), "[" + value + "]<" + value + ">after");
  EXPECT_EQ(returns_, 2);
}

TEST_F(PendingRepliesTest, LentValuesComeBackUnsent) {
  const std::string value(100'000, 'v');
  {
    PendingReplies replies;
    (void)replies.Wait(1);
    replies.AppendLent("<>", 1, Lend(value));
  }
  EXPECT_EQ(returns_, 1);
}

TEST_F(PendingRepliesTest, ItIsFullAtItsBound) {
  for (size_t i = 0; i < PendingReplies::kSlotsMax; ++i) {
    ASSERT_FALSE(replies_.full());
    (void)replies_.Wait(1);
  }
  EXPECT_TRUE(replies_.full());
}

// A pipeline that never pauses: something is always outstanding, and the rest must not pile up.
TEST_F(PendingRepliesTest, WhatHasLeftTakesNoMemory) {
  uint32_t ticket = replies_.Wait(1);
  for (int i = 0; i < 3000; ++i) {
    Ready(std::string(i % 2 == 0 ? 3000 : 30'000, 'x'), 100);
    const uint32_t next = replies_.Wait(1);
    ASSERT_TRUE(replies_.Fill(ticket, "y"));
    ASSERT_TRUE(replies_.MoveReady(output_));
    replies_.CheckInvariants();
    TakeOutput();
    ASSERT_LE(replies_.memory_bytes(), 256U << 10);
    ticket = next;
  }
}

// A slot as it should be.
struct ModelSlot {
  uint32_t ticket = 0;
  uint32_t waits = 0;
  std::string bytes = {};
};

class PendingRepliesModelTest : public PendingRepliesTest {
 protected:
  void Step(Prng& prng) {
    const uint64_t choice = prng.Below(10);
    if (choice < 3 && !replies_.full()) {
      const uint32_t answers = prng.OneIn(4) ? static_cast<uint32_t>(prng.Below(4)) + 1 : 1;
      model_.push_back({.ticket = replies_.Wait(answers), .waits = answers});
    } else if (choice < 5 && !replies_.empty() && !replies_.full()) {
      const std::string bytes = Text(prng);
      Ready(bytes, prng.Below(50));
      model_.push_back({.bytes = bytes});
    } else {
      FillOne(prng);
    }
    replies_.CheckInvariants();
  }

  void FillOne(Prng& prng) {
    if (model_.empty()) return;
    // Near the front, so that something leaves.
    ModelSlot& slot = model_[prng.Below(std::min<size_t>(model_.size(), 8))];
    if (slot.waits == 0) return;
    const bool last = --slot.waits == 0;
    if (!last) {
      ASSERT_FALSE(replies_.Fill(slot.ticket, {}));
      return;
    }
    slot.bytes = Text(prng);
    if (slot.bytes.size() > 2 && prng.OneIn(3)) {
      // The last byte is the tail; the value must outlive the call.
      const std::string around = {slot.bytes.front(), slot.bytes.back()};
      const std::string& value = values_.emplace_back(slot.bytes.substr(1, slot.bytes.size() - 2));
      ASSERT_TRUE(replies_.FillLent(slot.ticket, around, 1, Lend(value)));
    } else if (!slot.bytes.empty() && prng.OneIn(2)) {
      ASSERT_TRUE(FillBlock(slot.ticket, slot.bytes));
    } else {
      ASSERT_TRUE(replies_.Fill(slot.ticket, slot.bytes));
    }
    std::string expected;
    const bool moves = model_.front().waits == 0;
    while (!model_.empty() && model_.front().waits == 0) {
      expected += model_.front().bytes;
      model_.pop_front();
    }
    ASSERT_EQ(replies_.MoveReady(output_), moves);
    ASSERT_EQ(TakeOutput(), expected);
  }

  std::string Text(Prng& prng) {
    std::string text = std::to_string(next_++) + " ";
    if (prng.OneIn(5)) return {};
    text.resize(text.size() + prng.Below(prng.OneIn(6) ? 20'000 : 40), 'x');
    return text;
  }

  std::deque<ModelSlot> model_;
  std::deque<std::string> values_;
  uint64_t next_ = 1;
};

TEST_F(PendingRepliesModelTest, RandomCallsAgreeWithTheModel) {
  Prng prng(7);
  for (int step = 0; step < 30'000; ++step) {
    SCOPED_TRACE(step);
    Step(prng);
    if (HasFatalFailure()) return;
  }
  EXPECT_GT(lent_, 1000);
}

}  // namespace
}  // namespace larder::server
