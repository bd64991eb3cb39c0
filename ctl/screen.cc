#include "ctl/screen.h"

#include <absl/strings/numbers.h>
#include <absl/strings/str_format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <optional>

#include "ctl/json.h"
#include "protocol/base64.h"
#include "util/log.h"

namespace larder::ctl {
namespace {

constexpr size_t kVerbsShown = 8;
constexpr size_t kCoresShown = 32;
constexpr int kBarColumns = 50;
constexpr int kCoreBarColumns = 20;

// Three digits and a unit: 999, 1.23k, 45.6m.
std::string Short(double number, double base) {
  constexpr std::string_view kUnits = " kmgt";
  size_t unit = 0;
  while (number >= 999.5 && unit + 1 < kUnits.size()) {
    number /= base;
    ++unit;
  }
  const int digits = number < 9.995 ? 2 : number < 99.95 ? 1 : 0;
  std::string text =
      absl::StrFormat("%.*f", unit == 0 && number == std::floor(number) ? 0 : digits, number);
  if (unit > 0) text += kUnits[unit];
  return text;
}

std::string Rate(double per_s) { return Short(per_s, 1000) + "/s"; }
std::string Bytes(double bytes) { return Short(bytes, 1024); }

std::string Duration(double seconds) {
  if (seconds < 0.9995e-3) return absl::StrFormat("%.0f us", seconds * 1e6);
  if (seconds < 0.9995) return absl::StrFormat("%.3g ms", seconds * 1e3);
  return absl::StrFormat("%.3g s", seconds);
}

std::string Uptime(double seconds) {
  const auto whole = static_cast<int64_t>(seconds);
  const std::string clock =
      absl::StrFormat("%02d:%02d:%02d", whole / 3600 % 24, whole / 60 % 60, whole % 60);
  return whole < 86400 ? clock : absl::StrFormat("%d d %s", whole / 86400, clock);
}

int Columns(double share, int columns) {
  return static_cast<int>(std::lround(std::clamp(share, 0.0, 1.0) * columns));
}

// [####--==......]: the shares in order, each with its sign.
std::string Bar(const std::vector<std::pair<double, char>>& shares, int columns) {
  std::string bar = "[";
  for (const auto& [share, sign] : shares) {
    const auto left = static_cast<size_t>(columns) + 1 - bar.size();
    bar.append(std::min(left, static_cast<size_t>(Columns(share, columns))), sign);
  }
  bar.resize(static_cast<size_t>(columns) + 1, '.');
  return bar + "]";
}

std::string CoresText(const std::vector<double>& loads) {
  if (loads.empty()) return "cores     no admin door answers; see --admin\n";
  std::string out;
  const size_t shown = std::min(loads.size(), kCoresShown);
  for (size_t core = 0; core < shown; ++core) {
    const std::string cell = absl::StrFormat("core %-3d %3.0f %%  %s", core, loads[core] * 100,
                                             Bar({{loads[core], '#'}}, kCoreBarColumns));
    const bool ends_row = core % 2 == 1 || core + 1 == shown;
    out += ends_row ? cell + "\n" : cell + "    ";
  }
  if (shown < loads.size()) out += absl::StrFormat("and %d more\n", loads.size() - shown);
  return out;
}

std::string VerbsText(const std::vector<VerbFigures>& verbs) {
  if (verbs.empty()) return "";
  std::string out = absl::StrFormat("\n%-30s %12s %12s %12s\n", "slowest", "", "mean", "p99");
  for (size_t i = 0; i < std::min(verbs.size(), kVerbsShown); ++i) {
    out +=
        absl::StrFormat("%-30s %12s %12s %12s\n", verbs[i].name.substr(0, 30), Rate(verbs[i].per_s),
                        Duration(verbs[i].mean_s), Duration(verbs[i].p99_s));
  }
  return out;
}

std::string JsonNumber(double value) { return absl::StrFormat("%.9g", value); }

std::optional<double> Number(const std::string& text) {
  double value = 0;
  if (!absl::SimpleAtod(text, &value)) return std::nullopt;
  return value;
}

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::string PercentDecoded(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && HexDigit(text[i + 1]) >= 0 &&
        HexDigit(text[i + 2]) >= 0) {
      out += static_cast<char>(HexDigit(text[i + 1]) * 16 + HexDigit(text[i + 2]));
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

}  // namespace

std::string TopText(const Figures& figures, std::string_view where) {
  std::string out =
      absl::StrFormat("larder %s at %s, up %s\n\n", figures.version,
                      absl::string_view(where.data(), where.size()), Uptime(figures.uptime_s));
  const double limit = std::max(figures.limit_bytes, 1.0);
  const double used = figures.live_bytes + figures.dead_bytes + figures.overhead_bytes;
  out += absl::StrFormat("hits   %5.1f %%  %s\n", figures.hit_ratio * 100,
                         Bar({{figures.hit_ratio, '#'}}, kBarColumns));
  out += absl::StrFormat("memory %5.1f %%  %s  of %s\n", used / limit * 100,
                         Bar({{figures.live_bytes / limit, '#'},
                              {figures.dead_bytes / limit, '-'},
                              {figures.overhead_bytes / limit, '='}},
                             kBarColumns),
                         Bytes(limit));
  out += absl::StrFormat("                # %s in %s items  - %s dead  = %s table, buffers\n\n",
                         Bytes(figures.live_bytes), Short(figures.items, 1000),
                         Bytes(figures.dead_bytes), Bytes(figures.overhead_bytes));
  out += absl::StrFormat("gets %-8s  sets %-8s  deletes %-8s  evicted %-8s  expired %s\n",
                         Rate(figures.gets_per_s), Rate(figures.sets_per_s),
                         Rate(figures.deletes_per_s), Rate(figures.evictions_per_s),
                         Rate(figures.expiries_per_s));
  out += absl::StrFormat("in   %-8s  out  %-8s  clients %.0f of %.0f, new %s\n\n",
                         Bytes(figures.received_bytes_per_s) + "/s",
                         Bytes(figures.sent_bytes_per_s) + "/s", figures.clients,
                         figures.clients_max, Rate(figures.clients_per_s));
  return out + CoresText(figures.core_loads) + VerbsText(figures.verbs);
}

std::string TopJson(const Figures& figures, std::string_view where) {
  JsonObject object;
  object.Add("server", JsonText(where));
  object.Add("version", JsonText(figures.version));
  const std::array<std::pair<std::string_view, double>, 18> numbers = {{
      {"seconds", figures.seconds},
      {"uptime_s", figures.uptime_s},
      {"hit_ratio", figures.hit_ratio},
      {"gets_per_s", figures.gets_per_s},
      {"sets_per_s", figures.sets_per_s},
      {"deletes_per_s", figures.deletes_per_s},
      {"evictions_per_s", figures.evictions_per_s},
      {"expiries_per_s", figures.expiries_per_s},
      {"received_bytes_per_s", figures.received_bytes_per_s},
      {"sent_bytes_per_s", figures.sent_bytes_per_s},
      {"clients_per_s", figures.clients_per_s},
      {"clients", figures.clients},
      {"clients_max", figures.clients_max},
      {"items", figures.items},
      {"live_bytes", figures.live_bytes},
      {"dead_bytes", figures.dead_bytes},
      {"overhead_bytes", figures.overhead_bytes},
      {"limit_bytes", figures.limit_bytes},
  }};
  for (const auto& [name, value] : numbers) object.Add(name, JsonNumber(value));
  std::string cores;
  for (const double load : figures.core_loads) {
    cores += (cores.empty() ? "" : ", ") + JsonNumber(load);
  }
  object.Add("core_loads", "[" + cores + "]");
  std::string verbs;
  for (const VerbFigures& verb : figures.verbs) {
    JsonObject one;
    one.Add("name", JsonText(verb.name));
    one.Add("per_s", JsonNumber(verb.per_s));
    one.Add("mean_s", JsonNumber(verb.mean_s));
    one.Add("p99_s", JsonNumber(verb.p99_s));
    verbs += (verbs.empty() ? "" : ", ") + one.Text();
  }
  object.Add("verbs", "[" + verbs + "]");
  return object.Text() + "\n";
}

std::string StatsText(const Stats& stats) {
  std::string out;
  for (const auto& [name, value] : stats) out += absl::StrFormat("%-40s %s\n", name, value);
  return out;
}

std::string ChangesText(const Stats& before, const Stats& now, double seconds) {
  const std::map<std::string, std::string> earlier(before.begin(), before.end());
  std::string out;
  for (const auto& [name, value] : now) {
    const auto found = earlier.find(name);
    if (found == earlier.end() || found->second == value) continue;
    const std::optional<double> was = Number(found->second);
    const std::optional<double> is = Number(value);
    const bool numbers = was && is && seconds > 0;
    out += absl::StrFormat("%-40s %-24s %s\n", name, value,
                           numbers ? absl::StrFormat("%+.6g/s", (*is - *was) / seconds) : "");
  }
  return out;
}

std::string StatsJson(const Stats& stats) {
  JsonObject object;
  for (const auto& [name, value] : stats) object.Add(name, JsonValue(value));
  return object.Text() + "\n";
}

std::optional<KeyLine> ParseKeyLine(std::string_view line) {
  KeyLine result;
  if (!line.starts_with("key=")) return std::nullopt;
  while (!line.empty()) {
    const size_t end = std::min(line.find(' '), line.size());
    const std::string_view token = line.substr(0, end);
    line.remove_prefix(std::min(end + 1, line.size()));
    const size_t equals = token.find('=');
    if (equals == token.npos) return std::nullopt;
    const std::string_view name = token.substr(0, equals);
    const std::string_view value = token.substr(equals + 1);
    if (name == "key") result.key = PercentDecoded(value);
    if (name == "exp") result.expires_at = value;
    if (name == "size") result.item_bytes = value;
    if (name == "fetch") result.fetched = value == "yes";
  }
  return result;
}

std::string KeyText(const KeyLine& line) {
  return absl::StrFormat("%10s  %10s  %s\n", line.item_bytes,
                         line.expires_at == "-1" ? "never" : line.expires_at,
                         util::Escaped(line.key));
}

std::string KeyJson(const KeyLine& line) {
  JsonObject object;
  AddBytes("key", line.key, object);
  object.Add("item_bytes", JsonValue(line.item_bytes));
  object.Add("expires_at", line.expires_at == "-1" ? "null" : JsonValue(line.expires_at));
  object.Add("fetched", line.fetched ? "true" : "false");
  return object.Text() + "\n";
}

void AddBytes(std::string_view name, std::string_view bytes, JsonObject& object) {
  if (IsUtf8(bytes)) return object.Add(name, JsonText(bytes));
  std::string text(protocol::Base64Bytes(bytes.size()), '\0');
  protocol::AppendBase64(text.data(), bytes);
  object.Add(std::string(name) + "_base64", JsonText(text));
}

}  // namespace larder::ctl
