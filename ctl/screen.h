// Figures and lists as a person reads them, in 80 columns of ASCII, and as JSON for a program.
// Pure.
#ifndef LARDER_CTL_SCREEN_H_
#define LARDER_CTL_SCREEN_H_

#include <string>
#include <string_view>

#include "ctl/client.h"
#include "ctl/sample.h"

namespace larder::ctl {

// `top`: one frame.
std::string TopText(const Figures& figures, std::string_view where);
std::string TopJson(const Figures& figures, std::string_view where);

// Names and values in two columns; `before`, if any, adds what changed per second.
std::string StatsText(const Stats& stats);
std::string ChangesText(const Stats& before, const Stats& now, double seconds);
std::string StatsJson(const Stats& stats);

// A line of `lru_crawler metadump`.
struct KeyLine {
  std::string key;         // as it is, not as the line spells it
  std::string expires_at;  // Unix seconds, or "-1": never
  std::string item_bytes;
  bool fetched = false;
};
// Nothing: it is no such line.
std::optional<KeyLine> ParseKeyLine(std::string_view line);
// Bytes, when it ends, and the key, which comes last as it may be long.
std::string KeyText(const KeyLine& line);
std::string KeyJson(const KeyLine& line);

// A member "key" or "value"; of bytes that are no UTF-8, "key_base64" or "value_base64".
void AddBytes(std::string_view name, std::string_view bytes, class JsonObject& object);

}  // namespace larder::ctl

#endif  // LARDER_CTL_SCREEN_H_
