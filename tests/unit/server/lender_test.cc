// Goal: what is lent stays readable until it is returned, from any thread, whatever becomes of the
// item; then its memory is the shard's again.
#include "server/lender.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "store/shard.h"

namespace larder::server {
namespace {

class LenderTest : public testing::Test {
 protected:
  static constexpr size_t kValueBytes = 100'000;

  const store::Item* Put(std::string_view key, char fill) {
    const std::string value(kValueBytes, fill);
    return shard_.Put({.key = key, .hash = hash_(key), .value = value}).item;
  }
  io::LoanPtr Lend(const store::Item* item) { return lender_.Lend(item, item->Value()); }

  util::KeyHash hash_{0x5eed};
  stats::CounterBlock counters_;
  store::Shard shard_{{.huge_pages = false, .hash = hash_}, counters_};
  Lender lender_{shard_};
};

TEST_F(LenderTest, AnErasedValueIsReadableUntilItIsReturned) {
  io::LoanPtr loan = Lend(Put("k", 'v'));
  EXPECT_TRUE(shard_.Erase("k", hash_("k")));
  const uint64_t held = shard_.heap().BytesInUse();
  EXPECT_EQ(loan->bytes(), std::string(kValueBytes, 'v'));
  loan.reset();
  lender_.TakeBack();
  EXPECT_FALSE(lender_.HasLent());
  EXPECT_LE(shard_.heap().BytesInUse() + kValueBytes, held);
  shard_.CheckInvariants();
}

TEST_F(LenderTest, OneValueIsLentToMany) {
  const store::Item* item = Put("k", 'v');
  std::vector<io::LoanPtr> loans;
  for (int i = 0; i < 100; ++i) loans.push_back(Lend(item));
  EXPECT_LT(shard_.MemoryBytes(), 10 * kValueBytes);
  Put("k", 'w');
  while (!loans.empty()) {
    EXPECT_EQ(loans.back()->bytes().front(), 'v');
    loans.pop_back();
    lender_.TakeBack();
  }
  EXPECT_FALSE(lender_.HasLent());
  shard_.CheckInvariants();
}

// The memory of a value is used again as soon as it has come back: a reader that still looked at it
// would see that, and ThreadSanitizer says so.
TEST_F(LenderTest, BorrowersOnOtherThreadsAreDoneBeforeTheMemoryIsUsedAgain) {
  constexpr int kRounds = 200;
  for (int round = 0; round < kRounds; ++round) {
    const char fill = static_cast<char>('a' + round % 26);
    const store::Item* item = Put("k", fill);
    std::vector<std::thread> borrowers;
    for (int i = 0; i < 3; ++i) {
      borrowers.emplace_back([fill, loan = Lend(item)]() mutable {
        EXPECT_EQ(loan->bytes().front(), fill);
        EXPECT_EQ(loan->bytes().back(), fill);
        loan.reset();
      });
    }
    while (lender_.HasLent()) lender_.TakeBack();
    Put("k", '-');
    for (std::thread& borrower : borrowers) borrower.join();
  }
  shard_.CheckInvariants();
}

}  // namespace
}  // namespace larder::server
