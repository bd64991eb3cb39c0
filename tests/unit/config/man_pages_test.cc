// Goal: the manual and the completion name every setting and every flag. That man finds nothing to
// complain of is for tests/clients/manual_test.py.
#include "config/man_pages.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "config/help.h"
#include "config/settings.h"

namespace larder::config {
namespace {

using ::testing::HasSubstr;

// As roff has it: a hyphen that is one.
std::string Hyphenated(std::string_view text) {
  std::string out;
  for (const char c : text) out += c == '-' ? "\\-" : std::string(1, c);
  return out;
}

TEST(ManPages, NameEverySettingAndItsDefault) {
  const std::string daemon = DaemonManPage();
  const std::string file = FileManPage();
  for (const SettingInfo& info : AllSettings()) {
    const std::string name = Hyphenated(info.long_name);
    EXPECT_THAT(daemon, HasSubstr("\\fB\\-\\-" + name + "\\fR"));
    EXPECT_THAT(file, HasSubstr(".TP\n\\fB" + name + "\\fR = " + Hyphenated(FileValue(info))));
    EXPECT_THAT(file, HasSubstr("\\fB" + info.Variable() + "\\fR.\n"));
  }
  for (const OtherFlag& other : OtherFlags()) {
    EXPECT_THAT(daemon, HasSubstr("\\fB\\-\\-" + Hyphenated(other.long_name) + "\\fR"));
  }
}

TEST(ManPages, WordsInBackquotesAreBold) {
  EXPECT_THAT(DaemonManPage(), HasSubstr("Refuse \\fBflush_all\\fR."));
  EXPECT_EQ(DaemonManPage().find('`'), std::string::npos);
  EXPECT_EQ(FileManPage().find('`'), std::string::npos);
}

TEST(BashCompletion, KnowsEveryFlagAndTheValuesOfSome) {
  const std::string text = BashCompletion();
  for (const SettingInfo& info : AllSettings()) {
    EXPECT_THAT(text, HasSubstr("--" + std::string(info.long_name)));
  }
  EXPECT_THAT(text, HasSubstr("--io) words='auto uring event'"));
  EXPECT_THAT(text, HasSubstr("--protocol|-B) words='auto ascii binary'"));
}

}  // namespace
}  // namespace larder::config
