// `stats settings`: the lines of memcached 1.6.45, and ours behind them.
#include <array>

#include "config/settings.h"
#include "util/check.h"

namespace larder::config {
namespace {

struct Line {
  std::string_view name;
  // What we are, where nobody can set it, and memcached's default where nothing of ours
  // corresponds. Empty: a setting of settings.def gives it.
  std::string_view fixed;
};

constexpr std::array kLines{
    Line{"maxbytes", ""},
    Line{"maxconns", ""},
    Line{"tcpport", ""},
    Line{"udpport", ""},
    Line{"inter", ""},
    Line{"verbosity", ""},
    Line{"oldest", "0"},
    Line{"evictions", ""},
    Line{"domain_socket", ""},
    Line{"umask", ""},
    Line{"shutdown_command", ""},
    Line{"growth_factor", "1.25"},
    Line{"chunk_size", "48"},
    Line{"num_threads", ""},
    Line{"num_threads_per_udp", "0"},
    Line{"stat_key_prefix", ""},
    Line{"detail_enabled", "no"},
    Line{"reqs_per_event", ""},
    Line{"cas_enabled", "yes"},
    Line{"tcp_backlog", ""},
    Line{"binding_protocol", ""},
    Line{"auth_enabled_sasl", ""},
    Line{"auth_enabled_ascii", ""},
    Line{"item_size_max", ""},
    Line{"maxconns_fast", "yes"},
    Line{"hashpower_init", "0"},
    Line{"slab_reassign", "yes"},
    Line{"slab_automove", "1"},
    Line{"slab_automove_ratio", "0.80"},
    Line{"slab_automove_window", "30"},
    Line{"slab_chunk_max", "524288"},
    Line{"lru_crawler", "yes"},
    Line{"lru_crawler_sleep", "100"},
    Line{"lru_crawler_tocrawl", "0"},
    Line{"tail_repair_time", "0"},
    Line{"flush_enabled", ""},
    Line{"dump_enabled", ""},
    Line{"hash_algorithm", "xxh3"},
    Line{"lru_maintainer_thread", "yes"},
    Line{"lru_segmented", "yes"},
    Line{"hot_lru_pct", "20"},
    Line{"warm_lru_pct", "40"},
    Line{"hot_max_factor", "0.20"},
    Line{"warm_max_factor", "2.00"},
    Line{"temp_lru", "no"},
    Line{"temporary_ttl", "61"},
    Line{"idle_timeout", ""},
    Line{"watcher_logbuf_size", "262144"},
    Line{"worker_logbuf_size", "65536"},
    Line{"read_buf_mem_limit", "0"},
    Line{"track_sizes", "no"},
    Line{"inline_ascii_response", "no"},
    Line{"ext_item_size", "512"},
    Line{"ext_item_age", "4294967295"},
    Line{"ext_low_ttl", "0"},
    Line{"ext_recache_rate", "2000"},
    Line{"ext_wbuf_size", "4194304"},
    Line{"ext_compact_under", "0"},
    Line{"ext_drop_under", "0"},
    Line{"ext_max_sleep", "1000000"},
    Line{"ext_max_frag", "0.80"},
    Line{"slab_automove_freeratio", "0.010"},
    Line{"ext_drop_unread", "no"},
    Line{"ssl_enabled", "no"},
    Line{"ssl_chain_cert", "(null)"},
    Line{"ssl_key", "(null)"},
    Line{"ssl_verify_mode", "0"},
    Line{"ssl_keyformat", "1"},
    Line{"ssl_ciphers", "NULL"},
    Line{"ssl_ca_cert", "NULL"},
    Line{"ssl_wbuf_size", "16384"},
    Line{"ssl_session_cache", "no"},
    Line{"ssl_kernel_tls", "no"},
    Line{"ssl_min_version", "tlsv1.2"},
    Line{"num_napi_ids", "(null)"},
    Line{"memory_file", "(null)"},
    Line{"proxy_enabled", "no"},
    Line{"client_flags_size", "4"},
    Line{"larder_admin_listen", ""},
};

// A switch of ours that turns off what memcached's line says is on.
std::string Opposite(std::string_view name, std::string_view text) {
  if (name == "evictions") return text == "yes" ? "off" : "on";
  return text == "yes" ? "no" : "yes";
}

std::string Value(std::string_view name, const Settings& settings) {
  if (name == "auth_enabled_ascii") {
    return settings.auth_file.empty() ? "no" : settings.auth_file;
  }
  for (const SettingInfo& info : AllSettings()) {
    if (info.stats_name == name) return info.show(settings);
    if (info.stats_name.starts_with('!') && info.stats_name.substr(1) == name) {
      return Opposite(name, info.show(settings));
    }
  }
  CHECK(false);
  return "";
}

}  // namespace

std::vector<std::pair<std::string, std::string>> StatsSettings(const Settings& settings) {
  std::vector<std::pair<std::string, std::string>> lines;
  lines.reserve(kLines.size());
  for (const Line& line : kLines) {
    lines.emplace_back(line.name,
                       line.fixed.empty() ? Value(line.name, settings) : std::string(line.fixed));
  }
  return lines;
}

}  // namespace larder::config
