// Goal: Debian's memcached.conf is split as Debian's scripts and their shell split it; whatever
// they would have done and we do not, is an error with its line.
#include "config/memcached_conf.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace larder::config {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// "line: word|word" for each line with flags.
std::vector<std::string> Lines(std::string_view text) {
  const MemcachedConf conf = ParseMemcachedConf(text);
  EXPECT_FALSE(conf.error) << conf.error->sentence;
  std::vector<std::string> lines;
  for (const MemcachedConfLine& line : conf.lines) {
    std::string shown = std::to_string(line.line) + ":";
    for (const std::string& word : line.words) shown += " |" + word + "|";
    lines.push_back(shown);
  }
  return lines;
}

TEST(MemcachedConfTest, ALineIsAFlagAndItsValue) {
  EXPECT_THAT(Lines("-d\n-m 64\n\n  -p\t11211  \r\n-vv -c 10"),
              ElementsAre("1: |-d|", "2: |-m| |64|", "4: |-p| |11211|", "5: |-vv| |-c| |10|"));
  EXPECT_THAT(Lines(""), IsEmpty());
  EXPECT_THAT(Lines("\n\n \n"), IsEmpty());
}

TEST(MemcachedConfTest, CommentsEndWithTheLine) {
  EXPECT_THAT(Lines("# -m 1\n-m 2 # two\n-u a#b\n-u a\\#b\n-u 'a#b'"),
              ElementsAre("2: |-m| |2|", "3: |-u| |a|", "4: |-u| |a#b|", "5: |-u| |a#b|"));
}

TEST(MemcachedConfTest, QuotesAreThoseOfAShell) {
  EXPECT_THAT(
      Lines("-s '/a b\\'\n-s \"/a \\\"b\\\" \\c\"\n-s /a\\ b\n-D ''\n-l [::1]:2\n-u a'b'\"c\""),
      ElementsAre("1: |-s| |/a b\\|", "2: |-s| |/a \"b\" \\c|", "3: |-s| |/a b|", "4: |-D| ||",
                  "5: |-l| |[::1]:2|", "6: |-u| |abc|"));
  EXPECT_THAT(Lines("-l '*'\n-D '$'\n-D \\;"),
              ElementsAre("1: |-l| |*|", "2: |-D| |$|", "3: |-D| |;|"));
}

TEST(MemcachedConfTest, TheLogfileOfOldScriptsIsPassedOver) {
  EXPECT_THAT(Lines("logfile /var/log/memcached.log\nlogfile\n-m 1"), ElementsAre("3: |-m| |1|"));
}

TEST(MemcachedConfTest, ErrorsHaveTheirLine) {
  const std::map<std::string_view, std::string_view> cases{
      {"-m 64\nmemory 64", "2: \"memory\" is no flag; give memcached's flags, such as -m 64"},
      {"\n-s '/a", "2: a quoted text has no end; close it with '"},
      {"-s \"/a", "1: a quoted text has no end; close it with \""},
      {"-s \"/a\\", "1: a quoted text has no end; close it with \""},
      {"-s /a\\", "1: \\ ends the line; put the value on the same line"},
      {"-m $SIZE",
       "1: \"$\" is for a shell, and none reads this file; put it in single quotes to "
       "have it as it is"},
      {"-m \"$SIZE\"",
       "1: \"$\" is for a shell, and none reads this file; put it in single quotes "
       "to have it as it is"},
      {"-m 64;reboot",
       "1: \";\" is for a shell, and none reads this file; put it in single quotes "
       "to have it as it is"},
      {"-l *",
       "1: \"*\" is for a shell, and none reads this file; put it in single quotes to have "
       "it as it is"},
  };
  for (const auto& [text, expected] : cases) {
    const MemcachedConf conf = ParseMemcachedConf(text);
    ASSERT_TRUE(conf.error) << text;
    EXPECT_EQ(std::to_string(conf.error->line) + ": " + conf.error->sentence, expected) << text;
  }
}

TEST(MemcachedConfTest, LinesBeforeAnErrorAreThere) {
  const MemcachedConf conf = ParseMemcachedConf("-m 64\n-p 'x");
  ASSERT_TRUE(conf.error);
  ASSERT_EQ(conf.lines.size(), 1U);
  EXPECT_THAT(conf.lines[0].words, ElementsAre("-m", "64"));
}

}  // namespace
}  // namespace larder::config
