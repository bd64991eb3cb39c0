// Goal: a user and the right password match, anything else does not, whoever asks while the users
// are replaced; a wrong file says which line and what would be right.
#include "server/credentials.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

namespace larder::server {
namespace {

using testing::HasSubstr;
using User = ServerOptions::User;

TEST(CredentialsTest, OnlyAUserWithTheRightPasswordMatches) {
  const std::vector<User> users = {{"alice", "secret"}, {"bob", "hunter2"}, {"c", "d:e f"}};
  const Credentials credentials(users);
  EXPECT_TRUE(credentials.Matches("alice", "secret"));
  EXPECT_TRUE(credentials.Matches("bob", "hunter2"));
  EXPECT_TRUE(credentials.Matches("c", "d:e f"));
  for (const auto& [name, password] :
       std::vector<std::pair<std::string_view, std::string_view>>{{"alice", "hunter2"},
                                                                  {"bob", "secret"},
                                                                  {"alice", "secre"},
                                                                  {"alice", "secrett"},
                                                                  {"alic", "secret"},
                                                                  {"alicea", "secret"},
                                                                  {"Alice", "secret"},
                                                                  {"alice", ""},
                                                                  {"", "secret"},
                                                                  {"", ""},
                                                                  {"alice", {"secret\0", 7}},
                                                                  {{"alice\0", 6}, "secret"}}) {
    EXPECT_FALSE(credentials.Matches(name, password)) << name << " " << password;
  }
}

TEST(CredentialsTest, TheLongestMatchesAndWhatIsLongerDoesNot) {
  const std::string longest(kSecretBytesMax, 'x');
  const Credentials credentials(std::vector<User>{{longest, longest}});
  EXPECT_TRUE(credentials.Matches(longest, longest));
  for (const size_t more : {size_t{1}, size_t{100}, size_t{1} << 20}) {
    EXPECT_FALSE(credentials.Matches(longest + std::string(more, 'x'), longest));
    EXPECT_FALSE(credentials.Matches(longest, longest + std::string(more, 'x')));
  }
  EXPECT_FALSE(credentials.Matches(longest.substr(1), longest));
}

TEST(CredentialsTest, OneNameMayHaveSeveralPasswords) {
  const Credentials credentials(std::vector<User>{{"a", "old"}, {"a", "new"}});
  EXPECT_TRUE(credentials.Matches("a", "old"));
  EXPECT_TRUE(credentials.Matches("a", "new"));
}

TEST(CredentialsTest, WithoutUsersNobodyMatches) {
  const Credentials credentials({});
  EXPECT_FALSE(credentials.Matches("", ""));
  EXPECT_FALSE(credentials.Matches("a", "b"));
}

// Method: users that differ in both parts are swapped for each other; a mixture of the two would
// match neither or, worse, one name with the other's password.
TEST(CredentialsTest, QuestionsWhileUsersAreReplacedSeeOneOfTheTwo) {
  const std::vector<User> first = {{"a", "1"}, {"keeps", "same"}};
  const std::vector<User> second = {{"b", "2"}, {"keeps", "same"}};
  Credentials credentials(first);
  std::atomic<bool> stop{false};
  std::atomic<uint64_t> wrong{0};
  std::vector<std::thread> askers;
  for (int i = 0; i < 3; ++i) {
    askers.emplace_back([&] {
      while (!stop.load()) {
        if (!credentials.Matches("keeps", "same")) ++wrong;
        if (credentials.Matches("a", "2") || credentials.Matches("b", "1")) ++wrong;
      }
    });
  }
  for (int i = 0; i < 500; ++i) credentials.Replace(i % 2 == 0 ? second : first);
  stop = true;
  for (std::thread& asker : askers) asker.join();
  EXPECT_EQ(wrong.load(), 0);
  EXPECT_TRUE(credentials.Matches("a", "1"));
  EXPECT_FALSE(credentials.Matches("b", "2"));
}

TEST(ParseUsersTest, LinesEndInEitherWayAndTheFirstColonDivides) {
  std::vector<User> users;
  EXPECT_EQ(ParseUsers("alice:secret\nbob:pass word\r\n\nc:d:e", users), "");
  ASSERT_EQ(users.size(), 3);
  EXPECT_EQ(users[0].name, "alice");
  EXPECT_EQ(users[0].password, "secret");
  EXPECT_EQ(users[1].password, "pass word");
  EXPECT_EQ(users[2].name, "c");
  EXPECT_EQ(users[2].password, "d:e");
}

TEST(ParseUsersTest, WhatIsWrongIsSaidWithItsLine) {
  std::vector<User> users;
  EXPECT_THAT(ParseUsers("a:b\nnobody\n", users), HasSubstr("line 2: there is no colon"));
  EXPECT_THAT(ParseUsers(":b\n", users), HasSubstr("line 1: the name is empty"));
  EXPECT_THAT(ParseUsers("a:\r\n", users), HasSubstr("line 1: the password is empty"));
  EXPECT_THAT(ParseUsers({"a:b\0c\n", 6}, users), HasSubstr("NUL"));
  const std::string long_text(kSecretBytesMax + 1, 'x');
  EXPECT_THAT(ParseUsers("\n\n" + long_text + ":b", users), HasSubstr("line 3: the name has more"));
  EXPECT_THAT(ParseUsers("a:" + long_text, users), HasSubstr("line 1: the password has more"));
  EXPECT_THAT(ParseUsers("", users), HasSubstr("no user"));
  EXPECT_THAT(ParseUsers("\n\r\n", users), HasSubstr("no user"));
}

TEST(ParseUsersTest, SoManyAndNoMore) {
  std::string text;
  for (size_t i = 0; i < kUsersMax; ++i) text += "user" + std::to_string(i) + ":password\n";
  std::vector<User> users;
  EXPECT_EQ(ParseUsers(text, users), "");
  EXPECT_EQ(users.size(), kUsersMax);
  EXPECT_THAT(ParseUsers(text + "one:more\n", users), HasSubstr("line 1025: these are more than"));
}

TEST(ReadUsersTest, AFileThatCannotBeReadIsNamed) {
  std::vector<User> users;
  EXPECT_THAT(ReadUsers("/no/such/file", users), HasSubstr("/no/such/file: cannot be read"));
  EXPECT_THAT(ReadUsers("/", users), HasSubstr("/: "));
}

}  // namespace
}  // namespace larder::server
