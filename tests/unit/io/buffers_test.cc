// Goal: unread bytes and owed bytes come out as they went in, and no memory is held for nothing.
// Method: random operations, seeded, against a std::string; the invariants after each.
#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "io/input_buffer.h"
#include "io/output_queue.h"

namespace larder::io {
namespace {

std::string RandomBytes(std::mt19937& random, size_t size) {
  std::string bytes(size, '\0');
  for (char& byte : bytes) byte = static_cast<char>(random());
  return bytes;
}

TEST(InputBuffer, EmptyHoldsNothing) {
  InputBuffer buffer;
  EXPECT_EQ(buffer.capacity(), 0U);
  buffer.Append("abc");
  EXPECT_GE(buffer.capacity(), 3U);
  buffer.Consume(3);
  EXPECT_EQ(buffer.capacity(), 0U);
  EXPECT_TRUE(buffer.view().empty());
}

TEST(InputBuffer, RoomForWhatIsExpectedIsMadeWhenAQuarterHasCome) {
  InputBuffer buffer;
  const std::string piece(1000, 'x');
  for (int i = 0; i < 24; ++i) buffer.Append(piece, 100'000);
  EXPECT_LE(buffer.capacity(), 48'000U);
  for (int i = 24; i < 100; ++i) {
    buffer.Append(piece, 100'000);
    EXPECT_LE(buffer.capacity(), 100'000U);
  }
  EXPECT_EQ(buffer.capacity(), 100'000U);
  EXPECT_EQ(buffer.view(), std::string(100'000, 'x'));
}

TEST(InputBuffer, LikeAString) {
  for (uint32_t seed = 0; seed < 20; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    InputBuffer buffer;
    std::string model;
    size_t most = 0;
    for (int step = 0; step < 2000; ++step) {
      if (random() % 2 == 0) {
        const std::string bytes = RandomBytes(random, random() % (random() % 20 == 0 ? 5000 : 100));
        buffer.Append(bytes);
        model += bytes;
      } else if (const size_t bytes = random() % (model.size() + 1); random() % 100 == 0) {
        buffer.Clear();
        model.clear();
      } else {
        buffer.Consume(bytes);
        model.erase(0, bytes);
      }
      most = std::max(most, model.size());
      ASSERT_EQ(buffer.empty(), buffer.capacity() == 0);
      ASSERT_EQ(buffer.view(), model);
      ASSERT_LE(buffer.capacity(), std::max<size_t>(256, most * 2));
    }
  }
}

void Put(OutputQueue& queue, std::string_view bytes, size_t reserved) {
  char* at = queue.Reserve(reserved);
  if (!bytes.empty()) std::memcpy(at, bytes.data(), bytes.size());
  queue.Commit(at + bytes.size());
}

std::string Shown(std::span<const iovec> parts) {
  std::string bytes;
  for (const iovec& part : parts) bytes.append(static_cast<char*>(part.iov_base), part.iov_len);
  return bytes;
}

TEST(OutputQueue, FiftyRepliesAreOnePartAndOneBlock) {
  BlockPool pool;
  OutputQueue queue(pool);
  for (int round = 0; round < 3; ++round) {
    std::string all;
    for (int i = 0; i < 50; ++i) {
      Put(queue, "VALUE k 0 1\r\n", 64);
      all += "VALUE k 0 1\r\n";
    }
    std::array<iovec, 4> parts;
    ASSERT_EQ(queue.Parts(parts), 1U);
    EXPECT_EQ(Shown(std::span(parts).first(1)), all);
    EXPECT_LE(queue.capacity(), 2 * BlockPool::kSmallBytes);
    queue.Sent(all.size());
    EXPECT_EQ(queue.owed(), 0U);
    EXPECT_EQ(queue.capacity(), 0U);
    queue.CheckInvariants();
  }
}

// One queue's life: encode, take over, show, send in random cuts, encode while shown.
void CompareWithString(uint32_t seed) {
  std::mt19937 random(seed);
  BlockPool pool;
  OutputQueue queue(pool);
  std::string model;
  std::array<iovec, 5> parts;
  size_t shown = 0;  // parts in flight
  std::string shown_bytes;
  for (int step = 0; step < 600; ++step) {
    switch (random() % 4) {
      case 0:
      case 1: {
        const size_t reserved = random() % (random() % 10 == 0 ? 50'000 : 3000);
        const std::string bytes = RandomBytes(random, random() % (reserved + 1));
        Put(queue, bytes, reserved);
        model += bytes;
        break;
      }
      case 2: {
        const std::string bytes = RandomBytes(random, random() % 30'000);
        auto block = std::make_unique_for_overwrite<char[]>(bytes.size());
        std::memcpy(block.get(), bytes.data(), bytes.size());
        if (bytes.empty()) break;
        queue.AppendOwned(std::move(block), bytes.size());
        model += bytes;
        break;
      }
      default:
        if (shown == 0) {
          shown = queue.Parts(std::span(parts).first(random() % parts.size() + 1));
          shown_bytes = Shown(std::span(parts).first(shown));
          ASSERT_EQ(shown == 0, model.empty());
          ASSERT_TRUE(model.starts_with(shown_bytes));
        } else {
          // The kernel reads them now: they have not moved.
          ASSERT_EQ(Shown(std::span(parts).first(shown)), shown_bytes);
          const size_t taken =
              random() % 3 == 0 ? shown_bytes.size() : random() % shown_bytes.size();
          queue.Sent(taken);
          model.erase(0, taken);
          shown = 0;
        }
    }
    queue.CheckInvariants();
    ASSERT_EQ(queue.owed(), model.size());
  }
}

TEST(OutputQueue, LikeAString) {
  for (uint32_t seed = 0; seed < 10; ++seed) {
    SCOPED_TRACE(seed);
    CompareWithString(seed);
  }
}

struct Lent final : public Loan {
  Lent(std::string_view bytes, int& its_returns) : Loan(bytes), returns(its_returns) {}
  void Return() override {
    ++returns;
    delete this;
  }
  int& returns;
};

TEST(OutputQueue, LentBytesAreShownWhereTheyLieAndReturnedWhenSent) {
  const std::string value(100'000, 'v');
  int returns = 0;
  BlockPool pool;
  OutputQueue queue(pool);
  queue.Append("head");
  queue.AppendLent(LoanPtr(new Lent(value, returns)));
  queue.Append("tail");
  queue.CheckInvariants();
  EXPECT_EQ(queue.owed(), 4 + value.size() + 4);
  EXPECT_EQ(queue.lent(), value.size());
  EXPECT_LE(queue.capacity(), 2 * BlockPool::kSmallBytes);
  std::array<iovec, 4> parts;
  ASSERT_EQ(queue.Parts(parts), 3U);
  EXPECT_EQ(parts[1].iov_base, value.data());
  queue.Sent(4 + value.size() - 1);
  EXPECT_EQ(returns, 0);
  queue.Sent(1);
  EXPECT_EQ(returns, 1);
  EXPECT_EQ(queue.lent(), 0U);
  queue.Sent(4);
  EXPECT_EQ(queue.capacity(), 0U);
}

TEST(OutputQueue, LentBytesAreReturnedUnsentAndEmptyOnesAtOnce) {
  int returns = 0;
  BlockPool pool;
  {
    OutputQueue queue(pool);
    queue.AppendLent(LoanPtr(new Lent("", returns)));
    EXPECT_EQ(returns, 1);
    queue.AppendLent(LoanPtr(new Lent("v", returns)));
  }
  EXPECT_EQ(returns, 2);
}

TEST(OutputQueue, LongChainIsFreedWithoutRecursion) {
  BlockPool pool;
  OutputQueue queue(pool);
  for (int i = 0; i < 2000; ++i) queue.AppendOwned(std::make_unique<char[]>(1), 1);
  queue.Sent(1000);
  EXPECT_EQ(queue.owed(), 1000U);
  queue.CheckInvariants();
}

}  // namespace
}  // namespace larder::io
