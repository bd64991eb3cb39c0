// Goal: a right reply is understood however it is cut, and nothing else passes for one. Method:
// replies are shown whole and in two pieces cut at every byte, each in an exactly-sized heap block,
// so that AddressSanitizer sees a read of one byte too many; then every byte is changed in turn.
#include "bench/load/dialect.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "gtest/gtest.h"

namespace larder::bench {
namespace {

const KeySpace::Options kOptions = {
    .keys = 1000, .key_size = 6, .value_size_min = 8, .value_size_max = 8};

struct Sum {
  ScanResult result = ScanResult::kNeedMore;
  size_t consumed = 0;
  uint32_t hits = 0;
  uint32_t misses = 0;

  bool operator==(const Sum&) const = default;
};

class DialectTest : public testing::Test {
 protected:
  // Shows `reply` up to each of `cuts`, as a connection does: what was consumed does not come
  // again.
  static Sum ScanInPieces(const Dialect& dialect, const Asked& asked, std::string_view reply,
                          const std::vector<size_t>& cuts) {
    ScanState state;
    Sum sum;
    for (const size_t cut : cuts) {
      const size_t size = cut - sum.consumed;
      const auto block = std::make_unique<char[]>(size);
      reply.substr(sum.consumed, size).copy(block.get(), size);
      const Scanned scanned = dialect.Scan({block.get(), size}, asked, state);
      EXPECT_LE(scanned.consumed, size);
      sum.consumed += scanned.consumed;
      sum.result = scanned.result;
      if (scanned.result != ScanResult::kNeedMore) break;
    }
    sum.hits = state.hits;
    sum.misses = state.misses;
    return sum;
  }

  static Sum ScanAllCuts(const Dialect& dialect, const Asked& asked, std::string_view reply) {
    const Sum whole = ScanInPieces(dialect, asked, reply, {reply.size()});
    std::vector<size_t> every_byte;
    for (size_t cut = 0; cut < reply.size(); ++cut) {
      every_byte.push_back(cut);
      EXPECT_EQ(ScanInPieces(dialect, asked, reply, {cut, reply.size()}), whole) << cut;
    }
    every_byte.push_back(reply.size());
    EXPECT_EQ(ScanInPieces(dialect, asked, reply, every_byte), whole);
    return whole;
  }

  // No reply in which one byte is changed may be taken for a right one with as many hits.
  static void ExpectNoFalseByte(const Dialect& dialect, const Asked& asked,
                                std::string_view reply) {
    const Sum right = ScanInPieces(dialect, asked, reply, {reply.size()});
    ASSERT_EQ(right.result, ScanResult::kDone);
    for (size_t i = 0; i < reply.size(); ++i) {
      std::string wrong(reply);
      wrong[i] = static_cast<char>(wrong[i] ^ 1);
      EXPECT_NE(ScanInPieces(dialect, asked, wrong, {wrong.size()}), right) << wrong;
    }
  }

  const KeySpace keys_{kOptions};
  const std::unique_ptr<Dialect> text_ = MakeTextDialect(keys_);
  const std::unique_ptr<Dialect> meta_ = MakeMetaDialect(keys_);
  const std::unique_ptr<Dialect> binary_ = MakeBinaryDialect(keys_);
  const std::unique_ptr<Dialect> resp_ = MakeRespDialect(keys_);
  const std::vector<uint32_t> one_ = {7};
  const std::vector<uint32_t> three_ = {7, 42, 999};
  const Asked get_one_ = {Operation::kGet, one_};
  const Asked get_three_ = {Operation::kGet, three_};
  const Asked set_one_ = {Operation::kSet, one_};
};

TEST_F(DialectTest, TextRequests) {
  std::string out;
  text_->AppendGet(three_, out);
  text_->AppendSet(42, out);
  EXPECT_EQ(out, "get k00007 k00042 k00999\r\nset k00042 0 0 8\r\nk00042vv\r\n");
}

TEST_F(DialectTest, RespRequests) {
  std::string out;
  resp_->AppendGet(one_, out);
  EXPECT_EQ(out, "*2\r\n$3\r\nGET\r\n$6\r\nk00007\r\n");
  out.clear();
  resp_->AppendGet(three_, out);
  EXPECT_EQ(out, "*4\r\n$4\r\nMGET\r\n$6\r\nk00007\r\n$6\r\nk00042\r\n$6\r\nk00999\r\n");
  out.clear();
  resp_->AppendSet(42, out);
  EXPECT_EQ(out, "*3\r\n$3\r\nSET\r\n$6\r\nk00042\r\n$8\r\nk00042vv\r\n");
  out.clear();
  ASSERT_TRUE(resp_->HasMultiSet());
  EXPECT_FALSE(text_->HasMultiSet());
  resp_->AppendMultiSet({three_.data(), 2}, out);
  EXPECT_EQ(out,
            "*5\r\n$4\r\nMSET\r\n$6\r\nk00007\r\n$8\r\nk00007vv\r\n"
            "$6\r\nk00042\r\n$8\r\nk00042vv\r\n");
}

TEST_F(DialectTest, MetaRequests) {
  std::string out;
  meta_->AppendGet(three_, out);
  meta_->AppendSet(42, out);
  EXPECT_EQ(out, "mg k00007 v\r\nmg k00042 v\r\nmg k00999 v\r\nms k00042 8\r\nk00042vv\r\n");
}

TEST_F(DialectTest, MetaReplies) {
  const std::string hit = "VA 8\r\nk00007vv\r\n";
  const std::string last = "VA 8\r\nk00999vv\r\n";
  EXPECT_EQ(ScanAllCuts(*meta_, get_one_, hit), (Sum{ScanResult::kDone, hit.size(), 1, 0}));
  EXPECT_EQ(ScanAllCuts(*meta_, get_three_, hit + "EN\r\n" + last),
            (Sum{ScanResult::kDone, hit.size() + 4 + last.size(), 2, 1}));
  EXPECT_EQ(ScanAllCuts(*meta_, set_one_, "HD\r\n"), (Sum{ScanResult::kDone, 4, 0, 0}));
  EXPECT_EQ(ScanAllCuts(*meta_, set_one_, "NS\r\n").result, ScanResult::kRefused);
  EXPECT_EQ(ScanAllCuts(*meta_, get_one_, "CLIENT_ERROR bad command line format\r\n").result,
            ScanResult::kRefused);
  ExpectNoFalseByte(*meta_, get_three_, hit + "EN\r\n" + last);
  ExpectNoFalseByte(*meta_, set_one_, "HD\r\n");
}

std::string BinaryReply(char opcode, char status, std::string_view body) {
  std::string reply(24, '\0');
  reply[0] = '\x81';
  reply[1] = opcode;
  reply[4] = opcode == 0 && status == 0 ? 4 : 0;
  reply[7] = status;
  reply[11] = static_cast<char>(body.size());
  return reply.append(body);
}

TEST_F(DialectTest, BinaryRequests) {
  std::string out;
  binary_->AppendGet(one_, out);
  binary_->AppendSet(42, out);
  const std::string get = std::string("\x80\0\0\6\0\0\0\0\0\0\0\6", 12) + std::string(12, '\0');
  const std::string set = std::string("\x80\1\0\6\10\0\0\0\0\0\0\26", 12) + std::string(20, '\0');
  EXPECT_EQ(out, get + "k00007" + set + "k00042k00042vv");
}

TEST_F(DialectTest, BinaryReplies) {
  const std::string flags(4, '\0');
  const std::string hit = BinaryReply(0, 0, flags + "k00007vv");
  const std::string miss = BinaryReply(0, 1, "Not found");
  const std::string last = BinaryReply(0, 0, flags + "k00999vv");
  const std::string stored = BinaryReply(1, 0, "");
  EXPECT_EQ(ScanAllCuts(*binary_, get_one_, hit), (Sum{ScanResult::kDone, hit.size(), 1, 0}));
  EXPECT_EQ(ScanAllCuts(*binary_, get_three_, hit + miss + last),
            (Sum{ScanResult::kDone, hit.size() + miss.size() + last.size(), 2, 1}));
  EXPECT_EQ(ScanAllCuts(*binary_, set_one_, stored), (Sum{ScanResult::kDone, 24, 0, 0}));
  EXPECT_EQ(ScanAllCuts(*binary_, set_one_, BinaryReply(1, 3, "Too large.")).result,
            ScanResult::kRefused);
  for (size_t i = 0; i < hit.size(); ++i) {
    const bool ours = i >= 16 && i < 24;    // the CAS unique may be any
    const bool unread = i >= 24 && i < 28;  // and so may the client flags
    if (ours || unread) continue;
    std::string wrong = hit;
    wrong[i] = static_cast<char>(wrong[i] ^ 2);
    EXPECT_NE(ScanInPieces(*binary_, get_one_, wrong, {wrong.size()}).result, ScanResult::kDone)
        << i;
  }
}

TEST_F(DialectTest, TextHitsAndMisses) {
  const std::string hit = "VALUE k00007 0 8\r\nk00007vv\r\n";
  const std::string last = "VALUE k00999 0 8\r\nk00999vv\r\n";
  EXPECT_EQ(ScanAllCuts(*text_, get_one_, hit + "END\r\n"),
            (Sum{ScanResult::kDone, hit.size() + 5, 1, 0}));
  EXPECT_EQ(ScanAllCuts(*text_, get_one_, "END\r\n"), (Sum{ScanResult::kDone, 5, 0, 1}));
  EXPECT_EQ(ScanAllCuts(*text_, get_three_, hit + last + "END\r\n"),
            (Sum{ScanResult::kDone, hit.size() + last.size() + 5, 2, 1}));
  EXPECT_EQ(ScanAllCuts(*text_, get_three_, hit + "END\r\n"),
            (Sum{ScanResult::kDone, hit.size() + 5, 1, 2}));
  EXPECT_EQ(ScanAllCuts(*text_, set_one_, "STORED\r\n"), (Sum{ScanResult::kDone, 8, 0, 0}));
}

TEST_F(DialectTest, TextTakesOnlyItsOwnReplyFromAPipeline) {
  const std::string bytes = "END\r\nSTORED\r\nEND\r\n";
  EXPECT_EQ(ScanInPieces(*text_, get_one_, bytes, {bytes.size()}).consumed, 5U);
}

TEST_F(DialectTest, TextErrorsAreRefusals) {
  for (const std::string error : {"ERROR\r\n", "SERVER_ERROR out of memory storing object\r\n",
                                  "CLIENT_ERROR line too long\r\n"}) {
    EXPECT_EQ(ScanAllCuts(*text_, set_one_, error),
              (Sum{ScanResult::kRefused, error.size(), 0, 0}));
    EXPECT_EQ(ScanAllCuts(*text_, get_one_, error),
              (Sum{ScanResult::kRefused, error.size(), 0, 0}));
  }
  EXPECT_EQ(ScanAllCuts(*text_, set_one_, "NOT_STORED\r\n").result, ScanResult::kRefused);
}

TEST_F(DialectTest, TextWrongRepliesAreBroken) {
  for (const std::string wrong :
       {"VALUE k00008 0 8\r\nk00008vv\r\nEND\r\n",    // another key
        "VALUE k00007 0 8\r\nk00008vv\r\nEND\r\n",    // another key's value
        "VALUE k00007 0 7\r\nk00007v\r\nEND\r\n",     // too short
        "VALUE k00007 0 8\r\nk00007vvvEND\r\n",       // no end
        "VALUE k00007 1 8\r\nk00007vv\r\nEND\r\n",    // flags nobody set
        "VALUE k00007 0 8 5\r\nk00007vv\r\nEND\r\n",  // a CAS unique nobody asked for
        "STORED\r\n", "$-1\r\n", "\r\n"}) {
    EXPECT_EQ(ScanInPieces(*text_, get_one_, wrong, {wrong.size()}).result, ScanResult::kBroken)
        << wrong;
  }
  const std::string order =
      "VALUE k00042 0 8\r\nk00042vv\r\nVALUE k00007 0 8\r\nk00007vv\r\nEND\r\n";
  EXPECT_EQ(ScanInPieces(*text_, get_three_, order, {order.size()}).result, ScanResult::kBroken);
  EXPECT_EQ(ScanInPieces(*text_, set_one_, "END\r\n", {5}).result, ScanResult::kBroken);
}

TEST_F(DialectTest, RespHitsAndMisses) {
  const std::string hit = "$8\r\nk00007vv\r\n";
  EXPECT_EQ(ScanAllCuts(*resp_, get_one_, hit), (Sum{ScanResult::kDone, hit.size(), 1, 0}));
  EXPECT_EQ(ScanAllCuts(*resp_, get_one_, "$-1\r\n"), (Sum{ScanResult::kDone, 5, 0, 1}));
  const std::string three = "*3\r\n" + hit + "$-1\r\n$8\r\nk00999vv\r\n";
  EXPECT_EQ(ScanAllCuts(*resp_, get_three_, three), (Sum{ScanResult::kDone, three.size(), 2, 1}));
  EXPECT_EQ(ScanAllCuts(*resp_, set_one_, "+OK\r\n"), (Sum{ScanResult::kDone, 5, 0, 0}));
}

TEST_F(DialectTest, RespErrorsAreRefusalsAndTheRestIsBroken) {
  EXPECT_EQ(ScanAllCuts(*resp_, set_one_, "-OOM command not allowed\r\n").result,
            ScanResult::kRefused);
  EXPECT_EQ(ScanAllCuts(*resp_, get_three_, "-ERR no\r\n").result, ScanResult::kRefused);
  for (const std::string wrong : {"+OK\r\n", "$8\r\nk00008vv\r\n", "$7\r\nk00007v\r\n",
                                  "$8\r\nk00007vvvv", "*1\r\n$8\r\nk00007vv\r\n", "END\r\n"}) {
    EXPECT_EQ(ScanInPieces(*resp_, get_one_, wrong, {wrong.size()}).result, ScanResult::kBroken)
        << wrong;
  }
}

TEST_F(DialectTest, AChangedByteIsNeverARightReply) {
  ExpectNoFalseByte(*text_, get_one_, "VALUE k00007 0 8\r\nk00007vv\r\nEND\r\n");
  ExpectNoFalseByte(*text_, set_one_, "STORED\r\n");
  ExpectNoFalseByte(*resp_, get_three_, "*3\r\n$8\r\nk00007vv\r\n$-1\r\n$8\r\nk00999vv\r\n");
  ExpectNoFalseByte(*resp_, set_one_, "+OK\r\n");
}

TEST_F(DialectTest, EndlessLinesAreBroken) {
  const std::string error = "SERVER_ERROR " + std::string(2 * kErrorLineBytesMax, 'x');
  EXPECT_EQ(ScanInPieces(*text_, set_one_, error, {error.size()}).result, ScanResult::kBroken);
  const std::string resp = "-" + std::string(2 * kErrorLineBytesMax, 'x');
  EXPECT_EQ(ScanInPieces(*resp_, set_one_, resp, {resp.size()}).result, ScanResult::kBroken);
}

TEST(KeySpaceTest, ValuesKeepTheirSizeAndBelongToTheirKey) {
  const KeySpace keys({.keys = 500, .key_size = 10, .value_size_min = 0, .value_size_max = 40});
  std::vector<bool> seen(41);
  for (uint32_t key = 0; key < keys.Keys(); ++key) {
    std::string value;
    keys.AppendValue(key, value);
    ASSERT_EQ(value.size(), keys.ValueSize(key));
    ASSERT_LE(value.size(), 40U);
    seen[value.size()] = true;
    EXPECT_TRUE(keys.IsValue(key, value));
    EXPECT_FALSE(keys.IsValue(key, value + "v"));
    if (!value.empty()) {
      value.back() = '!';
      EXPECT_FALSE(keys.IsValue(key, value));
    }
  }
  for (size_t size = 0; size < seen.size(); ++size) EXPECT_TRUE(seen[size]) << size;
}

TEST(KeySpaceTest, ShortestKeysHoldAllNumbers) {
  EXPECT_EQ(KeySpace::KeySizeMin(1), 2U);
  EXPECT_EQ(KeySpace::KeySizeMin(10), 2U);
  EXPECT_EQ(KeySpace::KeySizeMin(11), 3U);
  EXPECT_EQ(KeySpace::KeySizeMin(UINT32_MAX), 11U);
}

}  // namespace
}  // namespace larder::bench
