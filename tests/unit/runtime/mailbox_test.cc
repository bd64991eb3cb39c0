// Goal: messages between two cores arrive in order, once published; credits keep room for every
// reply; a doorbell goes to a core that sleeps, and to no other; nobody sleeps on mail.
// Method: seeded random calls of several cores in one thread against queues; then two real threads
// that ask each other and sleep in between.
#include "runtime/mailbox.h"

#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "util/prng.h"

namespace larder::runtime {
namespace {

using util::Prng;

// A loop that can do nothing but sleep and be woken.
class BellLoop final : public io::Loop {
 public:
  int AddListener(int /*fd*/) override { return 0; }
  void ResumeAccept(int /*listener*/) override {}
  void RemoveListener(int /*listener*/) override {}
  void Attach(io::Stream& /*stream*/, int /*fd*/) override {}
  void PauseReceive(io::Stream& /*stream*/) override {}
  void ResumeReceive(io::Stream& /*stream*/) override {}
  void LandingChanged(io::Stream& /*stream*/) override {}
  void Send(io::Stream& /*stream*/, std::span<const iovec> /*parts*/,
            io::Notice /*notice*/) override {}
  void FinishSending(io::Stream& /*stream*/) override {}
  void Close(io::Stream& /*stream*/) override {}
  void Release(io::Stream& /*stream*/) override {}
  void RunOnce(io::LoopOwner& /*owner*/, int64_t /*wait_ns*/) override {}

  void Wake() override {
    const std::lock_guard lock(mutex_);
    ++bells_;
    bell_.notify_one();
  }
  void Ring(io::Loop& sleeper) override { sleeper.Wake(); }
  std::string_view Name() const override { return "bell"; }
  void SetFrugal(bool frugal) override { (void)frugal; }
  uint64_t BufferBytes() const override { return 0; }

  // Sleeps until the bell rings. False: it never did.
  bool Sleep() {
    std::unique_lock lock(mutex_);
    const bool rung = bell_.wait_for(lock, std::chrono::seconds(60), [this] { return bells_ > 0; });
    bells_ = 0;
    return rung;
  }
  // Takes the bells that have rung.
  uint32_t TakeBells() {
    const std::lock_guard lock(mutex_);
    return std::exchange(bells_, 0);
  }

 private:
  std::mutex mutex_;
  std::condition_variable bell_;
  uint32_t bells_ = 0;
};

struct Letter {
  bool is_reply;
  uint64_t number;
};
using Boxes = Mailboxes<Letter>;

class MailboxTest : public testing::Test {
 protected:
  void Make(uint32_t cores, size_t ring_messages) {
    boxes_ =
        std::make_unique<Boxes>(Boxes::Options{.cores = cores, .ring_messages = ring_messages});
    loops_ = std::vector<BellLoop>(cores);
    for (uint32_t core = 0; core < cores; ++core) boxes_->SetLoop(core, &loops_[core]);
  }

  std::unique_ptr<Boxes> boxes_;
  std::vector<BellLoop> loops_;
};

TEST_F(MailboxTest, PairsThatNeverTalkHaveNoRing) {
  Make(3, 8);
  boxes_->Ask(0, 1) = {.is_reply = false, .number = 1};
  EXPECT_NE(boxes_->Inbox(1, 0), nullptr);
  EXPECT_EQ(boxes_->Inbox(0, 1), nullptr);
  EXPECT_EQ(boxes_->Inbox(2, 0), nullptr);
}

TEST_F(MailboxTest, CreditIsHalfARingAndComesBackWithTheReply) {
  Make(2, 8);
  for (uint64_t i = 0; i < 3; ++i) {
    ASSERT_TRUE(boxes_->CanAsk(0, 1));
    boxes_->Ask(0, 1) = {.is_reply = false, .number = i};
  }
  EXPECT_FALSE(boxes_->CanAsk(0, 1));
  // The last place is for who has to end something.
  EXPECT_TRUE(boxes_->CanAskLast(0, 1));
  boxes_->Ask(0, 1) = {.is_reply = false, .number = 3};
  EXPECT_FALSE(boxes_->CanAskLast(0, 1));
  boxes_->Answered(0, 1);
  EXPECT_FALSE(boxes_->CanAsk(0, 1));
  EXPECT_TRUE(boxes_->CanAsk(1, 0));
  boxes_->Answered(0, 1);
  EXPECT_TRUE(boxes_->CanAsk(0, 1));
}

TEST_F(MailboxTest, OnlyASleeperHearsTheBellAndOnce) {
  Make(3, 8);
  boxes_->Ask(0, 1) = {};
  EXPECT_EQ(boxes_->Publish(0), 0U);
  EXPECT_FALSE(boxes_->PrepareSleep(1));  // there is mail
  ASSERT_NE(boxes_->Inbox(1, 0)->Front(), nullptr);
  boxes_->Inbox(1, 0)->Pop();
  boxes_->Inbox(1, 0)->Release();
  ASSERT_TRUE(boxes_->PrepareSleep(1));
  boxes_->Ask(0, 1) = {};
  boxes_->Ask(2, 1) = {};
  EXPECT_EQ(boxes_->Publish(0), 1U);
  EXPECT_EQ(boxes_->Publish(2), 0U);
  EXPECT_EQ(loops_[1].TakeBells(), 1U);
  EXPECT_EQ(boxes_->Publish(0), 0U);
}

// Several cores in one thread, against queues.
class MailboxModelTest : public MailboxTest {
 protected:
  struct Pair {
    std::deque<Letter> unpublished;
    std::deque<Letter> published;
    size_t unanswered = 0;  // requests without a taken reply
  };

  void Step(Prng& prng) {
    const uint32_t from = static_cast<uint32_t>(prng.Below(cores_));
    const uint32_t to = static_cast<uint32_t>(prng.Below(cores_));
    if (from == to) return;
    switch (prng.Below(4)) {
      case 0:
        Ask(from, to);
        break;
      case 1:
        Publish(from);
        break;
      default:
        Take(to, from, prng.Below(8) + 1);
        break;
    }
  }

  void Ask(uint32_t from, uint32_t to) {
    Pair& pair = PairOf(from, to);
    ASSERT_EQ(boxes_->CanAsk(from, to), pair.unanswered + 1 < ring_messages_ / 2);
    ASSERT_EQ(boxes_->CanAskLast(from, to), pair.unanswered < ring_messages_ / 2);
    if (!boxes_->CanAskLast(from, to)) return;
    const Letter letter{.is_reply = false, .number = next_++};
    boxes_->Ask(from, to) = letter;
    pair.unpublished.push_back(letter);
    ++pair.unanswered;
  }

  void Publish(uint32_t from) {
    uint32_t bells = 0;
    for (uint32_t to = 0; to < cores_; ++to) {
      Pair& pair = PairOf(from, to);
      if (!pair.unpublished.empty() && asleep_[to]) {
        asleep_[to] = false;
        ++bells;
      }
      pair.published.insert(pair.published.end(), pair.unpublished.begin(), pair.unpublished.end());
      pair.unpublished.clear();
    }
    ASSERT_EQ(boxes_->Publish(from), bells);
  }

  // What a core does in a turn: wakes, takes some, answers, gives the room back, publishes, and
  // sleeps if it may.
  void Take(uint32_t to, uint32_t from, size_t letters) {
    boxes_->Awake(to);
    asleep_[to] = false;
    Pair& pair = PairOf(from, to);
    auto* inbox = boxes_->Inbox(to, from);
    for (size_t i = 0; i < letters && !pair.published.empty(); ++i) {
      ASSERT_NE(inbox, nullptr);
      const Letter* letter = inbox->Front();
      ASSERT_NE(letter, nullptr);
      ASSERT_EQ(letter->number, pair.published.front().number);
      ASSERT_EQ(letter->is_reply, pair.published.front().is_reply);
      if (letter->is_reply) {
        boxes_->Answered(to, from);
        --PairOf(to, from).unanswered;
      } else {
        const Letter reply{.is_reply = true, .number = letter->number};
        boxes_->Answer(to, from) = reply;
        PairOf(to, from).unpublished.push_back(reply);
      }
      inbox->Pop();
      pair.published.pop_front();
    }
    if (inbox != nullptr) inbox->Release();
    Publish(to);
    bool mail = false;
    for (uint32_t core = 0; core < cores_; ++core) mail |= !PairOf(core, to).published.empty();
    ASSERT_EQ(boxes_->PrepareSleep(to), !mail);
    asleep_[to] = !mail;
  }

  Pair& PairOf(uint32_t from, uint32_t to) { return pairs_[from * cores_ + to]; }

  uint32_t cores_ = 0;
  size_t ring_messages_ = 0;
  std::vector<Pair> pairs_;
  std::vector<bool> asleep_;
  uint64_t next_ = 1;
};

TEST_F(MailboxModelTest, RandomTurnsAgreeWithTheModel) {
  for (uint64_t seed = 0; seed < 30; ++seed) {
    SCOPED_TRACE(seed);
    Prng prng(seed);
    cores_ = static_cast<uint32_t>(prng.Below(4)) + 2;
    ring_messages_ = size_t{4} << prng.Below(3);
    Make(cores_, ring_messages_);
    pairs_ = std::vector<Pair>(size_t{cores_} * cores_);
    asleep_.assign(cores_, false);
    for (int step = 0; step < 3000; ++step) {
      Step(prng);
      if (HasFatalFailure()) return;
    }
  }
}

// One of two cores on its own thread: asks the other `kQuestions` times, answers what it is asked.
class Thread {
 public:
  static constexpr uint64_t kQuestions = 20'000;

  Thread(Boxes& boxes, std::vector<BellLoop>& loops, uint32_t self)
      : boxes_(boxes), loops_(loops), self_(self), peer_(1 - self), prng_(self) {}

  void Run() {
    while (answers_ < kQuestions || served_ < kQuestions) {
      Turn();
      if (!boxes_.PrepareSleep(self_)) continue;
      const bool may_ask = asked_ < kQuestions && boxes_.CanAsk(self_, peer_);
      if (!may_ask && !Done() && !loops_[self_].Sleep()) ++overslept_;
      boxes_.Awake(self_);
    }
  }

  [[nodiscard]] uint64_t wrong() const { return wrong_; }
  [[nodiscard]] uint64_t overslept() const { return overslept_; }

 private:
  [[nodiscard]] bool Done() const { return answers_ == kQuestions && served_ == kQuestions; }

  void Turn() {
    if (auto* inbox = boxes_.Inbox(self_, peer_); inbox != nullptr) {
      while (const Letter* letter = inbox->Front()) {
        TakeLetter(*letter);
        inbox->Pop();
      }
      inbox->Release();
    }
    for (uint64_t n = prng_.Below(6); n > 0 && asked_ < kQuestions; --n) {
      if (!boxes_.CanAsk(self_, peer_)) break;
      boxes_.Ask(self_, peer_) = {.is_reply = false, .number = asked_++};
    }
    boxes_.Publish(self_);
  }

  void TakeLetter(const Letter& letter) {
    if (letter.is_reply) {
      boxes_.Answered(self_, peer_);
      wrong_ += letter.number == 2 * answers_++ ? 0 : 1;
    } else {
      wrong_ += letter.number == served_++ ? 0 : 1;
      boxes_.Answer(self_, peer_) = {.is_reply = true, .number = 2 * letter.number};
    }
  }

  Boxes& boxes_;
  std::vector<BellLoop>& loops_;
  const uint32_t self_;
  const uint32_t peer_;
  Prng prng_;
  uint64_t asked_ = 0;
  uint64_t answers_ = 0;
  uint64_t served_ = 0;
  uint64_t wrong_ = 0;
  uint64_t overslept_ = 0;
};

TEST_F(MailboxTest, TwoThreadsAnswerEachOtherAndNeverOversleep) {
  Make(2, 8);
  Thread first(*boxes_, loops_, 0);
  Thread second(*boxes_, loops_, 1);
  std::thread thread([&second] { second.Run(); });
  first.Run();
  thread.join();
  EXPECT_EQ(first.wrong() + second.wrong(), 0U);
  EXPECT_EQ(first.overslept() + second.overslept(), 0U);
}

}  // namespace
}  // namespace larder::runtime
