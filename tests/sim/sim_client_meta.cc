// What a simulated client says in meta commands, and what it must be answered: the same items, in
// other words. Its reads always ask for k, s and f, its counts for v.
#include <algorithm>
#include <string>

#include "sim_client.h"

namespace larder::sim {

namespace {

constexpr std::string_view kNonNumeric =
    "CLIENT_ERROR cannot increment or decrement non-numeric value\r\n";

}  // namespace

void SimClient::SendMeta() {
  Sent sent{.kind = Kind::kMeta, .noreply = prng_.OneIn(5), .key = RandomKey()};
  const std::string key = KeyText(sent.key);
  const uint64_t choice = prng_.Below(10);
  if (choice < 5) {
    sent.verb = Verb::kGet;
    Put("mg " + key + " k s f v");
  } else if (choice < 8) {
    sent.verb = Verb::kSet;
    sent.flags = prng_.OneIn(2) ? 0 : static_cast<uint32_t>(prng_.Next());
    sent.exptime = RandomExptime();
    sent.value = RandomValue(sent.key);
    Put("ms " + key + " " + std::to_string(sent.value.size()) + " F" + std::to_string(sent.flags) +
        " T" + std::to_string(sent.exptime));
  } else if (choice < 9 || options_.lossy) {
    sent.verb = Verb::kDelete;
    Put("md " + key);
  } else {
    sent.verb = prng_.OneIn(2) ? Verb::kIncr : Verb::kDecr;
    sent.number = prng_.Next() >> prng_.Below(64);
    Put("ma " + key + (sent.verb == Verb::kDecr ? " MD" : "") + " v D" +
        std::to_string(sent.number));
  }
  // Where nothing is certain, silence says nothing.
  if (options_.lossy && sent.verb != Verb::kDelete) sent.noreply = false;
  if (sent.noreply) Put(" q");
  Put(LineEnd());
  if (sent.verb == Verb::kSet) Put(sent.value + "\r\n");
  Expect(std::move(sent));
}

SimClient::Match SimClient::MatchMeta(const Sent& sent) {
  Item& item = items_[sent.key];
  switch (sent.verb) {
    case Verb::kGet:
      return MatchMetaGet(sent, item);
    case Verb::kSet:
      return MatchMetaStore(sent, item);
    case Verb::kDelete:
      return MatchMetaDelete(sent, item);
    default:
      return MatchMetaNumber(sent, item);
  }
}

SimClient::Match SimClient::MatchMetaGet(const Sent& sent, Item& item) {
  const std::string size = std::to_string(item.value.size());
  const std::string hit = "VA " + size + " k" + KeyText(sent.key) + " s" + size + " f" +
                          std::to_string(item.flags) + "\r\n" + item.value + "\r\n";
  if (item.present && options_.lossy) {
    // A hit begins in one way only; whatever differs from it is a miss.
    const std::string_view pending = Pending();
    const size_t bytes = std::min(pending.size(), hit.size());
    if (pending.substr(0, bytes) != std::string_view(hit).substr(0, bytes)) item.present = false;
  }
  if (item.present) return MatchText(hit);
  return sent.noreply ? Match::kDone : MatchText("EN k" + KeyText(sent.key) + "\r\n");
}

SimClient::Match SimClient::MatchMetaStore(const Sent& sent, Item& item) {
  if (options_.lossy) {
    if (Pending().empty()) return Match::kMore;
    if (Pending().front() == 'S') {
      if (MatchText(kNoMemory) == Match::kMore) return Match::kMore;
      item.present = false;
      return Match::kDone;
    }
  }
  if (!sent.noreply && MatchText("HD\r\n") == Match::kMore) return Match::kMore;
  StoreValue(item, sent, sent.value);
  return Match::kDone;
}

SimClient::Match SimClient::MatchMetaDelete(const Sent& sent, Item& item) {
  if (!sent.noreply) {
    if (options_.lossy && item.present) {
      if (Pending().empty()) return Match::kMore;
      if (Pending().front() == 'N') item.present = false;
    }
    if (MatchText(item.present ? "HD\r\n" : "NF\r\n") == Match::kMore) return Match::kMore;
  }
  item.present = false;
  return Match::kDone;
}

SimClient::Match SimClient::MatchMetaNumber(const Sent& sent, Item& item) {
  if (!item.present) return sent.noreply ? Match::kDone : MatchText("NF\r\n");
  uint64_t number = 0;
  if (!Step(sent, item, number)) return MatchText(kNonNumeric);
  const std::string text = std::to_string(number);
  const std::string answer = "VA " + std::to_string(text.size()) + "\r\n" + text + "\r\n";
  if (!sent.noreply && MatchText(answer) == Match::kMore) return Match::kMore;
  StoreNumber(item, text);
  return Match::kDone;
}

}  // namespace larder::sim
