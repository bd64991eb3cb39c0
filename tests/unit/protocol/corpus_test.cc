// Goal: what a fuzzer has found, or was given to begin with, keeps its promises in every build.
//
// Method: each file of tests/corpus/text, binary and resp is the input of one connection. It is
// shown whole, in cuts, and in every prefix; lines also at the start of each.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <iterator>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "fuzz/parser_properties.h"
#include "protocol/codec.h"

namespace larder::protocol {
namespace {

std::vector<std::filesystem::path> CorpusFiles(const std::string& protocol = "text") {
  std::vector<std::filesystem::path> files;
  for (const auto& entry :
       std::filesystem::directory_iterator(LARDER_SOURCE_DIR "/tests/corpus/" + protocol)) {
    files.push_back(entry.path());
  }
  return files;
}

std::string Content(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file.is_open()) << path;
  return {std::istreambuf_iterator<char>(file), {}};
}

constexpr ParserLimits kLimits = {.item_bytes_max = 1000};

TEST(TextCorpus, IsThere) { EXPECT_GE(CorpusFiles().size(), 20U); }

TEST(TextCorpus, CutAtEveryByteGivesTheSameCommands) {
  for (const auto& path : CorpusFiles()) {
    SCOPED_TRACE(path);
    const std::string content = Content(path);
    testing::Client whole(CodecOf(Protocol::kText), kLimits);
    whole.Receive(content);
    testing::Client cut(CodecOf(Protocol::kText), kLimits);
    for (const char& byte : content) {
      cut.Receive({&byte, 1});
    }
    EXPECT_TRUE(whole == cut);
    EXPECT_TRUE(whole.closed() || !whole.commands().empty());
  }
}

TEST(TextCorpus, EveryPrefixWaitsOrSaysTheSame) {
  const Resume line_start = {Resume::At::kLineStart, Verb::kRejected, 0};
  for (const auto& path : CorpusFiles()) {
    SCOPED_TRACE(path);
    const std::string content = Content(path);
    for (size_t size = 1; size < content.size(); ++size) {
      testing::CheckPrefix(CodecOf(Protocol::kText), content, size, Resume{}, kLimits);
    }
    for (size_t line = content.find('\n'); line != std::string::npos;
         line = content.find('\n', line + 1)) {
      const std::string_view rest = std::string_view{content}.substr(line + 1, 2100);
      for (size_t size = 1; size < rest.size(); ++size) {
        testing::CheckPrefix(CodecOf(Protocol::kText), rest, size, line_start, kLimits);
      }
    }
  }
}

// Of a protocol whose every prefix may be tried.
void ExpectPromisesKept(const std::string& folder, std::initializer_list<Protocol> protocols) {
  for (const auto& path : CorpusFiles(folder)) {
    SCOPED_TRACE(path);
    const std::string content = Content(path);
    std::minstd_rand random(testing::SeedOf(content));
    for (const Protocol protocol : protocols) {
      for (int round = 0; round < 20; ++round) {
        testing::CheckConnection(CodecOf(protocol), content, kLimits, random);
      }
      for (size_t size = 1; size < content.size(); ++size) {
        testing::CheckPrefix(CodecOf(protocol), content, size, Resume{}, kLimits);
      }
    }
  }
}

TEST(BinaryCorpus, KeepsItsPromises) {
  EXPECT_GE(CorpusFiles("binary").size(), 25U);
  ExpectPromisesKept("binary", {Protocol::kBinary, Protocol::kLockedBinary});
}

TEST(RespCorpus, KeepsItsPromises) {
  EXPECT_GE(CorpusFiles("resp").size(), 40U);
  ExpectPromisesKept("resp", {Protocol::kResp2, Protocol::kLockedResp2, Protocol::kResp3});
}

}  // namespace
}  // namespace larder::protocol
