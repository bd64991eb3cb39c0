#include "config/help.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "larder/version.h"

namespace larder::config {
namespace {

constexpr size_t kHelpColumns = 80;
constexpr size_t kHelpIndent = 30;
constexpr size_t kFileColumns = 100;

constexpr std::string_view kHelpHead =
    "Usage: larderd [FLAG]...\n"
    "A cache server that speaks Memcached. Flags that memcached has are memcached's.\n";
constexpr std::string_view kHelpTail =
    "A flag counts before its variable (LARDER_PORT for --port, and so on), the\n"
    "variable before the file, the file before the default. Sizes take the units\n"
    "k, m, g, t; times s, m, h, d. Other flags of memcached are ignored with a line\n"
    "in the log, or refused.\n";

constexpr std::string_view kLicense =
    "Larder is licensed under the Apache License, Version 2.0, a copy of which is at\n"
    "http://www.apache.org/licenses/LICENSE-2.0. It comes without warranties or conditions\n"
    "of any kind.\n";

constexpr std::string_view kFileHead =
    "# Larder: every setting at its default. Use it with `larderd --config FILE`; delete the # "
    "before\n"
    "# a setting to change it. Flags and LARDER_* variables count before this file.\n"
    "#\n"
    "# The format is TOML without sections: name = value, texts in quotes, lists in brackets.\n";

constexpr std::array<OtherFlag, 7> kOtherFlags = {{
    {"", "config", "FILE", "Read settings from a file; config/larder.conf lists them all."},
    {"", "memcached-conf", "FILE",
     "Read the flags in a file such as Debian's /etc/memcached.conf; --config counts before it."},
    {"o", "extended", "LIST",
     "memcached's sub-options, separated by commas: idle_timeout=SECONDS is acted on; what has no "
     "meaning here is ignored with a line in the log."},
    {"", "print-config", "", "Print that file, with every default, and exit."},
    {"h", "help", "", "Print this and exit."},
    {"i", "license", "", "Print the license and exit."},
    {"V", "version", "", "Print the version and exit."},
}};

// Appends `text` in lines of at most `columns`, each after the first begun with `prefix`; `column`
// is where the cursor stands.
void AppendWrapped(std::string_view text, std::string_view prefix, size_t columns, size_t column,
                   std::string& out) {
  bool first_of_line = true;
  while (!text.empty()) {
    const size_t end = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (!first_of_line && column + 1 + word.size() > columns) {
      out += '\n';
      out += prefix;
      column = prefix.size();
      first_of_line = true;
    }
    if (!first_of_line) {
      out += ' ';
      ++column;
    }
    out += word;
    column += word.size();
    first_of_line = false;
  }
  out += '\n';
}

}  // namespace

std::string_view Placeholder(ValueType type) {
  switch (type) {
    case ValueType::kPort:
    case ValueType::kNoUdp:
      return "PORT";
    case ValueType::kNumber:
    case ValueType::kThreads:
      return "N";
    case ValueType::kSize:
    case ValueType::kMegabytes:
      return "SIZE";
    case ValueType::kSeconds:
      return "TIME";
    case ValueType::kMode:
      return "MODE";
    case ValueType::kDelimiter:
      return "BYTE";
    case ValueType::kText:
      return "TEXT";
    case ValueType::kAddresses:
    case ValueType::kDoor:
      return "ADDR";
    case ValueType::kIo:
      return "WAY";
    case ValueType::kProtocol:
      return "NAME";
    case ValueType::kCluster:
      return "MODE";
    case ValueType::kSwitch:
    case ValueType::kLevel:
      return "";
  }
  return "";
}

namespace {

void AppendFlag(std::string_view flag, std::string_view long_name, std::string_view placeholder,
                std::string_view help, std::string& out) {
  std::string left = flag.empty() ? "      --" : "  -" + std::string(flag) + ", --";
  left += long_name;
  if (!placeholder.empty()) left += " " + std::string(placeholder);
  if (left.size() + 2 > kHelpIndent) {
    left += "\n" + std::string(kHelpIndent, ' ');
  } else {
    left.resize(kHelpIndent, ' ');
  }
  out += left;
  AppendWrapped(help, std::string(kHelpIndent, ' '), kHelpColumns, kHelpIndent, out);
}

}  // namespace

std::string FileValue(const SettingInfo& info) {
  const std::string_view text = info.default_text;
  const bool is_number =
      !text.empty() && info.type != ValueType::kMode &&
      std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (is_number || info.type == ValueType::kSwitch) return std::string(text);
  return "\"" + std::string(text) + "\"";
}

std::span<const OtherFlag> OtherFlags() { return kOtherFlags; }

std::string VersionText() {
  return std::string("memcached ") + kMemcachedVersion + "\nlarderd " + kVersion + "\n";
}

std::string LicenseText() { return std::string(kLicense); }

std::string HelpText() {
  std::string out = VersionText();
  out += kHelpHead;
  std::string_view group;
  for (const SettingInfo& info : AllSettings()) {
    if (info.group != group) {
      group = info.group;
      out += "\n" + std::string(group) + ":\n";
    }
    std::string help(info.help);
    if (!info.IsFlagOnly() && !info.default_text.empty()) {
      help += " (default: " + std::string(info.default_text) + ")";
    }
    AppendFlag(info.flag, info.long_name, Placeholder(info.type), help, out);
  }
  out += "\nOther:\n";
  for (const OtherFlag& other : OtherFlags()) {
    AppendFlag(other.flag, other.long_name, other.placeholder, other.help, out);
  }
  out += "\n";
  out += kHelpTail;
  return out;
}

std::string ConfigTemplate() {
  std::string out(kFileHead);
  std::string_view group;
  for (const SettingInfo& info : AllSettings()) {
    if (info.group != group) {
      group = info.group;
      out += "\n# ---- " + std::string(group) + " ----\n";
    }
    out += "\n# ";
    AppendWrapped(info.help, "# ", kFileColumns, 2, out);
    out += "#" + std::string(info.long_name) + " = " + FileValue(info) + "\n";
  }
  return out;
}

}  // namespace larder::config
