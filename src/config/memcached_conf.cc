#include "config/memcached_conf.h"

#include <utility>

#include "util/log.h"

namespace larder::config {
namespace {

constexpr std::string_view kBlanks = " \t\r\f\v";
// What a shell would act upon.
constexpr std::string_view kForTheShell = "$`;|&<>()*";
// The same between double quotes.
constexpr std::string_view kForTheShellQuoted = "$`";
constexpr std::string_view kLogfile = "logfile";

// The words of one line. A method that returns false has set `problem`.
class LineReader {
 public:
  explicit LineReader(std::string_view line) : rest_(line) {}

  bool ReadWords(std::vector<std::string>& words) {
    while (true) {
      while (!rest_.empty() && IsOneOf(kBlanks)) rest_.remove_prefix(1);
      if (rest_.empty() || rest_.front() == '#') return true;
      if (!ReadWord(words.emplace_back())) return false;
    }
  }

  [[nodiscard]] std::string& problem() { return problem_; }

 private:
  [[nodiscard]] bool IsOneOf(std::string_view bytes) const {
    return bytes.find(rest_.front()) != std::string_view::npos;
  }

  bool Fail(std::string problem) {
    problem_ = std::move(problem);
    return false;
  }

  bool FailForTheShell() {
    return Fail(util::Quoted(rest_.substr(0, 1)) +
                " is for a shell, and none reads this file; put it in single quotes to have it as "
                "it is");
  }

  void Take(std::string& word) {
    word += rest_.front();
    rest_.remove_prefix(1);
  }

  bool ReadWord(std::string& word) {
    while (!rest_.empty() && !IsOneOf(kBlanks) && rest_.front() != '#') {
      if (rest_.front() == '\'' || rest_.front() == '"') {
        if (!ReadQuoted(word)) return false;
      } else if (rest_.front() == '\\') {
        rest_.remove_prefix(1);
        if (rest_.empty()) return Fail("\\ ends the line; put the value on the same line");
        Take(word);
      } else if (IsOneOf(kForTheShell)) {
        return FailForTheShell();
      } else {
        Take(word);
      }
    }
    return true;
  }

  bool ReadQuoted(std::string& word) {
    const char quote = rest_.front();
    rest_.remove_prefix(1);
    while (!rest_.empty() && rest_.front() != quote) {
      const bool escapes = quote == '"' && rest_.front() == '\\' && rest_.size() > 1 &&
                           (rest_[1] == '"' || rest_[1] == '\\');
      if (escapes) {
        rest_.remove_prefix(1);
      } else if (quote == '"' && IsOneOf(kForTheShellQuoted)) {
        return FailForTheShell();
      }
      Take(word);
    }
    if (rest_.empty()) {
      return Fail(std::string("a quoted text has no end; close it with ") + quote);
    }
    rest_.remove_prefix(1);
    return true;
  }

  std::string_view rest_;
  std::string problem_;
};

}  // namespace

MemcachedConf ParseMemcachedConf(std::string_view text) {
  MemcachedConf conf;
  for (uint32_t number = 1; !text.empty(); ++number) {
    const size_t end = text.find('\n');
    LineReader reader(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    MemcachedConfLine line{.words = {}, .line = number};
    if (!reader.ReadWords(line.words)) {
      conf.error = {.line = number, .sentence = std::move(reader.problem())};
      return conf;
    }
    if (line.words.empty() || line.words.front() == kLogfile) continue;
    if (!line.words.front().starts_with('-')) {
      conf.error = {.line = number,
                    .sentence = util::Quoted(line.words.front()) +
                                " is no flag; give memcached's flags, such as -m 64"};
      return conf;
    }
    conf.lines.push_back(std::move(line));
  }
  return conf;
}

}  // namespace larder::config
