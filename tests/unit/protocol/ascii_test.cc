// Goal: the scanners find the same ends, whatever the machine offers, and read no byte that they
// were not given. Method: random bytes in exactly-sized heap blocks, at every length around the
// size of a block, from every start; the byte-by-byte scanner is the oracle.
#include "protocol/ascii.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "fuzz/parser_properties.h"
#include "protocol/ascii_scan_plain.h"

namespace larder::protocol {
namespace {

using ::testing::ElementsAre;
using testing::ExactBytes;

TEST(AsciiScan, AgreesWithThePlainScannerOnRandomBytes) {
  std::mt19937_64 random(1);
  constexpr std::string_view kCandidates = "aaaaaaaaaaaaaz~!\x80\xff\x20\x1f\x7f\r\n";
  for (size_t size = 0; size <= 70; ++size) {
    for (int round = 0; round < 20; ++round) {
      std::string text(size, ' ');
      for (char& c : text) {
        c = kCandidates[random() % kCandidates.size()];
      }
      const ExactBytes bytes(text);
      for (size_t at = 0; at <= size; ++at) {
        ASSERT_EQ(FindKeyEnd(bytes.view(), at), plain::FindKeyEnd(bytes.view(), at));
        ASSERT_EQ(FindBlank(bytes.view(), at), plain::FindBlank(bytes.view(), at));
      }
    }
  }
}

// Each byte value alone, at each position of a block and of the tail behind it.
TEST(AsciiScan, KeyEndsAtBlanksAndControlCharactersOnly) {
  for (int value = 0; value < 256; ++value) {
    const bool ends = value <= 0x20 || value == 0x7f;
    for (size_t position = 0; position < 40; ++position) {
      std::string text(40, 'k');
      text[position] = static_cast<char>(value);
      const ExactBytes bytes(text);
      ASSERT_EQ(FindKeyEnd(bytes.view(), 0), ends ? position : text.size()) << value;
    }
  }
}

TEST(Ascii, LineEndsAreBareOrCarriageReturnNewline) {
  EXPECT_EQ(LineEndAt("a\n", 1), 1U);
  EXPECT_EQ(LineEndAt("a\r\n", 1), 2U);
  EXPECT_EQ(LineEndAt("a\r", 1), 0U);
  EXPECT_EQ(LineEndAt("a\rb", 1), 0U);
  EXPECT_EQ(LineEndAt("a", 1), 0U);
  EXPECT_EQ(LineEndAt("", 0), 0U);
}

TEST(Ascii, KeysAreOneTo250BytesWithoutControlCharacters) {
  using namespace std::string_view_literals;
  EXPECT_TRUE(IsKey("k"));
  EXPECT_TRUE(IsKey(std::string(250, 'k')));
  EXPECT_TRUE(IsKey("\x80\xff\xc3\xa9"));
  EXPECT_FALSE(IsKey(""));
  EXPECT_FALSE(IsKey(std::string(251, 'k')));
  EXPECT_FALSE(IsKey("a b"));
  EXPECT_FALSE(IsKey("a\0b"sv));
  EXPECT_FALSE(IsKey("a\tb"));
  EXPECT_FALSE(IsKey("a\x7f"));
}

std::vector<std::string_view> Split(std::string_view line) {
  const Tokens tokens(line);
  std::vector<std::string_view> all;
  for (size_t i = 0; i < tokens.count(); ++i) {
    all.push_back(tokens[i]);
  }
  EXPECT_TRUE(all.empty() || tokens.last() == all.back());
  return all;
}

TEST(Ascii, SplitsAtBlanksOnly) {
  EXPECT_THAT(Split("set k 0 0 3"), ElementsAre("set", "k", "0", "0", "3"));
  EXPECT_THAT(Split("  set   k  "), ElementsAre("set", "k"));
  EXPECT_THAT(Split("set\tk 0"), ElementsAre("set\tk", "0"));
  EXPECT_THAT(Split(""), ElementsAre());
  EXPECT_THAT(Split("   "), ElementsAre());
}

TEST(Ascii, CountsNoMoreTokensThanItKeeps) {
  EXPECT_EQ(Split("1 2 3 4 5 6 7 8").size(), Tokens::kMax);
  EXPECT_EQ(Split("1 2 3 4 5 6 7 8 9 10 11").size(), Tokens::kMax);
}

TEST(Ascii, KnowsEveryVerbByItsExactSpelling) {
  using namespace std::string_view_literals;
  for (size_t i = 0; i < kVerbCount; ++i) {
    const Verb verb = static_cast<Verb>(i);
    const std::string text(VerbText(verb));
    EXPECT_EQ(VerbOf(text), verb);
    EXPECT_EQ(VerbOf(text + "x"), Verb::kRejected) << text;
    EXPECT_EQ(VerbOf(text + std::string(1, '\0')), Verb::kRejected) << text;
    EXPECT_EQ(VerbOf(text + "\t"), Verb::kRejected) << text;
    std::string upper = text;
    upper[0] = static_cast<char>(upper[0] - 'a' + 'A');
    EXPECT_EQ(VerbOf(upper), Verb::kRejected) << upper;
  }
  for (const std::string_view word : {""sv, "ge"sv, "getss"sv, "flush_al"sv, "flush_alx"sv,
                                      "verbositx"sv, "rejected"sv, "\0\0\0"sv, "mg"sv}) {
    EXPECT_EQ(VerbOf(word), Verb::kRejected) << word;
  }
}

}  // namespace
}  // namespace larder::protocol
