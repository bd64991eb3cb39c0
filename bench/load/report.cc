// How the result of a load is shown.
#include <cinttypes>
#include <cstdio>
#include <iterator>

#include "bench/load/load_run.h"

namespace larder::bench {
namespace {

constexpr double kPercents[] = {50, 90, 99, 99.9};

// 1234567 as "1,234,567".
std::string Grouped(uint64_t number) {
  const std::string digits = std::to_string(number);
  std::string grouped;
  for (size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) grouped.push_back(',');
    grouped.push_back(digits[i]);
  }
  return grouped;
}

double Micros(uint64_t ns) { return static_cast<double>(ns) / 1e3; }

double PerRequest(uint64_t ns, const LoadResult& result) {
  return result.Requests() == 0 ? 0 : Micros(ns) / static_cast<double>(result.Requests());
}

// By schedstat, or by stat where the kernel keeps no schedstat.
uint64_t ServerNs(const ProcessCpu& cpu) {
  return cpu.run_ns > 0 ? cpu.run_ns : cpu.user_ns + cpu.system_ns;
}

void PrintRow(const char* name, const util::Histogram& latency, double per_second) {
  std::printf("%-6s %12s %12s", name, Grouped(latency.Count()).c_str(),
              Grouped(static_cast<uint64_t>(per_second)).c_str());
  for (const double percent : kPercents) std::printf(" %9.1f", Micros(latency.Percentile(percent)));
  std::printf(" %9.1f\n", Micros(latency.Max()));
}

void PrintHead(const LoadOptions& options) {
  const KeySpace::Options& keys = options.keys;
  std::printf("%s, %s: %u connections on %u thread%s, %u deep", options.server.c_str(),
              options.dialect->name.data(), options.connections, options.threads,
              options.threads == 1 ? "" : "s", options.worker.depth);
  if (options.worker.keys_per_get > 1)
    std::printf(", %u keys per get", options.worker.keys_per_get);
  if (options.worker.keys_per_set > 1)
    std::printf(", %u keys per set", options.worker.keys_per_set);
  std::printf("; %s keys of %u B, ", Grouped(keys.keys).c_str(), keys.key_size);
  if (options.worker.zipf_exponent > 0) {
    std::printf("zipf:%g", options.worker.zipf_exponent);
  } else {
    std::printf("uniform");
  }
  std::printf(", values of %u", keys.value_size_min);
  if (keys.value_size_max != keys.value_size_min) std::printf("–%u", keys.value_size_max);
  std::printf(" B");
  if (options.rate_per_s > 0) {
    std::printf("; %.0f/s asked for, latency from when a request was due", options.rate_per_s);
  }
  std::printf("\n\n");
}

void AppendField(std::string& json, const char* name, const std::string& value) {
  json += json.back() == '{' ? "" : ", ";
  json.append("\"").append(name).append("\": ").append(value);
}

std::string Quoted(const std::string& text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    // Whatever is no plain character is not worth an escape here.
    quoted += static_cast<unsigned char>(c) < ' ' ? '?' : c;
  }
  quoted.push_back('"');
  return quoted;
}

std::string LatencyJson(const util::Histogram& latency) {
  std::string json = "{";
  AppendField(json, "requests", std::to_string(latency.Count()));
  AppendField(json, "p50_us", std::to_string(Micros(latency.Percentile(50))));
  AppendField(json, "p90_us", std::to_string(Micros(latency.Percentile(90))));
  AppendField(json, "p99_us", std::to_string(Micros(latency.Percentile(99))));
  AppendField(json, "p99_9_us", std::to_string(Micros(latency.Percentile(99.9))));
  AppendField(json, "max_us", std::to_string(Micros(latency.Max())));
  json.push_back('}');
  return json;
}

util::Histogram All(const Tally& tally) {
  util::Histogram all = tally.get_ns;
  all.Merge(tally.set_ns);
  all.Merge(tally.unsent_ns);
  return all;
}

}  // namespace

void PrintTable(const LoadOptions& options, const LoadResult& result) {
  const Tally& tally = result.tally;
  PrintHead(options);
  std::printf("%-6s %12s %12s %9s %9s %9s %9s %9s\n", "", "requests", "per second", "p50 µs",
              "p90 µs", "p99 µs", "p99.9 µs", "max µs");
  const util::Histogram* parts[] = {&tally.get_ns, &tally.set_ns, &tally.unsent_ns};
  const char* const names[] = {"get", "set", "unsent"};
  int rows = 0;
  for (size_t i = 0; i < std::size(parts); ++i) {
    if (parts[i]->Count() == 0) continue;
    const auto count = static_cast<double>(parts[i]->Count());
    PrintRow(names[i], *parts[i], parts[i] == &tally.unsent_ns ? 0 : count / result.seconds);
    ++rows;
  }
  if (rows > 1) {
    PrintRow("all", All(tally), static_cast<double>(result.Requests()) / result.seconds);
  }

  const uint64_t looked_up = tally.hits + tally.misses;
  std::printf("\ntime %.3f s", result.seconds);
  if (looked_up > 0) {
    std::printf(", hits %s of %s keys (%.2f %%)", Grouped(tally.hits).c_str(),
                Grouped(looked_up).c_str(),
                100 * static_cast<double>(tally.hits) / static_cast<double>(looked_up));
  }
  std::printf(", errors %s\n", Grouped(tally.refused).c_str());
  if (tally.unsent_ns.Count() > 0) {
    std::printf("behind schedule: %s requests were due and could not be sent\n",
                Grouped(tally.unsent_ns.Count()).c_str());
  }
  if (result.server_cpu) {
    const ProcessCpu& cpu = *result.server_cpu;
    const uint64_t by_stat = cpu.user_ns + cpu.system_ns;
    std::printf(
        "server CPU %.3f µs per request (%s); by stat %.3f µs, %.0f %% of it in the kernel\n",
        PerRequest(ServerNs(cpu), result), cpu.run_ns > 0 ? "schedstat" : "stat",
        PerRequest(by_stat, result),
        by_stat == 0 ? 0 : 100 * static_cast<double>(cpu.system_ns) / static_cast<double>(by_stat));
  }
  std::printf("client CPU %.3f µs per request\n", PerRequest(result.client_cpu_ns, result));
}

std::string ToJson(const LoadOptions& options, const LoadResult& result) {
  const Tally& tally = result.tally;
  std::string json = "{";
  AppendField(json, "server", Quoted(options.server));
  AppendField(json, "protocol", Quoted(std::string(options.dialect->name)));
  AppendField(json, "threads", std::to_string(options.threads));
  AppendField(json, "connections", std::to_string(options.connections));
  AppendField(json, "depth", std::to_string(options.worker.depth));
  AppendField(json, "get_ratio", std::to_string(options.worker.get_ratio));
  AppendField(json, "keys_per_get", std::to_string(options.worker.keys_per_get));
  AppendField(json, "keys_per_set", std::to_string(options.worker.keys_per_set));
  AppendField(json, "keys", std::to_string(options.keys.keys));
  AppendField(json, "seed", std::to_string(options.worker.seed));
  AppendField(json, "failure", Quoted(result.failure));
  AppendField(json, "requests", std::to_string(result.Requests()));
  AppendField(json, "seconds", std::to_string(result.seconds));
  AppendField(json, "hits", std::to_string(tally.hits));
  AppendField(json, "misses", std::to_string(tally.misses));
  AppendField(json, "errors", std::to_string(tally.refused));
  AppendField(json, "unsent", std::to_string(tally.unsent_ns.Count()));
  AppendField(json, "get", LatencyJson(tally.get_ns));
  AppendField(json, "set", LatencyJson(tally.set_ns));
  AppendField(json, "all", LatencyJson(All(tally)));
  AppendField(json, "client_cpu_us", std::to_string(PerRequest(result.client_cpu_ns, result)));
  if (result.server_cpu) {
    const ProcessCpu& cpu = *result.server_cpu;
    AppendField(json, "server_cpu_us", std::to_string(PerRequest(ServerNs(cpu), result)));
    AppendField(json, "server_user_us", std::to_string(PerRequest(cpu.user_ns, result)));
    AppendField(json, "server_system_us", std::to_string(PerRequest(cpu.system_ns, result)));
  }
  json.append("}\n");
  return json;
}

}  // namespace larder::bench
