// What the server can be told: a plain value, generated from settings.def.
//
// A Settings that ParseSettings() has returned is whole: every value is inside its bounds, the
// relations between values hold (CheckSettings), and `threads` is a number. Whoever needs settings
// is given a small Options struct with the values it needs, never this.
#ifndef LARDER_CONFIG_SETTINGS_H_
#define LARDER_CONFIG_SETTINGS_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "larder/options.h"

namespace larder::config {

// How a setting is written and what it becomes.
enum class ValueType : uint8_t {
  kPort,       // 0…65535, or -1
  kNumber,     // decimal
  kThreads,    // decimal or "auto"
  kSize,       // bytes, or with a unit
  kMegabytes,  // megabytes, or with a unit
  kSeconds,    // seconds, or with a unit
  kSwitch,     // true or false; as a flag it takes no value
  kLevel,      // decimal; as a flag it takes no value and counts
  kMode,       // octal
  kNoUdp,      // 0
  kText,       // any bytes but control characters
  kDelimiter,  // one byte, or none
  kAddresses,  // a list
  kDoor,       // host:port, port 0 being any, or off
  kIo,         // auto, uring, event
  kProtocol,   // auto, ascii, binary
  kCluster,    // off, emulated
};

struct ListenAddress {
  static constexpr int32_t kDefaultPort = -2;          // the one of -p
  static constexpr std::string_view kEveryHost = "*";  // every address that this host has

  std::string host;  // a name, an IPv4 or an IPv6 address without brackets, or kEveryHost
  int32_t port = kDefaultPort;

  friend bool operator==(const ListenAddress&, const ListenAddress&) = default;
};

inline constexpr uint32_t kAutoThreads = 0;

template <ValueType>
struct ValueOf {
  using Type = uint32_t;
};
template <>
struct ValueOf<ValueType::kPort> {
  using Type = int32_t;
};
template <>
struct ValueOf<ValueType::kSize> {
  using Type = uint64_t;
};
template <>
struct ValueOf<ValueType::kMegabytes> {
  using Type = uint64_t;
};
template <>
struct ValueOf<ValueType::kSwitch> {
  using Type = bool;
};
template <>
struct ValueOf<ValueType::kText> {
  using Type = std::string;
};
template <>
struct ValueOf<ValueType::kDelimiter> {
  using Type = std::string;
};
template <>
struct ValueOf<ValueType::kAddresses> {
  using Type = std::vector<ListenAddress>;
};
template <>
struct ValueOf<ValueType::kDoor> {
  using Type = std::optional<ListenAddress>;
};
template <>
struct ValueOf<ValueType::kIo> {
  using Type = IoChoice;
};
template <>
struct ValueOf<ValueType::kProtocol> {
  using Type = ProtocolChoice;
};
template <>
struct ValueOf<ValueType::kCluster> {
  using Type = ClusterChoice;
};

struct Settings {
#define GROUP(title)
#define SETTING(member, type, ...) ValueOf<ValueType::type>::Type member{};
#include "config/settings.def"
#undef SETTING
#undef GROUP

  // A UNIX socket turns TCP off, as in memcached.
  [[nodiscard]] bool ServesTcp() const;

  friend bool operator==(const Settings&, const Settings&) = default;
};

// One line of settings.def. Static storage.
struct SettingInfo {
  std::string_view group;
  ValueType type;
  std::string_view flag;  // one letter or empty
  std::string_view long_name;
  std::string_view default_text;
  int64_t least;
  int64_t most;
  std::string_view stats_name;  // as in settings.def, with its "!"
  std::string_view help;
  // Sets the member from `text`; false and no change if `text` does not fit.
  bool (*read)(const SettingInfo& info, std::string_view text, Settings& settings);
  // The member as `read` takes it.
  std::string (*write)(const Settings& settings);
  // The member as `stats settings` shows it.
  std::string (*show)(const Settings& settings);

  // A switch or a level: no value follows the flag.
  [[nodiscard]] bool IsFlagOnly() const;
  // "LARDER_PORT".
  [[nodiscard]] std::string Variable() const;
  // What would be right, to follow "give": "a whole number from 1 to 4096, or auto".
  [[nodiscard]] std::string Right() const;
};

// In the order of settings.def.
std::span<const SettingInfo> AllSettings();
// By long name; null if there is none.
const SettingInfo* FindSetting(std::string_view long_name);

// All defaults; `threads` is kAutoThreads.
Settings DefaultSettings();

// The relations between settings. If one does not hold: one sentence, without a full stop.
// `where` names the place that a setting was given at, by its long name.
using Where = std::function<std::string(std::string_view long_name)>;
std::optional<std::string> CheckSettings(const Settings& settings, const Where& where);

// What the machine gives; see runtime/topology.h.
struct Machine {
  uint32_t cpus = 1;
  std::optional<uint64_t> memory_limit_bytes = std::nullopt;
};
// Fills in what depends on the machine: `threads` if automatic, and a memory limit that the cgroup
// would kill us for is lowered. Returns one sentence for each thing worth a warning.
std::vector<std::string> FitToMachine(const Machine& machine, Settings& settings);

// The sentence for addresses that strangers may reach; none if there are none.
std::optional<std::string> ExposureWarning(const Settings& settings);

// The lines of `stats settings`: all names of memcached 1.6.45 in its order, with our values where
// they correspond and memcached's defaults where nothing does; then those of ours that it has not.
std::vector<std::pair<std::string, std::string>> StatsSettings(const Settings& settings);

}  // namespace larder::config

#endif  // LARDER_CONFIG_SETTINGS_H_
