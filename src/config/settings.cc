#include "config/settings.h"

#include <algorithm>
#include <array>

#include "config/values.h"
#include "util/check.h"
#include "util/units.h"

namespace larder::config {
namespace {

// sun_path holds 108 bytes, the last of which is a zero.
constexpr size_t kUnixPathBytesMax = 107;
// Under a cgroup limit, what the process needs beside -m: a twentieth of it, and this.
constexpr uint64_t kMemoryBeside = 16 * util::kMiB;

template <ValueType kType, auto kMember>
bool ReadMember(const SettingInfo& info, std::string_view text, Settings& settings) {
  return ReadValue<kType>({.least = info.least, .most = info.most}, text, settings.*kMember);
}

template <ValueType kType, auto kMember>
std::string WriteMember(const Settings& settings) {
  return WriteValue<kType>(settings.*kMember);
}

template <ValueType kType, auto kMember>
std::string ShowMember(const Settings& settings) {
  if constexpr (kType == ValueType::kSize || kType == ValueType::kMegabytes ||
                kType == ValueType::kSeconds) {
    return std::to_string(settings.*kMember);
  } else if constexpr (kType == ValueType::kDelimiter) {
    return (settings.*kMember).empty() ? ":" : settings.*kMember;
  } else if constexpr (kType == ValueType::kSwitch) {
    return settings.*kMember ? "yes" : "no";
  } else if constexpr (kType == ValueType::kProtocol) {
    const bool is_auto = settings.*kMember == ProtocolChoice::kAuto;
    return is_auto ? "auto-negotiate" : WriteValue<kType>(settings.*kMember);
  } else {
    std::string text = WriteValue<kType>(settings.*kMember);
    return text.empty() ? "NULL" : text;
  }
}

#define GROUP(title) +1
#define SETTING(...)
constexpr size_t kGroupCount = 0
#include "config/settings.def"
    ;
#undef SETTING
#undef GROUP

#define GROUP(title)
#define SETTING(...) +1
constexpr size_t kSettingCount = 0
#include "config/settings.def"
    ;
#undef SETTING
#undef GROUP

static_assert(kGroupCount > 0);

std::array<SettingInfo, kSettingCount> MakeSettings() {
  std::array<SettingInfo, kSettingCount> settings{};
  std::string_view group;
  size_t count = 0;
#define GROUP(title) group = title;
#define SETTING(member, type, flag, long_name, default_text, least, most, stats_name, help) \
  settings[count++] = {group,                                                               \
                       ValueType::type,                                                     \
                       flag,                                                                \
                       long_name,                                                           \
                       default_text,                                                        \
                       least,                                                               \
                       most,                                                                \
                       stats_name,                                                          \
                       help,                                                                \
                       &ReadMember<ValueType::type, &Settings::member>,                     \
                       &WriteMember<ValueType::type, &Settings::member>,                    \
                       &ShowMember<ValueType::type, &Settings::member>};
#include "config/settings.def"
#undef SETTING
#undef GROUP
  return settings;
}

}  // namespace

bool Settings::ServesTcp() const {
  if (!unix_socket.empty()) return false;
  return tcp_port != 0 || std::any_of(addresses.begin(), addresses.end(), [](const auto& address) {
           return address.port != ListenAddress::kDefaultPort;
         });
}

bool SettingInfo::IsFlagOnly() const {
  return type == ValueType::kSwitch || type == ValueType::kLevel;
}

std::string SettingInfo::Variable() const {
  std::string name = "LARDER_";
  for (const char c : long_name) {
    name += c == '-' ? '_' : static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
  }
  return name;
}

std::string SettingInfo::Right() const {
  const std::string low = std::to_string(least);
  const std::string high = std::to_string(most);
  switch (type) {
    case ValueType::kPort:
      return "a port from 1 to 65535, 0 for none, or -1 for any free one";
    case ValueType::kNumber:
    case ValueType::kLevel:
      return "a whole number from " + low + " to " + high;
    case ValueType::kThreads:
      return "a whole number from " + low + " to " + high + ", or auto";
    case ValueType::kSize:
      return "a size from " + util::FormatBytes(static_cast<uint64_t>(least)) + " to " +
             util::FormatBytes(static_cast<uint64_t>(most)) + ", such as 512k";
    case ValueType::kMegabytes:
      return "megabytes, or a size with a unit such as 512m or 2g, from " +
             util::FormatBytes(static_cast<uint64_t>(least)) + " to " +
             util::FormatBytes(static_cast<uint64_t>(most));
    case ValueType::kSeconds:
      return "a time up to " + util::FormatSeconds(static_cast<uint64_t>(most)) +
             ", such as 90s or 10m, or 0 for never";
    case ValueType::kSwitch:
      return "true or false";
    case ValueType::kMode:
      return "octal permissions from 0 to 777";
    case ValueType::kNoUdp:
      return "0: there is no UDP, because one forged packet to a cache makes it send 51,000 times "
             "as much to a victim";
    case ValueType::kText:
      return "a text without control characters";
    case ValueType::kDelimiter:
      return "one byte, such as a colon";
    case ValueType::kAddresses:
      return "addresses such as 127.0.0.1, 10.0.0.1:11212 or [::1]:11211, separated by commas";
    case ValueType::kDoor:
      return "an address such as 127.0.0.1:11212, port 0 being any free one, or off";
    case ValueType::kIo:
      return "auto, uring or event";
    case ValueType::kProtocol:
      return "auto, ascii or binary; a cache is no web server";
    case ValueType::kCluster:
      return "off or emulated; data is never spread over servers";
  }
  return "";
}

std::span<const SettingInfo> AllSettings() {
  static const std::array<SettingInfo, kSettingCount> settings = MakeSettings();
  return settings;
}

const SettingInfo* FindSetting(std::string_view long_name) {
  for (const SettingInfo& info : AllSettings()) {
    if (info.long_name == long_name) return &info;
  }
  return nullptr;
}

Settings DefaultSettings() {
  Settings settings;
  for (const SettingInfo& info : AllSettings()) {
    CHECK(info.read(info, info.default_text, settings));
  }
  return settings;
}

std::optional<std::string> CheckSettings(const Settings& settings, const Where& where) {
  const uint64_t half = settings.memory_bytes_max / 2;
  if (settings.item_bytes_max > half) {
    return where("max-item-size") + ": an item of " + util::FormatBytes(settings.item_bytes_max) +
           " is over half of the memory limit of " + util::FormatBytes(settings.memory_bytes_max) +
           "; give at most " + util::FormatBytes(half) + ", or raise -m (--memory-limit)";
  }
  if (settings.threads != kAutoThreads &&
      settings.memory_bytes_max / settings.threads > kShardMemoryBytesMax) {
    const std::string threads =
        std::to_string((settings.memory_bytes_max - 1) / kShardMemoryBytesMax + 1);
    return where("memory-limit") + ": " + util::FormatBytes(settings.memory_bytes_max) +
           " needs at least " + threads + " threads, for one uses " +
           util::FormatBytes(kShardMemoryBytesMax) + " at most; give -t (--threads) " + threads +
           " or more, or at most " + util::FormatBytes(settings.threads * kShardMemoryBytesMax);
  }
  if (settings.unix_socket.size() > kUnixPathBytesMax) {
    return where("unix-socket") + ": the path has " + std::to_string(settings.unix_socket.size()) +
           " bytes; give one of at most " + std::to_string(kUnixPathBytesMax);
  }
  const bool users =
      settings.sasl_enabled || !settings.auth_file.empty() || !settings.requirepass.empty();
  if (settings.http_on_main_port && users) {
    return where("http-on-main-port") +
           ": a browser cannot say who it is there, as all clients have to; leave it out, and look "
           "at "
           "--admin-listen";
  }
  if (settings.unix_socket.empty() && !settings.ServesTcp()) {
    return where("port") +
           ": 0 leaves nothing to listen on; give a port, or a UNIX socket with -s (--unix-socket)";
  }
  return std::nullopt;
}

std::vector<std::string> FitToMachine(const Machine& machine, Settings& settings) {
  std::vector<std::string> warnings;
  if (settings.threads == kAutoThreads) {
    const SettingInfo* info = FindSetting("threads");
    settings.threads = std::clamp<uint32_t>(machine.cpus, 1, static_cast<uint32_t>(info->most));
  }
  if (!machine.memory_limit_bytes) return warnings;
  const uint64_t granted = *machine.memory_limit_bytes;
  const uint64_t beside = std::min(granted, granted / 20 + kMemoryBeside);
  const auto least = static_cast<uint64_t>(FindSetting("memory-limit")->least);
  const uint64_t fitting = std::max((granted - beside) / util::kMiB * util::kMiB, least);
  if (settings.memory_bytes_max <= fitting) return warnings;
  warnings.push_back("memory limit: " + util::FormatBytes(settings.memory_bytes_max) +
                     " does not fit under the cgroup's limit of " + util::FormatBytes(granted) +
                     "; using " + util::FormatBytes(fitting) +
                     ", give -m (--memory-limit) no more than that or raise the cgroup's limit");
  settings.memory_bytes_max = fitting;
  return warnings;
}

std::optional<std::string> ExposureWarning(const Settings& settings) {
  if (!settings.ServesTcp()) return std::nullopt;
  std::vector<ListenAddress> exposed;
  std::copy_if(settings.addresses.begin(), settings.addresses.end(), std::back_inserter(exposed),
               [](const ListenAddress& address) { return !IsPrivate(address); });
  if (exposed.empty()) return std::nullopt;
  return "listening on " + FormatAddresses(exposed) +
         ": whoever reaches it can read and change everything in the cache; keep a firewall "
         "before it, or listen on a private address with -l (--listen)";
}

}  // namespace larder::config
