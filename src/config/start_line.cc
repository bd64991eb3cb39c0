#include "config/start_line.h"

#include "util/units.h"

namespace larder::config {

std::string StartLine(const Settings& settings, const Listening& listening, std::string_view loop) {
  std::string line = "listening on ";
  for (size_t i = 0; i < listening.addresses.size(); ++i) {
    if (i > 0) line += ", ";
    line += listening.addresses[i].text;
  }
  if (listening.passed) line += " (passed by the service manager)";
  const bool chosen = listening.passed || settings.addresses != DefaultSettings().addresses;
  if (settings.ServesTcp() && !chosen) line += " (this host only; -l opens it to others)";
  line += "; loop " + std::string(loop);
  line += ", " + std::to_string(settings.threads);
  line += settings.threads == 1 ? " thread, " : " threads, ";
  return line + util::FormatBytes(settings.memory_bytes_max) + " of memory";
}

}  // namespace larder::config
