#include "util/log.h"

// The tree builds without exceptions; this tells spdlog's headers so. Its compiled part keeps to
// itself what it throws and catches.
#define SPDLOG_NO_EXCEPTIONS
#include <spdlog/logger.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <mutex>
#include <utility>

namespace larder::util {
namespace {

constexpr char kDatedPattern[] = "%Y-%m-%d %H:%M:%S.%e %l: %v";
constexpr char kJournalPattern[] = "%v";

constexpr uint64_t kLinesMax = 200;
constexpr uint64_t kNsPerLine = 100'000'000;

uint64_t SteadyNs() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return static_cast<uint64_t>(std::chrono::nanoseconds(now).count());
}

// As syslog numbers them.
std::string_view Priority(LogLevel level) {
  switch (level) {
    case LogLevel::kError:
      return "<3>";
    case LogLevel::kWarn:
      return "<4>";
    case LogLevel::kInfo:
      return "<6>";
    case LogLevel::kDebug:
      return "<7>";
  }
  return "<3>";
}

LogForm FormOfStderr() {
  struct stat file = {};
  if (fstat(STDERR_FILENO, &file) != 0) return LogForm::kDated;
  return LogFormOf(std::getenv("JOURNAL_STREAM"), file.st_dev, file.st_ino);
}

spdlog::level::level_enum SpdlogLevel(LogLevel level) {
  switch (level) {
    case LogLevel::kError:
      return spdlog::level::err;
    case LogLevel::kWarn:
      return spdlog::level::warn;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kDebug:
      return spdlog::level::debug;
  }
  return spdlog::level::err;
}

bool IsControl(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

void AppendEscaped(char c, std::string& out) {
  constexpr char kHex[] = "0123456789abcdef";
  switch (c) {
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    case '\\':
      out += "\\\\";
      return;
    default:
      out += "\\x";
      out += kHex[static_cast<unsigned char>(c) >> 4];
      out += kHex[static_cast<unsigned char>(c) & 15];
  }
}

}  // namespace

struct Log::Sink {
  Sink(spdlog::sink_ptr to, LogLevel level, LogForm line_form, std::function<uint64_t()> clock)
      : logger("larder", std::move(to)),
        form(line_form),
        now_ns(clock != nullptr ? std::move(clock) : SteadyNs),
        counted_ns(now_ns()) {
    logger.set_pattern(form == LogForm::kJournal ? kJournalPattern : kDatedPattern);
    logger.set_level(SpdlogLevel(level));
    logger.flush_on(spdlog::level::debug);
  }

  void Put(LogLevel level, std::string_view message) {
    std::string line = EscapedControls(message);
    if (form == LogForm::kJournal) line.insert(0, Priority(level));
    logger.log(SpdlogLevel(level), spdlog::string_view_t(line.data(), line.size()));
  }

  // A line may be written. How many were not since the last that was, in `missed`.
  bool MayWrite(uint64_t& missed) {
    const std::lock_guard lock(mutex);
    const uint64_t fresh = (now_ns() - counted_ns) / kNsPerLine;
    counted_ns += fresh * kNsPerLine;
    left = std::min(kLinesMax, left + fresh);
    if (left == 0) {
      ++dammed;
      return false;
    }
    --left;
    missed = std::exchange(dammed, 0);
    return true;
  }

  spdlog::logger logger;
  const LogForm form;
  const std::function<uint64_t()> now_ns;
  std::mutex mutex;  // of what follows
  uint64_t counted_ns;
  uint64_t left = kLinesMax;
  uint64_t dammed = 0;
};

LogForm LogFormOf(const char* journal_stream, uint64_t device, uint64_t inode) {
  const bool same = journal_stream != nullptr &&
                    journal_stream == std::to_string(device) + ":" + std::to_string(inode);
  return same ? LogForm::kJournal : LogForm::kDated;
}

LogLevel LevelOfVerbosity(uint32_t verbosity) {
  return verbosity == 0 ? LogLevel::kInfo : LogLevel::kDebug;
}

Log::Log(LogLevel level)
    : sink_(std::make_unique<Sink>(std::make_shared<spdlog::sinks::stderr_sink_mt>(), level,
                                   FormOfStderr(), nullptr)) {}

Log::Log(LogLevel level, std::ostream& stream, LogForm form, std::function<uint64_t()> now_ns)
    : sink_(std::make_unique<Sink>(std::make_shared<spdlog::sinks::ostream_sink_mt>(stream), level,
                                   form, std::move(now_ns))) {}

Log::~Log() = default;

bool Log::Shows(LogLevel level) const { return sink_->logger.should_log(SpdlogLevel(level)); }

void Log::Write(LogLevel level, std::string_view message) {
  uint64_t missed = 0;
  if (!Shows(level) || !sink_->MayWrite(missed)) return;
  if (missed > 0) {
    sink_->Put(LogLevel::kWarn, std::to_string(missed) + " lines were not written: too many");
  }
  sink_->Put(level, message);
}

std::string Escaped(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    if (IsControl(c) || c == '\\' || static_cast<unsigned char>(c) >= 0x80) {
      AppendEscaped(c, out);
    } else {
      out += c;
    }
  }
  return out;
}

std::string EscapedControls(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    if (IsControl(c)) {
      AppendEscaped(c, out);
    } else {
      out += c;
    }
  }
  return out;
}

std::string Quoted(std::string_view text, size_t bytes_max) {
  std::string out = "\"" + Escaped(text.substr(0, bytes_max)) + "\"";
  if (text.size() > bytes_max) out += "… (" + std::to_string(text.size()) + " bytes)";
  return out;
}

}  // namespace larder::util
