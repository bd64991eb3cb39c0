// Goal: whoever has joined and is told that order is kept can rely on it, whoever leaves meanwhile;
// and it ends.
// Method: the words by themselves; and threads that join, tell some cores, look whether all of them
// keep order, and leave, while the cores stop wherever they find nobody.
#include "server/order.h"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace larder::server {
namespace {

TEST(Order, IsKeptFromTheFirstToTheLast) {
  Order order;
  EXPECT_FALSE(order.IsWanted());
  order.Join();
  EXPECT_TRUE(order.IsWanted());
  EXPECT_FALSE(order.IsKept());
  order.Establish();
  EXPECT_TRUE(order.IsKept());
  order.Join();
  order.Leave();
  EXPECT_TRUE(order.IsKept());
  order.Leave();
  EXPECT_FALSE(order.IsKept());
  EXPECT_FALSE(order.IsWanted());
}

TEST(Order, HasToBeEstablishedAgain) {
  Order order;
  order.Join();
  order.Establish();
  order.Leave();
  order.Join();
  EXPECT_FALSE(order.IsKept());
  order.Establish();
  EXPECT_TRUE(order.IsKept());
}

// A core, as far as it matters here: its mailbox is the mutex.
struct Core {
  std::mutex mutex;
  bool keeps = false;
};

TEST(Order, WhoReliesOnItIsNotLetDown) {
  constexpr int kRounds = 5000;
  Order order;
  std::array<Core, 3> cores;
  std::atomic<int> wrong{0};
  std::atomic<int> running{4};
  const auto user = [&] {
    for (int round = 0; round < kRounds; ++round) {
      order.Join();
      if (!order.IsKept()) {
        for (Core& core : cores) {
          const std::lock_guard lock(core.mutex);
          core.keeps = true;
        }
        order.Establish();
      }
      for (Core& core : cores) {
        const std::lock_guard lock(core.mutex);
        if (!core.keeps) ++wrong;
      }
      order.Leave();
    }
    --running;
  };
  const auto tick = [&](Core& core) {
    while (running > 0) {
      const std::lock_guard lock(core.mutex);
      if (core.keeps && !order.IsWanted()) core.keeps = false;
    }
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) threads.emplace_back(user);
  for (Core& core : cores) threads.emplace_back(tick, std::ref(core));
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace larder::server
