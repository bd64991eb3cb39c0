// Goal: the file's format, exactly: what is read, and what is refused with which words in which
// line.
#include "config/config_file.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace larder::config {
namespace {

// "name@line=value|value;…", and the error as "!line sentence".
std::string Shown(const FileContent& content) {
  std::string out;
  for (const FileEntry& entry : content.entries) {
    out += entry.name + "@" + std::to_string(entry.line) + "=";
    for (size_t i = 0; i < entry.values.size(); ++i) out += (i > 0 ? "|" : "") + entry.values[i];
    out += ";";
  }
  if (content.error)
    out += "!" + std::to_string(content.error->line) + " " + content.error->sentence;
  return out;
}

struct Case {
  std::string_view text;
  std::string_view shown;
};

TEST(ConfigFileTest, WhatIsRead) {
  const std::vector<Case> cases{
      {"", ""},
      {"\n\n  \t\r\n", ""},
      {"# port = 1\n ; port = 2", ""},
      {"port = 1", "port@1=1;"},
      {"port=1\r\nio=event\r\n", "port@1=1;io@2=event;"},
      {"\n\n port\t=  1  # one\n", "port@3=1;"},
      {"user = \"a # b\" # c", "user@1=a # b;"},
      {"user = 'a \\ \" b'", "user@1=a \\ \" b;"},
      {R"(user = "a\\b\"c\td\n")", "user@1=a\\b\"c\td\n;"},
      {"user = \"\"", "user@1=;"},
      {"\"port\" = 1", "port@1=1;"},
      {"daemon\nport = 1", "daemon@1=true;port@2=1;"},
      {"daemon # yes", "daemon@1=true;"},
      {"listen = ::1, 127.0.0.1", "listen@1=::1, 127.0.0.1;"},
      {"listen = []", "listen@1=;"},
      {"listen = [a]", "listen@1=a;"},
      {"listen = [ a, 'b' ,\"c\" , ] # end", "listen@1=a|b|c;"},
      {"listen = [ # first\n  'a', # second\n\n 'b'\n]\nport = 1", "listen@1=a|b;port@6=1;"},
      {"a = 1\na = 2", "a@1=1;a@2=2;"},
      {"port = -1", "port@1=-1;"},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(Shown(ParseConfigText(c.text)), c.shown) << c.text;
  }
}

TEST(ConfigFileTest, WhatIsRefused) {
  const std::vector<Case> cases{
      {"[memory]\nport = 1",
       "!1 \"[memory]\" opens a section, and there are none; give every setting as name = value"},
      {"port = 1\n = 2", "port@1=1;!2 no name before =; give name = value"},
      {"\nport = # none", "!2 no value after \"port\" =; give one, or \"\" for none"},
      {"port =", "!1 no value after \"port\" =; give one, or \"\" for none"},
      {"user = \"abc\nport = 1", "!1 a quoted text has no end; close it with \""},
      {"user = 'abc", "!1 a quoted text has no end; close it with '"},
      {"user = \"a\\x\"",
       "!1 \\ must be followed by \\, \", n or t; put the text in single quotes to have it as it "
       "is"},
      {"user = \"a\\",
       "!1 \\ must be followed by \\, \", n or t; put the text in single quotes to "
       "have it as it is"},
      {"user = \"a\" b", "!1 \"b\" stands after the value; begin a new line, or a comment with #"},
      {"listen = ['a'] 'b'",
       "!1 \"'b'\" stands after the value; begin a new line, or a comment with #"},
      {"\nlisten = ['a',\n'b'\n", "!2 the list after \"listen\" = has no end; close it with ]"},
      {"listen = [", "!1 the list after \"listen\" = has no end; close it with ]"},
      {"listen = [a,\n,b]", "!2 an element of the list is empty; give a value"},
      {"listen = ['a'\n'b']", "!2 elements of a list must be separated; put a comma between them"},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(Shown(ParseConfigText(c.text)), c.shown) << c.text;
  }
}

// Method: each text and each of its beginnings in a heap block of just its size, for
// AddressSanitizer to see one byte too many.
TEST(ConfigFileTest, AnyBeginningIsReadWithinItsBytes) {
  const std::string whole =
      "# c\nport = 1\nuser = \"a\\\"b\" # d\nlisten = ['x', # y\n  \"z\",\n]\ndaemon\n[s]";
  for (size_t n = 0; n <= whole.size(); ++n) {
    const std::vector<char> part(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(n));
    const FileContent content = ParseConfigText({part.data(), part.size()});
    EXPECT_LE(content.entries.size(), 4U);
    if (content.error) {
      EXPECT_GE(content.error->line, 1U);
    }
  }
}

TEST(ConfigFileTest, AnyByteIsTaken) {
  for (int byte = 0; byte < 256; ++byte) {
    for (const std::string_view around : {"@", "a = @", "a = [@", "a = \"@", "a = 1 @"}) {
      std::string text(around);
      text.back() = static_cast<char>(byte);
      const FileContent content = ParseConfigText(text);
      EXPECT_LE(content.entries.size(), 1U);
    }
  }
}

}  // namespace
}  // namespace larder::config
