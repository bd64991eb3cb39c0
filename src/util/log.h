// Lines for the people who run the server: a thin face over spdlog.
//
// One Log is made by main and handed to those who need it. A line goes to stderr as
//
//   2026-07-01 12:00:00.123 warning: message
//
// or, where stderr is the journal of systemd, which knows the time and files lines by priority, as
//
//   <4>message
//
// A flood is dammed: beyond a burst of 200 lines only 10 a second are written, and then a line that
// says how many were not.
//
// Any thread may write; a line is written whole, under a lock, so this is for events and never for
// requests. Control characters in a message come out escaped: nobody can forge a line, whatever
// bytes a client sends. Words that others chose are shown with Quoted(), which also bounds them.
#ifndef LARDER_UTIL_LOG_H_
#define LARDER_UTIL_LOG_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <iosfwd>
#include <memory>
#include <string>
#include <string_view>

namespace larder::util {

enum class LogLevel : uint8_t {
  kError,  // something that was asked for does not happen
  kWarn,   // it works, but not as wished
  kInfo,   // starts, stops, choices made
  kDebug,  // for the curious
};

// What -v, -vv, … ask for: without any, everything but kDebug.
LogLevel LevelOfVerbosity(uint32_t verbosity);

// How a line is spelled.
enum class LogForm : uint8_t { kDated, kJournal };
// The form for stderr: JOURNAL_STREAM, which systemd sets to the device and inode of what it has
// given us as stderr, still means it. `journal_stream` is its value, or null.
LogForm LogFormOf(const char* journal_stream, uint64_t device, uint64_t inode);

class Log {
 public:
  // To stderr.
  explicit Log(LogLevel level);
  // To `stream`, which outlives the log. `now_ns` tells the time that the dam goes by; null: the
  // real one.
  Log(LogLevel level, std::ostream& stream, LogForm form = LogForm::kDated,
      std::function<uint64_t()> now_ns = nullptr);
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  [[nodiscard]] bool Shows(LogLevel level) const;

  void Error(std::string_view message) { Write(LogLevel::kError, message); }
  void Warn(std::string_view message) { Write(LogLevel::kWarn, message); }
  void Info(std::string_view message) { Write(LogLevel::kInfo, message); }
  void Debug(std::string_view message) { Write(LogLevel::kDebug, message); }
  void Write(LogLevel level, std::string_view message);

 private:
  struct Sink;
  std::unique_ptr<Sink> sink_;
};

// `text` with everything outside printable ASCII, and the backslash, as \n, \\ or \x1f. For lines
// of our own words use EscapedControls, which leaves UTF-8 and the backslash as they are.
std::string Escaped(std::string_view text);
std::string EscapedControls(std::string_view text);
// Escaped and in quotes; of more than `bytes_max` bytes only the first, with the whole length after
// the quotes: "abc"… (300 bytes).
std::string Quoted(std::string_view text, size_t bytes_max = 64);

}  // namespace larder::util

#endif  // LARDER_UTIL_LOG_H_
