#include "sim_client.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <set>
#include <utility>

namespace larder::sim {

namespace {

// The model's values have digits with spaces behind them, or are no numbers.
std::optional<uint64_t> NumberIn(std::string_view text) {
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return std::nullopt;
  if (end != text.data() + text.size() && *end != ' ') return std::nullopt;
  return number;
}

std::string Shown(std::string_view bytes) {
  std::string text(bytes.substr(0, 120));
  for (char& c : text) {
    if (c == '\r' || c == '\n') c = '|';
  }
  return "\"" + text + "\" (" + std::to_string(bytes.size()) + " bytes)";
}

}  // namespace

SimClient::SimClient(const Options& options, SimShared& shared, uint64_t seed)
    : options_(options), shared_(shared), prng_(seed), items_(kKeys) {}

void SimClient::Connect(io::SimLoop& loop, int listener) {
  socket_ = loop.Connect(listener);
  sent_.clear();
  received_.clear();
  offset_ = 0;
  written_ = 0;
  watched_.clear();
  swap_waits_ = false;
  swap_next_.reset();
  speaks_resp_ = prng_.OneIn(2);
  first_line_ = true;
  leaving_ = expects_end_ = half_closes_ = stalled_ = may_be_cut_ = false;
  broken_ = finished_ = false;
}

void SimClient::Forget() {
  if (broken_) {
    items_.assign(kKeys, {});
    ++generation_;
  }
  socket_.reset();
}

void SimClient::Settle() {
  stalled_ = false;
  if (socket_ != nullptr) socket_->SetWindow(4 << 20);
}

void SimClient::ExpectDrain() {
  leaving_ = true;
  expects_end_ = true;
  if (socket_ != nullptr) must_answer_until_ = socket_->delivered_total();
}

void SimClient::Read() {
  if (socket_ == nullptr || finished_) return;
  if (stalled_) {
    if (leaving_ && prng_.OneIn(20)) stalled_ = false;
    return;
  }
  received_ += socket_->Read(prng_.Below(prng_.OneIn(3) ? 1 << 18 : 400) + 1);
  Compare();
  CheckEnd();
}

void SimClient::ReadAll() {
  if (socket_ == nullptr || finished_) return;
  Settle();
  received_ += socket_->Read(SIZE_MAX);
  Compare();
  CheckEnd();
}

void SimClient::CheckEnd() {
  if (socket_->refused()) {  // too many connections, or none any more
    broken_ = finished_ = true;
    return;
  }
  if (!socket_->at_end()) return;
  finished_ = true;
  if (may_be_cut_) {
    broken_ = true;
    if (!socket_->reset_by_server()) socket_->FinishWriting();
    return;
  }
  if (socket_->reset_by_server()) Fail("the server cut the connection off");
  if (!expects_end_) Fail("the server closed the connection");
  if (!Pending().empty()) Fail("the replies end in the middle of one");
  while (!sent_.empty() && sent_.front().kind == Kind::kEnd) sent_.pop_front();
  if (!sent_.empty()) {
    if (sent_.front().end_offset <= must_answer_until_) {
      Fail("closed before everything owed was sent");
    }
    broken_ = true;
  }
  socket_->FinishWriting();
}

std::string SimClient::Describe() const {
  std::string text = "client " + std::to_string(options_.id) + ": " + std::to_string(sent_.size()) +
                     " commands unanswered";
  if (socket_ != nullptr)
    text += ", " + std::to_string(socket_->undelivered()) + " bytes undelivered";
  if (!sent_.empty()) {
    const Sent& sent = sent_.front();
    text += "; the first is " +
            (sent.kind == Kind::kVerb || sent.kind == Kind::kMeta
                 ? std::string(VerbText(sent.verb)) + " " + KeyText(sent.key)
                 : "kind " + std::to_string(static_cast<int>(sent.kind)) + " " + Shown(sent.value));
  }
  text += std::string(leaving_ ? ", leaving" : "") + (expects_end_ ? ", expects the end" : "") +
          (half_closes_ ? ", half-closed" : "");
  if (socket_ != nullptr && socket_->stream() == nullptr) text += ", no stream";
  if (socket_ != nullptr) text += socket_->Describe();
  return text + "; read but not understood: " + Shown(Pending());
}

void SimClient::Fail(const std::string& what) const { SimFailed(what + "; " + Describe()); }

// --- replies ------------------------------------------------------------------------------------

void SimClient::Compare() {
  while (!sent_.empty() && MatchFront() == Match::kDone) sent_.pop_front();
  if (sent_.empty() && !Pending().empty()) Fail("bytes that nobody asked for");
  if (offset_ > received_.size() / 2) {
    received_.erase(0, offset_);
    offset_ = 0;
  }
}

SimClient::Match SimClient::MatchText(std::string_view text) {
  const std::string_view pending = Pending();
  const size_t bytes = std::min(pending.size(), text.size());
  if (pending.substr(0, bytes) != text.substr(0, bytes)) Fail("expected " + Shown(text));
  if (bytes < text.size()) return Match::kMore;
  offset_ += bytes;
  return Match::kDone;
}

// Takes one line, without its end.
SimClient::Match SimClient::MatchLine(std::string& line) {
  const std::string_view pending = Pending();
  const size_t end = pending.find("\r\n");
  if (end == std::string_view::npos) {
    if (pending.size() > 4096) Fail("a line without an end");
    return Match::kMore;
  }
  line = pending.substr(0, end);
  offset_ += end + 2;
  return Match::kDone;
}

SimClient::Match SimClient::MatchFront() {
  const Sent& sent = sent_.front();
  switch (sent.kind) {
    case Kind::kVerb:
      return MatchVerb(sent);
    case Kind::kMeta:
      return MatchMeta(sent);
    case Kind::kLiteral:
      return MatchText(sent.value);
    case Kind::kPrefix: {
      std::string line;
      if (MatchLine(line) == Match::kMore) return Match::kMore;
      if (!line.starts_with(sent.value)) Fail("expected a line that begins " + Shown(sent.value));
      return Match::kDone;
    }
    case Kind::kStats:
      return MatchStats();
    case Kind::kDump:
      return MatchDump();
    case Kind::kFlush:
      if (!sent.noreply && MatchText("OK\r\n") == Match::kMore) return Match::kMore;
      if (sent.exptime == 0) items_.assign(kKeys, {});
      return Match::kDone;
    case Kind::kForget:
      if (MatchText(sent.value) == Match::kMore) return Match::kMore;
      items_[sent.key].present = false;
      return Match::kDone;
    case Kind::kResp:
      return MatchResp(sent);
    case Kind::kShared:
      return MatchShared(sent);
    case Kind::kExec:
      return MatchExec(sent.number);
    case Kind::kEnd:
      if (!Pending().empty()) Fail("a reply to what came after the end");
      return Match::kMore;
  }
  Fail("no such kind");
}

SimClient::Match SimClient::MatchStats() {
  const size_t before = offset_;
  std::string line;
  while (MatchLine(line) == Match::kDone) {
    if (line == "END") return Match::kDone;
    if (!line.starts_with("STAT ")) Fail("expected STAT, got " + Shown(line));
  }
  offset_ = before;
  return Match::kMore;
}

// Our keys are in it exactly once if they are there, and not if they are not. Of others nothing is
// known, but that none comes twice.
SimClient::Match SimClient::MatchDump() {
  const size_t before = offset_;
  std::set<std::string> keys;
  std::string line;
  if (MatchText("OK\r\n") == Match::kMore) return Match::kMore;
  while (true) {
    const size_t end = Pending().find('\n');
    if (end == std::string_view::npos) {
      offset_ = before;
      return Match::kMore;
    }
    line = Pending().substr(0, end);
    offset_ += end + 1;
    if (line == "END\r") break;
    if (!line.starts_with("key=")) Fail("expected a key, got " + Shown(line));
    if (!keys.insert(line.substr(4, line.find(' ') - 4)).second) Fail("twice: " + Shown(line));
  }
  for (size_t key = 0; key < items_.size(); ++key) {
    const bool listed = keys.contains(KeyText(key));
    if (listed && !items_[key].present) Fail("the dump has what is gone: " + KeyText(key));
    if (!listed && items_[key].present && !options_.lossy) Fail("the dump lacks " + KeyText(key));
    items_[key].present = listed;
  }
  return Match::kDone;
}

SimClient::Match SimClient::MatchVerb(const Sent& sent) {
  Item& item = items_[sent.key];
  const auto answer = [&](std::string_view text) {
    return sent.noreply ? Match::kDone : MatchText(text);
  };
  switch (sent.verb) {
    case Verb::kGet:
    case Verb::kGets:
    case Verb::kGat:
    case Verb::kGats:
      return MatchGet(sent);
    case Verb::kIncr:
    case Verb::kDecr:
      return MatchNumber(sent, item);
    case Verb::kDelete: {
      if (options_.lossy && item.present && !sent.noreply) {
        if (Pending().empty()) return Match::kMore;
        if (Pending().front() == 'N') item.present = false;
      }
      if (answer(item.present ? "DELETED\r\n" : "NOT_FOUND\r\n") == Match::kMore)
        return Match::kMore;
      item.present = false;
      return Match::kDone;
    }
    case Verb::kTouch:
      return MatchTouch(sent, item);
    default:
      return MatchStore(sent, item);
  }
}

SimClient::Match SimClient::MatchTouch(const Sent& sent, Item& item) {
  if (options_.lossy && item.present && !sent.noreply) {
    if (Pending().empty()) return Match::kMore;
    if (Pending().front() == 'N') item.present = false;
    if (Pending().front() == 'S') {  // a new expiry may need room
      if (MatchText(kNoMemory) == Match::kMore) return Match::kMore;
      item.present = false;
      return Match::kDone;
    }
  }
  if (!sent.noreply && MatchText(item.present ? "TOUCHED\r\n" : "NOT_FOUND\r\n") == Match::kMore) {
    return Match::kMore;
  }
  if (sent.exptime < 0) item.present = false;
  return Match::kDone;
}

void SimClient::StoreValue(Item& item, const Sent& sent, std::string value) {
  const bool joins = sent.verb == Verb::kAppend || sent.verb == Verb::kPrepend;
  item.present = joins || sent.exptime >= 0;
  item.value = std::move(value);
  if (!joins) item.flags = sent.flags;
  item.version = ++versions_;
}

SimClient::Match SimClient::MatchStore(const Sent& sent, Item& item) {
  const auto answer = [&](std::string_view text) {
    return sent.noreply ? Match::kDone : MatchText(text);
  };
  if (options_.lossy && !sent.noreply) {  // plain sets only
    if (Pending().empty()) return Match::kMore;
    if (Pending().front() == 'S' && Pending().substr(0, 2) == "SE") {
      if (MatchText(kNoMemory) == Match::kMore) return Match::kMore;
      item.present = false;
      return Match::kDone;
    }
    if (Pending().size() < 2) return Match::kMore;
  }
  std::string value = sent.value;
  bool stores = true;
  std::string_view refusal = "NOT_STORED\r\n";
  switch (sent.verb) {
    case Verb::kAdd:
      stores = !item.present;
      break;
    case Verb::kReplace:
      stores = item.present;
      break;
    case Verb::kAppend:
      stores = item.present;
      value = item.value + sent.value;
      break;
    case Verb::kPrepend:
      stores = item.present;
      value = sent.value + item.value;
      break;
    case Verb::kCas:
      stores = item.present && sent.version == item.version;
      refusal = item.present ? "EXISTS\r\n" : "NOT_FOUND\r\n";
      break;
    default:
      break;
  }
  const bool joins = sent.verb == Verb::kAppend || sent.verb == Verb::kPrepend;
  const uint64_t bytes =
      CountedBytes(KeyText(sent.key).size(), value.size(), joins ? item.flags : sent.flags);
  if (stores && bytes > options_.item_bytes_max) {  // of append and prepend: the old stays
    return answer("SERVER_ERROR object too large for cache\r\n");
  }
  if (answer(stores ? "STORED\r\n" : refusal) == Match::kMore) return Match::kMore;
  if (stores) StoreValue(item, sent, std::move(value));
  return Match::kDone;
}

bool SimClient::Step(const Sent& sent, const Item& item, uint64_t& number) {
  const std::optional<uint64_t> old = NumberIn(item.value);
  if (!old) return false;
  number = *old + sent.number;
  if (sent.verb == Verb::kDecr) number = *old < sent.number ? 0 : *old - sent.number;
  return true;
}

void SimClient::StoreNumber(Item& item, std::string text) {
  // A number that has become longer than 20 bytes by append is stored without its spaces.
  if (item.value.size() <= 20) text.resize(std::max(text.size(), item.value.size()), ' ');
  item.value = std::move(text);
  item.version = ++versions_;
}

SimClient::Match SimClient::MatchNumber(const Sent& sent, Item& item) {
  const auto answer = [&](std::string_view text) {
    return sent.noreply ? Match::kDone : MatchText(text);
  };
  if (!item.present) return answer("NOT_FOUND\r\n");
  uint64_t number = 0;
  if (!Step(sent, item, number)) {
    return answer("CLIENT_ERROR cannot increment or decrement non-numeric value\r\n");
  }
  const std::string text = std::to_string(number);
  if (answer(text + "\r\n") == Match::kMore) return Match::kMore;
  StoreNumber(item, text);
  return Match::kDone;
}

SimClient::Match SimClient::MatchGet(const Sent& sent) {
  Item& item = items_[sent.key];
  const std::string start = "VALUE " + KeyText(sent.key) + " ";
  if (item.present && options_.lossy) {
    // A hit begins in one way only; whatever differs from it is a miss.
    const size_t bytes = std::min(Pending().size(), start.size());
    if (Pending().substr(0, bytes) != std::string_view(start).substr(0, bytes)) {
      item.present = false;
    } else if (bytes < start.size()) {
      return Match::kMore;
    }
  }
  if (!item.present) return sent.last_key ? MatchText("END\r\n") : Match::kDone;
  return MatchHit(sent, item);
}

SimClient::Match SimClient::MatchHit(const Sent& sent, Item& item) {
  const size_t before = offset_;
  const auto more = [&] {
    offset_ = before;
    return Match::kMore;
  };
  if (MatchText("VALUE " + KeyText(sent.key) + " " + std::to_string(item.flags) + " " +
                std::to_string(item.value.size())) == Match::kMore) {
    return more();
  }
  const bool with_cas = sent.verb == Verb::kGets || sent.verb == Verb::kGats;
  uint64_t cas = 0;
  if (with_cas) {
    if (MatchText(" ") == Match::kMore) return more();
    std::string digits;
    if (MatchLine(digits) == Match::kMore) return more();
    const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), cas);
    if (read.ptr != digits.data() + digits.size() || cas == 0)
      Fail("no CAS unique: " + Shown(digits));
    if (item.known_version == item.version && item.known_cas != cas) {
      Fail("the CAS unique changed and the value did not");
    }
    if (item.known_version != item.version && item.known_cas == cas) {
      Fail("the value changed and the CAS unique did not");
    }
  } else if (MatchText("\r\n") == Match::kMore) {
    return more();
  }
  if (MatchText(item.value) == Match::kMore) return more();
  if (MatchText(sent.last_key ? "\r\nEND\r\n" : "\r\n") == Match::kMore) return more();
  if (with_cas) {
    item.known_cas = cas;
    item.known_version = item.version;
  }
  const bool touches = sent.verb == Verb::kGat || sent.verb == Verb::kGats;
  if (touches && sent.exptime < 0) item.present = false;
  return Match::kDone;
}

}  // namespace larder::sim
