// One shard, a clock that stands until it is moved, and a command in one line.
#ifndef LARDER_TESTS_UNIT_ENGINE_ENGINE_FIXTURE_H_
#define LARDER_TESTS_UNIT_ENGINE_ENGINE_FIXTURE_H_

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "engine/execute.h"
#include "stats/counters.h"
#include "store/shard.h"
#include "util/hash.h"

namespace larder::engine {

inline constexpr uint64_t kSecond = 1'000'000'000;

class EngineTest : public testing::Test {
 protected:
  EngineTest() { Make({}); }

  // A new, empty shard.
  void Make(store::Shard::Options options) {
    options.hash = hash_;
    options.huge_pages = false;
    shard_.reset();
    counters_ = std::make_unique<stats::CounterBlock>();
    shard_ = std::make_unique<store::Shard>(options, *counters_);
    SetClock(now_.ns);
  }

  void SetClock(uint64_t ns) {
    now_.unix_ns += static_cast<int64_t>(ns) - static_cast<int64_t>(now_.ns);
    now_.ns = ns;
    shard_->BeginTurn(now_);
  }
  void Advance(uint64_t ns) { SetClock(now_.ns + ns); }

  Outcome Do(Command command) {
    if (command.verb != Verb::kFlushAll) command.hash = hash_(command.key);
    if (command.verb == Verb::kFlushAll) {
      ExecuteOnEveryShard({*shard_, *counters_, scratch_}, command);
      return {};
    }
    return Execute({*shard_, *counters_, scratch_}, command);
  }
  Status Set(std::string_view key, std::string_view value, int64_t exptime = 0) {
    return Do({.verb = Verb::kSet, .exptime = exptime, .key = key, .value = value}).status;
  }
  Status Get(std::string_view key) { return Do({.verb = Verb::kGet, .key = key}).status; }
  // The value of a hit, or a word in brackets.
  std::string ValueOf(std::string_view key) {
    const Outcome outcome = Do({.verb = Verb::kGet, .key = key});
    return outcome.status == Status::kHit ? std::string(outcome.value) : "[none]";
  }
  [[nodiscard]] uint64_t Count(stats::Counter counter) const { return counters_->Get(counter); }

  util::KeyHash hash_{0x5eed};
  // A moment between two seconds, well after the start of 2026.
  Now now_{.ns = 1000 * kSecond + 400'000'000, .unix_ns = 1'767'225'600'123'456'789};
  std::string scratch_;
  std::unique_ptr<stats::CounterBlock> counters_;
  std::unique_ptr<store::Shard> shard_;
};

}  // namespace larder::engine

#endif  // LARDER_TESTS_UNIT_ENGINE_ENGINE_FIXTURE_H_
