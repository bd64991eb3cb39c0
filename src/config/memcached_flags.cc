#include "config/memcached_flags.h"

#include <algorithm>
#include <array>

#include "config/spelling.h"
#include "util/log.h"

namespace larder::config {
namespace {

using Fate = MemcachedFlag::Fate;

constexpr std::array kFlags{
    MemcachedFlag{"C", "disable-cas", false, Fate::kIgnored,
                  "every item keeps its unique, and gets and cas work"},
    MemcachedFlag{"L", "enable-largepages", false, Fate::kIgnored,
                  "huge pages are used wherever the kernel has them"},
    MemcachedFlag{"f", "slab-growth-factor", true, Fate::kIgnored,
                  "there are no slab classes; an item takes the room that it needs"},
    MemcachedFlag{"n", "slab-min-size", true, Fate::kIgnored,
                  "there are no slab classes; an item takes the room that it needs"},
    MemcachedFlag{"N", "napi-ids", true, Fate::kIgnored,
                  "clients are spread over the threads by the kernel"},
    MemcachedFlag{"e", "memory-file", true, Fate::kRefused,
                  "larderd cannot keep its items over a restart yet; leave it out"},
    MemcachedFlag{
        "Z", "enable-ssl", false, Fate::kRefused,
        "larderd does not speak TLS yet; leave it out, and listen where nobody else does"},
};

// A sub-option of -o.
struct SubOption {
  enum class Value : uint8_t { kNone, kNeeded };

  std::string_view name;
  Value value;
  // The setting that it stands for, which reads the value; if empty, `why` says why it is ignored;
  // if that is empty as well, it asks for what is so anyway.
  std::string_view setting = {};
  std::string_view why = {};
};

constexpr SubOption Flag(std::string_view name, std::string_view why = {}) {
  return {.name = name, .value = SubOption::Value::kNone, .why = why};
}
constexpr SubOption Valued(std::string_view name, std::string_view why) {
  return {.name = name, .value = SubOption::Value::kNeeded, .why = why};
}
constexpr SubOption Sets(std::string_view name, std::string_view setting) {
  return {.name = name, .value = SubOption::Value::kNeeded, .setting = setting};
}

constexpr std::string_view kTable = "the table grows by itself, a little at a time";
constexpr std::string_view kSlabs = "there are no slabs; memory serves items of any size at once";
constexpr std::string_view kLru = "there are no LRU lists; the eviction policy adapts by itself";
constexpr std::string_view kExpiry = "what has expired is always looked for, and never waited for";
constexpr std::string_view kBuffers = "buffers are part of the memory limit (-m)";
constexpr std::string_view kWatchers = "what watchers are owed has bounds of its own";
constexpr std::string_view kStorage = "items are kept in memory only";
constexpr std::string_view kTls = "larderd does not speak TLS yet";
constexpr std::string_view kProxy = "larderd is no proxy; this one keeps items itself";
constexpr std::string_view kPrivileges = "root is given up with -u (--user)";

constexpr std::array kSubOptions{
    Flag("maxconns_fast"),
    Flag("no_maxconns_fast",
         "a client over the limit (-c) is told so and closed, not left waiting"),
    Valued("hashpower", kTable),
    Flag("no_hashexpand", kTable),
    Valued("tail_repair_time", "nothing can hold an item for ever"),
    Valued("hash_algorithm", "keys are hashed by xxh3 under a secret drawn at the start"),
    Flag("lru_crawler"),
    Flag("no_lru_crawler", kExpiry),
    Valued("lru_crawler_sleep", kExpiry),
    Valued("lru_crawler_tocrawl", kExpiry),
    Valued("read_buf_mem_limit", kBuffers),
    Flag("resp_obj_mem_limit", kBuffers),
    Flag("lru_maintainer"),
    Flag("no_lru_maintainer", kLru),
    Valued("hot_lru_pct", kLru),
    Valued("warm_lru_pct", kLru),
    Valued("hot_max_factor", kLru),
    Valued("warm_max_factor", kLru),
    Valued("temporary_ttl", kLru),
    Sets("idle_timeout", "idle-timeout"),
    Valued("slab_sizes", kSlabs),
    Valued("slab_chunk_max", kSlabs),
    Flag("slab_reassign"),
    Flag("no_slab_reassign", kSlabs),
    Flag("slab_automove"),
    Flag("no_slab_automove", kSlabs),
    Valued("slab_automove_ratio", kSlabs),
    Valued("slab_automove_window", kSlabs),
    Valued("slab_automove_freeratio", kSlabs),
    Flag("no_chunked_items", kSlabs),
    Valued("watcher_logbuf_size", kWatchers),
    Valued("worker_logbuf_size", kWatchers),
    Flag("track_sizes", "sizes are counted when they are asked for"),
    Flag("inline_ascii_resp", "it has no meaning in memcached either"),
    Flag("no_inline_ascii_resp", "it has no meaning in memcached either"),
    Flag("modern"),
    Flag("no_modern", "there is one set of defaults"),
    Flag("drop_privileges", kPrivileges),
    Flag("no_drop_privileges", kPrivileges),
    Valued("sock_cookie_id", "Linux has no such mark on a socket"),
    Valued("ext_path", kStorage),
    Valued("ext_page_size", kStorage),
    Valued("ext_wbuf_size", kStorage),
    Valued("ext_threads", kStorage),
    Valued("ext_io_depth", kStorage),
    Valued("ext_item_size", kStorage),
    Valued("ext_item_age", kStorage),
    Valued("ext_low_ttl", kStorage),
    Flag("ext_drop_unread", kStorage),
    Valued("ext_recache_rate", kStorage),
    Valued("ext_compact_under", kStorage),
    Valued("ext_drop_under", kStorage),
    Valued("ext_max_frag", kStorage),
    Valued("ext_max_sleep", kStorage),
    Valued("ssl_chain_cert", kTls),
    Valued("ssl_key", kTls),
    Valued("ssl_keyformat", kTls),
    Valued("ssl_verify_mode", kTls),
    Valued("ssl_ciphers", kTls),
    Valued("ssl_ca_cert", kTls),
    Valued("ssl_wbuf_size", kTls),
    Flag("ssl_session_cache", kTls),
    Flag("ssl_kernel_tls", kTls),
    Valued("ssl_min_version", kTls),
    Valued("proxy_config", kProxy),
    Valued("proxy_arg", kProxy),
    Flag("proxy_uring", kProxy),
    Flag("proxy_memprofile", kProxy),
};

const SubOption* Find(std::string_view name) {
  const auto* found = std::find_if(kSubOptions.begin(), kSubOptions.end(),
                                   [name](const SubOption& one) { return one.name == name; });
  return found == kSubOptions.end() ? nullptr : found;
}

std::string Unknown(std::string_view name, std::string_view where) {
  const std::vector<std::string> names = ExtendedNames();
  const std::string_view nearest = Nearest(name, names);
  const std::string what = std::string(where) + ": no sub-option is called " + util::Quoted(name);
  if (nearest.empty()) return what + "; leave it out";
  return what + "; did you mean " + std::string(nearest) + "?";
}

// One sub-option: "name" or "name=value".
void Read(std::string_view one, std::string_view where, Extended& extended) {
  const size_t equals = one.find('=');
  const std::string_view name = one.substr(0, equals);
  const SubOption* known = Find(name);
  if (known == nullptr) {
    extended.problem = Unknown(name, where);
  } else if (known->value == SubOption::Value::kNeeded && equals == std::string_view::npos) {
    extended.problem = std::string(where) + ": " + std::string(name) + " needs a value; give " +
                       std::string(name) + "=VALUE";
  } else if (!known->setting.empty()) {
    extended.settings.emplace_back(known->setting, one.substr(equals + 1));
  } else if (!known->why.empty()) {
    extended.warnings.push_back(std::string(where) + ": " + std::string(name) +
                                " is ignored: " + std::string(known->why));
  }
}

}  // namespace

std::span<const MemcachedFlag> MemcachedFlags() { return kFlags; }

Extended ReadExtended(std::string_view text, std::string_view where) {
  Extended extended;
  while (!text.empty() && extended.problem.empty()) {
    const size_t comma = text.find(',');
    const std::string_view one = text.substr(0, comma);
    // memcached takes a comma at the end, too.
    if (!one.empty()) Read(one, where, extended);
    text.remove_prefix(comma == std::string_view::npos ? text.size() : comma + 1);
  }
  return extended;
}

std::vector<std::string> ExtendedNames() {
  std::vector<std::string> names;
  names.reserve(kSubOptions.size());
  for (const SubOption& one : kSubOptions) names.emplace_back(one.name);
  return names;
}

}  // namespace larder::config
