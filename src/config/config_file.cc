#include "config/config_file.h"

#include <algorithm>
#include <utility>

#include "util/log.h"

namespace larder::config {
namespace {

bool IsBlank(char c) { return c == ' ' || c == '\t' || c == '\r'; }

std::string_view Trim(std::string_view text) {
  while (!text.empty() && IsBlank(text.front())) text.remove_prefix(1);
  while (!text.empty() && IsBlank(text.back())) text.remove_suffix(1);
  return text;
}

// Walks over the text once. A method that returns false has set `error`.
class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  FileContent ReadAll() {
    FileContent content;
    while (true) {
      SkipBlanksAndNewlines();
      if (rest_.empty()) break;
      if (Peek() == '#' || Peek() == ';') {
        SkipLine();
        continue;
      }
      FileEntry entry;
      entry.line = line_;
      if (!ReadEntry(entry)) {
        content.error = std::move(error_);
        break;
      }
      content.entries.push_back(std::move(entry));
    }
    return content;
  }

 private:
  [[nodiscard]] char Peek() const { return rest_.empty() ? '\n' : rest_.front(); }

  void SkipBlanks() {
    while (!rest_.empty() && IsBlank(rest_.front())) rest_.remove_prefix(1);
  }

  void SkipBlanksAndNewlines() {
    while (!rest_.empty() && (IsBlank(rest_.front()) || rest_.front() == '\n')) {
      if (rest_.front() == '\n') ++line_;
      rest_.remove_prefix(1);
    }
  }

  void SkipLine() { rest_.remove_prefix(std::min(rest_.find('\n'), rest_.size())); }

  // Up to one of `ends` or the end of the line.
  std::string_view TakeUntil(std::string_view ends) {
    const auto end = std::find_if(rest_.begin(), rest_.end(), [ends](char c) {
      return c == '\n' || ends.find(c) != std::string_view::npos;
    });
    const std::string_view taken = rest_.substr(0, static_cast<size_t>(end - rest_.begin()));
    rest_.remove_prefix(taken.size());
    return Trim(taken);
  }

  bool Fail(std::string sentence) {
    error_ = {.line = line_, .sentence = std::move(sentence)};
    return false;
  }

  bool ReadEntry(FileEntry& entry) {
    if (Peek() == '[') {
      return Fail(util::Quoted(TakeUntil("#")) +
                  " opens a section, and there are none; give every setting as name = value");
    }
    if (Peek() == '"' || Peek() == '\'') {
      if (!ReadQuoted(entry.name)) return false;
    } else {
      entry.name = TakeUntil("=#");
    }
    SkipBlanks();
    if (entry.name.empty()) return Fail("no name before =; give name = value");
    if (Peek() == '=') {
      rest_.remove_prefix(1);
      SkipBlanks();
      if (!ReadValues(entry)) return false;
    } else {
      entry.values.emplace_back("true");
    }
    return ReadEndOfLine();
  }

  bool ReadValues(FileEntry& entry) {
    if (Peek() == '[') return ReadList(entry);
    if (Peek() == '"' || Peek() == '\'') return ReadQuoted(entry.values.emplace_back());
    entry.values.emplace_back(TakeUntil("#"));
    if (!entry.values.back().empty()) return true;
    return Fail("no value after " + util::Quoted(entry.name) + " =; give one, or \"\" for none");
  }

  bool ReadList(FileEntry& entry) {
    rest_.remove_prefix(1);
    while (true) {
      SkipToListElement();
      if (rest_.empty()) {
        line_ = entry.line;
        return Fail("the list after " + util::Quoted(entry.name) +
                    " = has no end; close it with ]");
      }
      if (Peek() == ']') break;
      if (Peek() == '"' || Peek() == '\'') {
        if (!ReadQuoted(entry.values.emplace_back())) return false;
      } else {
        entry.values.emplace_back(TakeUntil(",]#"));
        if (entry.values.back().empty())
          return Fail("an element of the list is empty; give a value");
      }
      SkipToListElement();
      if (Peek() == ',' && !rest_.empty()) {
        rest_.remove_prefix(1);
      } else if (Peek() != ']' && !rest_.empty()) {
        return Fail("elements of a list must be separated; put a comma between them");
      }
    }
    rest_.remove_prefix(1);
    return true;
  }

  void SkipToListElement() {
    while (true) {
      SkipBlanksAndNewlines();
      if (rest_.empty() || Peek() != '#') return;
      SkipLine();
    }
  }

  // A text in either quotes; it ends on its line.
  bool ReadQuoted(std::string& out) {
    const char quote = Peek();
    rest_.remove_prefix(1);
    while (Peek() != quote) {
      if (Peek() == '\n')
        return Fail(std::string("a quoted text has no end; close it with ") + quote);
      char c = Peek();
      rest_.remove_prefix(1);
      if (c == '\\' && quote == '"') {
        if (!ReadEscape(c)) return false;
      }
      out += c;
    }
    rest_.remove_prefix(1);
    return true;
  }

  bool ReadEscape(char& c) {
    switch (Peek()) {
      case '"':
      case '\\':
        c = Peek();
        break;
      case 'n':
        c = '\n';
        break;
      case 't':
        c = '\t';
        break;
      default:
        return Fail(
            "\\ must be followed by \\, \", n or t; put the text in single quotes to have it as it "
            "is");
    }
    rest_.remove_prefix(1);
    return true;
  }

  bool ReadEndOfLine() {
    SkipBlanks();
    if (Peek() == '\n') return true;
    if (Peek() == '#') {
      SkipLine();
      return true;
    }
    return Fail(util::Quoted(TakeUntil("")) + " stands after the value; begin a new line, or a " +
                "comment with #");
  }

  std::string_view rest_;
  uint32_t line_ = 1;
  FileError error_;
};

}  // namespace

FileContent ParseConfigText(std::string_view text) { return Reader(text).ReadAll(); }

}  // namespace larder::config
