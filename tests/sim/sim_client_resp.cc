// What a simulated client says in RESP2, and what it must be answered: the same items as in
// Memcached's words.
#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string>
#include <utility>

#include "sim_client.h"

namespace larder::sim {

namespace {

constexpr std::string_view kNil = "$-1\r\n";
constexpr std::string_view kRespOk = "+OK\r\n";
constexpr std::string_view kQueued = "+QUEUED\r\n";
constexpr std::string_view kAborted = "*-1\r\n";
constexpr std::string_view kRespNoMemory =
    "-OOM command not allowed when used memory > 'maxmemory'.\r\n";

std::string ArrayOf(size_t count) { return "*" + std::to_string(count) + "\r\n"; }
std::string BulkOf(std::string_view value) {
  return "$" + std::to_string(value.size()) + "\r\n" + std::string(value) + "\r\n";
}
std::string IntegerOf(int64_t number) { return ":" + std::to_string(number) + "\r\n"; }

// As Redis has it, but that decr's blanks at the end count for nothing.
std::optional<int64_t> SignedNumberIn(std::string_view text) {
  while (text.ends_with(' ')) text.remove_suffix(1);
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || std::to_string(number) != text) return std::nullopt;
  return number;
}

}  // namespace

// --- what it says -------------------------------------------------------------------------------

void SimClient::PutRequest(const std::vector<std::string>& words) {
  Put(ArrayOf(words.size()));
  for (const std::string& word : words) Put(BulkOf(word));
}

void SimClient::ExpectAll(std::vector<Sent> sent) {
  for (Sent& each : sent) Expect(std::move(each));
}

void SimClient::SendResp() {
  if (shared_.used && prng_.OneIn(3)) return SendShared();
  const uint64_t choice = prng_.Below(100);
  if (choice < 75) {
    ExpectAll(DrawResp(kKeys));
  } else if (choice < 88) {
    SendMulti();
  } else if (choice < 94) {
    SendWatch();
  } else {
    SendRespMistake();
  }
}

std::vector<SimClient::Sent> SimClient::DrawResp(size_t keys) {
  if (prng_.OneIn(3)) return DrawRespOfMany();
  Sent sent{.kind = Kind::kResp, .key = prng_.Below(keys)};
  const std::string key = KeyText(sent.key);
  const uint64_t choice = prng_.Below(10);
  if (choice < 4) {
    PutRequest({"GET", key});
  } else if (choice < 8) {
    constexpr std::array kSets = {RespVerb::kSet, RespVerb::kSet, RespVerb::kSetIfAbsent,
                                  RespVerb::kSetIfPresent, RespVerb::kSetAndGet};
    sent.resp_verb = options_.lossy ? RespVerb::kSet : kSets[prng_.Below(kSets.size())];
    sent.value = RandomValue(sent.key);
    // What has conditions is kept until it is whole.
    if (sent.resp_verb != RespVerb::kSet && sent.value.size() > kShortBytesMax) {
      sent.value.resize(kShortBytesMax);
    }
    std::vector<std::string> words = {prng_.OneIn(9) ? "sEt" : "SET", key, sent.value};
    if (sent.resp_verb == RespVerb::kSetIfAbsent) words.emplace_back("NX");
    if (sent.resp_verb == RespVerb::kSetIfPresent) words.emplace_back("XX");
    if (sent.resp_verb == RespVerb::kSetAndGet) words.emplace_back("GET");
    if (prng_.OneIn(4)) {
      words.emplace_back("EX");
      words.emplace_back("1000000");
    }
    PutRequest(words);
  } else if (choice < 9 || options_.lossy) {
    sent.resp_verb = RespVerb::kDelete;
    sent.keys = {sent.key};
    PutRequest({"DEL", key});
  } else {
    const int64_t delta = static_cast<int64_t>(prng_.Next() >> 1 >> prng_.Below(63));
    const bool up = prng_.OneIn(2);
    sent.resp_verb = RespVerb::kIncrement;
    sent.exptime = up ? delta : -delta;
    PutRequest({up ? "INCRBY" : "DECRBY", key, std::to_string(delta)});
  }
  return {std::move(sent)};
}

std::vector<SimClient::Sent> SimClient::DrawRespOfMany() {
  std::vector<Sent> sent;
  const uint64_t choice = options_.lossy ? prng_.Below(2) : prng_.Below(5);
  const bool reads = choice == 0;
  const size_t count = prng_.Below(prng_.OneIn(20) && !reads ? 200 : 6) + 1;
  std::vector<std::string> words;
  if (reads) {
    words.emplace_back("MGET");
    sent.push_back({.kind = Kind::kLiteral, .value = ArrayOf(count)});
    for (size_t i = 0; i < count; ++i) {
      sent.push_back({.kind = Kind::kResp, .key = RandomShortKey()});
      words.push_back(KeyText(sent.back().key));
    }
    PutRequest(words);
    return sent;
  }
  Sent one{.kind = Kind::kResp};
  if (choice == 4) {
    one.resp_verb = RespVerb::kRename;
    one.keys = {RandomShortKey(), RandomShortKey()};
    PutRequest({"RENAME", KeyText(one.keys[0]), KeyText(one.keys[1])});
    return {std::move(one)};
  }
  constexpr std::array kVerbs = {RespVerb::kDelete, RespVerb::kSetMany, RespVerb::kSetManyIfAbsent};
  constexpr std::array kNames = {"DEL", "MSET", "MSETNX"};
  one.resp_verb = kVerbs[choice - 1];
  words.emplace_back(kNames[choice - 1]);
  for (size_t i = 0; i < count; ++i) {
    one.keys.push_back(RandomShortKey());
    words.push_back(KeyText(one.keys.back()));
    if (choice == 1) continue;
    one.values.push_back(RandomValue(one.keys.back()));
    std::string& value = one.values.back();
    if (count > kShortKeys && value.size() > 100) value.resize(100);
    words.push_back(value);
  }
  PutRequest(words);
  return {std::move(one)};
}

void SimClient::SendMulti() {
  PutRequest({"MULTI"});
  ExpectLiteral(kRespOk);
  std::vector<Sent> queued;
  const uint64_t count = prng_.Below(5);
  // An MGET is answered with an array in the array.
  for (uint64_t i = 0; i < count; ++i) {
    ExpectLiteral(kQueued);
    for (Sent& each : DrawResp(kShortKeys)) queued.push_back(std::move(each));
  }
  if (prng_.OneIn(10)) {
    PutRequest({"DISCARD"});
    Expect({.kind = Kind::kResp, .resp_verb = RespVerb::kDiscard});
    return;
  }
  PutRequest({"EXEC"});
  Expect({.kind = Kind::kExec, .key = count, .number = queued.size()});
  ExpectAll(std::move(queued));
}

void SimClient::SendWatch() {
  Sent watch{.kind = Kind::kResp, .resp_verb = RespVerb::kWatch};
  std::vector<std::string> words = {"WATCH"};
  for (uint64_t n = prng_.Below(3) + 1; n > 0; --n) {
    watch.keys.push_back(RandomKey());
    words.push_back(KeyText(watch.keys.back()));
  }
  PutRequest(words);
  Expect(std::move(watch));
  for (uint64_t n = prng_.Below(3); n > 0; --n) ExpectAll(DrawResp(kShortKeys));
  SendMulti();
}

void SimClient::SendRespMistake() {
  const std::string key = KeyText(RandomKey());
  const struct {
    std::vector<std::string> words;
    std::string_view reply;
  } kMistakes[] = {
      {{"NONE", key}, "-ERR unknown command 'NONE', with args beginning with: "},
      {{"GET"}, "-ERR wrong number of arguments for 'get' command\r\n"},
      {{"SET", key, "v", "NX", "XX"}, "-ERR syntax error\r\n"},
      {{"INCRBY", key, "many"}, "-ERR value is not an integer or out of range\r\n"},
      {{"EXEC"}, "-ERR EXEC without MULTI\r\n"},
      {{"MSET", key}, "-ERR wrong number of arguments for 'mset' command\r\n"},
      {{"PING"}, "+PONG\r\n"},
      {{"GET", "never"}, kNil},
      {{"GET", "cut"}, kNil},
  };
  const auto& mistake = kMistakes[prng_.Below(std::size(kMistakes))];
  PutRequest(mistake.words);
  const bool whole = mistake.reply.ends_with("\r\n");
  ExpectLiteral(std::string(mistake.reply) + (whole ? "" : "'" + key + "' \r\n"));
}

void SimClient::SendRespLast() {
  switch (prng_.Below(4)) {
    case 0:  // with more behind it, which nobody may answer
      PutRequest({"QUIT"});
      ExpectLiteral(kRespOk);
      Expect({.kind = Kind::kEnd});
      expects_end_ = true;
      if (prng_.OneIn(2)) PutRequest({"SET", "never", "no"});
      break;
    case 1:
      Put("*1\r\n+no\r\n");
      ExpectLiteral("-ERR Protocol error: expected '$', got '+'\r\n");
      Expect({.kind = Kind::kEnd});
      expects_end_ = true;
      break;
    case 2:
      socket_->Reset();
      broken_ = true;
      finished_ = true;
      break;
    default:
      for (uint64_t n = prng_.Below(20); n > 0 && !swap_waits_; --n) SendCommand();
      expects_end_ = true;
      half_closes_ = true;
      if (prng_.OneIn(3)) Put("*3\r\n$3\r\nSET\r\n$3\r\ncut\r\n$100\r\nonly a part of it");
      break;
  }
}

// --- what it is answered ------------------------------------------------------------------------

SimClient::Match SimClient::MatchResp(const Sent& sent) {
  const Match match = MatchRespVerb(sent);
  if (match == Match::kMore) return match;
  ++shared_.tally.replies;
  if (sent.resp_verb == RespVerb::kSetMany) ++shared_.tally.set_many;
  if (sent.resp_verb == RespVerb::kRename) ++shared_.tally.renames;
  return match;
}

SimClient::Match SimClient::MatchRespVerb(const Sent& sent) {
  switch (sent.resp_verb) {
    case RespVerb::kGet:
      return MatchRespGet(items_[sent.key]);
    case RespVerb::kSet:
    case RespVerb::kSetIfAbsent:
    case RespVerb::kSetIfPresent:
    case RespVerb::kSetAndGet:
      return MatchRespSet(sent, items_[sent.key]);
    case RespVerb::kIncrement:
      return MatchRespNumber(sent, items_[sent.key]);
    case RespVerb::kDelete:
      return MatchRespDelete(sent);
    case RespVerb::kSetMany:
    case RespVerb::kSetManyIfAbsent:
      return MatchRespSetMany(sent);
    case RespVerb::kRename:
      return MatchRespRename(sent);
    case RespVerb::kWatch:
      if (MatchText(kRespOk) == Match::kMore) return Match::kMore;
      for (const size_t key : sent.keys) {
        watched_.push_back({key, items_[key].present, items_[key].version});
      }
      return Match::kDone;
    case RespVerb::kDiscard:
      if (MatchText(kRespOk) == Match::kMore) return Match::kMore;
      watched_.clear();
      return Match::kDone;
  }
  Fail("no such verb of RESP");
}

SimClient::Match SimClient::MatchRespGet(Item& item) {
  if (item.present && options_.lossy) {
    if (Pending().size() < 2) return Match::kMore;
    if (Pending()[1] == '-') item.present = false;
  }
  return MatchText(item.present ? BulkOf(item.value) : kNil);
}

SimClient::Match SimClient::MatchRespSet(const Sent& sent, Item& item) {
  if (options_.lossy) {  // plain sets only
    if (Pending().empty()) return Match::kMore;
    if (Pending().front() == '-') {
      if (MatchText(kRespNoMemory) == Match::kMore) return Match::kMore;
      item.present = false;
      return Match::kDone;
    }
  }
  const bool stores = sent.resp_verb == RespVerb::kSetIfAbsent    ? !item.present
                      : sent.resp_verb == RespVerb::kSetIfPresent ? item.present
                                                                  : true;
  std::string answer(stores ? kRespOk : kNil);
  if (sent.resp_verb == RespVerb::kSetAndGet) answer = item.present ? BulkOf(item.value) : kNil;
  if (MatchText(answer) == Match::kMore) return Match::kMore;
  if (stores) StoreValue(item, {.verb = Verb::kSet}, sent.value);
  return Match::kDone;
}

SimClient::Match SimClient::MatchRespNumber(const Sent& sent, Item& item) {
  const std::optional<int64_t> old = item.present ? SignedNumberIn(item.value) : 0;
  if (!old) return MatchText("-ERR value is not an integer or out of range\r\n");
  int64_t sum = 0;
  if (__builtin_add_overflow(*old, sent.exptime, &sum)) {
    return MatchText("-ERR increment or decrement would overflow\r\n");
  }
  if (MatchText(IntegerOf(sum)) == Match::kMore) return Match::kMore;
  StoreValue(item, {.verb = Verb::kSet, .flags = item.present ? item.flags : 0},
             std::to_string(sum));
  return Match::kDone;
}

SimClient::Match SimClient::MatchRespDelete(const Sent& sent) {
  std::vector<size_t> keys = sent.keys;
  std::sort(keys.begin(), keys.end());
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  const auto there =
      std::count_if(keys.begin(), keys.end(), [this](size_t key) { return items_[key].present; });
  if (options_.lossy) {
    std::string line;
    if (MatchLine(line) == Match::kMore) return Match::kMore;
    const std::optional<int64_t> deleted =
        line.starts_with(':') ? SignedNumberIn(std::string_view(line).substr(1)) : std::nullopt;
    if (!deleted || *deleted < 0 || *deleted > there) Fail("deleted " + line);
  } else if (MatchText(IntegerOf(there)) == Match::kMore) {
    return Match::kMore;
  }
  for (const size_t key : keys) items_[key].present = false;
  return Match::kDone;
}

SimClient::Match SimClient::MatchRespSetMany(const Sent& sent) {
  const bool any = std::any_of(sent.keys.begin(), sent.keys.end(),
                               [this](size_t key) { return items_[key].present; });
  const bool if_absent = sent.resp_verb == RespVerb::kSetManyIfAbsent;
  const bool stores = !if_absent || !any;
  const std::string answer = if_absent ? IntegerOf(stores ? 1 : 0) : std::string(kRespOk);
  if (MatchText(answer) == Match::kMore) return Match::kMore;
  for (size_t i = 0; stores && i < sent.keys.size(); ++i) {
    StoreValue(items_[sent.keys[i]], {.verb = Verb::kSet}, sent.values[i]);
  }
  return Match::kDone;
}

SimClient::Match SimClient::MatchRespRename(const Sent& sent) {
  Item& from = items_[sent.keys[0]];
  if (!from.present) return MatchText("-ERR no such key\r\n");
  if (MatchText(kRespOk) == Match::kMore) return Match::kMore;
  if (sent.keys[0] == sent.keys[1]) return Match::kDone;
  StoreValue(items_[sent.keys[1]], {.verb = Verb::kSet, .flags = from.flags}, from.value);
  from.present = false;
  return Match::kDone;
}

bool SimClient::WatchedHasChanged() const {
  return std::any_of(watched_.begin(), watched_.end(), [this](const Watched& watched) {
    const Item& item = items_[watched.key];
    return item.present != watched.present || (item.present && item.version != watched.version);
  });
}

// Of one that was not done, there are no replies.
SimClient::Match SimClient::MatchExec(uint64_t count) {
  const std::string done = ArrayOf(sent_.front().key);
  bool aborts = WatchedHasChanged();
  if (options_.lossy && !watched_.empty()) {  // what is watched may be evicted at any time
    if (Pending().size() < 2) return Match::kMore;
    aborts = Pending()[1] == '-';
  }
  if (MatchText(aborts ? kAborted : std::string_view(done)) == Match::kMore) return Match::kMore;
  watched_.clear();
  ++(aborts ? shared_.tally.aborts : shared_.tally.execs);
  const auto first = sent_.begin() + 1;
  if (aborts) sent_.erase(first, first + static_cast<std::ptrdiff_t>(count));
  return Match::kDone;
}

}  // namespace larder::sim
