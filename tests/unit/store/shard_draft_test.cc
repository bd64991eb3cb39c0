// Goal: a large value is received where its item will be, and nothing else is ever different.
// Method: drafts one by one: taken, not taken, too many, overtaken by a flush, of another shape,
// with everything else that happens to a shard meanwhile (more of that in shard_model_test.cc).
#include <cstring>
#include <optional>
#include <string>

#include "gtest/gtest.h"
#include "store/shard.h"

namespace larder::store {
namespace {

using stats::Counter;

constexpr uint64_t kValueBytes = 100'000;

class ShardDraft : public testing::Test {
 protected:
  explicit ShardDraft(WhenFull when_full = WhenFull::kEvict)
      : shard_({.memory_bytes_max = 8 << 20, .when_full = when_full, .hash = hash_}, counters_) {
    shard_.BeginTurn({.ns = 5'000'000'000, .unix_ns = 0});
  }
  ~ShardDraft() override { shard_.CheckInvariants(); }

  Item* Draft() { return shard_.Draft(3, kValueBytes, 7, false); }
  // Lets the value arrive, and stores it.
  Shard::Stored Store(Item* draft, uint32_t client_flags = 7, CacheSeconds expire_at = kNever) {
    std::memcpy(draft->ValueBytes(), value_.data(), value_.size());
    const auto stored = shard_.Put({.key = "key",
                                    .hash = hash_("key"),
                                    .client_flags = client_flags,
                                    .expire_at = expire_at,
                                    .value = draft->Value()});
    shard_.EndDraft(draft);
    return stored;
  }
  void ExpectStored() {
    const Item* item = shard_.Find("key", hash_("key"), Shard::Access::kRead);
    ASSERT_NE(item, nullptr);
    EXPECT_TRUE(item->Value() == value_);
  }
  uint64_t InPlace() const { return counters_.Get(Counter::kValuesInPlace); }

  const util::KeyHash hash_{0x1234};
  const std::string value_ = std::string(kValueBytes - 1, 'v') + "e";
  stats::CounterBlock counters_;
  Shard shard_;
};

TEST_F(ShardDraft, BecomesTheItem) {
  Item* draft = Draft();
  ASSERT_NE(draft, nullptr);
  EXPECT_EQ(draft->Value().size(), kValueBytes);
  EXPECT_EQ(shard_.ItemCount(), 0U);
  EXPECT_EQ(Store(draft).item, draft);
  EXPECT_EQ(draft->client_flags(), 7U);
  EXPECT_GT(draft->cas(), 0U);
  ExpectStored();
  EXPECT_EQ(InPlace(), 1U);
}

TEST_F(ShardDraft, TakesTheOldItemsPlace) {
  (void)Store(Draft());
  const uint64_t bytes = shard_.MemoryBytes();
  for (int i = 0; i < 100; ++i) ASSERT_EQ(Store(Draft()).result, PutResult::kStored);
  EXPECT_EQ(shard_.ItemCount(), 1U);
  EXPECT_LE(shard_.MemoryBytes(), bytes + 2 * kValueBytes);
  ExpectStored();
}

TEST_F(ShardDraft, IsGoneIfNothingComesOfIt) {
  const uint64_t in_use = shard_.heap().BytesInUse();
  Item* draft = Draft();
  EXPECT_GE(shard_.heap().BytesInUse(), in_use + kValueBytes);
  shard_.EndDraft(draft);
  EXPECT_EQ(shard_.heap().BytesInUse(), in_use);
}

TEST_F(ShardDraft, IsCopiedIfTheItemLooksOtherwise) {
  EXPECT_EQ(Store(Draft(), 0).result, PutResult::kStored);
  ExpectStored();
  EXPECT_EQ(Store(Draft(), 7, 100).result, PutResult::kStored);
  ExpectStored();
  EXPECT_EQ(InPlace(), 0U);
}

TEST_F(ShardDraft, OutlivesAFlush) {
  ASSERT_EQ(shard_.Put({.key = "other", .hash = hash_("other"), .value = "v"}).result,
            PutResult::kStored);
  Item* draft = Draft();
  shard_.Flush();
  while (shard_.Tick(100)) {
  }
  EXPECT_EQ(Store(draft).result, PutResult::kStored);
  ExpectStored();
  EXPECT_EQ(shard_.ItemCount(), 1U);
}

TEST_F(ShardDraft, IsNotEvictedAndEvictsOthers) {
  Item* draft = Draft();
  draft->ValueBytes()[0] = 'x';
  const std::string value(50'000, 'o');
  for (int i = 0; i < 500; ++i) {
    const std::string key = "other" + std::to_string(i);
    ASSERT_EQ(shard_.Put({.key = key, .hash = hash_(key), .value = value}).result,
              PutResult::kStored);
  }
  const uint64_t items = shard_.ItemCount();
  const uint64_t evictions = counters_.Get(Counter::kEvictions);
  Item* second = Draft();
  ASSERT_NE(second, nullptr);
  EXPECT_GT(counters_.Get(Counter::kEvictions), evictions);
  EXPECT_LT(shard_.ItemCount(), items);
  EXPECT_EQ(draft->ValueBytes()[0], 'x');
  shard_.EndDraft(second);
  (void)Store(draft);
  ExpectStored();
}

TEST_F(ShardDraft, OnlyOfLargeValuesAndNotOfTooMany) {
  EXPECT_EQ(shard_.Draft(3, 30'000, 0, false), nullptr);
  EXPECT_EQ(shard_.Draft(3, 1 << 20, 0, false), nullptr) << "over the item limit";
  std::vector<Item*> drafts;
  while (Item* draft = Draft()) drafts.push_back(draft);
  EXPECT_GE(drafts.size(), 9U);
  EXPECT_LE(drafts.size() * kValueBytes, shard_.MemoryBytesMax() / 8);
  for (Item* draft : drafts) shard_.EndDraft(draft);
  Item* draft = Draft();
  ASSERT_NE(draft, nullptr);
  shard_.EndDraft(draft);
}

class RefusingShardDraft : public ShardDraft {
 protected:
  RefusingShardDraft() : ShardDraft(WhenFull::kRefuse) {}
};

TEST_F(RefusingShardDraft, FindsNoRoomWhereNothingMayGo) {
  EXPECT_EQ(Store(Draft()).result, PutResult::kStored);
  EXPECT_EQ(InPlace(), 1U);
  const std::string value(50'000, 'o');
  for (int i = 0;; ++i) {
    const std::string key = "other" + std::to_string(i);
    if (shard_.Put({.key = key, .hash = hash_(key), .value = value}).result != PutResult::kStored)
      break;
  }
  EXPECT_EQ(Draft(), nullptr);
  ExpectStored();
}

}  // namespace
}  // namespace larder::store
