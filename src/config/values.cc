#include "config/values.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "util/units.h"

namespace larder::config {
namespace {

constexpr std::array<std::pair<std::string_view, IoChoice>, 3> kIoNames{
    {{"auto", IoChoice::kAuto}, {"uring", IoChoice::kUring}, {"event", IoChoice::kEvent}}};
constexpr std::array<std::pair<std::string_view, ProtocolChoice>, 3> kProtocolNames{
    {{"auto", ProtocolChoice::kAuto},
     {"ascii", ProtocolChoice::kText},
     {"binary", ProtocolChoice::kBinary}}};
constexpr std::array<std::pair<std::string_view, ClusterChoice>, 2> kClusterNames{
    {{"off", ClusterChoice::kOff}, {"emulated", ClusterChoice::kEmulated}}};

template <typename Names, typename Choice>
bool ReadChoice(const Names& names, std::string_view text, Choice& value) {
  for (const auto& [name, choice] : names) {
    if (text != name) continue;
    value = choice;
    return true;
  }
  return false;
}

template <typename Names, typename Choice>
std::string WriteChoice(const Names& names, Choice value) {
  for (const auto& [name, choice] : names) {
    if (value == choice) return std::string(name);
  }
  return std::string(names.front().first);
}
constexpr std::string_view kOff = "off";
constexpr size_t kHostBytesMax = 253;  // of a DNS name

template <typename T>
bool StoreInside(Bounds bounds, std::optional<uint64_t> number, T& value) {
  if (!number || std::cmp_less(*number, bounds.least) || std::cmp_greater(*number, bounds.most)) {
    return false;
  }
  value = static_cast<T>(*number);
  return true;
}

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsHexDigit(char c) { return IsDigit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }
bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

// Four numbers 0…255, most significant first.
std::optional<uint32_t> ParseIpv4(std::string_view host) {
  uint32_t address = 0;
  for (int part = 0; part < 4; ++part) {
    const size_t dot = host.find('.');
    if ((dot == std::string_view::npos) != (part == 3)) return std::nullopt;
    const std::string_view digits = host.substr(0, dot);
    const std::optional<uint64_t> number = util::ParseUnsigned(digits);
    if (!number || *number > 255 || digits.size() > 3) return std::nullopt;
    address = address << 8 | static_cast<uint32_t>(*number);
    host.remove_prefix(dot == std::string_view::npos ? host.size() : dot + 1);
  }
  return address;
}

// Eight groups of up to four hex digits, one run of which "::" may stand for; a zone may follow. An
// IPv4 tail counts as two groups.
bool LooksLikeIpv6(std::string_view host) {
  host = host.substr(0, host.find('%'));
  const size_t gap = host.find("::");
  const bool has_gap = gap != std::string_view::npos;
  if (has_gap && host.find("::", gap + 1) != std::string_view::npos) return false;
  if (!has_gap && (host.starts_with(':') || host.ends_with(':'))) return false;
  if (has_gap &&
      ((host.starts_with(':') && gap != 0) || (host.ends_with(':') && gap + 2 != host.size()))) {
    return false;
  }
  int groups = 0;
  while (!host.empty()) {
    const size_t colon = host.find(':');
    const std::string_view group = host.substr(0, colon);
    const bool last = colon == std::string_view::npos;
    if (last && group.find('.') != std::string_view::npos) {
      if (!ParseIpv4(group)) return false;
      groups += 2;
    } else if (!group.empty()) {
      if (group.size() > 4 || !std::all_of(group.begin(), group.end(), IsHexDigit)) return false;
      ++groups;
    }
    host.remove_prefix(last ? host.size() : colon + 1);
  }
  return has_gap ? groups <= 7 : groups == 8;
}

bool LooksLikeName(std::string_view host) {
  if (host.empty() || host.size() > kHostBytesMax || host.front() == '-' || host.front() == '.') {
    return false;
  }
  const bool shape = std::all_of(host.begin(), host.end(), [](char c) {
    return IsLetter(c) || IsDigit(c) || c == '-' || c == '.' || c == '_';
  });
  // Digits and dots alone are meant as an address, and a wrong one if we are here.
  return shape && std::any_of(host.begin(), host.end(), IsLetter);
}

// The least port is 1, or 0 where that means any.
std::optional<ListenAddress> ParseAddress(std::string_view text, int64_t port_least = 1) {
  ListenAddress address;
  std::string_view port;
  bool has_port = false;
  if (text.starts_with('[')) {
    const size_t close = text.find(']');
    if (close == std::string_view::npos) return std::nullopt;
    const std::string_view rest = text.substr(close + 1);
    address.host = text.substr(1, close - 1);
    if (!rest.empty() && rest.front() != ':') return std::nullopt;
    has_port = !rest.empty();
    port = has_port ? rest.substr(1) : rest;
    if (!LooksLikeIpv6(address.host)) return std::nullopt;
  } else if (std::count(text.begin(), text.end(), ':') > 1) {
    address.host = text;
    if (!LooksLikeIpv6(text)) return std::nullopt;
  } else {
    const size_t colon = text.find(':');
    has_port = colon != std::string_view::npos;
    address.host = text.substr(0, colon);
    if (has_port) port = text.substr(colon + 1);
    if (!ParseIpv4(address.host) && !LooksLikeName(address.host) &&
        address.host != ListenAddress::kEveryHost) {
      return std::nullopt;
    }
  }
  if (has_port &&
      !StoreInside({.least = port_least, .most = 65535}, util::ParseUnsigned(port), address.port)) {
    return std::nullopt;
  }
  return address;
}

bool IsPrivateIpv4(uint32_t address) {
  return address >> 24 == 127 ||                                // loopback
         address >> 24 == 10 || address >> 20 == 0xac1 ||       // 10/8, 172.16/12
         address >> 16 == 0xc0a8 || address >> 16 == 0xa9fe ||  // 192.168/16, link-local
         address >> 22 == 0x191;                                // 100.64/10, carriers
}

}  // namespace

std::vector<ListenAddress> ParseAddresses(std::string_view text) {
  std::vector<ListenAddress> addresses;
  while (true) {
    const size_t comma = text.find(',');
    std::string_view one = text.substr(0, comma);
    while (one.starts_with(' ')) one.remove_prefix(1);
    while (one.ends_with(' ')) one.remove_suffix(1);
    std::optional<ListenAddress> address = ParseAddress(one);
    if (!address) return {};
    addresses.push_back(*std::move(address));
    if (comma == std::string_view::npos) return addresses;
    text.remove_prefix(comma + 1);
  }
}

std::string FormatAddresses(const std::vector<ListenAddress>& addresses) {
  std::string text;
  for (const ListenAddress& address : addresses) {
    if (!text.empty()) text += ',';
    const bool is_v6 = address.host.find(':') != std::string::npos;
    text += is_v6 ? "[" + address.host + "]" : address.host;
    if (address.port != ListenAddress::kDefaultPort) text += ":" + std::to_string(address.port);
  }
  return text;
}

bool IsPrivate(const ListenAddress& address) {
  if (const std::optional<uint32_t> v4 = ParseIpv4(address.host)) return IsPrivateIpv4(*v4);
  if (address.host.find(':') == std::string::npos) return address.host != ListenAddress::kEveryHost;
  std::string host = address.host.substr(0, address.host.find('%'));
  std::transform(host.begin(), host.end(), host.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  if (host == "::1") return true;
  // fc00::/7 is for private networks, fe80::/10 for one link.
  return host.find(':') == 4 &&
         (host.starts_with("fc") || host.starts_with("fd") || host.starts_with("fe8") ||
          host.starts_with("fe9") || host.starts_with("fea") || host.starts_with("feb"));
}

template <>
bool ReadValue<ValueType::kPort>(Bounds bounds, std::string_view text, int32_t& value) {
  if (text != "-1") return StoreInside(bounds, util::ParseUnsigned(text), value);
  value = -1;
  return true;
}

template <>
bool ReadValue<ValueType::kNumber>(Bounds bounds, std::string_view text, uint32_t& value) {
  return StoreInside(bounds, util::ParseUnsigned(text), value);
}

template <>
bool ReadValue<ValueType::kThreads>(Bounds bounds, std::string_view text, uint32_t& value) {
  if (text != "auto") return StoreInside(bounds, util::ParseUnsigned(text), value);
  value = kAutoThreads;
  return true;
}

template <>
bool ReadValue<ValueType::kSize>(Bounds bounds, std::string_view text, uint64_t& value) {
  return StoreInside(bounds, util::ParseBytes(text), value);
}

template <>
bool ReadValue<ValueType::kMegabytes>(Bounds bounds, std::string_view text, uint64_t& value) {
  return StoreInside(bounds, util::ParseBytes(text, util::kMiB), value);
}

template <>
bool ReadValue<ValueType::kSeconds>(Bounds bounds, std::string_view text, uint32_t& value) {
  return StoreInside(bounds, util::ParseSeconds(text), value);
}

template <>
bool ReadValue<ValueType::kSwitch>(Bounds, std::string_view text, bool& value) {
  constexpr std::array<std::string_view, 4> kYes{"true", "yes", "on", "1"};
  constexpr std::array<std::string_view, 4> kNo{"false", "no", "off", "0"};
  const bool yes = std::find(kYes.begin(), kYes.end(), text) != kYes.end();
  if (!yes && std::find(kNo.begin(), kNo.end(), text) == kNo.end()) return false;
  value = yes;
  return true;
}

template <>
bool ReadValue<ValueType::kLevel>(Bounds bounds, std::string_view text, uint32_t& value) {
  return StoreInside(bounds, util::ParseUnsigned(text), value);
}

template <>
bool ReadValue<ValueType::kMode>(Bounds bounds, std::string_view text, uint32_t& value) {
  return StoreInside(bounds, util::ParseOctal(text), value);
}

template <>
bool ReadValue<ValueType::kNoUdp>(Bounds bounds, std::string_view text, uint32_t& value) {
  return StoreInside(bounds, util::ParseUnsigned(text), value);
}

template <>
bool ReadValue<ValueType::kText>(Bounds, std::string_view text, std::string& value) {
  if (std::any_of(text.begin(), text.end(),
                  [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; })) {
    return false;
  }
  value = text;
  return true;
}

template <>
bool ReadValue<ValueType::kDelimiter>(Bounds bounds, std::string_view text, std::string& value) {
  // Keys have no blanks.
  if (text.size() > 1 || text == " ") return false;
  return ReadValue<ValueType::kText>(bounds, text, value);
}

template <>
bool ReadValue<ValueType::kAddresses>(Bounds, std::string_view text,
                                      std::vector<ListenAddress>& value) {
  std::vector<ListenAddress> addresses = ParseAddresses(text);
  if (addresses.empty()) return false;
  value = std::move(addresses);
  return true;
}

template <>
bool ReadValue<ValueType::kDoor>(Bounds, std::string_view text,
                                 std::optional<ListenAddress>& value) {
  std::optional<ListenAddress> address;
  if (text != kOff) {
    address = ParseAddress(text, 0);
    if (!address || address->port == ListenAddress::kDefaultPort) return false;
  }
  value = std::move(address);
  return true;
}

template <>
bool ReadValue<ValueType::kIo>(Bounds, std::string_view text, IoChoice& value) {
  return ReadChoice(kIoNames, text, value);
}

template <>
bool ReadValue<ValueType::kProtocol>(Bounds, std::string_view text, ProtocolChoice& value) {
  return ReadChoice(kProtocolNames, text, value);
}

template <>
bool ReadValue<ValueType::kCluster>(Bounds, std::string_view text, ClusterChoice& value) {
  return ReadChoice(kClusterNames, text, value);
}

template <>
std::string WriteValue<ValueType::kPort>(const int32_t& value) {
  return std::to_string(value);
}

template <>
std::string WriteValue<ValueType::kNumber>(const uint32_t& value) {
  return std::to_string(value);
}

template <>
std::string WriteValue<ValueType::kThreads>(const uint32_t& value) {
  return value == kAutoThreads ? "auto" : std::to_string(value);
}

template <>
std::string WriteValue<ValueType::kSize>(const uint64_t& value) {
  return util::FormatBytes(value);
}

template <>
std::string WriteValue<ValueType::kMegabytes>(const uint64_t& value) {
  // A bare number would be read as megabytes.
  const std::string text = util::FormatBytes(value);
  return IsDigit(text.back()) ? text + "b" : text;
}

template <>
std::string WriteValue<ValueType::kSeconds>(const uint32_t& value) {
  return util::FormatSeconds(value);
}

template <>
std::string WriteValue<ValueType::kSwitch>(const bool& value) {
  return value ? "true" : "false";
}

template <>
std::string WriteValue<ValueType::kLevel>(const uint32_t& value) {
  return std::to_string(value);
}

template <>
std::string WriteValue<ValueType::kMode>(const uint32_t& value) {
  std::string digits;
  for (uint32_t rest = value; rest != 0; rest /= 8) {
    digits.insert(digits.begin(), static_cast<char>('0' + rest % 8));
  }
  return digits.empty() ? "0" : digits;
}

template <>
std::string WriteValue<ValueType::kNoUdp>(const uint32_t& value) {
  return std::to_string(value);
}

template <>
std::string WriteValue<ValueType::kText>(const std::string& value) {
  return value;
}

template <>
std::string WriteValue<ValueType::kDelimiter>(const std::string& value) {
  return value;
}

template <>
std::string WriteValue<ValueType::kAddresses>(const std::vector<ListenAddress>& value) {
  return FormatAddresses(value);
}

template <>
std::string WriteValue<ValueType::kDoor>(const std::optional<ListenAddress>& value) {
  return value ? FormatAddresses({*value}) : std::string(kOff);
}

template <>
std::string WriteValue<ValueType::kIo>(const IoChoice& value) {
  return WriteChoice(kIoNames, value);
}

template <>
std::string WriteValue<ValueType::kProtocol>(const ProtocolChoice& value) {
  return WriteChoice(kProtocolNames, value);
}

template <>
std::string WriteValue<ValueType::kCluster>(const ClusterChoice& value) {
  return WriteChoice(kClusterNames, value);
}

}  // namespace larder::config
