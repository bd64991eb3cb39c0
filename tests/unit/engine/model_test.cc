// Goal: every verb answers, changes and counts as it should, in any order.
// Method: seeded random commands on a shard and on a std::unordered_map with the same calls; after
// each, answer, counters and invariants are compared.
#include <gtest/gtest.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine_fixture.h"
#include "util/prng.h"

namespace larder::engine {
namespace {

using stats::ClassCounter;
using stats::Counter;
using util::Prng;

constexpr uint64_t kItemBytesMax = 5000;

// The cache as it should be.
class Model {
 public:
  struct Entry {
    uint32_t flags = 0;
    CacheSeconds expire_at = kNever;
    std::string value;
    uint64_t version = 0;  // what the CAS unique stands for
  };
  struct Answer {
    Status status = Status::kOk;
    std::string value = {};
    uint32_t flags = 0;
    uint64_t number = 0;
    uint64_t version = 0;
  };

  void BeginTurn(Now now) {
    now_ = now;
    if (flush_at_ != kNever && now.FloorSeconds() >= flush_at_) Flush();
  }
  Answer Do(const Command& command);

  [[nodiscard]] uint64_t Count(Counter counter) const {
    const auto it = counts_.find(counter);
    return it != counts_.end() ? it->second : 0;
  }
  [[nodiscard]] const Entry* Peek(const std::string& key) const {
    const auto it = entries_.find(key);
    return it != entries_.end() ? &it->second : nullptr;
  }

 private:
  // Expired entries stay until somebody meets them, as in the shard: `get_expired` counts that.
  Entry* Find(const std::string& key, bool* expired = nullptr) {
    const auto it = entries_.find(key);
    if (it == entries_.end()) return nullptr;
    if (it->second.expire_at == kNever || it->second.expire_at > now_.FloorSeconds()) {
      return &it->second;
    }
    if (expired != nullptr) *expired = true;
    entries_.erase(it);
    return nullptr;
  }
  [[nodiscard]] CacheSeconds Expiry(int64_t exptime) const {
    if (exptime == 0) return kNever;
    if (exptime < 0) return now_.FloorSeconds();
    return now_.CeilSeconds() + static_cast<CacheSeconds>(exptime);
  }
  void Flush() {
    flush_at_ = kNever;
    entries_.clear();
  }
  Answer Get(const Command& command);
  Answer Store(const Command& command);
  Answer Put(const Command& command, uint32_t flags, CacheSeconds expire_at, std::string value);
  Answer Change(const Command& command);

  Now now_;
  std::unordered_map<std::string, Entry> entries_;
  std::unordered_map<Counter, uint64_t> counts_;
  CacheSeconds flush_at_ = kNever;
  uint64_t versions_ = 0;
};

Model::Answer Model::Get(const Command& command) {
  const bool touches = command.verb == Verb::kGat || command.verb == Verb::kGats;
  ++counts_[touches ? Counter::kCmdTouch : Counter::kCmdGet];
  bool expired = false;
  Entry* entry = Find(std::string(command.key), &expired);
  if (entry == nullptr) {
    ++counts_[touches ? Counter::kTouchMisses : Counter::kGetMisses];
    if (expired) ++counts_[Counter::kGetExpired];
    return {.status = Status::kMiss};
  }
  ++counts_[touches ? Counter::kTouchHits : Counter::kGetHits];
  if (touches) {
    entry->expire_at = Expiry(command.exptime);
  }
  return {.status = Status::kHit,
          .value = entry->value,
          .flags = entry->flags,
          .version = entry->version};
}

Model::Answer Model::Put(const Command& command, uint32_t flags, CacheSeconds expire_at,
                         std::string value) {
  const std::string key(command.key);
  if (CountedBytes(key.size(), value.size(), flags) > kItemBytesMax) {
    ++counts_[Counter::kStoreTooLarge];
    if (command.verb == Verb::kSet) entries_.erase(key);
    return {.status = Status::kTooLarge};
  }
  if (expire_at != kNever && expire_at <= now_.FloorSeconds()) {
    entries_.erase(key);
  } else {
    entries_[key] = {flags, expire_at, std::move(value), ++versions_};
  }
  return {.status = Status::kStored};
}

Model::Answer Model::Store(const Command& command) {
  ++counts_[Counter::kCmdSet];
  const CacheSeconds expire_at = Expiry(command.exptime);
  const std::string value(command.value);
  if (command.verb == Verb::kSet) return Put(command, command.client_flags, expire_at, value);
  const Entry* old = Find(std::string(command.key));
  if (command.verb == Verb::kCas) {
    if (old == nullptr) {
      ++counts_[Counter::kCasMisses];
      return {.status = Status::kNotFound};
    }
    if (old->version != command.number) {
      ++counts_[Counter::kCasBadval];
      return {.status = Status::kExists};
    }
    ++counts_[Counter::kCasHits];
    return Put(command, command.client_flags, expire_at, value);
  }
  if ((command.verb == Verb::kAdd) == (old != nullptr)) return {.status = Status::kNotStored};
  if (command.verb == Verb::kAppend) {
    return Put(command, old->flags, old->expire_at, old->value + value);
  }
  if (command.verb == Verb::kPrepend) {
    return Put(command, old->flags, old->expire_at, value + old->value);
  }
  return Put(command, command.client_flags, expire_at, value);
}

Model::Answer Model::Change(const Command& command) {
  const bool incr = command.verb == Verb::kIncr;
  Entry* entry = Find(std::string(command.key));
  if (entry == nullptr) {
    ++counts_[incr ? Counter::kIncrMisses : Counter::kDecrMisses];
    return {.status = Status::kNotFound};
  }
  uint64_t number = 0;
  const char* end = entry->value.data() + entry->value.size();
  const auto read = std::from_chars(entry->value.data(), end, number);
  // The test's values have digits, spaces behind them, or letters.
  if (read.ec != std::errc() || (read.ptr != end && *read.ptr != ' ')) {
    return {.status = Status::kNonNumeric};
  }
  ++counts_[incr ? Counter::kIncrHits : Counter::kDecrHits];
  if (incr) {
    number += command.number;
  } else {
    number = number < command.number ? 0 : number - command.number;
  }
  std::string text = std::to_string(number);
  if (text.size() < entry->value.size()) text.resize(entry->value.size(), ' ');
  entry->value = text;
  entry->version = ++versions_;
  return {.status = Status::kNumber, .number = number};
}

Model::Answer Model::Do(const Command& command) {
  switch (command.verb) {
    case Verb::kGet:
    case Verb::kGets:
    case Verb::kGat:
    case Verb::kGats:
      return Get(command);
    case Verb::kIncr:
    case Verb::kDecr:
      return Change(command);
    case Verb::kDelete: {
      const bool found = Find(std::string(command.key)) != nullptr;
      entries_.erase(std::string(command.key));
      ++counts_[found ? Counter::kDeleteHits : Counter::kDeleteMisses];
      return {.status = found ? Status::kDeleted : Status::kNotFound};
    }
    case Verb::kTouch: {
      ++counts_[Counter::kCmdTouch];
      Entry* entry = Find(std::string(command.key));
      ++counts_[entry != nullptr ? Counter::kTouchHits : Counter::kTouchMisses];
      if (entry != nullptr) entry->expire_at = Expiry(command.exptime);
      return {.status = entry != nullptr ? Status::kTouched : Status::kNotFound};
    }
    case Verb::kRejected:
      ++counts_[Counter::kStoreTooLarge];
      entries_.erase(std::string(command.key));
      return {.status = command.rejection};
    case Verb::kFlushAll:
      if (command.exptime > 0) {
        flush_at_ = Expiry(command.exptime);
      } else {
        Flush();
      }
      return {};
    default:
      return Store(command);
  }
}

class ModelTest : public EngineTest {
 protected:
  static constexpr Verb kVerbs[] = {
      Verb::kGet,    Verb::kGets,    Verb::kGat,    Verb::kGats,    Verb::kSet,     Verb::kSet,
      Verb::kAdd,    Verb::kReplace, Verb::kAppend, Verb::kPrepend, Verb::kCas,     Verb::kCas,
      Verb::kDelete, Verb::kTouch,   Verb::kIncr,   Verb::kDecr,    Verb::kRejected};
  // What one verb adds up to; the shard's own counters are the shard's tests'.
  static constexpr Counter kCounters[] = {
      Counter::kCmdGet,      Counter::kCmdSet,       Counter::kCmdTouch,   Counter::kGetHits,
      Counter::kGetMisses,   Counter::kGetExpired,   Counter::kDeleteHits, Counter::kDeleteMisses,
      Counter::kIncrHits,    Counter::kIncrMisses,   Counter::kDecrHits,   Counter::kDecrMisses,
      Counter::kCasHits,     Counter::kCasMisses,    Counter::kCasBadval,  Counter::kTouchHits,
      Counter::kTouchMisses, Counter::kStoreTooLarge};

  Command RandomCommand(Prng& prng) {
    Command command{.verb = kVerbs[prng.Below(std::size(kVerbs))]};
    if (prng.OneIn(200)) command.verb = Verb::kFlushAll;
    key_ = "key" + std::to_string(prng.Below(12));
    value_ = RandomValue(prng);
    KeepOffTheLimit(command.verb);
    command.key = key_;
    command.value = value_;
    command.client_flags = prng.OneIn(2) ? 0 : static_cast<uint32_t>(prng.Next());
    const int64_t exptimes[] = {0, 0, 0, 1, 2, 7, 100, -1};
    command.exptime = exptimes[prng.Below(std::size(exptimes))];
    if (command.verb == Verb::kFlushAll) command.key = {};
    if (command.verb == Verb::kRejected) command.rejection = Status::kTooLarge;
    command.number = prng.Below(3) == 0 ? prng.Next() : prng.Below(120);
    return command;
  }

  // What counts against the limit beside the value is the store's to say: sizes close to it are not
  // asked for.
  void KeepOffTheLimit(Verb verb) {
    constexpr size_t kOverheadMax = 150;
    const bool joins = verb == Verb::kAppend || verb == Verb::kPrepend;
    const Model::Entry* entry = joins ? model_.Peek(key_) : nullptr;
    const size_t bytes = value_.size() + (entry != nullptr ? entry->value.size() : 0);
    if (bytes + kOverheadMax > kItemBytesMax && bytes <= kItemBytesMax) {
      value_.resize(value_.size() + kOverheadMax + 1, 'x');
    }
  }

  static std::string RandomValue(Prng& prng) {
    switch (prng.Below(5)) {
      case 0:
        return std::to_string(prng.Next() >> prng.Below(64));
      case 1:
        return std::to_string(prng.Below(200));
      case 2:
        return {};
      case 3:
        return std::string(prng.Below(prng.OneIn(4) ? kItemBytesMax + 500 : 40), 'x');
      default:
        return "word" + std::to_string(prng.Below(100));
    }
  }

  void ExpectSameAnswer(const Outcome& outcome, const Model::Answer& answer) {
    ASSERT_EQ(outcome.status, answer.status);
    ASSERT_EQ(outcome.progress, Progress::kDone);
    if (answer.status == Status::kNumber) {
      ASSERT_EQ(outcome.number, answer.number);
    }
    if (answer.status != Status::kHit) return;
    ASSERT_EQ(outcome.value, answer.value);
    ASSERT_EQ(outcome.client_flags, answer.flags);
    // One unique for one version, and another for another.
    const auto [it, fresh] = cas_of_.emplace(answer.version, outcome.cas);
    ASSERT_EQ(it->second, outcome.cas);
    if (fresh) {
      ASSERT_TRUE(uniques_.insert({outcome.cas, answer.version}).second);
    }
  }

  void Step(Prng& prng) {
    if (prng.OneIn(5)) Advance(prng.Below(2 * kSecond));
    model_.BeginTurn(now_);
    Command command = RandomCommand(prng);
    Command modelled = command;
    if (command.verb == Verb::kCas) {
      // Mostly the right unique, if the test has ever seen it.
      const Model::Entry* entry = model_.Peek(key_);
      const auto known = entry != nullptr ? cas_of_.find(entry->version) : cas_of_.end();
      if (known != cas_of_.end() && !prng.OneIn(4)) {
        command.number = known->second;
        modelled.number = known->first;
      } else {
        command.number = modelled.number = UINT64_MAX;
      }
    }
    const Model::Answer answer = model_.Do(modelled);
    ExpectSameAnswer(Do(command), answer);
  }

  // What is counted in all, and by class.
  void ExpectClassesAddUp() {
    constexpr std::pair<Counter, ClassCounter> kBoth[] = {
        {Counter::kTouchHits, ClassCounter::kTouchHits},
        {Counter::kDeleteHits, ClassCounter::kDeleteHits},
        {Counter::kIncrHits, ClassCounter::kIncrHits},
        {Counter::kDecrHits, ClassCounter::kDecrHits},
        {Counter::kCasHits, ClassCounter::kCasHits},
        {Counter::kCasBadval, ClassCounter::kCasBadval}};
    for (const auto& [counter, by_class] : kBoth) {
      uint64_t sum = 0;
      for (size_t i = 1; i < stats::kSizeClassCount; ++i) {
        sum += shard_->size_classes().Get(i, by_class);
      }
      EXPECT_EQ(sum, Count(counter)) << static_cast<int>(counter);
    }
  }

  Model model_;
  std::string key_;
  std::string value_;
  std::unordered_map<uint64_t, uint64_t> cas_of_;   // by version
  std::unordered_map<uint64_t, uint64_t> uniques_;  // and back
};

TEST_F(ModelTest, RandomCommandsAgreeWithTheModel) {
  for (uint64_t seed = 0; seed < 12; ++seed) {
    Make({.memory_bytes_max = 16 << 20, .item_bytes_max = kItemBytesMax});
    model_ = {};
    cas_of_.clear();
    uniques_.clear();
    Prng prng(seed);
    for (int step = 0; step < 3000; ++step) {
      SCOPED_TRACE("seed " + std::to_string(seed) + ", step " + std::to_string(step));
      Step(prng);
      if (HasFatalFailure()) return;
      for (const Counter counter : kCounters) {
        ASSERT_EQ(Count(counter), model_.Count(counter)) << static_cast<int>(counter);
      }
      if (prng.OneIn(16)) {
        shard_->CheckInvariants();
        ExpectClassesAddUp();
      }
    }
  }
}

// A set that is refused must not leave the old value behind; any other verb must.
TEST_F(EngineTest, ARefusedSetRemovesTheOldValueAndOthersKeepIt) {
  Make({.memory_bytes_max = 16 << 20, .item_bytes_max = CountedBytes(1, 100, 0)});
  const std::string large(101, 'x');
  const std::string half(60, 'x');
  for (const Verb verb : {Verb::kReplace, Verb::kAppend, Verb::kPrepend}) {
    Set("k", half);
    EXPECT_EQ(Do({.verb = verb, .key = "k", .value = verb == Verb::kReplace ? large : half}).status,
              Status::kTooLarge);
    EXPECT_EQ(ValueOf("k"), half);
  }
  EXPECT_EQ(Set("k", large), Status::kTooLarge);
  EXPECT_EQ(Get("k"), Status::kMiss);
}

TEST_F(EngineTest, WhenNothingMayBeEvictedARefusedSetSaysSo) {
  Make({.memory_bytes_max = 2 << 20, .when_full = store::WhenFull::kRefuse});
  const std::string value(10'000, 'x');
  Status status = Status::kStored;
  int stored = 0;
  for (; status == Status::kStored && stored < 1000; ++stored) {
    status = Set("key" + std::to_string(stored), value);
  }
  EXPECT_EQ(status, Status::kNoMemory);
  EXPECT_EQ(Count(Counter::kStoreNoMemory), 1U);
  EXPECT_EQ(Get("key0"), Status::kHit);
  EXPECT_EQ(Set("key0", std::string(900'000, 'x')), Status::kNoMemory);
  EXPECT_EQ(Get("key0"), Status::kMiss);
  shard_->CheckInvariants();
}

}  // namespace
}  // namespace larder::engine
