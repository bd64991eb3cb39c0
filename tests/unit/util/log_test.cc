// Goal: a line is one line whatever is in it, and levels hold.
#include "util/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

namespace larder::util {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;

TEST(LogTest, ALineHasTimeLevelAndMessage) {
  std::ostringstream out;
  Log log(LogLevel::kInfo, out);
  log.Warn("disk is {} % full");
  EXPECT_THAT(out.str(), MatchesRegex("[0-9]+-[0-9]+-[0-9]+ [0-9]+:[0-9]+:[0-9]+\\.[0-9]+ warning: "
                                      "disk is \\{\\} % full\n"));
}

TEST(LogTest, LevelsBelowTheChosenOneAreSilent) {
  std::ostringstream out;
  Log log(LogLevel::kWarn, out);
  log.Error("an error");
  log.Warn("a warning");
  log.Info("an info");
  log.Debug("a debug line");
  EXPECT_THAT(out.str(), HasSubstr(" error: an error\n"));
  EXPECT_THAT(out.str(), HasSubstr(" warning: a warning\n"));
  EXPECT_THAT(out.str(), Not(HasSubstr("info")));
  EXPECT_THAT(out.str(), Not(HasSubstr("debug")));
  EXPECT_FALSE(log.Shows(LogLevel::kInfo));
}

TEST(LogTest, TheCuriousSeeAll) {
  std::ostringstream out;
  Log log(LogLevel::kDebug, out);
  EXPECT_TRUE(log.Shows(LogLevel::kDebug));
  log.Debug("a debug line");
  EXPECT_THAT(out.str(), HasSubstr(" debug: a debug line\n"));
}

TEST(LogTest, TheJournalIsToldPriorities) {
  std::ostringstream out;
  Log log(LogLevel::kDebug, out, LogForm::kJournal);
  log.Error("one");
  log.Warn("two\n<0>forged");
  log.Info("three");
  log.Debug("four");
  EXPECT_EQ(out.str(), "<3>one\n<4>two\\n<0>forged\n<6>three\n<7>four\n");
}

TEST(LogTest, TheJournalIsKnownByItsStream) {
  EXPECT_EQ(LogFormOf("9:1234", 9, 1234), LogForm::kJournal);
  EXPECT_EQ(LogFormOf("9:1234", 9, 12345), LogForm::kDated) << "stderr is another by now";
  EXPECT_EQ(LogFormOf("9:1234", 8, 1234), LogForm::kDated);
  EXPECT_EQ(LogFormOf("", 9, 1234), LogForm::kDated);
  EXPECT_EQ(LogFormOf(nullptr, 9, 1234), LogForm::kDated);
}

TEST(LogTest, AFloodIsDammedAndCounted) {
  std::ostringstream out;
  uint64_t now_ns = 1;
  Log log(LogLevel::kInfo, out, LogForm::kJournal, [&] { return now_ns; });
  const auto lines = [&] {
    const std::string text = out.str();
    return std::count(text.begin(), text.end(), '\n');
  };
  for (int i = 0; i < 1000; ++i) log.Info("flood");
  EXPECT_EQ(lines(), 200);
  log.Debug("not shown, and not counted");
  now_ns += 99'999'999;
  log.Info("too early");
  EXPECT_EQ(lines(), 200);
  now_ns += 1;
  log.Info("again");
  EXPECT_THAT(out.str(), EndsWith("<4>801 lines were not written: too many\n<6>again\n"));
  now_ns += 3'600'000'000'000;
  for (int i = 0; i < 1000; ++i) log.Info("flood");
  EXPECT_EQ(lines(), 402);
}

TEST(LogTest, NobodyForgesALine) {
  std::ostringstream out;
  Log log(LogLevel::kInfo, out);
  log.Info("one\n2026-01-01 error: two\x1b[31m\x7f");
  EXPECT_THAT(out.str(), HasSubstr("one\\n2026-01-01 error: two\\x1b[31m\\x7f\n"));
  const std::string text = out.str();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1);
}

TEST(LogTest, OurOwnWordsKeepTheirLetters) { EXPECT_EQ(EscapedControls("a…\\\n"), "a…\\\\n"); }

TEST(LogTest, ThreadsWriteWholeLines) {
  std::ostringstream out;
  Log log(LogLevel::kInfo, out);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&log] {
      for (int i = 0; i < 50; ++i) log.Info("whole");
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::istringstream lines(out.str());
  int count = 0;
  for (std::string line; std::getline(lines, line); ++count) {
    EXPECT_TRUE(line.ends_with(" info: whole")) << line;
  }
  EXPECT_EQ(count, 200);
}

TEST(LogTest, VerbosityBringsDebug) {
  EXPECT_EQ(LevelOfVerbosity(0), LogLevel::kInfo);
  EXPECT_EQ(LevelOfVerbosity(1), LogLevel::kDebug);
  EXPECT_EQ(LevelOfVerbosity(3), LogLevel::kDebug);
}

TEST(LogTest, BytesOfClientsAreEscapedAndBounded) {
  EXPECT_EQ(Escaped(std::string_view("a\0\r\n\t\\\x7f\xff z", 10)),
            "a\\x00\\r\\n\\t\\\\\\x7f\\xff z");
  EXPECT_EQ(Quoted("key"), "\"key\"");
  EXPECT_EQ(Quoted(""), "\"\"");
  EXPECT_EQ(Quoted(std::string(64, 'x')), "\"" + std::string(64, 'x') + "\"");
  EXPECT_EQ(Quoted(std::string(300, 'x'), 3), "\"xxx\"… (300 bytes)");
  EXPECT_EQ(Quoted("\xff\xff", 1), "\"\\xff\"… (2 bytes)");
}

}  // namespace
}  // namespace larder::util
