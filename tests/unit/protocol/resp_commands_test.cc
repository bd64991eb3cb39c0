// Goal: every command of Redis that is understood is found by its name, and docs/redis-subset.md
// tells them all.
#include "protocol/resp_commands.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <map>
#include <string>

namespace larder::protocol {
namespace {

TEST(RespCommandsTest, EveryNameIsFoundInAnyCase) {
  for (size_t id = 0; id < kRespCommandCount; ++id) {
    std::string name(RespCommands()[id].name);
    EXPECT_EQ(RespCommandOf(name), static_cast<RespCommand>(id)) << name;
    for (char& c : name) c = static_cast<char>(c & ~0x20);
    EXPECT_EQ(RespCommandOf(name), static_cast<RespCommand>(id)) << name;
    EXPECT_TRUE(IsWord(name, RespCommands()[id].name));
    EXPECT_EQ(RespCommandOf(name + "X"), RespCommand::kUnknown) << name;
  }
  EXPECT_EQ(RespCommandOf(""), RespCommand::kUnknown);
  EXPECT_EQ(RespCommandOf(std::string(100, 'g')), RespCommand::kUnknown);
}

TEST(RespCommandsTest, TheDocumentTellsThemAll) {
  std::ifstream file(LARDER_SOURCE_DIR "/docs/redis-subset.md", std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  std::map<std::string, std::string> groups;
  for (const RespCommandInfo& info : RespCommands()) {
    std::string name(info.name);
    for (char& c : name) c = static_cast<char>(c & ~0x20);
    groups[std::string(info.group)] += "| " + name + " | " + std::string(info.summary) + " |\n";
  }
  std::string table;
  for (const auto& [group, lines] : groups) {
    table += "\n### " + group + "\n\n| command | |\n|---|---|\n" + lines;
  }
  const size_t begin = text.find("\n### ");
  ASSERT_NE(begin, std::string::npos);
  EXPECT_EQ(text.substr(begin, table.size()), table) << "what stands there should be:\n" << table;
}

}  // namespace
}  // namespace larder::protocol
