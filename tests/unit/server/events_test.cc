// Goal: events arrive as they were added, in order; what finds no room is counted by stream, told
// to the watchers of that stream, and never grows a buffer.
#include "server/events.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "io/output_queue.h"
#include "server/watcher.h"
#include "server/wishes.h"
#include "stats/counters.h"

namespace larder::server {
namespace {

using stats::Counter;

constexpr Streams kFetchers = StreamBit(Stream::kFetchers);
constexpr Streams kMutations = StreamBit(Stream::kMutations);

// Everything that a queue owes, which is then sent.
std::string Sent(io::OutputQueue& output) {
  std::string text;
  while (output.owed() > 0) {
    std::array<iovec, 16> parts;
    const size_t count = output.Parts(parts);
    size_t bytes = 0;
    for (size_t i = 0; i < count; ++i) {
      text.append(static_cast<const char*>(parts[i].iov_base), parts[i].iov_len);
      bytes += parts[i].iov_len;
    }
    output.Sent(bytes);
  }
  return text;
}

TEST(ParseStreamsTest, NamesOfMemcachedAndNoOthers) {
  EXPECT_EQ(ParseStreams(""), kFetchers);
  EXPECT_EQ(ParseStreams("fetchers"), kFetchers);
  EXPECT_EQ(ParseStreams("  mutations   fetchers "), kFetchers | kMutations);
  EXPECT_EQ(ParseStreams("fetchers mutations evictions connevents deletions"),
            (1U << kStreamCount) - 1);
  for (const std::string_view silent :
       {"rawcmds", "sysevents", "proxyreqs", "proxyevents", "proxyuser"}) {
    EXPECT_EQ(ParseStreams(silent), 0U) << silent;
  }
  for (const std::string_view wrong : {"fetcher", "fetchers x", "FETCHERS", "x fetchers"}) {
    EXPECT_FALSE(ParseStreams(wrong).has_value()) << wrong;
  }
}

TEST(EventBatchTest, WhatIsReadIsWhatWasAdded) {
  EventBatch batch;
  EXPECT_TRUE(batch.empty());
  batch.Add(Stream::kFetchers, "first");
  batch.Add(Stream::kMutations, "");
  batch.Add(Stream::kDeletions, std::string(1000, 'x'));
  batch.Drop(Stream::kMutations);
  EXPECT_FALSE(batch.empty());
  EXPECT_EQ(batch.lines(), 3U);
  const std::string bytes = batch.Encode();
  EventReader reader(bytes);
  EXPECT_EQ(reader.Dropped(kMutations), 1U);
  EXPECT_EQ(reader.Dropped(kFetchers), 0U);
  auto event = reader.Next();
  ASSERT_TRUE(event.has_value());
  EXPECT_EQ(event->stream, Stream::kFetchers);
  EXPECT_EQ(event->line, "first");
  EXPECT_EQ(reader.Next()->line, "");
  EXPECT_EQ(reader.Next()->line, std::string(1000, 'x'));
  EXPECT_FALSE(reader.Next().has_value());
  batch.Clear();
  EXPECT_TRUE(batch.empty());
}

TEST(EventBatchTest, AFullOneCountsByStream) {
  EventBatch batch;
  const std::string line(997, 'x');
  for (int i = 0; i < 200; ++i)
    batch.Add(i % 2 == 0 ? Stream::kFetchers : Stream::kMutations, line);
  const std::string bytes = batch.Encode();
  EXPECT_LE(bytes.size(), EventBatch::kBytesMax);
  EventReader reader(bytes);
  uint64_t read = 0;
  while (reader.Next()) ++read;
  EXPECT_EQ(read, batch.lines());
  EXPECT_EQ(read + reader.Dropped(kFetchers | kMutations), 200U);
  EXPECT_LE(reader.Dropped(kFetchers) - reader.Dropped(kMutations) + 1, 2U);

  // Where there is no room for all of it, there is for none.
  EventBatch other;
  other.Add(Stream::kFetchers, line);
  other.Drop(Stream::kFetchers);
  EXPECT_FALSE(batch.AddTo(other));
  EXPECT_EQ(other.lines(), 1U);
  const std::string other_bytes = other.Encode();
  EXPECT_EQ(EventReader(other_bytes).Dropped(kFetchers | kMutations), 201U);
}

TEST(EventBatchTest, OneFollowsAnother) {
  EventBatch first;
  first.Add(Stream::kFetchers, "a");
  first.Drop(Stream::kMutations);
  EventBatch second;
  second.Add(Stream::kMutations, "b");
  second.Drop(Stream::kMutations);
  EXPECT_TRUE(second.AddTo(first));
  EXPECT_EQ(first.lines(), 2U);
  const std::string bytes = first.Encode();
  EventReader reader(bytes);
  EXPECT_EQ(reader.Dropped(kMutations), 2U);
  EXPECT_EQ(reader.Next()->line, "a");
  EXPECT_EQ(reader.Next()->line, "b");
  EXPECT_FALSE(reader.Next().has_value());
}

class WatcherTest : public testing::Test {
 protected:
  std::string Batch(Stream stream, int lines, std::string_view line) {
    EventBatch batch;
    for (int i = 0; i < lines; ++i) batch.Add(stream, line);
    return batch.Encode();
  }

  io::BlockPool blocks_;
  io::OutputQueue output_{blocks_};
  stats::CounterBlock counters_;
};

TEST_F(WatcherTest, OnlyItsStreamsAreTold) {
  Watcher watcher(kFetchers);
  watcher.Take(Batch(Stream::kFetchers, 2, "get"), output_, counters_);
  watcher.Take(Batch(Stream::kMutations, 2, "set"), output_, counters_);
  EXPECT_EQ(Sent(output_), "get\nget\n");
  EXPECT_EQ(counters_.Get(Counter::kWatcherSent), 2U);
  EXPECT_EQ(counters_.Get(Counter::kWatcherSkipped), 0U);
}

TEST_F(WatcherTest, WhatIsNotTakenIsSkippedAndTold) {
  Watcher watcher(kFetchers);
  const std::string line(999, 'x');
  uint64_t told = 0;
  for (int i = 0; i < 20; ++i) {
    watcher.Take(Batch(Stream::kFetchers, 50, line), output_, counters_);
    told += 50;
    EXPECT_LE(output_.owed(), Watcher::kOwedBytesMax);
  }
  const std::string before = Sent(output_);
  EXPECT_EQ(before.find("skipped"), std::string::npos);
  const uint64_t skipped = told - before.size() / 1000;
  EXPECT_EQ(skipped, counters_.Get(Counter::kWatcherSkipped));
  watcher.Take(Batch(Stream::kFetchers, 1, "next"), output_, counters_);
  EXPECT_EQ(Sent(output_), "skipped=" + std::to_string(skipped) + "\nnext\n");
  watcher.TellSkipped(output_);
  EXPECT_EQ(Sent(output_), "");
}

TEST_F(WatcherTest, WhatWasLostOnTheWayIsTold) {
  EventBatch batch;
  batch.Drop(Stream::kFetchers);
  batch.Drop(Stream::kFetchers);
  batch.Drop(Stream::kEvictions);
  batch.Add(Stream::kFetchers, "get");
  Watcher watcher(kFetchers | kMutations);
  watcher.Take(batch.Encode(), output_, counters_);
  EXPECT_EQ(Sent(output_), "skipped=2\nget\n");
}

TEST(WishesTest, EveryCoreSeesWhatTheWatchersOfAnyWant) {
  Wishes wishes(3);
  const uint32_t version = wishes.version();
  EXPECT_TRUE(wishes.Add(1, kFetchers));
  EXPECT_TRUE(wishes.Add(1, kFetchers | kMutations));
  EXPECT_TRUE(wishes.Add(2, 0));
  EXPECT_NE(wishes.version(), version);
  EXPECT_EQ(wishes.Read().of_core, (std::vector<Streams>{0, kFetchers | kMutations, 0}));
  wishes.Remove(1, kFetchers | kMutations);
  EXPECT_EQ(wishes.Read().of_core, (std::vector<Streams>{0, kFetchers, 0}));
  wishes.Remove(1, kFetchers);
  EXPECT_EQ(wishes.Read().of_core, (std::vector<Streams>{0, 0, 0}));
  wishes.Set(Wishes::Detail::kOn);
  EXPECT_TRUE(wishes.Read().detail);
}

TEST(WishesTest, TwentyWatchersAndNoMore) {
  Wishes wishes(2);
  for (uint32_t i = 0; i < Wishes::kWatchersMax; ++i) EXPECT_TRUE(wishes.Add(i % 2, kFetchers));
  EXPECT_FALSE(wishes.Add(0, kFetchers));
  wishes.Remove(1, kFetchers);
  EXPECT_TRUE(wishes.Add(0, kFetchers));
}

}  // namespace
}  // namespace larder::server
