#include "util/log.h"

// The tree builds without exceptions; this tells spdlog's headers so. Its compiled part keeps to
// itself what it throws and catches.
#define SPDLOG_NO_EXCEPTIONS
#include <spdlog/logger.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/sinks/stdout_sinks.h>

namespace larder::util {
namespace {

constexpr char kLinePattern[] = "%Y-%m-%d %H:%M:%S.%e %l: %v";

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
  Sink(spdlog::sink_ptr to, LogLevel level) : logger("larder", std::move(to)) {
    logger.set_pattern(kLinePattern);
    logger.set_level(SpdlogLevel(level));
    logger.flush_on(spdlog::level::debug);
  }
  spdlog::logger logger;
};

LogLevel LevelOfVerbosity(uint32_t verbosity) {
  return verbosity == 0 ? LogLevel::kInfo : LogLevel::kDebug;
}

Log::Log(LogLevel level)
    : sink_(std::make_unique<Sink>(std::make_shared<spdlog::sinks::stderr_sink_mt>(), level)) {}

Log::Log(LogLevel level, std::ostream& stream)
    : sink_(std::make_unique<Sink>(std::make_shared<spdlog::sinks::ostream_sink_mt>(stream),
                                   level)) {}

Log::~Log() = default;

bool Log::Shows(LogLevel level) const { return sink_->logger.should_log(SpdlogLevel(level)); }

void Log::Write(LogLevel level, std::string_view message) {
  if (!Shows(level)) return;
  const std::string line = EscapedControls(message);
  sink_->logger.log(SpdlogLevel(level), spdlog::string_view_t(line.data(), line.size()));
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
