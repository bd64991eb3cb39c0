// What a simulated client does with the keys that all of them share (sim_shared.h).
#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "sim_client.h"

namespace larder::sim {

namespace {

using Shared = SimShared;

constexpr std::string_view kOkLine = "+OK\r\n";
constexpr std::string_view kQueuedLine = "+QUEUED\r\n";

std::optional<uint64_t> CountIn(std::string_view text) {
  uint64_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return count;
}

}  // namespace

// --- what it says -------------------------------------------------------------------------------

void SimClient::ExpectShared(SharedVerb verb, uint64_t number) {
  Expect({.kind = Kind::kShared, .shared_verb = verb, .number = number});
  sent_.back().told = {
      .pairs = shared_.pairs_told, .sum = shared_.sum_told, .swap = shared_.swap_told};
}

void SimClient::SendShared() {
  switch (prng_.Below(8)) {
    case 0:
    case 1:
      return SendPairs();
    case 2:
      return SendSums();
    case 3:
      return SendSwapRead();
    case 4:
      return SendReadTogether(prng_.OneIn(2) ? SharedVerb::kPairs : SharedVerb::kSums);
    default:
      return SendReadInOrder(prng_.OneIn(2) ? SharedVerb::kPair : SharedVerb::kSum);
  }
}

void SimClient::SendPairs() {
  const uint64_t count = ++shared_.pairs_sent[options_.id];
  const std::string value = std::to_string(options_.id) + "/" + std::to_string(count) + "/" +
                            std::string(prng_.Below(prng_.OneIn(4) ? 3000 : 10), 'p');
  std::vector<std::string> words = {"MSET"};
  const uint64_t first = prng_.Below(Shared::kKeys);
  for (uint64_t i = 0; i < Shared::kKeys; ++i) {
    words.push_back(Shared::PairKey((first + i) % Shared::kKeys));
    words.push_back(value);
  }
  PutRequest(words);
  ExpectShared(SharedVerb::kWritten, count);
}

void SimClient::SendSums() {
  ++shared_.sums_sent;
  PutRequest({"MULTI"});
  ExpectLiteral(kOkLine);
  for (size_t i = 0; i < Shared::kKeys; ++i) {
    PutRequest({"INCR", Shared::SumKey(i)});
    ExpectLiteral(kQueuedLine);
  }
  PutRequest({"EXEC"});
  ExpectShared(SharedVerb::kSummed);
}

void SimClient::SendSwapRead() {
  PutRequest({"WATCH", Shared::kSwapKey});
  ExpectLiteral(kOkLine);
  PutRequest({"GET", Shared::kSwapKey});
  ExpectShared(SharedVerb::kSwapRead);
  swap_waits_ = true;
}

void SimClient::SendSwap() {
  ++shared_.swaps_sent;
  const uint64_t next = *std::exchange(swap_next_, std::nullopt);
  PutRequest({"MULTI"});
  ExpectLiteral(kOkLine);
  PutRequest({"SET", Shared::kSwapKey, std::to_string(next)});
  ExpectLiteral(kQueuedLine);
  PutRequest({"EXEC"});
  ExpectShared(SharedVerb::kSwapped, next);
}

void SimClient::SendReadTogether(SharedVerb verb) {
  const bool in_multi = prng_.OneIn(3);
  std::vector<std::string> words = {"MGET"};
  if (in_multi) {
    PutRequest({"MULTI"});
    ExpectLiteral(kOkLine);
  }
  for (size_t i = 0; i < Shared::kKeys; ++i) {
    words.push_back(verb == SharedVerb::kPairs ? Shared::PairKey(i) : Shared::SumKey(i));
    if (!in_multi) continue;
    PutRequest({"GET", words.back()});
    ExpectLiteral(kQueuedLine);
  }
  PutRequest(in_multi ? std::vector<std::string>{"EXEC"} : words);
  ExpectShared(verb);
}

void SimClient::SendReadInOrder(SharedVerb verb) {
  for (uint64_t n = prng_.Below(8) + 1; n > 0; --n) {
    const size_t index = prng_.Below(Shared::kKeys);
    PutRequest({"GET", verb == SharedVerb::kPair ? Shared::PairKey(index) : Shared::SumKey(index)});
    ExpectShared(verb);
  }
}

// --- what it is answered ------------------------------------------------------------------------

// Takes a string of RESP, or nothing of what has not wholly come. A null is none.
SimClient::Match SimClient::MatchBulk(std::optional<std::string>& value) {
  const size_t before = offset_;
  std::string line;
  if (MatchLine(line) == Match::kMore) return Match::kMore;
  value.reset();
  if (line == "$-1") return Match::kDone;
  const std::optional<uint64_t> bytes =
      line.starts_with('$') ? CountIn(std::string_view(line).substr(1)) : std::nullopt;
  if (!bytes) Fail("no string: " + line);
  if (Pending().size() < *bytes + 2) {
    offset_ = before;
    return Match::kMore;
  }
  value = std::string(Pending().substr(0, *bytes));
  offset_ += *bytes;
  return MatchText("\r\n");
}

// A value of a pair that has been read: `sent` when.
void SimClient::CheckPair(const Sent& sent, const std::optional<std::string>& value) {
  std::vector<uint64_t>& seen = pairs_seen_;
  seen.resize(sent.told.pairs.size());
  if (!value) {
    const auto any = [](const std::vector<uint64_t>& counts) {
      return std::any_of(counts.begin(), counts.end(), [](uint64_t count) { return count > 0; });
    };
    if (any(sent.told.pairs) || any(seen)) Fail("a pair is gone");
    return;
  }
  const size_t slash = value->find('/');
  const size_t end = value->find('/', slash + 1);
  const std::optional<uint64_t> writer = CountIn(std::string_view(*value).substr(0, slash));
  const std::optional<uint64_t> count =
      end == std::string::npos
          ? std::nullopt
          : CountIn(std::string_view(*value).substr(slash + 1, end - slash - 1));
  if (!writer || !count || *writer >= seen.size() || *count > shared_.pairs_sent[*writer]) {
    Fail("a pair has what nobody wrote: " + value->substr(0, 40));
  }
  if (*count < seen[*writer]) Fail("an older pair comes after a newer one: " + *value);
  if (*count < sent.told.pairs[*writer]) Fail("somebody has seen a newer pair before: " + *value);
  seen[*writer] = *count;
  shared_.pairs_told[*writer] = std::max(shared_.pairs_told[*writer], *count);
}

void SimClient::CheckSum(const Sent& sent, const std::optional<std::string>& value) {
  const std::optional<uint64_t> sum = value ? CountIn(*value) : 0;
  if (!sum || *sum > shared_.sums_sent) Fail("no sum: " + value.value_or("null"));
  if (*sum < sum_seen_) Fail("an older sum comes after a newer one: " + std::to_string(*sum));
  if (*sum < sent.told.sum) Fail("somebody has seen a newer sum: " + std::to_string(*sum));
  sum_seen_ = *sum;
  shared_.sum_told = std::max(shared_.sum_told, *sum);
}

SimClient::Match SimClient::MatchShared(const Sent& sent) {
  std::optional<std::string> value;
  switch (sent.shared_verb) {
    case SharedVerb::kWritten:
      if (MatchText(kOkLine) == Match::kMore) return Match::kMore;
      CheckPair(sent, std::to_string(options_.id) + "/" + std::to_string(sent.number) + "/");
      return Match::kDone;
    case SharedVerb::kPair:
    case SharedVerb::kSum:
      if (MatchBulk(value) == Match::kMore) return Match::kMore;
      sent.shared_verb == SharedVerb::kPair ? CheckPair(sent, value) : CheckSum(sent, value);
      ++shared_.tally.read_in_order;
      return Match::kDone;
    case SharedVerb::kPairs:
    case SharedVerb::kSums:
      return MatchTogether(sent);
    case SharedVerb::kSummed:
      return MatchSummed(sent);
    case SharedVerb::kSwapRead:
      if (MatchBulk(value) == Match::kMore) return Match::kMore;
      swap_next_ = (value ? CountIn(*value).value_or(0) : 0) + 1;
      if (*swap_next_ <= sent.told.swap) Fail("the swap is behind: " + value.value_or("null"));
      swap_waits_ = false;
      return Match::kDone;
    case SharedVerb::kSwapped:
      return MatchSwapped(sent);
  }
  Fail("no such verb of all");
}

SimClient::Match SimClient::MatchTogether(const Sent& sent) {
  const size_t before = offset_;
  std::optional<std::string> first;
  std::optional<std::string> value;
  const auto more = [&] {
    offset_ = before;
    return Match::kMore;
  };
  if (MatchText("*" + std::to_string(Shared::kKeys) + "\r\n") == Match::kMore) return more();
  for (size_t i = 0; i < Shared::kKeys; ++i) {
    if (MatchBulk(value) == Match::kMore) return more();
    if (i == 0) first = value;
    if (value != first) Fail("half of a write is seen");
  }
  sent.shared_verb == SharedVerb::kPairs ? CheckPair(sent, first) : CheckSum(sent, first);
  ++shared_.tally.read_together;
  return Match::kDone;
}

SimClient::Match SimClient::MatchSummed(const Sent& sent) {
  const size_t before = offset_;
  const auto more = [&] {
    offset_ = before;
    return Match::kMore;
  };
  if (MatchText("*" + std::to_string(Shared::kKeys) + "\r\n") == Match::kMore) return more();
  std::string line;
  if (MatchLine(line) == Match::kMore) return more();
  for (size_t i = 1; i < Shared::kKeys; ++i) {
    if (MatchText(line + "\r\n") == Match::kMore) return more();
  }
  const std::string sum = line.substr(1);
  CheckSum(sent, sum);
  if (!shared_.sums_made.insert(sum_seen_).second) Fail("the same sum twice: " + sum);
  ++shared_.tally.sums;
  return Match::kDone;
}

SimClient::Match SimClient::MatchSwapped(const Sent& sent) {
  if (Pending().size() < 2) return Match::kMore;
  const bool done = Pending()[1] == '1';
  if (MatchText(done ? "*1\r\n+OK\r\n" : "*-1\r\n") == Match::kMore) return Match::kMore;
  if (!done) {
    ++shared_.tally.swaps_lost;
    return Match::kDone;
  }
  if (!shared_.swaps_made.insert(sent.number).second) Fail("the same swap twice");
  shared_.swap_told = std::max(shared_.swap_told, sent.number);
  ++shared_.tally.swaps;
  return Match::kDone;
}

}  // namespace larder::sim
