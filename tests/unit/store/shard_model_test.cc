// Goal: a shard is a cache: a hit returns exactly what was last stored, and a miss has a reason.
// Method: long random sequences of every call, seeded, against a std::unordered_map, under budgets
// that are ample, tight and changing. The model knows which keys may be gone because something was
// evicted: only when the shard counted an eviction since the key was last seen. The budget is
// checked after every call, everything else (CheckInvariants) often.
#include <cstring>
#include <string>
#include <unordered_map>
#include <vector>

#include "gtest/gtest.h"
#include "store/shard.h"
#include "util/prng.h"

namespace larder::store {
namespace {

using stats::Counter;

struct Scenario {
  const char* name;
  uint64_t memory_bytes_max;
  uint64_t keys;
  uint64_t value_bytes_max;
  uint32_t large_one_in;  // values up to 300 KiB; 0: none
  WhenFull when_full;
  uint32_t resize_one_in;  // the budget changes; 0: never
  int steps;
  uint32_t forced_cleaning = 0;  // items that every Put moves
};

void PrintTo(const Scenario& scenario, std::ostream* out) { *out << scenario.name; }

class ShardModel : public testing::TestWithParam<std::tuple<Scenario, uint64_t>> {
 protected:
  struct Known {
    std::string value;
    uint32_t client_flags = 0;
    CacheSeconds expire_at = kNever;
    uint64_t cas = 0;
    uint64_t evictions = 0;  // of the shard when the key was last known to be there
  };

  ShardModel()
      : scenario_(std::get<0>(GetParam())),
        prng_(std::get<1>(GetParam())),
        hash_(prng_.Next()),
        shard_({.memory_bytes_max = scenario_.memory_bytes_max,
                .when_full = scenario_.when_full,
                .forced_cleaning = scenario_.forced_cleaning,
                .hash = hash_},
               counters_) {
    shard_.BeginTurn(now_);
  }

  std::string RandomKey() {
    const uint64_t n = prng_.Below(scenario_.keys);
    return "key:" + std::string(n % 40, 'x') + std::to_string(n);
  }
  std::string RandomValue() {
    const bool large = scenario_.large_one_in != 0 && prng_.OneIn(scenario_.large_one_in);
    const uint64_t bytes = prng_.Below(large ? 300 << 10 : scenario_.value_bytes_max + 1);
    std::string value(bytes, static_cast<char>('a' + prng_.Below(26)));
    for (uint64_t i = 0; i < bytes; i += 97) value[i] = static_cast<char>(prng_.Next());
    return value;
  }
  CacheSeconds RandomExpiry() {
    return prng_.OneIn(3) ? now_.FloorSeconds() + 1 + static_cast<CacheSeconds>(prng_.Below(30))
                          : kNever;
  }
  uint64_t Evictions() const { return counters_.Get(Counter::kEvictions); }
  bool Expired(const Known& known) const {
    return known.expire_at != kNever && known.expire_at <= now_.FloorSeconds();
  }

  void ExpectSame(const std::string& key, const Known& known, const Item* item) {
    ASSERT_EQ(item->Key(), key);
    ASSERT_TRUE(item->Value() == known.value);
    ASSERT_EQ(item->client_flags(), known.client_flags);
    ASSERT_EQ(item->expire_at(), known.expire_at);
    ASSERT_EQ(item->cas(), known.cas);
  }

  // Looks a key up and compares; returns the item if there is one.
  Item* Look(const std::string& key, Shard::Access access) {
    Item* item = shard_.Find(key, hash_(key), access);
    const auto known = model_.find(key);
    if (known == model_.end()) {
      EXPECT_EQ(item, nullptr) << key << " came back";
      return nullptr;
    }
    if (item == nullptr) {
      if (Expired(known->second)) {
        EXPECT_NE(shard_.missed(), Shard::Missed::kFlushed);
      } else {
        EXPECT_GT(Evictions(), known->second.evictions) << key << " is gone without a reason";
      }
      model_.erase(known);
      return nullptr;
    }
    EXPECT_FALSE(Expired(known->second)) << key << " outlived its time";
    ExpectSame(key, known->second, item);
    known->second.evictions = Evictions();
    return item;
  }

  void Learn(const std::string& key, std::string value, uint32_t flags, CacheSeconds expire_at,
             const Shard::Stored& stored) {
    if (stored.result == PutResult::kNoMemory) {
      if (scenario_.when_full == WhenFull::kEvict) {
        // Only when one item needs close to the whole budget.
        EXPECT_GT(value.size() + (64 << 10), shard_.MemoryBytesMax() / 4);
      }
      return;
    }
    ASSERT_EQ(stored.result, PutResult::kStored);
    EXPECT_GT(stored.item->cas(), last_cas_);
    last_cas_ = stored.item->cas();
    model_[key] = {std::move(value), flags, expire_at, stored.item->cas(), Evictions()};
    ExpectSame(key, model_[key], stored.item);
  }

  void Store() {
    const std::string key = RandomKey();
    std::string value = RandomValue();
    const uint32_t flags = prng_.OneIn(2) ? static_cast<uint32_t>(prng_.Next()) : 0;
    const CacheSeconds expire_at = RandomExpiry();
    const auto stored = shard_.Put({.key = key,
                                    .hash = hash_(key),
                                    .client_flags = flags,
                                    .expire_at = expire_at,
                                    .value = value});
    Learn(key, std::move(value), flags, expire_at, stored);
  }

  // A large value arrives: while it does, everything else may happen.
  struct Arriving {
    Item* draft;
    std::string key;
    std::string value;
    uint32_t flags;
    CacheSeconds expire_at;
  };

  void BeginDraft() {
    std::string key = RandomKey();
    std::string value(kSoloBytesMin + prng_.Below(100 << 10), 'd');
    const uint32_t flags = prng_.OneIn(2) ? static_cast<uint32_t>(prng_.Next()) : 0;
    const CacheSeconds expire_at = RandomExpiry();
    Item* draft = shard_.Draft(key.size(), value.size(), flags, expire_at != kNever);
    if (draft == nullptr) return;
    ASSERT_EQ(draft->Value().size(), value.size());
    arriving_.push_back({draft, std::move(key), std::move(value), flags, expire_at});
  }

  void EndDraft() {
    if (arriving_.empty()) return;
    std::swap(arriving_[prng_.Below(arriving_.size())], arriving_.back());
    Arriving it = std::move(arriving_.back());
    arriving_.pop_back();
    if (!prng_.OneIn(4)) {
      std::memcpy(it.draft->ValueBytes(), it.value.data(), it.value.size());
      // Now and then it is not what was announced.
      if (prng_.OneIn(4)) it.key += "other";
      const auto stored = shard_.Put({.key = it.key,
                                      .hash = hash_(it.key),
                                      .client_flags = it.flags,
                                      .expire_at = it.expire_at,
                                      .value = it.draft->Value()});
      if (it.expire_at != kNever && it.expire_at <= now_.FloorSeconds()) {
        EXPECT_EQ(stored.item, nullptr);
        model_.erase(it.key);
      } else {
        Learn(it.key, std::move(it.value), it.flags, it.expire_at, stored);
      }
    }
    shard_.EndDraft(it.draft);
  }

  void Append() {
    const std::string key = RandomKey();
    const Item* old = Look(key, Shard::Access::kPeek);
    if (old == nullptr || old->Value().size() > 400'000) return;
    const std::string more = RandomValue().substr(0, 200);
    std::string value = std::string(old->Value()) + more;
    const uint32_t flags = old->client_flags();
    const CacheSeconds expire_at = old->expire_at();
    const auto stored = shard_.Put({.key = key,
                                    .hash = hash_(key),
                                    .client_flags = flags,
                                    .expire_at = expire_at,
                                    .value = old->Value(),
                                    .value_tail = more});
    Learn(key, std::move(value), flags, expire_at, stored);
  }

  void Touch() {
    const std::string key = RandomKey();
    Item* item = Look(key, Shard::Access::kRead);
    if (item == nullptr) return;
    const CacheSeconds expire_at = RandomExpiry();
    item = shard_.Touch(item, hash_(key), expire_at);
    model_[key].expire_at = expire_at;
    model_[key].evictions = Evictions();
    ExpectSame(key, model_[key], item);
  }

  void Overwrite() {
    const std::string key = RandomKey();
    Item* item = Look(key, Shard::Access::kPeek);
    if (item == nullptr) return;
    const std::string value(item->Value().size(), static_cast<char>('0' + prng_.Below(10)));
    shard_.Overwrite(item, value);
    EXPECT_GT(item->cas(), last_cas_);
    last_cas_ = item->cas();
    model_[key].value = value;
    model_[key].cas = item->cas();
  }

  void Erase() {
    const std::string key = RandomKey();
    const auto known = model_.find(key);
    const bool erased = shard_.Erase(key, hash_(key));
    if (known == model_.end()) {
      EXPECT_FALSE(erased);
      return;
    }
    if (Expired(known->second)) {
      EXPECT_FALSE(erased);
    } else if (!erased) {
      EXPECT_GT(Evictions(), known->second.evictions);
    }
    model_.erase(known);
  }

  void Step() {
    const uint64_t choice = prng_.Below(100);
    if (scenario_.large_one_in != 0 && prng_.OneIn(scenario_.large_one_in)) {
      return prng_.OneIn(2) ? BeginDraft() : EndDraft();
    }
    if (choice < 45) return Store();
    if (choice < 70) {
      (void)Look(RandomKey(), prng_.OneIn(2) ? Shard::Access::kRead : Shard::Access::kPeek);
      return;
    }
    if (choice < 76) return Append();
    if (choice < 82) return Touch();
    if (choice < 86) return Overwrite();
    if (choice < 94) return Erase();
    (void)shard_.Tick(static_cast<uint32_t>(prng_.Below(200)));
    if (choice == 99) {
      now_.ns += prng_.Below(2'000'000'000);
      shard_.BeginTurn(now_);
    }
    if (prng_.OneIn(400)) {
      shard_.Flush();
      model_.clear();
    }
    if (scenario_.resize_one_in != 0 && prng_.OneIn(scenario_.resize_one_in)) {
      shard_.SetMemoryBytesMax(scenario_.memory_bytes_max / 4 * (1 + prng_.Below(8)));
      // Reached in steps: the bound holds again when Tick says so.
      for (int i = 0; i < 10'000 && shard_.MemoryBytes() > Bound(); ++i) (void)shard_.Tick(100);
    }
  }
  uint64_t Bound() const { return shard_.MemoryBytesMax() + kHeapSegmentBytes; }

  Scenario scenario_;
  util::Prng prng_;
  util::KeyHash hash_;
  stats::CounterBlock counters_;
  Shard shard_;
  Now now_{.ns = 5'000'000'000, .unix_ns = 0};
  uint64_t last_cas_ = 0;
  std::unordered_map<std::string, Known> model_;
  std::vector<Arriving> arriving_;
};

TEST_P(ShardModel, AgreesWithAMap) {
  for (int step = 0; step < scenario_.steps; ++step) {
    Step();
    ASSERT_FALSE(HasFailure()) << "step " << step;
    ASSERT_LE(shard_.MemoryBytes(), Bound()) << "step " << step;
    if (step % 512 == 0) shard_.CheckInvariants();
  }
  while (!arriving_.empty()) EndDraft();
  if (scenario_.large_one_in != 0) {
    EXPECT_GT(counters_.Get(Counter::kValuesInPlace), 0U);
  }
  // Everything that the model knows, and the shard does not know more.
  const auto keys = [this] {
    std::vector<std::string> all;
    for (const auto& [key, known] : model_) all.push_back(key);
    return all;
  }();
  for (const std::string& key : keys) (void)Look(key, Shard::Access::kPeek);
  EXPECT_EQ(shard_.ItemCount(), model_.size());
  shard_.CheckInvariants();
}

constexpr Scenario kScenarios[] = {
    {"Ample", 64 << 20, 5000, 400, 0, WhenFull::kEvict, 0, 40'000},
    {"Tight", 1 << 20, 20'000, 300, 0, WhenFull::kEvict, 0, 60'000},
    {"TightWithLarge", 2 << 20, 3000, 1000, 40, WhenFull::kEvict, 0, 30'000},
    {"Refusing", 1 << 20, 20'000, 400, 200, WhenFull::kRefuse, 0, 40'000},
    {"Resized", 4 << 20, 30'000, 400, 300, WhenFull::kEvict, 2000, 60'000},
    {"Tiny", 1 << 20, 60'000, 8, 0, WhenFull::kEvict, 0, 60'000},
    {"AmpleMoving", 64 << 20, 5000, 400, 0, WhenFull::kEvict, 0, 30'000, 3},
    {"LargeMoving", 8 << 20, 3000, 6000, 40, WhenFull::kEvict, 0, 20'000, 7},
    {"ResizedMoving", 4 << 20, 30'000, 400, 300, WhenFull::kEvict, 2000, 40'000, 2},
    {"RefusingMoving", 2 << 20, 20'000, 400, 200, WhenFull::kRefuse, 0, 30'000, 5},
};

INSTANTIATE_TEST_SUITE_P(Seeds, ShardModel,
                         testing::Combine(testing::ValuesIn(kScenarios), testing::Values(1, 2)),
                         [](const auto& which) {
                           return std::string(std::get<0>(which.param).name) +
                                  std::to_string(std::get<1>(which.param));
                         });

}  // namespace
}  // namespace larder::store
