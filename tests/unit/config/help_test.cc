// Goal: the help and the configuration file say everything that settings.def says, and the file in
// the tree is the generated one.
#include "config/help.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <sstream>
#include <string>

#include "config/config_file.h"
#include "config/memcached_flags.h"
#include "config/settings.h"

namespace larder::config {
namespace {

using ::testing::HasSubstr;

TEST(HelpTest, NamesEveryFlagInEightyColumns) {
  const std::string help = HelpText();
  for (const SettingInfo& info : AllSettings()) {
    const std::string flag = info.flag.empty() ? "    --" : "-" + std::string(info.flag) + ", --";
    EXPECT_THAT(help, HasSubstr("\n  " + flag + std::string(info.long_name) + " "));
  }
  std::istringstream lines(help);
  for (std::string line; std::getline(lines, line);) {
    EXPECT_LE(line.size(), 80U) << line;
    EXPECT_FALSE(line.ends_with(' ')) << line;
  }
}

TEST(HelpTest, BeginsLikeMemcachedsForScriptsThatLook) {
  // Method: what they look for is "memcached", a blank, and the version, alone on a line.
  EXPECT_TRUE(VersionText().starts_with("memcached 1.6.45\nlarderd "));
  EXPECT_TRUE(HelpText().starts_with(VersionText()));
}

// memcached's own test suites ask the help what the server can do.
TEST(HelpTest, PromisesNothing) {
  for (const MemcachedFlag& flag : MemcachedFlags()) {
    EXPECT_TRUE(flag.long_name.empty() ||
                HelpText().find("--" + std::string(flag.long_name)) == std::string::npos)
        << flag.long_name;
  }
  for (const std::string& name : ExtendedNames()) {
    // One is acted on, one is the name of a verb as well.
    if (name == "idle_timeout" || name == "lru_crawler") continue;
    EXPECT_EQ(HelpText().find(name), std::string::npos) << name;
  }
}

TEST(ConfigTemplateTest, TheFileInTheTreeIsGenerated) {
  std::ifstream file(LARDER_SOURCE_DIR "/config/larder.conf", std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  EXPECT_EQ(text, ConfigTemplate()) << "larderd --print-config > config/larder.conf";
}

TEST(ConfigTemplateTest, AsItStandsItSetsNothing) {
  const FileContent content = ParseConfigText(ConfigTemplate());
  EXPECT_TRUE(content.entries.empty());
  EXPECT_FALSE(content.error);
}

// Method: delete the # before every setting, read the file, and find each default.
TEST(ConfigTemplateTest, UncommentedItIsTheDefaults) {
  std::istringstream lines(ConfigTemplate());
  std::string uncommented;
  for (std::string line; std::getline(lines, line);) {
    if (line.size() > 1 && line.front() == '#' && line[1] >= 'a' && line[1] <= 'z')
      line.erase(0, 1);
    uncommented += line + "\n";
  }
  const FileContent content = ParseConfigText(uncommented);
  ASSERT_FALSE(content.error) << content.error->sentence;
  ASSERT_EQ(content.entries.size(), AllSettings().size());
  Settings settings;
  for (size_t i = 0; i < content.entries.size(); ++i) {
    const FileEntry& entry = content.entries[i];
    const SettingInfo& info = AllSettings()[i];
    EXPECT_EQ(entry.name, info.long_name);
    ASSERT_EQ(entry.values.size(), 1U);
    EXPECT_EQ(entry.values.front(), info.default_text);
    EXPECT_TRUE(info.read(info, entry.values.front(), settings)) << entry.name;
  }
  EXPECT_EQ(settings, DefaultSettings());
}

}  // namespace
}  // namespace larder::config
