// Goal: verbs that take a value apart do so for any positions that can be asked for.
// Method: a short value, and positions around its ends and at the ends of what numbers can be.
#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <string>

#include "engine_fixture.h"

namespace larder::engine {
namespace {

constexpr int64_t kFirstOfAll = std::numeric_limits<int64_t>::min();
constexpr int64_t kLastOfAll = std::numeric_limits<int64_t>::max();

class StringTest : public EngineTest {
 protected:
  std::string Range(std::string_view key, int64_t first, int64_t last) {
    const Extras extras = {.first = first, .last = last};
    return std::string(Do({.verb = Verb::kRange, .key = key, .extras = &extras}).value);
  }
};

TEST_F(StringTest, ARangeIsWhatTheValueHasOfIt) {
  Set("k", "value");
  const struct {
    int64_t first;
    int64_t last;
    std::string part;
  } kRanges[] = {{0, -1, "value"},
                 {1, 2, "al"},
                 {-2, -1, "ue"},
                 {-1, -2, ""},
                 {4, 100, "e"},
                 {5, 5, ""},
                 {-100, 0, "v"},
                 {-100, -50, "v"},
                 {0, kLastOfAll, "value"},
                 {kFirstOfAll, kLastOfAll, "value"},
                 {kFirstOfAll, kFirstOfAll, "v"},
                 {kLastOfAll, kLastOfAll, ""},
                 {kLastOfAll, kFirstOfAll, ""}};
  for (const auto& range : kRanges) {
    EXPECT_EQ(Range("k", range.first, range.last), range.part) << range.first << " " << range.last;
  }
}

TEST_F(StringTest, NothingHasNoRanges) {
  Set("empty", "");
  for (const char* key : {"empty", "none"}) {
    EXPECT_EQ(Range(key, 0, -1), "");
    EXPECT_EQ(Range(key, kFirstOfAll, kLastOfAll), "");
  }
}

}  // namespace
}  // namespace larder::engine
