// What a simulated client sends.
#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include "sim_client.h"

namespace larder::sim {

namespace {

constexpr std::string_view kTextBadFormat = "CLIENT_ERROR bad command line format\r\n";

struct StoreVerb {
  Verb verb;
  std::string_view text;
};
constexpr StoreVerb kStoreVerbs[] = {{Verb::kSet, "set"},       {Verb::kSet, "set"},
                                     {Verb::kAdd, "add"},       {Verb::kReplace, "replace"},
                                     {Verb::kAppend, "append"}, {Verb::kPrepend, "prepend"},
                                     {Verb::kCas, "cas"}};

}  // namespace

std::string SimClient::KeyText(size_t key) const {
  return "c" + std::to_string(options_.id) + "." + std::to_string(generation_) + "." +
         std::to_string(key);
}

void SimClient::Put(std::string_view text) { out_.append(text); }

void SimClient::Expect(Sent sent) { sent_.push_back(std::move(sent)); }

void SimClient::Write() {
  constexpr size_t kUnansweredMax = 3000;
  constexpr size_t kUndeliveredMax = 1 << 20;
  if (leaving_ || finished_ || socket_ == nullptr || swap_waits_) return;
  if (sent_.size() > kUnansweredMax || socket_->undelivered() > kUndeliveredMax) return;
  if (prng_.OneIn(60)) stalled_ = !stalled_;
  if (prng_.OneIn(30)) socket_->SetWindow(size_t{1} << prng_.Below(20));
  const size_t before = sent_.size();
  if (swap_next_) {
    SendSwap();
  } else if (prng_.OneIn(80)) {
    SendLast();
  } else {
    for (uint64_t n = prng_.Below(prng_.OneIn(10) ? 60 : 5) + 1; n > 0 && !swap_waits_; --n) {
      SendCommand();
    }
  }
  first_line_ = false;
  written_ += out_.size();
  for (size_t i = before; i < sent_.size(); ++i) sent_[i].end_offset = written_;
  socket_->Write(std::exchange(out_, {}));
  if (half_closes_) socket_->FinishWriting();
}

void SimClient::SendCommand() {
  if (speaks_resp_) return SendResp();
  if (prng_.OneIn(5)) return SendMeta();
  const uint64_t choice = prng_.Below(100);
  if (choice < 40) {
    SendGet();
  } else if (choice < 70) {
    SendStore();
  } else if (choice < 78) {
    SendNumber();
  } else if (choice < 86) {
    SendOther();
  } else if (choice < 91) {
    SendServerVerb();
  } else if (choice < 97) {
    SendMistake();
  } else {
    SendTooLarge();
  }
}

int64_t SimClient::RandomExptime() {
  // What expires does so at once or not while the simulation lasts: when a command is executed, the
  // client cannot know.
  const std::array<int64_t, 6> kExptimes = {0, 0, 0, 1'000'000, 5'000'000'000, -1};
  return kExptimes[prng_.Below(kExptimes.size())];
}

void SimClient::SendGet() {
  const Verb verb =
      std::array{Verb::kGet, Verb::kGet, Verb::kGets, Verb::kGat, Verb::kGats}[prng_.Below(5)];
  Put(VerbText(verb));
  const bool touches = verb == Verb::kGat || verb == Verb::kGats;
  const int64_t exptime = touches ? RandomExptime() : 0;
  if (touches) Put(" " + std::to_string(exptime));
  uint64_t keys = prng_.OneIn(3) ? prng_.Below(8) + 1 : 1;
  if (prng_.OneIn(40)) keys = prng_.Below(300) + 1;
  const bool breaks = prng_.OneIn(30);
  for (uint64_t i = 0; i < keys; ++i) {
    const size_t key = RandomKey();
    Put(prng_.OneIn(20) ? "   " : " ");
    Put(KeyText(key));
    Expect({.kind = Kind::kVerb,
            .verb = verb,
            .last_key = i + 1 == keys && !breaks,
            .key = key,
            .exptime = exptime});
  }
  if (breaks) {
    Put(" " + std::string(251, 'x') + " and more");
    ExpectLiteral(kTextBadFormat);
  } else if (prng_.OneIn(20)) {
    Put("  ");
  }
  Put(LineEnd());
}

std::string SimClient::RandomValue(size_t key) {
  if (prng_.OneIn(3)) return std::to_string(prng_.Next() >> prng_.Below(64));
  constexpr size_t kSizes[] = {1, 10, 100, 300, 2000, 20'000, 200'000};
  // The large ones are rare, or nothing else is ever simulated.
  size_t size = prng_.Below(kSizes[prng_.Below(prng_.OneIn(8) ? std::size(kSizes) : 4)] + 1);
  if (key < kShortKeys) size = std::min(size, kShortBytesMax);
  size = std::min<size_t>(size, options_.item_bytes_max - CountedBytes(kKeyBytesMax, 0, 1));
  // Every value is unlike every other one, from its first bytes on.
  std::string value = std::to_string(options_.id) + "/" + std::to_string(++versions_) + "/";
  while (value.size() < size) value += static_cast<char>('a' + prng_.Next() % 23);
  value.resize(size);
  return value;
}

void SimClient::SendStore() {
  const StoreVerb chosen =
      options_.lossy ? kStoreVerbs[0] : kStoreVerbs[prng_.Below(std::size(kStoreVerbs))];
  const bool joins = chosen.verb == Verb::kAppend || chosen.verb == Verb::kPrepend;
  const size_t key = joins ? RandomLongKey() : RandomKey();
  Sent sent{.kind = Kind::kVerb,
            .verb = chosen.verb,
            .noreply = prng_.OneIn(5),
            .key = key,
            .flags = prng_.OneIn(2) ? 0 : static_cast<uint32_t>(prng_.Next()),
            .exptime = RandomExptime(),
            .value = RandomValue(key)};
  if (joins && sent.value.size() > 1000) sent.value.resize(1000);
  Put(std::string(chosen.text) + " " + KeyText(sent.key) + " " + std::to_string(sent.flags) + " " +
      std::to_string(sent.exptime) + " " + std::to_string(sent.value.size()));
  if (chosen.verb == Verb::kCas) {
    const Item& item = items_[sent.key];
    const bool guess = item.known_cas == 0 || prng_.OneIn(3);
    sent.number = guess ? prng_.Next() | 1ULL << 63 : item.known_cas;
    sent.version = guess ? UINT64_MAX : item.known_version;
    Put(" " + std::to_string(sent.number));
  }
  if (sent.noreply) Put(" noreply");
  Put(LineEnd());
  Put(sent.value);
  Put("\r\n");
  Expect(std::move(sent));
}

void SimClient::SendNumber() {
  if (options_.lossy) return SendGet();
  const bool incr = prng_.OneIn(2);
  const Sent sent{.kind = Kind::kVerb,
                  .verb = incr ? Verb::kIncr : Verb::kDecr,
                  .noreply = prng_.OneIn(5),
                  .key = RandomKey(),
                  .number = prng_.Next() >> prng_.Below(64)};
  Put(std::string(incr ? "incr " : "decr ") + KeyText(sent.key) + " " +
      std::to_string(sent.number) + (sent.noreply ? " noreply" : ""));
  Put(LineEnd());
  Expect(sent);
}

void SimClient::SendOther() {
  Sent sent{
      .kind = Kind::kVerb, .verb = Verb::kDelete, .noreply = prng_.OneIn(5), .key = RandomKey()};
  if (prng_.OneIn(2)) {
    Put("delete " + KeyText(sent.key));
  } else {
    sent.verb = Verb::kTouch;
    sent.exptime = RandomExptime();
    Put("touch " + KeyText(sent.key) + " " + std::to_string(sent.exptime));
  }
  if (sent.noreply) Put(" noreply");
  Put(LineEnd());
  Expect(std::move(sent));
}

void SimClient::SendServerVerb() {
  constexpr std::string_view kListings[] = {
      "stats",       "stats conns", "stats settings",          "stats items",
      "stats slabs", "stats sizes", "lru_crawler metadump all"};
  switch (prng_.Below(7)) {
    case 0:
      Put("version");
      Expect({.kind = Kind::kPrefix, .value = "VERSION "});
      break;
    case 1:
      Put("verbosity 1");
      ExpectLiteral("OK\r\n");
      break;
    case 2:
      Put("stats reset");
      ExpectLiteral("RESET\r\n");
      break;
    case 3:
      Put("cache_memlimit 3");
      ExpectLiteral("MEMLIMIT_TOO_SMALL cannot set maxbytes to less than 8m\r\n");
      break;
    case 4:
      if (!options_.flush_enabled) {
        Put("flush_all");
        ExpectLiteral("CLIENT_ERROR flush_all not allowed\r\n");
      } else if (options_.alone) {
        const bool later = prng_.OneIn(3);
        const bool noreply = prng_.OneIn(4);
        Put(std::string("flush_all") + (later ? " 1000000" : "") + (noreply ? " noreply" : ""));
        Expect({.kind = Kind::kFlush, .noreply = noreply, .exptime = later ? 1 : 0});
      } else {
        Put("stats conns");
        Expect({.kind = Kind::kStats});
      }
      break;
    default: {
      const std::string_view listing = kListings[prng_.Below(std::size(kListings))];
      Put(listing);
      Expect({.kind = listing.starts_with("stats") ? Kind::kStats : Kind::kDump});
      break;
    }
  }
  Put(LineEnd());
}

void SimClient::SendMistake() {
  const std::string key = KeyText(RandomKey());
  const struct {
    std::string text;
    std::string_view reply;
  } kMistakes[] = {
      {"foo\r\n", "ERROR\r\n"},
      {"\r\n", kTextBadFormat},
      {"get\r\n", "ERROR\r\n"},
      {"gets \n", "ERROR\r\n"},
      {"GET " + key + "\r\n", "ERROR\r\n"},
      {"get " + std::string(251, 'k') + "\r\n", kTextBadFormat},
      {"set " + key + " 0 0\r\n", "ERROR\r\n"},
      {"set " + key + " 0 later 5\r\n", kTextBadFormat},
      {"set " + key + " 0 0 3\r\nabcde", "CLIENT_ERROR bad data chunk\r\n"},
      {"incr " + key + " many\r\n", "CLIENT_ERROR invalid numeric delta argument\r\n"},
      {"decr " + key + "\r\n", "ERROR\r\n"},
      {"touch " + key + " later\r\n", "CLIENT_ERROR invalid exptime argument\r\n"},
      {"gat later " + key + "\r\n", "CLIENT_ERROR invalid exptime argument\r\n"},
      {"delete " + key + " 5\r\n",
       "CLIENT_ERROR bad command line format.  Usage: delete <key> [noreply]\r\n"},
      {"stats nothing\r\n", "ERROR\r\n"},
      {"verbosity\r\n", "ERROR\r\n"},
      {"cas\r\n", kTextBadFormat},
      // What clients send behind a quit, or do not send to its end, is never executed.
      {"get never\r\n", "END\r\n"},
      {"get cut\r\n", "END\r\n"},
  };
  const auto& mistake = kMistakes[prng_.Below(std::size(kMistakes))];
  Put(mistake.text);
  ExpectLiteral(mistake.reply);
}

void SimClient::SendTooLarge() {
  if (!prng_.OneIn(4)) return SendGet();
  const bool set = prng_.OneIn(2);
  const size_t key = RandomKey();
  const size_t bytes = options_.item_bytes_max + 1 + prng_.Below(1000);
  Put(std::string(set ? "set " : "add ") + KeyText(key) + " 0 0 " + std::to_string(bytes) + "\r\n" +
      std::string(bytes, 'L') + "\r\n");
  Expect({.kind = set ? Kind::kForget : Kind::kLiteral,
          .key = key,
          .value = "SERVER_ERROR object too large for cache\r\n"});
}

// One of the ways to leave.
void SimClient::SendLast() {
  leaving_ = true;
  if (speaks_resp_) return SendRespLast();
  switch (prng_.Below(6)) {
    case 0:  // with more behind it, which nobody may answer
      Put("quit\r\n");
      Expect({.kind = Kind::kEnd});
      expects_end_ = true;
      if (prng_.OneIn(2)) Put("set never 0 0 2\r\nno\r\nget never\r\n");
      break;
    case 1:
      Put(std::string(3000, 'x'));
      Expect({.kind = Kind::kEnd});
      expects_end_ = true;
      break;
    case 2:
      Put("POST / HTTP/1.1\r\nHost: x\r\n\r\nset never 0 0 2\r\nno\r\n");
      Expect({.kind = Kind::kEnd});
      expects_end_ = true;
      break;
    case 3:
      // A flush of a connection that was reset may yet be on its way to some cores, and would take
      // what the next connection stores.
      if (std::any_of(sent_.begin(), sent_.end(),
                      [](const Sent& sent) { return sent.kind == Kind::kFlush; })) {
        half_closes_ = expects_end_ = true;
        break;
      }
      socket_->Reset();
      broken_ = true;
      finished_ = true;
      break;
    default:
      for (uint64_t n = prng_.Below(20); n > 0; --n) SendCommand();
      expects_end_ = true;
      half_closes_ = true;
      if (prng_.OneIn(3)) Put("set cut 0 0 100\r\nonly a part of it");
      break;
  }
}

}  // namespace larder::sim
