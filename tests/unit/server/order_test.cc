// Goal: whoever has joined and is told that order is kept can rely on it, whoever leaves meanwhile;
// and it ends.
// Method: the words by themselves; and threads that join, tell some cores, look whether all of them
// keep order, and leave, while the cores stop wherever they find nobody.
#include "server/order.h"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <cstddef>
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

// Cores, as far as it matters here: a core's mailbox is its mutex.
struct Cores {
  struct Core {
    std::mutex mutex;
    bool keeps = false;
  };
  std::array<Core, 3> all;
  Order order;
  std::atomic<int> wrong{0};
  std::atomic<int> users{4};

  void Use() {
    constexpr int kRounds = 5000;
    for (int round = 0; round < kRounds; ++round) {
      order.Join();
      if (!order.IsKept()) {
        for (Core& core : all) {
          const std::lock_guard lock(core.mutex);
          core.keeps = true;
        }
        order.Establish();
      }
      for (Core& core : all) {
        const std::lock_guard lock(core.mutex);
        if (!core.keeps) ++wrong;
      }
      order.Leave();
    }
    --users;
  }
  void Tick(Core& core) {
    while (users > 0) {
      const std::lock_guard lock(core.mutex);
      if (core.keeps && !order.IsWanted()) core.keeps = false;
    }
  }
};

TEST(Order, WhoReliesOnItIsNotLetDown) {
  Cores cores;
  const int users = cores.users;
  std::vector<std::thread> threads;
  threads.reserve(static_cast<size_t>(users) + cores.all.size());
  for (int i = 0; i < users; ++i) threads.emplace_back([&] { cores.Use(); });
  for (Cores::Core& core : cores.all) threads.emplace_back([&] { cores.Tick(core); });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(cores.wrong, 0);
}

}  // namespace
}  // namespace larder::server
