// Figures of the store without a server: how full the table is while it grows, what the expiry
// sweep costs, how long single steps take. bench/store/measure calls it.
//
//   bin/store_figures table  [--items=10000000]
//   bin/store_figures expiry [--items=10000000] [--seconds=60]
//   bin/store_figures turns  [--items=10000000] [--repetitions=5]
//
// Each prints a table, with a checksum of what was done.
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "store/dashtable.h"
#include "store/shard.h"
#include "util/check.h"
#include "util/histogram.h"
#include "util/prng.h"

namespace larder::store {
namespace {

constexpr uint64_t kSecondNs = 1'000'000'000;

struct Options {
  std::string_view subject;
  uint64_t items = 10'000'000;
  uint64_t seconds = 60;
  uint64_t repetitions = 5;
};

uint64_t ReadClock(clockid_t clock) {
  timespec now;
  clock_gettime(clock, &now);
  return static_cast<uint64_t>(now.tv_sec) * kSecondNs + static_cast<uint64_t>(now.tv_nsec);
}

// --- table: load while it grows ------------------------------------------------------------------

// The handle of an entry is its number, and its hash follows from that.
class Numbers final : public HashSource {
 public:
  [[nodiscard]] uint64_t HashOf(uint32_t handle) const override {
    return hash_({reinterpret_cast<const char*>(&handle), sizeof(handle)});
  }

 private:
  util::KeyHash hash_{99};
};

// Looks at the load each time that the table has grown by half a percent: all sizes count alike.
void MeasureTable(const Options& options) {
  const uint64_t first = std::min<uint64_t>(10'000, options.items / 10);
  const Numbers numbers;
  DashTable table;
  double sum = 0;
  double worst = 1;
  uint64_t worst_at = 0;
  uint64_t looks = 0;
  double bytes_sum = 0;
  double next = static_cast<double>(first);
  for (uint32_t i = 0; i < options.items; ++i) {
    CHECK(static_cast<bool>(table.Insert(numbers.HashOf(i), i, numbers)));
    if (static_cast<double>(i + 1) < next) continue;
    const auto count = static_cast<double>(table.Count());
    const double load = count / static_cast<double>(table.SlotCount());
    sum += load;
    bytes_sum += static_cast<double>(table.Bytes()) / count;
    if (load < worst) {
      worst = load;
      worst_at = i + 1;
    }
    ++looks;
    next = std::max(next * 1.005, next + 1);
  }
  std::printf(
      "Load of the table while it grows from %llu to %llu items (%llu looks, 0.5 %% apart):\n\n",
      static_cast<unsigned long long>(first), static_cast<unsigned long long>(options.items),
      static_cast<unsigned long long>(looks));
  std::printf(
      "| average load | worst | at items | bytes of table an item, average |\n|---|---|---|---|\n");
  std::printf("| %.3f | %.3f | %llu | %.2f |\n\nchecksum %llu\n", sum / static_cast<double>(looks),
              worst, static_cast<unsigned long long>(worst_at),
              bytes_sum / static_cast<double>(looks),
              static_cast<unsigned long long>(table.Count() + table.depth()));
}

// --- a shard and its keys ------------------------------------------------------------------------

constexpr std::string_view kBytes =
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcd"
    "ef"
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcd"
    "ef";
constexpr std::string_view kValue = kBytes.substr(0, 32);

class Store {
 public:
  explicit Store(uint64_t memory_bytes_max)
      : shard_({.memory_bytes_max = memory_bytes_max, .hash = hash_}, counters_) {}

  bool Put(uint64_t number, std::string_view value, CacheSeconds expire_at) {
    std::array<char, 21> text;
    std::snprintf(text.data(), text.size(), "key:%016llx", static_cast<unsigned long long>(number));
    const std::string_view key(text.data(), 20);
    const auto stored =
        shard_.Put({.key = key, .hash = hash_(key), .expire_at = expire_at, .value = value});
    return stored.result == PutResult::kStored;
  }
  Shard& shard() { return shard_; }
  [[nodiscard]] uint64_t Counter(stats::Counter counter) const { return counters_.Get(counter); }

 private:
  util::KeyHash hash_{99};
  stats::CounterBlock counters_;
  Shard shard_;
};

// --- expiry: what the sweep costs, and how late it is --------------------------------------------

struct Sweep {
  uint64_t cpu_ns = 0;
  uint64_t longest_ns = 0;
  uint64_t seconds = 0;  // of the simulated clock
  uint64_t latest_s = 0;
  uint64_t reclaimed = 0;
};

// For how many seconds the item has been expired that waits longest to be reclaimed. A scan shows
// what lives: so it is made at the beginning of time, when everything did.
uint64_t LatenessOf(Shard& shard, Now now) {
  CacheSeconds least = now.FloorSeconds();
  shard.BeginTurn(Now{});
  Cursor cursor;
  do {
    cursor = shard.Scan(cursor, UINT64_MAX, [&](const Item& item) {
      if (item.ExpiredAt(now.FloorSeconds())) least = std::min(least, item.expire_at());
    });
  } while (!cursor.AtEnd());
  shard.BeginTurn(now);
  return now.FloorSeconds() - least;
}

// One second of the simulated clock, in which nothing but ticks happens.
void RunSecond(Shard& shard, Now& now, uint64_t& next_tick_ns, Sweep& sweep) {
  const uint64_t end_ns = now.ns + kSecondNs;
  for (; now.ns < end_ns; now.ns += Shard::kBusyTickNs) {
    shard.BeginTurn(now);
    if (now.ns < next_tick_ns) continue;
    const uint64_t begin_ns = ReadClock(CLOCK_THREAD_CPUTIME_ID);
    const bool more = shard.Tick(Shard::kTickItems);
    const uint64_t took_ns = ReadClock(CLOCK_THREAD_CPUTIME_ID) - begin_ns;
    sweep.cpu_ns += took_ns;
    sweep.longest_ns = std::max(sweep.longest_ns, took_ns);
    next_tick_ns = now.ns + (more ? Shard::kBusyTickNs : Shard::kIdleTickNs);
  }
  ++sweep.seconds;
}

enum class Lives : uint8_t {
  kSteady,  // from 1 s to the length of the run, at random; what has expired is replaced
  kWave,    // all end in one second
};

Sweep MeasureSweep(const Options& options, Lives lives) {
  Store store(options.items * 256);
  Shard& shard = store.shard();
  util::Prng prng(17);
  Now now;
  const auto life = static_cast<CacheSeconds>(options.seconds);
  uint64_t number = 0;
  const auto put = [&] {
    const CacheSeconds left =
        lives == Lives::kWave ? 2 : 1 + static_cast<CacheSeconds>(prng.Below(life));
    CHECK(store.Put(number++, kValue, now.FloorSeconds() + left));
  };
  shard.BeginTurn(now);
  while (shard.ItemCount() < options.items) put();
  const uint64_t expired = store.Counter(stats::Counter::kReclaimed);
  Sweep sweep;
  uint64_t next_tick_ns = 0;
  // A probe takes longer than all else.
  const uint64_t probe = options.seconds / 60 | 1;
  while (sweep.seconds < options.seconds) {
    RunSecond(shard, now, next_tick_ns, sweep);
    if (lives == Lives::kSteady) {
      while (shard.ItemCount() < options.items) put();
    }
    if (sweep.seconds % probe == 0)
      sweep.latest_s = std::max(sweep.latest_s, LatenessOf(shard, now));
    // A wave is over when nothing of it is left.
    if (lives == Lives::kWave && shard.ItemCount() == 0) break;
  }
  sweep.reclaimed = store.Counter(stats::Counter::kReclaimed) - expired;
  return sweep;
}

void MeasureExpiry(const Options& options) {
  std::printf(
      "Expiry sweep of %llu items of 52 B in one shard, ticks as in a worker that has nothing else "
      "to do:\n\n",
      static_cast<unsigned long long>(options.items));
  std::printf(
      "| lives | seconds | reclaimed | share of a core | longest tick, ms of CPU | latest, s |\n"
      "|---|---|---|---|---|---|\n");
  for (const Lives lives : {Lives::kSteady, Lives::kWave}) {
    const Sweep sweep = MeasureSweep(options, lives);
    const std::string title = lives == Lives::kWave
                                  ? std::string("all end at once")
                                  : "1 to " + std::to_string(options.seconds) + " s, replaced";
    std::printf(
        "| %s | %llu | %llu | %.2f %% | %.3f | %llu |\n", title.c_str(),
        static_cast<unsigned long long>(sweep.seconds),
        static_cast<unsigned long long>(sweep.reclaimed),
        static_cast<double>(sweep.cpu_ns) / static_cast<double>(sweep.seconds * kSecondNs) * 100,
        static_cast<double>(sweep.longest_ns) / 1e6,
        static_cast<unsigned long long>(sweep.latest_s));
    std::fflush(stdout);
  }
}

// --- turns: the longest steps --------------------------------------------------------------------

// Steps of one kind, in all repetitions. These do the same work each, step by step: what a step
// took in one repetition and not in another is the machine's doing. So a step counts with the least
// time that it ever took.
class Steps {
 public:
  static constexpr uint64_t kLongNs = 20'000;

  explicit Steps(std::string title) : title_(std::move(title)) {}

  void BeginRepetition() {
    long_ns_.emplace_back();
    next_ = 0;
  }
  void Record(uint64_t ns) {
    ns_.Record(ns);
    if (ns >= kLongNs) long_ns_.back().emplace(next_, ns);
    ++next_;
  }

  [[nodiscard]] const std::string& title() const { return title_; }
  [[nodiscard]] const util::Histogram& ns() const { return ns_; }
  // 0 if no step was long each time.
  [[nodiscard]] uint64_t LongestNs() const {
    uint64_t longest = 0;
    for (const auto& [step, ns] : long_ns_[0]) {
      uint64_t least = ns;
      for (const auto& other : long_ns_) {
        const auto found = other.find(step);
        least = found == other.end() ? 0 : std::min(least, found->second);
        if (least == 0) break;
      }
      longest = std::max(longest, least);
    }
    return longest;
  }

 private:
  std::string title_;
  util::Histogram ns_;
  uint64_t next_ = 0;
  std::vector<std::map<uint64_t, uint64_t>> long_ns_;  // a repetition each: step, time
};

class TurnsRun {
 public:
  TurnsRun(const Options& options, std::vector<Steps>& kinds) : options_(options), kinds_(kinds) {}

  void Run() {
    const uint64_t items = options_.items;
    Store store(items * 256);
    Shard& shard = store.shard();
    Now now;
    shard.BeginTurn(now);
    uint64_t number = 0;
    Begin("insert, from 0 items on");
    while (number < items) Time([&] { store.Put(number++, kValue, kNever); });
    util::Prng prng(17);
    Begin("overwrite, values of 1 to 192 B");
    for (uint64_t i = 0; i < items / 4; ++i) {
      const uint64_t victim = prng.Below(items);
      const std::string_view value = kBytes.substr(0, 1 + prng.Below(kBytes.size()));
      Time([&] { store.Put(victim, value, kNever); });
    }
    shard.SetMemoryBytesMax(shard.MemoryBytes());
    Begin("insert at the limit, values of 1 to 192 B");
    for (uint64_t i = 0; i < items / 4; ++i) {
      const std::string_view value = kBytes.substr(0, 1 + prng.Below(kBytes.size()));
      Time([&] { store.Put(number++, value, kNever); });
    }
    Begin("tick, after the limit was halved");
    shard.SetMemoryBytesMax(shard.MemoryBytes() / 2);
    for (bool more = true; more;) Time([&] { more = shard.Tick(Shard::kTickItems); });
    const uint64_t limit = shard.MemoryBytesMax();
    Begin("insert, after the limit was halved");
    shard.SetMemoryBytesMax(limit / 2);
    for (uint64_t i = 0; i < items / 8; ++i) Time([&] { store.Put(number++, kValue, kNever); });
    Begin("insert of 100 KB, after that");
    const std::string large(100'000, 'x');
    for (uint64_t bytes = 0; bytes < limit / 2; bytes += large.size()) {
      Time([&] { store.Put(number++, large, 1000); });
    }
    Begin("tick, when these expire together");
    shard.BeginTurn({.ns = 1001 * kSecondNs});
    for (int i = 0; i < 2000; ++i) {
      shard.BeginTurn({.ns = 1001 * kSecondNs + i * Shard::kBusyTickNs});
      Time([&] { (void)shard.Tick(Shard::kTickItems); });
    }
    Begin("insert of 100 KB");
    for (uint64_t bytes = 0; bytes < limit / 2; bytes += large.size()) {
      Time([&] { store.Put(number++, large, kNever); });
    }
    Begin("tick, after the limit was halved once more");
    shard.SetMemoryBytesMax(limit / 4);
    for (bool more = true; more;) Time([&] { more = shard.Tick(Shard::kTickItems); });
    Begin("flush");
    Time([&] { shard.Flush(); });
    Begin("tick, after a flush");
    for (bool more = true; more;) Time([&] { more = shard.Tick(Shard::kTickItems); });
    CHECK_EQ(shard.ItemCount(), 0U);
  }

 private:
  void Begin(std::string_view title) {
    const auto found = std::find_if(kinds_.begin(), kinds_.end(),
                                    [&](const Steps& kind) { return kind.title() == title; });
    kind_ = static_cast<size_t>(found - kinds_.begin());
    if (found == kinds_.end()) kinds_.emplace_back(std::string(title));
    kinds_[kind_].BeginRepetition();
  }

  template <typename Step>
  void Time(const Step& step) {
    const uint64_t begin_ns = ReadClock(CLOCK_MONOTONIC);
    step();
    kinds_[kind_].Record(ReadClock(CLOCK_MONOTONIC) - begin_ns);
  }

  const Options& options_;
  std::vector<Steps>& kinds_;
  size_t kind_ = 0;
};

void MeasureTurns(const Options& options) {
  std::vector<Steps> kinds;
  for (uint64_t i = 0; i < options.repetitions; ++i) TurnsRun(options, kinds).Run();
  std::printf(
      "Single calls of a shard with %llu items, µs. %llu repetitions do the same work; `longest` "
      "is of what each call "
      "took at least.\n\n",
      static_cast<unsigned long long>(options.items),
      static_cast<unsigned long long>(options.repetitions));
  std::printf(
      "| call | calls | median | 99.9 %% | 99.999 %% | longest |\n|---|---|---|---|---|---|\n");
  const auto us = [](uint64_t ns) { return static_cast<double>(ns) / 1e3; };
  for (const Steps& kind : kinds) {
    const util::Histogram& ns = kind.ns();
    const uint64_t longest = kind.LongestNs();
    std::printf("| %s | %llu | %.2f | %.1f | %.1f | %s%.0f |\n", kind.title().c_str(),
                static_cast<unsigned long long>(ns.Count()), us(ns.Percentile(50)),
                us(ns.Percentile(99.9)), us(ns.Percentile(99.999)), longest == 0 ? "below " : "",
                longest == 0 ? us(Steps::kLongNs) : us(longest));
  }
}

bool TakeNumber(std::string_view argument, std::string_view name, uint64_t& number) {
  if (!argument.starts_with(name)) return false;
  number = std::strtoull(argument.data() + name.size(), nullptr, 10);
  return number > 0;
}

int Main(int argc, char** argv) {
  Options options;
  bool right = argc >= 2;
  if (right) options.subject = argv[1];
  for (int i = 2; i < argc; ++i) {
    const std::string_view argument = argv[i];
    right = right && (TakeNumber(argument, "--items=", options.items) ||
                      TakeNumber(argument, "--seconds=", options.seconds) ||
                      TakeNumber(argument, "--repetitions=", options.repetitions));
  }
  right = right && options.items >= 1000 && options.items <= UINT32_MAX;
  if (right && options.subject == "table") {
    MeasureTable(options);
  } else if (right && options.subject == "expiry") {
    MeasureExpiry(options);
  } else if (right && options.subject == "turns") {
    MeasureTurns(options);
  } else {
    std::fputs(
        "usage: store_figures table|expiry|turns [--items=N] [--seconds=S] [--repetitions=N]\n",
        stderr);
    return 2;
  }
  return 0;
}

}  // namespace
}  // namespace larder::store

int main(int argc, char** argv) { return larder::store::Main(argc, argv); }
