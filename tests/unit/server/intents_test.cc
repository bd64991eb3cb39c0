// Goal: keys are granted in the order in which they were asked for, and nobody waits for ever.
//
// Method: a model that keeps one list of all requests in their order: a request is granted when no
// earlier one that is still there wants one of its keys.
#include "server/intents.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>
#include <vector>

namespace larder::server {
namespace {

TEST(IntentsTest, FirstComeFirstServed) {
  Intents intents;
  const uint64_t one[] = {1};
  const uint64_t both[] = {1, 2, 1};
  const uint64_t two[] = {2};
  EXPECT_TRUE(intents.Acquire(10, one));
  EXPECT_FALSE(intents.Acquire(11, both));
  // Its key is free, but kept for whoever came before.
  EXPECT_FALSE(intents.Acquire(12, two));
  intents.CheckInvariants();
  std::vector<Intents::Owner> granted;
  intents.Release(10, granted);
  EXPECT_EQ(granted, std::vector<Intents::Owner>{11});
  granted.clear();
  intents.Release(11, granted);
  EXPECT_EQ(granted, std::vector<Intents::Owner>{12});
  granted.clear();
  intents.Release(12, granted);
  EXPECT_TRUE(granted.empty());
  EXPECT_TRUE(intents.empty());
}

TEST(IntentsTest, ActsLikeTheModel) {
  struct Request {
    Intents::Owner owner;
    std::set<uint64_t> keys;
  };
  Intents intents;
  std::vector<Request> model;
  std::set<Intents::Owner> has;
  const auto is_first = [&](const Request& request) {
    return std::all_of(model.begin(), model.end(), [&](const Request& other) {
      if (other.owner >= request.owner) return true;
      return std::none_of(other.keys.begin(), other.keys.end(),
                          [&](uint64_t key) { return request.keys.contains(key); });
    });
  };
  std::minstd_rand random(7);
  for (Intents::Owner next = 1; next < 3000; ++next) {
    Request request = {.owner = next, .keys = {}};
    std::vector<uint64_t> keys;
    for (size_t i = 0; i < 1 + random() % 4; ++i) keys.push_back(random() % 12);
    request.keys = {keys.begin(), keys.end()};
    model.push_back(request);
    EXPECT_EQ(intents.Acquire(next, keys), is_first(request));
    if (is_first(request)) has.insert(next);
    while (!model.empty() && random() % 2 == 0) {
      // Those that wait may go, too.
      const auto gone = model.begin() + static_cast<ptrdiff_t>(random() % model.size());
      std::vector<Intents::Owner> granted;
      intents.Release(gone->owner, granted);
      has.erase(gone->owner);
      model.erase(gone);
      for (const Intents::Owner owner : granted) EXPECT_TRUE(has.insert(owner).second);
      for (const Request& left : model) {
        EXPECT_EQ(has.contains(left.owner), is_first(left)) << left.owner;
      }
    }
    intents.CheckInvariants();
  }
}

}  // namespace
}  // namespace larder::server
