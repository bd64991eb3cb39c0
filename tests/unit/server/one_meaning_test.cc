// Goal: an operation means the same however it is spelled.
//
// Method: a table. Each row has one operation in each protocol that can say it. Each spelling is
// parsed, executed on a cache of its own that has been prepared like the others, and what is in the
// cache afterwards is compared with what the row expects. A protocol that is added adds a spelling
// to each row that it can say.
#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/execute.h"
#include "protocol/codec.h"
#include "stats/counters.h"
#include "store/shard.h"
#include "unit/protocol/binary_packets.h"
#include "util/hash.h"

namespace larder::server {
namespace {

using protocol::Protocol;
using protocol::testing::Network;
using protocol::testing::Request;
using store::Item;
using store::Shard;

constexpr uint64_t kSecond = 1'000'000'000;

// In a wire's text: the CAS unique of the item k, and one that it does not have.
constexpr std::string_view kSameUnique = "{same}";
constexpr std::string_view kOtherUnique = "{other}";
// The same in a binary header.
constexpr uint64_t kSameMark = 1;
constexpr uint64_t kOtherMark = 2;

struct Spelled {
  Protocol protocol;
  std::string wire;
};

struct Operation {
  std::string name;
  // What is there before: "k=10 f7 t100", as below. Empty: nothing.
  std::string before;
  std::vector<Spelled> spellings;
  // Whether it was done, and what is there then.
  bool done;
  std::string after;
};

Spelled Text(std::string wire) { return {Protocol::kText, std::move(wire)}; }

// Extras of binary requests: client flags and exptime; delta, initial value and exptime.
std::string Stored(uint32_t flags, uint32_t exptime) { return Network(flags, exptime); }
std::string Counted(uint64_t delta) { return Network(delta, uint64_t{0}, ~0U); }

Spelled Binary(uint8_t opcode, std::string extras = {}, std::string value = {},
               uint64_t unique = 0) {
  const Request request = {.opcode = opcode,
                           .key = "k",
                           .extras = std::move(extras),
                           .value = std::move(value),
                           .unique = unique};
  return {Protocol::kBinary, request.Bytes()};
}

constexpr std::string_view kTen = "k=10 f7 t100";

std::vector<Operation> Operations() {
  const std::string ten(kTen);
  return {
      {"get",
       ten,
       {Text("get k\r\n"), Text("gets k\r\n"), Text("mg k v\r\n"), Binary(0x00), Binary(0x09),
        Binary(0x0c), Binary(0x0d)},
       true,
       "k=10 f7 t100 read"},
      {"get what is missing",
       "",
       {Text("get k\r\n"), Text("mg k v\r\n"), Binary(0x00), Binary(0x0d)},
       false,
       ""},
      {"get and touch",
       ten,
       {Text("gat 50 k\r\n"), Text("gats 50 k\r\n"), Text("mg k v T50\r\n"),
        Binary(0x1d, Network(50U)), Binary(0x1e, Network(50U)), Binary(0x23, Network(50U)),
        Binary(0x24, Network(50U))},
       true,
       "k=10 f7 t50 read"},
      {"get and touch for ever",
       ten,
       {Text("gat 0 k\r\n"), Text("mg k T0\r\n"), Binary(0x1d, Network(0U))},
       true,
       "k=10 f7 t-1 read"},
      {"set",
       ten,
       {Text("set k 5 60 3\r\nnew\r\n"), Text("ms k 3 F5 T60\r\nnew\r\n"),
        Text("ms aw== 3 b MS F5 T60\r\nnew\r\n"), Binary(0x01, Stored(5, 60), "new"),
        Binary(0x11, Stored(5, 60), "new")},
       true,
       "k=new f5 t60 changed"},
      {"set what expires at once",
       ten,
       {Text("set k 5 -1 3\r\nnew\r\n"), Text("ms k 3 F5 T-1\r\nnew\r\n"),
        Binary(0x01, Stored(5, 2592001), "new")},
       true,
       ""},
      {"set without an answer",
       "",
       {Text("set k 0 0 1 noreply\r\nx\r\n"), Text("ms k 1 q\r\nx\r\n"),
        Binary(0x11, Stored(0, 0), "x")},
       true,
       "k=x f0 t-1"},
      {"add",
       "",
       {Text("add k 5 60 3\r\nnew\r\n"), Text("ms k 3 ME F5 T60\r\nnew\r\n"),
        Binary(0x02, Stored(5, 60), "new"), Binary(0x12, Stored(5, 60), "new")},
       true,
       "k=new f5 t60"},
      {"add what is there",
       ten,
       {Text("add k 5 60 3\r\nnew\r\n"), Text("ms k 3 ME F5 T60\r\nnew\r\n"),
        Binary(0x02, Stored(5, 60), "new")},
       false,
       ten},
      {"replace",
       ten,
       {Text("replace k 0 0 1\r\nx\r\n"), Text("ms k 1 MR\r\nx\r\n"),
        Binary(0x03, Stored(0, 0), "x"), Binary(0x13, Stored(0, 0), "x")},
       true,
       "k=x f0 t-1 changed"},
      {"replace what is missing",
       "",
       {Text("replace k 0 0 1\r\nx\r\n"), Text("ms k 1 MR\r\nx\r\n"),
        Binary(0x03, Stored(0, 0), "x")},
       false,
       ""},
      {"append",
       ten,
       {Text("append k 1 1 2\r\nab\r\n"), Text("ms k 2 MA F1 T1\r\nab\r\n"), Binary(0x0e, "", "ab"),
        Binary(0x19, "", "ab", kSameMark)},
       true,
       "k=10ab f7 t100 changed"},
      {"prepend",
       ten,
       {Text("prepend k 1 1 2\r\nab\r\n"), Text("ms k 2 MP F1 T1\r\nab\r\n"),
        Binary(0x0f, "", "ab"), Binary(0x1a, "", "ab", kSameMark)},
       true,
       "k=ab10 f7 t100 changed"},
      {"append to what is missing",
       "",
       {Text("append k 0 0 1\r\nx\r\n"), Text("ms k 1 MA\r\nx\r\n"), Binary(0x0e, "", "x"),
        Binary(0x0e, "", "x", kSameMark)},
       false,
       ""},
      {"compare and swap",
       ten,
       {Text("cas k 5 60 3 {same}\r\nnew\r\n"), Text("ms k 3 C{same} F5 T60\r\nnew\r\n"),
        Text("ms k 3 MR C{same} F5 T60\r\nnew\r\n"), Binary(0x01, Stored(5, 60), "new", kSameMark),
        Binary(0x03, Stored(5, 60), "new", kSameMark)},
       true,
       "k=new f5 t60 changed"},
      {"compare and find another",
       ten,
       {Text("cas k 5 60 3 {other}\r\nnew\r\n"), Text("ms k 3 C{other} F5 T60\r\nnew\r\n"),
        Text("ms k 3 MR C{other}\r\nnew\r\n"), Binary(0x01, Stored(5, 60), "new", kOtherMark),
        Binary(0x02, Stored(5, 60), "new", kOtherMark), Binary(0x0e, "", "x", kOtherMark),
        Binary(0x04, "", "", kOtherMark), Binary(0x05, Counted(5), "", kOtherMark)},
       false,
       ten},
      {"compare and find nothing",
       "",
       {Text("cas k 0 0 1 5\r\nx\r\n"), Text("ms k 1 C5\r\nx\r\n"),
        Binary(0x01, Stored(0, 0), "x", kOtherMark)},
       false,
       ""},
      {"delete",
       ten,
       {Text("delete k\r\n"), Text("delete k noreply\r\n"), Text("md k\r\n"), Text("md k q\r\n"),
        Text("md aw== b\r\n"), Text("md k C{same}\r\n"), Binary(0x04), Binary(0x14),
        Binary(0x04, "", "", kSameMark)},
       true,
       ""},
      {"delete what is missing",
       "",
       {Text("delete k\r\n"), Text("md k\r\n"), Binary(0x04), Binary(0x14)},
       false,
       ""},
      {"touch",
       ten,
       {Text("touch k 50\r\n"), Text("mg k u T50\r\n"), Binary(0x1c, Network(50U))},
       true,
       "k=10 f7 t50"},
      {"touch what is missing",
       "",
       {Text("touch k 50\r\n"), Text("mg k T50\r\n"), Binary(0x1c, Network(50U)),
        Binary(0x1d, Network(50U))},
       false,
       ""},
      {"incr",
       ten,
       {Text("incr k 5\r\n"), Text("ma k D5\r\n"), Text("ma k MI D5 v\r\n"),
        Text("ma aw== b M+ D5 C{same}\r\n"), Binary(0x05, Counted(5)), Binary(0x15, Counted(5)),
        Binary(0x05, Network(uint64_t{5}, uint64_t{1}, 0U), "", kSameMark)},
       true,
       "k=15 f7 t100 changed"},
      {"incr to more digits",
       ten,
       {Text("incr k 990\r\n"), Text("ma k D990\r\n"), Binary(0x05, Counted(990))},
       true,
       "k=1000 f7 t100 changed"},
      {"decr",
       ten,
       {Text("decr k 1\r\n"), Text("ma k MD\r\n"), Text("ma k M- D1 v\r\n"),
        Binary(0x06, Counted(1)), Binary(0x16, Counted(1))},
       true,
       "k=9  f7 t100 changed"},
      {"decr below zero",
       ten,
       {Text("decr k 11\r\n"), Text("ma k MD D11\r\n"), Binary(0x06, Counted(11))},
       true,
       "k=0  f7 t100 changed"},
      {"incr what is missing",
       "",
       {Text("incr k 5\r\n"), Text("ma k D5\r\n"), Binary(0x05, Counted(5))},
       false,
       ""},
      {"count what is missing, from a first number",
       "",
       {Text("ma k N60 J7\r\n"), Binary(0x05, Network(uint64_t{5}, uint64_t{7}, 60U)),
        Binary(0x16, Network(uint64_t{5}, uint64_t{7}, 60U))},
       true,
       "k=7 f0 t60"},
      {"incr what is no number",
       "k=ten f0 t-1",
       {Text("incr k 5\r\n"), Text("ma k D5\r\n"), Binary(0x05, Counted(5))},
       false,
       "k=ten f0 t-1"},
  };
}

class Cache {
 public:
  explicit Cache(const std::string& before) {
    shard_.BeginTurn(now_);
    if (before.empty()) return;
    const size_t flags = before.find(" f");
    const size_t ttl = before.find(" t");
    const std::string value = before.substr(2, flags - 2);
    const int64_t exptime = std::stol(before.substr(ttl + 2));
    const Command set{.verb = Verb::kSet,
                      .client_flags = static_cast<uint32_t>(
                          std::stoul(before.substr(flags + 2, ttl - flags - 2))),
                      .exptime = exptime < 0 ? 0 : exptime,
                      .hash = hash_("k"),
                      .key = "k",
                      .value = value};
    unique_ = engine::Execute({shard_, counters_, scratch_}, set).cas;
  }

  // Executes the one command in the text. True if it was done.
  bool Do(const Spelled& spelled) {
    std::string wire = spelled.wire;
    Replace(wire, kSameUnique, unique_);
    Replace(wire, kOtherUnique, unique_ + 1);
    if (spelled.protocol == Protocol::kBinary) MendUnique(wire);
    const protocol::Resume start = {.at = protocol::Resume::At::kLineStart};
    ParserSpace space;
    const protocol::Parsed parsed =
        protocol::CodecOf(spelled.protocol).parse(wire, start, {}, space);
    EXPECT_EQ(parsed.state, protocol::ParseState::kReady);
    EXPECT_EQ(parsed.consumed, wire.size());
    Command command = parsed.command;
    EXPECT_NE(command.verb, Verb::kRejected);
    command.hash = hash_(command.key);
    switch (engine::Execute({shard_, counters_, scratch_}, command).status) {
      case Status::kHit:
      case Status::kStored:
      case Status::kDeleted:
      case Status::kTouched:
      case Status::kNumber:
        return true;
      default:
        return false;
    }
  }

  // What is there, in words.
  std::string Content() {
    shard_.CheckInvariants();
    const Item* item = shard_.Find("k", hash_("k"), Shard::Access::kPeek);
    EXPECT_EQ(shard_.ItemCount(), item == nullptr ? 0U : 1U);
    if (item == nullptr) return "";
    const int64_t ttl =
        item->expire_at() == kNever ? -1 : int64_t{item->expire_at()} - now_.CeilSeconds();
    return "k=" + std::string(item->Value()) + " f" + std::to_string(item->client_flags()) + " t" +
           std::to_string(ttl) + (unique_ != 0 && item->cas() != unique_ ? " changed" : "") +
           (item->fetched() ? " read" : "");
  }

 private:
  void MendUnique(std::string& wire) const {
    protocol::BinaryHeader header = protocol::BinaryHeader::Load(wire.data());
    if (header.unique == kSameMark) header.unique = unique_ != 0 ? unique_ : 5;
    if (header.unique == kOtherMark) header.unique = unique_ + 1;
    header.Store(wire.data());
  }

  static void Replace(std::string& text, std::string_view name, uint64_t number) {
    const size_t at = text.find(name);
    if (at != std::string::npos) text.replace(at, name.size(), std::to_string(number));
  }

  util::KeyHash hash_{0x5eed};
  Now now_{.ns = 1000 * kSecond + 400'000'000, .unix_ns = 1'767'225'600'000'000'000};
  std::string scratch_;
  stats::CounterBlock counters_;
  Shard shard_{{.memory_bytes_max = 16 << 20, .huge_pages = false, .hash = hash_}, counters_};
  uint64_t unique_ = 0;
};

TEST(OneMeaningTest, EverySpellingHasTheSameEffect) {
  for (const Operation& operation : Operations()) {
    EXPECT_GE(operation.spellings.size(), 2U) << operation.name;
    for (const Spelled& spelled : operation.spellings) {
      SCOPED_TRACE(operation.name + ": " + spelled.wire);
      Cache cache(operation.before);
      EXPECT_EQ(cache.Do(spelled), operation.done);
      EXPECT_EQ(cache.Content(), operation.after);
    }
  }
}

}  // namespace
}  // namespace larder::server
