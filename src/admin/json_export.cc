#include "admin/json_export.h"

#include <absl/strings/str_cat.h>

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "larder/clock.h"

namespace larder::admin {
namespace {

using stats::CoreFigures;
using stats::CounterInfo;
using stats::DurationCounts;
using stats::Figures;

// Appends JSON; the commas are its own affair. Texts are of our own choosing: nothing in them needs
// to be escaped.
class Json {
 public:
  // '{' or '[', inside of an array; or as the member `name` of an object.
  void Open(char bracket) { Value(std::string_view(&bracket, 1), true); }
  void Open(std::string_view name, char bracket) {
    Name(name);
    Open(bracket);
  }
  void Close(char bracket) {
    text_ += bracket;
    first_ = false;
  }
  // A value of an array.
  template <typename T>
  void Add(T number) {
    Value(Spelled(number), false);
  }
  // A member of an object.
  template <typename T>
  void Add(std::string_view name, T value) {
    Name(name);
    Value(Spelled(value), false);
  }
  [[nodiscard]] std::string Take() { return std::move(text_); }

 private:
  static std::string Spelled(std::string_view text) { return "\"" + std::string(text) + "\""; }
  static std::string Spelled(bool value) { return value ? "true" : "false"; }
  static std::string Spelled(double value) { return absl::StrCat(value); }
  static std::string Spelled(uint64_t value) { return absl::StrCat(value); }
  static std::string Spelled(int64_t value) { return absl::StrCat(value); }
  static std::string Spelled(std::nullptr_t) { return "null"; }

  void Name(std::string_view name) {
    Comma();
    text_ += Spelled(name) + ":";
    first_ = true;
  }
  void Value(std::string_view spelled, bool opens) {
    Comma();
    text_ += spelled;
    first_ = opens;
  }
  void Comma() {
    if (!first_) text_ += ',';
  }

  std::string text_;
  bool first_ = true;
};

// "larder_get_hits_total": get_hits.
std::string_view NameOf(const CounterInfo& info) {
  constexpr std::string_view kBegin = "larder_";
  constexpr std::string_view kEnd = "_total";
  std::string_view name = info.prometheus_name;
  name.remove_prefix(kBegin.size());
  if (name.ends_with(kEnd)) name.remove_suffix(kEnd.size());
  return name;
}

void AddDurations(Json& json, const DurationCounts& counts) {
  json.Add("count", counts.Count());
  json.Add("sum_seconds", static_cast<double>(counts.sum_ns) / kNsPerSecond);
  json.Open("buckets", '[');
  for (const uint64_t count : counts.buckets) json.Add(count);
  json.Close(']');
}

void AddServer(Json& json, const Figures& figures) {
  const stats::GeneralStats& general = figures.general;
  json.Add("version", general.larder_version);
  json.Add("unix_time", general.unix_time_s);
  json.Add("clock_seconds", static_cast<double>(figures.now_ns) / kNsPerSecond);
  json.Add("uptime_seconds", general.uptime_s);
  json.Add("pid", general.pid);
  json.Add("draining", figures.draining);
  json.Add("memory_limit_bytes", general.limit_maxbytes);
  json.Add("connections_max", general.max_connections);
  json.Add("user_cpu_seconds", static_cast<double>(general.user_us) / kMicrosPerSecond);
  json.Add("system_cpu_seconds", static_cast<double>(general.system_us) / kMicrosPerSecond);
}

// Of each counter, in the order of AllCounters().
using CounterValues = std::vector<uint64_t>;

// They move while the page is written: each is read once, so that they add up.
CounterValues ValuesOf(const CoreFigures& core) {
  CounterValues values;
  for (const CounterInfo& info : stats::AllCounters()) {
    values.push_back(core.counters->Get(info.counter));
  }
  return values;
}

CounterValues SumsOf(const std::vector<CounterValues>& cores) {
  CounterValues sums(stats::AllCounters().size());
  for (const CounterValues& core : cores) {
    for (size_t i = 0; i < core.size(); ++i) sums[i] += core[i];
  }
  return sums;
}

void AddCounters(Json& json, std::string_view name, const CounterValues& values) {
  json.Open(name, '{');
  auto value = values.begin();
  for (const CounterInfo& info : stats::AllCounters()) json.Add(NameOf(info), *value++);
  json.Close('}');
}

void AddCore(Json& json, const CoreFigures& core, const CounterValues& counters) {
  json.Open('{');
  AddCounters(json, "counters", counters);
  json.Add("cpu_seconds", static_cast<double>(core.cpu_ns) / kNsPerSecond);
  if (core.turn_age_ns == CoreFigures::kNoTurn) {
    json.Add("turn_age_seconds", nullptr);
  } else {
    json.Add("turn_age_seconds", static_cast<double>(core.turn_age_ns) / kNsPerSecond);
  }
  DurationCounts turns;
  core.times->turns().AddTo(turns);
  json.Open("turns", '{');
  AddDurations(json, turns);
  json.Close('}');
  json.Close('}');
}

void AddRequests(Json& json, const Figures& figures) {
  for (const stats::RequestKind kind : stats::AllRequestKinds()) {
    const DurationCounts counts = figures.RequestsOf(kind);
    if (counts.Count() == 0) continue;
    json.Open('{');
    json.Add("protocol", DialectName(kind.dialect()));
    json.Add("verb", RequestVerbName(kind));
    AddDurations(json, counts);
    json.Close('}');
  }
}

}  // namespace

std::string JsonText(const Figures& figures) {
  std::vector<CounterValues> counters;
  for (const CoreFigures& core : figures.cores) counters.push_back(ValuesOf(core));
  Json json;
  json.Open('{');
  AddServer(json, figures);
  AddCounters(json, "totals", SumsOf(counters));
  json.Open("cores", '[');
  for (size_t i = 0; i < figures.cores.size(); ++i) AddCore(json, figures.cores[i], counters[i]);
  json.Close(']');
  json.Open("bucket_bounds_seconds", '[');
  for (size_t bucket = 0; bucket + 1 < DurationCounts::kBuckets; ++bucket) {
    json.Add(static_cast<double>(stats::DurationHistogram::LastOf(bucket)) / kNsPerSecond);
  }
  json.Close(']');
  json.Open("requests", '[');
  AddRequests(json, figures);
  json.Close(']');
  json.Close('}');
  return json.Take() + "\n";
}

}  // namespace larder::admin
