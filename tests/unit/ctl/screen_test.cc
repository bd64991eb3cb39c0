// Goal: what a person reads fits 80 columns whatever the numbers; what a program reads is JSON.
#include "ctl/screen.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <sstream>
#include <string>

#include "ctl/json.h"

namespace larder::ctl {
namespace {

using testing::HasSubstr;

void ExpectFits(const std::string& text) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    EXPECT_LE(line.size(), 80U) << line;
    EXPECT_EQ(line.find_first_not_of(" !\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ["
                                     "\\]^_`abcdefghijklmnopqrstuvwxyz{|}~"),
              std::string::npos)
        << line;
  }
}

// With every number as large as it gets.
Figures Huge() {
  Figures figures;
  for (double* number :
       {&figures.gets_per_s, &figures.sets_per_s, &figures.deletes_per_s, &figures.evictions_per_s,
        &figures.expiries_per_s, &figures.received_bytes_per_s, &figures.sent_bytes_per_s,
        &figures.clients_per_s, &figures.items, &figures.live_bytes, &figures.dead_bytes,
        &figures.overhead_bytes, &figures.limit_bytes}) {
    *number = 999.4e12;
  }
  figures.seconds = figures.uptime_s = 9e8;
  figures.clients = figures.clients_max = 10'000'000;
  figures.hit_ratio = 1;
  figures.core_loads.assign(100, 1.0);
  figures.verbs.assign(
      40,
      {.name = "binary " + std::string(60, 'x'), .per_s = 999e12, .mean_s = 0.9994, .p99_s = 1000});
  figures.version = "10.20.30";
  return figures;
}

TEST(TopTextTest, FitsTheTerminal) {
  ExpectFits(TopText(Figures{}, "127.0.0.1:11211"));
  ExpectFits(TopText(Huge(), "127.0.0.1:11211"));
}

TEST(TopTextTest, ShowsWhatThereIs) {
  Figures figures;
  figures.hit_ratio = 0.5;
  figures.limit_bytes = 64 << 20;
  figures.live_bytes = 32 << 20;
  figures.dead_bytes = 16 << 20;
  figures.items = 1234;
  figures.gets_per_s = 12345;
  figures.core_loads = {0.5, 0.25, 0};
  figures.verbs = {{.name = "text get", .per_s = 10, .mean_s = 12e-6, .p99_s = 1.5e-3}};
  const std::string text = TopText(figures, "here:1");
  const std::string half(25, '#');
  EXPECT_THAT(text, HasSubstr(" at here:1, up 00:00:00"));
  EXPECT_THAT(text, HasSubstr("hits    50.0 %  [" + half + std::string(25, '.') + "]"));
  EXPECT_THAT(text, HasSubstr("[" + half + std::string(13, '-') + std::string(12, '.') + "]"));
  EXPECT_THAT(text, HasSubstr("32.0m in 1.23k items"));
  EXPECT_THAT(text, HasSubstr("gets 12.3k/s"));
  EXPECT_THAT(text, HasSubstr("core 0    50 %  [##########..........]"));
  EXPECT_THAT(text, HasSubstr("12 us       1.5 ms\n"));
  EXPECT_THAT(TopText(Figures{}, "x"), HasSubstr("no admin door answers"));
}

TEST(TopJsonTest, HasEveryFigure) {
  Figures figures;
  figures.core_loads = {0.5, 0.25};
  figures.verbs = {{.name = "text get", .per_s = 10, .mean_s = 0.5, .p99_s = 1}};
  const std::string text = TopJson(figures, "here:1");
  EXPECT_THAT(text, HasSubstr("{\"server\": \"here:1\", "));
  EXPECT_THAT(text, HasSubstr("\"core_loads\": [0.5, 0.25]"));
  EXPECT_THAT(text, HasSubstr("{\"name\": \"text get\", \"per_s\": 10, \"mean_s\": 0.5, "));
}

TEST(StatsTest, ChangesPerSecond) {
  const Stats before = {{"a", "10"}, {"b", "x"}, {"c", "5"}, {"gone", "1"}};
  const Stats now = {{"a", "30"}, {"b", "y"}, {"c", "5"}, {"new", "1"}};
  const std::string text = ChangesText(before, now, 2);
  EXPECT_THAT(text, HasSubstr("a    "));
  EXPECT_THAT(text, HasSubstr(" 30 "));
  EXPECT_THAT(text, HasSubstr("+10/s\n"));
  EXPECT_THAT(text, HasSubstr("b  "));
  EXPECT_EQ(text.find("c   "), std::string::npos);
  EXPECT_EQ(text.find("new"), std::string::npos);
  ExpectFits(StatsText(now));
}

TEST(StatsTest, NumbersAreNumbersInJson) {
  EXPECT_EQ(StatsJson({{"n", "-3"}, {"f", "0.5"}, {"v", "1.6.45"}, {"m", "0700"}, {"e", ""}}),
            "{\"n\": -3, \"f\": 0.5, \"v\": \"1.6.45\", \"m\": \"0700\", \"e\": \"\"}\n");
  // A reader's double would make another number of it.
  EXPECT_EQ(JsonValue("18446744073709551615"), "\"18446744073709551615\"");
}

TEST(KeysTest, AKeyIsShownAsItIs) {
  const auto line =
      ParseKeyLine("key=a%20b%25%ff exp=1700000000 la=1 cas=2 fetch=yes cls=1 size=64");
  ASSERT_TRUE(line);
  EXPECT_EQ(line->key, "a b%\xff");
  EXPECT_EQ(KeyText(*line), "        64  1700000000  a b%\\xff\n");
  EXPECT_THAT(KeyJson(*line), HasSubstr("{\"key_base64\": \"YSBiJf8=\", \"item_bytes\": 64, "
                                        "\"expires_at\": 1700000000, \"fetched\": true}"));
  const auto eternal = ParseKeyLine("key=k exp=-1 la=1 cas=2 fetch=no cls=1 size=64");
  ASSERT_TRUE(eternal);
  EXPECT_THAT(KeyText(*eternal), HasSubstr("     never  k\n"));
  EXPECT_THAT(KeyJson(*eternal), HasSubstr("{\"key\": \"k\", "));
  EXPECT_THAT(KeyJson(*eternal), HasSubstr("\"expires_at\": null"));
  for (const char* text : {"", "ERROR", "key", "key=a exp", "exp=1 key=a"}) {
    EXPECT_FALSE(ParseKeyLine(text)) << text;
  }
}

TEST(JsonTest, TextIsEscapedAndMustBeUtf8) {
  EXPECT_EQ(JsonText("a\"b\\c\n\x01"), "\"a\\\"b\\\\c\\u000a\\u0001\"");
  EXPECT_TRUE(IsUtf8("käse €  \xf0\x9f\x98\x80"));
  for (const char* wrong :
       {"\xff", "\xc3", "\xc0\xaf", "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "a\x80"}) {
    EXPECT_FALSE(IsUtf8(wrong)) << JsonText(wrong);
  }
}

}  // namespace
}  // namespace larder::ctl
