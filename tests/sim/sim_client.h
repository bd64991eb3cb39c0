// A simulated client: sends random pipelines, knows what it must be answered, and compares every
// byte. Each of its connections speaks Memcached's text or RESP2, about the same keys.
//
// Its keys are its own, so the answer to each command follows from what it sent before. Commands
// are kept until their answer has come; the model is brought forward at that moment, which lets it
// learn what only an answer can tell (CAS uniques and, where memory is short, misses).
#ifndef LARDER_TESTS_SIM_SIM_CLIENT_H_
#define LARDER_TESTS_SIM_SIM_CLIENT_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "larder/command.h"
#include "sim_loop.h"
#include "sim_shared.h"
#include "util/prng.h"

namespace larder::sim {

inline constexpr std::string_view kNoMemory = "SERVER_ERROR out of memory storing object\r\n";

class SimClient {
 public:
  struct Options {
    uint32_t id = 0;
    uint64_t item_bytes_max = 0;
    // Items may be evicted and stores refused: a miss is allowed, a wrong value never.
    bool lossy = false;
    // The only client: it knows what a flush does.
    bool alone = false;
    bool flush_enabled = true;
  };

  SimClient(const Options& options, SimShared& shared, uint64_t seed);

  void Connect(io::SimLoop& loop, int listener);
  [[nodiscard]] bool connected() const { return socket_ != nullptr; }

  // Sends a few commands, perhaps the last ones of this connection.
  void Write();
  // Reads some of what has come and compares it.
  void Read();
  // Sends nothing more, and reads as fast as it can.
  void Settle();
  void ReadAll();
  // The connection has come to its end and may be replaced. Whoever was cut off begins anew with
  // other keys.
  [[nodiscard]] bool Finished() const { return finished_; }
  void Forget();

  // Has everything that was asked been answered?
  [[nodiscard]] bool Satisfied() const { return sent_.empty() && received_.size() == offset_; }
  // Is it about to leave?
  [[nodiscard]] bool leaving() const { return leaving_; }
  [[nodiscard]] const SimSocket& socket() const { return *socket_; }
  // The server has been told to drain: what has been delivered by now must be answered.
  void ExpectDrain();
  // The server has been told to close everything at once.
  void ExpectCut() { may_be_cut_ = true; }
  [[nodiscard]] std::string Describe() const;

 private:
  // What is known of a key.
  struct Item {
    bool present = false;
    uint32_t flags = 0;
    std::string value;
    uint64_t version = 0;
    // The unique of some version, learnt from a gets.
    uint64_t known_cas = 0;
    uint64_t known_version = 0;
  };
  enum class Kind : uint8_t {
    kVerb,     // of one key
    kMeta,     // the same, as a meta command
    kLiteral,  // answered with `value`
    kPrefix,   // answered with one line that begins with `value`
    kStats,    // answered with STAT lines and END
    kDump,     // answered with a line for each key that is there, and END
    kFlush,    // answered OK
    kForget,   // as kLiteral, and the key's value is gone
    kResp,     // a command of RESP, of one key or of many
    kShared,   // a command of RESP, of keys that all clients have
    kExec,     // answered with the `number` replies that follow, or with none
    kEnd,      // nothing after this is answered
  };
  enum class RespVerb : uint8_t {
    kGet,
    kSet,
    kSetIfAbsent,
    kSetIfPresent,
    kSetAndGet,
    kIncrement,
    kDelete,
    kSetMany,
    kSetManyIfAbsent,
    kRename,
    kWatch,
    kDiscard,
  };
  enum class SharedVerb : uint8_t {
    kWritten,   // pairs
    kPairs,     // read together
    kSums,      // read together
    kPair,      // read alone
    kSum,       // read alone
    kSummed,    // counted up
    kSwapRead,  // to be counted up
    kSwapped,   // counted up, perhaps
  };
  // What somebody had been told when a command was sent.
  struct Told {
    std::vector<uint64_t> pairs;
    uint64_t sum = 0;
    uint64_t swap = 0;
  };
  struct Sent {
    Kind kind = Kind::kLiteral;
    Verb verb = Verb::kGet;
    RespVerb resp_verb = RespVerb::kGet;
    SharedVerb shared_verb = SharedVerb::kPair;
    bool noreply = false;
    bool last_key = true;
    size_t key = 0;
    uint32_t flags = 0;
    int64_t exptime = 0;
    uint64_t number = 0;
    uint64_t version = 0;  // of cas: what its unique stands for
    std::string value = {};
    std::vector<size_t> keys = {};  // of commands of many
    std::vector<std::string> values = {};
    Told told = {};
    uint64_t end_offset = 0;  // in what this connection has written
  };
  enum class Match : uint8_t { kMore, kDone };

  // Writing: sim_client_writes.cc.
  void SendCommand();
  void SendGet();
  void SendStore();
  void SendNumber();
  void SendOther();
  void SendMeta();
  void SendServerVerb();
  void SendMistake();
  void SendTooLarge();
  void SendLast();
  // RESP: sim_client_resp.cc.
  void SendResp();
  void SendRespMistake();
  void SendMulti();
  void SendWatch();
  void SendRespLast();
  // A command that may be queued, and what its reply is part of.
  std::vector<Sent> DrawResp(size_t keys);
  std::vector<Sent> DrawRespOfMany();
  void ExpectAll(std::vector<Sent> sent);
  void PutRequest(const std::vector<std::string>& words);
  // Of keys that all have: sim_client_shared.cc.
  void SendShared();
  void SendPairs();
  void SendSums();
  void SendSwapRead();
  void SendSwap();
  void SendReadTogether(SharedVerb verb);
  void SendReadInOrder(SharedVerb verb);
  void ExpectShared(SharedVerb verb, uint64_t number = 0);
  void Put(std::string_view text);
  void Expect(Sent sent);
  void ExpectLiteral(std::string_view text) {
    Expect({.kind = Kind::kLiteral, .value = std::string(text)});
  }
  std::string RandomValue(size_t key);
  std::string KeyText(size_t key) const;
  size_t RandomKey() { return prng_.Below(kKeys); }
  size_t RandomShortKey() { return prng_.Below(kShortKeys); }
  // Of a value that grows.
  size_t RandomLongKey() { return kShortKeys + prng_.Below(kKeys - kShortKeys); }
  std::string_view LineEnd() { return prng_.OneIn(8) ? "\n" : "\r\n"; }
  int64_t RandomExptime();

  // Reading: sim_client.cc.
  void Compare();
  Match MatchFront();
  Match MatchText(std::string_view text);
  Match MatchLine(std::string& line);
  Match MatchGet(const Sent& sent);
  Match MatchHit(const Sent& sent, Item& item);
  Match MatchVerb(const Sent& sent);
  Match MatchTouch(const Sent& sent, Item& item);
  Match MatchStore(const Sent& sent, Item& item);
  Match MatchNumber(const Sent& sent, Item& item);
  // The number that an incr or decr makes of the item; false if it has none.
  static bool Step(const Sent& sent, const Item& item, uint64_t& number);
  void StoreNumber(Item& item, std::string text);
  Match MatchStats();
  Match MatchDump();
  // Meta: sim_client_meta.cc, SendMeta too.
  Match MatchMeta(const Sent& sent);
  Match MatchMetaGet(const Sent& sent, Item& item);
  Match MatchMetaStore(const Sent& sent, Item& item);
  Match MatchMetaDelete(const Sent& sent, Item& item);
  Match MatchMetaNumber(const Sent& sent, Item& item);
  // RESP: sim_client_resp.cc.
  Match MatchResp(const Sent& sent);
  Match MatchRespVerb(const Sent& sent);
  Match MatchRespGet(Item& item);
  Match MatchRespSet(const Sent& sent, Item& item);
  Match MatchRespNumber(const Sent& sent, Item& item);
  Match MatchRespDelete(const Sent& sent);
  Match MatchRespSetMany(const Sent& sent);
  Match MatchRespRename(const Sent& sent);
  Match MatchExec(uint64_t count);
  [[nodiscard]] bool WatchedHasChanged() const;
  // Of keys that all have: sim_client_shared.cc.
  Match MatchShared(const Sent& sent);
  Match MatchTogether(const Sent& sent);
  Match MatchSummed(const Sent& sent);
  Match MatchSwapped(const Sent& sent);
  Match MatchBulk(std::optional<std::string>& value);
  void CheckPair(const Sent& sent, const std::optional<std::string>& value);
  void CheckSum(const Sent& sent, const std::optional<std::string>& value);
  void StoreValue(Item& item, const Sent& sent, std::string value);
  [[nodiscard]] std::string_view Pending() const {
    return std::string_view(received_).substr(offset_);
  }
  void CheckEnd();
  [[noreturn]] void Fail(const std::string& what) const;

  static constexpr size_t kKeys = 12;
  // The first keys have short values: commands of many keys, whose replies are made in one piece,
  // are about them.
  static constexpr size_t kShortKeys = 6;
  static constexpr size_t kShortBytesMax = 1000;

  Options options_;
  SimShared& shared_;
  util::Prng prng_;
  std::shared_ptr<SimSocket> socket_;
  std::vector<Item> items_;
  std::deque<Sent> sent_;
  std::string received_;
  size_t offset_ = 0;
  std::string out_;
  uint64_t written_ = 0;
  uint64_t versions_ = 0;
  uint64_t must_answer_until_ = UINT64_MAX;
  uint32_t generation_ = 0;
  struct Watched {
    size_t key;
    bool present;
    uint64_t version;
  };
  std::vector<Watched> watched_;
  bool speaks_resp_ = false;
  // Of the keys that all have: what this client has seen, and the swap that it is about.
  std::vector<uint64_t> pairs_seen_;
  uint64_t sum_seen_ = 0;
  bool swap_waits_ = false;  // for the number; nothing is said meanwhile
  std::optional<uint64_t> swap_next_;
  bool first_line_ = true;
  bool leaving_ = false;      // nothing more is sent
  bool expects_end_ = false;  // the server closes
  bool half_closes_ = false;
  bool stalled_ = false;  // does not read
  bool may_be_cut_ = false;
  bool broken_ = false;  // was reset: what was executed is unknown
  bool finished_ = false;
};

}  // namespace larder::sim

#endif  // LARDER_TESTS_SIM_SIM_CLIENT_H_
