// Goal: a ring keeps order, shows only what was published, and refuses when it is full.
// Method: seeded random calls against a std::deque; then two real threads.
#include "util/spsc_ring.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <deque>
#include <thread>

#include "util/prng.h"

namespace larder::util {
namespace {

TEST(SpscRing, EmptyRingHasNothing) {
  SpscRing<uint64_t> ring(4);
  EXPECT_EQ(ring.capacity(), 4U);
  EXPECT_EQ(ring.Front(), nullptr);
  EXPECT_FALSE(ring.HasMail());
  EXPECT_FALSE(ring.HasUnpublished());
  EXPECT_FALSE(ring.Publish());
}

TEST(SpscRing, CommittedElementsAreSeenOnlyOncePublished) {
  SpscRing<uint64_t> ring(4);
  *ring.Reserve() = 7;
  ring.Commit();
  EXPECT_TRUE(ring.HasUnpublished());
  EXPECT_EQ(ring.Front(), nullptr);
  EXPECT_FALSE(ring.HasMail());
  EXPECT_TRUE(ring.Publish());
  EXPECT_TRUE(ring.HasMail());
  ASSERT_NE(ring.Front(), nullptr);
  EXPECT_EQ(*ring.Front(), 7U);
}

TEST(SpscRing, PoppedRoomIsFreeOnlyOnceReleased) {
  SpscRing<uint64_t> ring(2);
  for (int i = 0; i < 2; ++i) {
    ASSERT_NE(ring.Reserve(), nullptr);
    ring.Commit();
  }
  EXPECT_EQ(ring.Reserve(), nullptr);
  ring.Publish();
  ASSERT_NE(ring.Front(), nullptr);
  ring.Pop();
  EXPECT_EQ(ring.Reserve(), nullptr);
  ring.Release();
  EXPECT_NE(ring.Reserve(), nullptr);
}

// What the ring should hold, as three queues.
struct Model {
  std::deque<uint64_t> published;
  std::deque<uint64_t> committed;
  size_t unreleased = 0;

  [[nodiscard]] size_t InUse() const { return published.size() + committed.size() + unreleased; }
};

void Step(SpscRing<uint64_t>& ring, Model& model, Prng& prng, uint64_t& next) {
  switch (prng.Below(6)) {
    case 0:
    case 1: {
      uint64_t* slot = ring.Reserve();
      ASSERT_EQ(slot != nullptr, model.InUse() < ring.capacity());
      if (slot == nullptr) break;
      *slot = next;
      ring.Commit();
      model.committed.push_back(next++);
      break;
    }
    case 2:
      ASSERT_EQ(ring.Publish(), !model.committed.empty());
      model.published.insert(model.published.end(), model.committed.begin(), model.committed.end());
      model.committed.clear();
      break;
    case 3:
    case 4:
      if (model.published.empty()) {
        ASSERT_EQ(ring.Front(), nullptr);
        break;
      }
      ASSERT_NE(ring.Front(), nullptr);
      ASSERT_EQ(*ring.Front(), model.published.front());
      ring.Pop();
      model.published.pop_front();
      ++model.unreleased;
      break;
    default:
      ring.Release();
      model.unreleased = 0;
      break;
  }
}

void ExpectSame(SpscRing<uint64_t>& ring, const Model& model) {
  ASSERT_EQ(ring.HasUnpublished(), !model.committed.empty());
  ASSERT_EQ(ring.HasMail(), !model.published.empty());
  for (size_t i = 0; i < model.published.size(); ++i) {
    ASSERT_NE(ring.At(i), nullptr);
    ASSERT_EQ(*ring.At(i), model.published[i]);
  }
  ASSERT_EQ(ring.At(model.published.size()), nullptr);
}

TEST(SpscRing, RandomCallsAgreeWithTheModel) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    SCOPED_TRACE(seed);
    Prng prng(seed);
    SpscRing<uint64_t> ring(size_t{1} << prng.Below(5));
    Model model;
    uint64_t next = 1;
    for (int step = 0; step < 2000; ++step) {
      Step(ring, model, prng, next);
      ExpectSame(ring, model);
      if (testing::Test::HasFatalFailure()) return;
    }
  }
}

// Elements larger than a word, so that a half-written one would show.
struct Wide {
  uint64_t words[5] = {};
};

TEST(SpscRing, TwoThreadsKeepOrderAndWholeness) {
  constexpr uint64_t kElements = 50'000;
  SpscRing<Wide> ring(16);
  std::thread producer([&ring] {
    Prng prng(1);
    for (uint64_t i = 0; i < kElements;) {
      Wide* slot = ring.Reserve();
      if (slot != nullptr) {
        for (uint64_t& word : slot->words) word = i;
        ring.Commit();
        ++i;
      }
      if (slot == nullptr || prng.OneIn(4)) ring.Publish();
      if (slot == nullptr) std::this_thread::yield();
    }
    ring.Publish();
  });
  Prng prng(2);
  uint64_t wrong = 0;
  for (uint64_t i = 0; i < kElements;) {
    const Wide* element = ring.Front();
    if (element != nullptr) {
      for (const uint64_t word : element->words) wrong += word == i ? 0 : 1;
      ring.Pop();
      ++i;
    }
    if (element == nullptr || prng.OneIn(4)) ring.Release();
    if (element == nullptr) std::this_thread::yield();
  }
  producer.join();
  EXPECT_EQ(wrong, 0U);
  EXPECT_FALSE(ring.HasMail());
}

}  // namespace
}  // namespace larder::util
