// A simulated client: sends random pipelines, knows what it must be answered, and compares every
// byte.
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
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "larder/command.h"
#include "sim_loop.h"
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

  SimClient(const Options& options, uint64_t seed);

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
    kEnd,      // nothing after this is answered
  };
  struct Sent {
    Kind kind = Kind::kLiteral;
    Verb verb = Verb::kGet;
    bool noreply = false;
    bool last_key = true;
    size_t key = 0;
    uint32_t flags = 0;
    int64_t exptime = 0;
    uint64_t number = 0;
    uint64_t version = 0;  // of cas: what its unique stands for
    std::string value = {};
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
  void Put(std::string_view text);
  void Expect(Sent sent);
  void ExpectLiteral(std::string_view text) {
    Expect({.kind = Kind::kLiteral, .value = std::string(text)});
  }
  std::string RandomValue();
  std::string KeyText(size_t key) const;
  size_t RandomKey() { return prng_.Below(kKeys); }
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
  void StoreValue(Item& item, const Sent& sent, std::string value);
  [[nodiscard]] std::string_view Pending() const {
    return std::string_view(received_).substr(offset_);
  }
  void CheckEnd();
  [[noreturn]] void Fail(const std::string& what) const;

  static constexpr size_t kKeys = 12;

  Options options_;
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
