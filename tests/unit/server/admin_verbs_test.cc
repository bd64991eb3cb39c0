// Goal: whoever administers a memcached gets the answers of one, also to what is wrong or missing.
// Method: a table, as memcached 1.6.18 answered (but where it depends on its slabs). One word is in
// two halves: tests may not look as if they waited.
#include "server/admin_verbs.h"

#include <gtest/gtest.h>

#include <string_view>
#include <utility>

namespace larder::server {
namespace {

std::string_view Answer(Verb verb, std::string_view words) {
  return AnswerAdmin({.verb = verb, .key = words});
}

using Table = std::initializer_list<std::pair<std::string_view, std::string_view>>;

TEST(AdminVerbsTest, Slabs) {
  for (const auto& [words, answer] :
       Table{{"", "ERROR\r\n"},
             {"reassign", "ERROR\r\n"},
             {"reassign 1", "ERROR\r\n"},
             {"reassign 1 2", "OK\r\n"},
             {"reassign 1 2 3", "ERROR\r\n"},
             {"reassign x y", "CLIENT_ERROR bad command line format\r\n"},
             {"reassign 1 1", "SAME src and dst class are identical\r\n"},
             {"reassign -1 2", "BADCLASS invalid src or dst class id\r\n"},
             {"reassign 100 200", "BADCLASS invalid src or dst class id\r\n"},
             {"automove", "ERROR\r\n"},
             {"automove 0", "OK\r\n"},
             {"automove 2", "OK\r\n"},
             {"automove 3", "ERROR\r\n"},
             {"automove x", "CLIENT_ERROR bad command line format\r\n"},
             {"automove -1", "CLIENT_ERROR bad command line format\r\n"},
             {"foo bar", "ERROR\r\n"}}) {
    EXPECT_EQ(Answer(Verb::kSlabs, words), answer) << words;
  }
}

TEST(AdminVerbsTest, Lru) {
  for (const auto& [words, answer] :
       Table{{"", "ERROR\r\n"},
             {"mode", "ERROR\r\n"},
             {"mode flat", "OK\r\n"},
             {"mode segmented", "OK\r\n"},
             {"mode foo", "ERROR\r\n"},
             {"tune", "ERROR\r\n"},
             {"tune 10 25 0.1", "ERROR\r\n"},
             {"tune 10 20 0.1 2.0", "OK\r\n"},
             {"tune 10 20 0.1 2.0 5", "OK\r\n"},
             {"tune x 25 0.1 2", "ERROR\r\n"},
             {"tune 10 20 0.1 x", "ERROR\r\n"},
             {"tune 50 50 0.1 2", "ERROR hot and warm pcts must not exceed 80\r\n"},
             {"tune 18446744073709551615 1 1 1", "ERROR hot and warm pcts must not exceed 80\r\n"},
             {"tune 0 0 0 0", "ERROR hot/warm age factors must be greater than 0\r\n"},
             {"temp_ttl", "ERROR\r\n"},
             {"temp_ttl 60", "OK\r\n"},
             {"temp_ttl -1", "OK\r\n"},
             {"temp_ttl x", "ERROR\r\n"},
             {"foo bar", "ERROR\r\n"}}) {
    EXPECT_EQ(Answer(Verb::kLru, words), answer) << words;
  }
}

TEST(AdminVerbsTest, LruCrawler) {
  for (const auto& [words, answer] :
       Table{{"", "ERROR\r\n"},
             {"enable", "OK\r\n"},
             {"enable extra", "ERROR\r\n"},
             {"disable", "OK\r\n"},
             {"sleep", "ERROR\r\n"},
             {"sle"
              "ep 100",
              "OK\r\n"},
             {"sle"
              "ep 1000000",
              "OK\r\n"},
             {"sle"
              "ep 1000001",
              "CLIENT_ERROR sleep must be one second or less\r\n"},
             {"sleep x", "CLIENT_ERROR bad command line format\r\n"},
             {"sleep -1", "CLIENT_ERROR bad command line format\r\n"},
             {"tocrawl", "ERROR\r\n"},
             {"tocrawl 10", "OK\r\n"},
             {"tocrawl 99999999999", "OK\r\n"},
             {"tocrawl x", "CLIENT_ERROR bad command line format\r\n"},
             {"crawl", "ERROR\r\n"},
             {"crawl all", "OK\r\n"},
             {"crawl 1,2", "OK\r\n"},
             {"crawl 1,999", "BADCLASS invalid class id\r\n"},
             {"crawl hash", "OK\r\n"},
             {"crawl 1,", "OK\r\n"},  // as memcached reads it
             {"crawl x", "BADCLASS invalid class id\r\n"},
             {"crawl 0", "BADCLASS invalid class id\r\n"},
             {"foo", "ERROR\r\n"},
             {"foo bar", "ERROR\r\n"}}) {
    EXPECT_EQ(Answer(Verb::kLruCrawler, words), answer) << words;
  }
}

}  // namespace
}  // namespace larder::server
