// Goal: patterns match what they say, and never take long.
#include "util/glob.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace larder::util {
namespace {

TEST(GlobTest, EachSign) {
  EXPECT_TRUE(MatchesGlob("", ""));
  EXPECT_FALSE(MatchesGlob("", "a"));
  EXPECT_TRUE(MatchesGlob("*", ""));
  EXPECT_TRUE(MatchesGlob("h?llo", "hello"));
  EXPECT_FALSE(MatchesGlob("h?llo", "hllo"));
  EXPECT_TRUE(MatchesGlob("h*llo", "heeeello"));
  EXPECT_TRUE(MatchesGlob("h[ae]llo", "hallo"));
  EXPECT_FALSE(MatchesGlob("h[ae]llo", "hillo"));
  EXPECT_FALSE(MatchesGlob("h[^e]llo", "hello"));
  EXPECT_TRUE(MatchesGlob("h[a-c]llo", "hbllo"));
  EXPECT_TRUE(MatchesGlob("h[c-a]llo", "hbllo"));
  EXPECT_TRUE(MatchesGlob("h\\*llo", "h*llo"));
  EXPECT_FALSE(MatchesGlob("h\\*llo", "hello"));
  EXPECT_TRUE(MatchesGlob("[\\]]", "]"));
  EXPECT_TRUE(MatchesGlob("[ab", "b"));
  EXPECT_TRUE(MatchesGlob("a*b*c", "aXbXbXc"));
  EXPECT_FALSE(MatchesGlob("a*b*c", "aXbXbX"));
}

// Without a limit and without a loop: what the loop must agree with.
bool Slowly(std::string_view pattern, std::string_view text) {
  if (pattern.empty()) return text.empty();
  if (pattern.front() == '*') {
    return Slowly(pattern.substr(1), text) || (!text.empty() && Slowly(pattern, text.substr(1)));
  }
  const bool one = !text.empty() && (pattern.front() == '?' || pattern.front() == text.front());
  return one && Slowly(pattern.substr(1), text.substr(1));
}

TEST(GlobTest, AgreesWithTheSlowWay) {
  std::minstd_rand random(1);
  const auto draw = [&](std::string_view signs, size_t bytes) {
    std::string text;
    for (size_t i = 0; i < bytes; ++i) text += signs[random() % signs.size()];
    return text;
  };
  for (int i = 0; i < 20000; ++i) {
    const std::string pattern = draw("ab*?", random() % 7);
    const std::string text = draw("ab", random() % 9);
    EXPECT_EQ(MatchesGlob(pattern, text), Slowly(pattern, text)) << pattern << ' ' << text;
  }
}

TEST(GlobTest, APatternThatNeedsTooLongMatchesNothing) {
  std::string pattern;
  for (int i = 0; i < 20000; ++i) pattern += "a*";
  EXPECT_FALSE(MatchesGlob("*" + std::string(30000, 'a') + "b", std::string(65000, 'a')));
  EXPECT_FALSE(MatchesGlob(pattern + "b", std::string(65535, 'a')));
}

}  // namespace
}  // namespace larder::util
