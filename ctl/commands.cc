#include "ctl/commands.h"

#include <absl/strings/str_cat.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <optional>
#include <string_view>
#include <thread>

#include "ctl/client.h"
#include "ctl/json.h"
#include "ctl/screen.h"
#include "util/log.h"
#include "util/units.h"

namespace larder::ctl {
namespace {

using Clock = std::chrono::steady_clock;

void Print(std::string_view text) { (void)std::fwrite(text.data(), 1, text.size(), stdout); }

double Seconds(Clock::duration duration) { return std::chrono::duration<double>(duration).count(); }

absl::StatusOr<Client> Open(const Options& options) {
  absl::StatusOr<Client> client = Client::Connect(options.server);
  if (!client.ok() || options.user.empty()) return client;
  const absl::Status in = client->LogIn(options.user, options.password);
  if (!in.ok()) return in;
  return client;
}

// Calls `show` every interval, for as many frames as are wanted. On a terminal a frame takes the
// place of the one before.
template <typename Show>
absl::Status Repeat(const Options& options, const Show& show) {
  const bool terminal = !options.json && isatty(STDOUT_FILENO) == 1;
  const auto interval = std::chrono::duration_cast<Clock::duration>(
      std::chrono::duration<double>(options.interval_s));
  Clock::time_point next = Clock::now();
  for (uint64_t frame = 0; options.frames == 0 || frame < options.frames; ++frame) {
    if (frame > 0) {
      next += interval;
      std::this_thread::sleep_until(next);
    }
    const absl::StatusOr<std::string> text = show();
    if (!text.ok()) return text.status();
    if (terminal) Print("\x1b[H\x1b[2J");
    if (frame > 0 && !terminal && !options.json) Print("\n");
    Print(*text);
    if (std::fflush(stdout) != 0) return absl::OkStatus();  // nobody reads it any more
  }
  return absl::OkStatus();
}

absl::Status WatchStats(const Options& options, const std::string& group, Client& client) {
  std::optional<Stats> before;
  Clock::time_point before_at;
  return Repeat(options, [&]() -> absl::StatusOr<std::string> {
    const absl::StatusOr<Stats> now = client.ReadStats(group);
    if (!now.ok()) return now.status();
    const Clock::time_point now_at = Clock::now();
    std::string text = options.json ? StatsJson(*now)
                       : before     ? ChangesText(*before, *now, Seconds(now_at - before_at))
                                    : StatsText(*now);
    before = *now;
    before_at = now_at;
    return text;
  });
}

absl::StatusOr<Sample> TakeSample(const Options& options, Client& client) {
  Sample sample;
  const absl::StatusOr<Stats> stats = client.ReadStats();
  if (!stats.ok()) return stats.status();
  AddStats(*stats, sample);
  sample.at_s = Seconds(Clock::now().time_since_epoch());
  // It may be off, or not for us; then there is the less to see.
  const absl::StatusOr<std::string> metrics = Client::ReadPage(options.admin, "/metrics");
  if (metrics.ok()) AddMetrics(*metrics, sample);
  return sample;
}

std::string Missing(const std::string& key) {
  return absl::StrCat("no such key: ", util::Escaped(key));
}

}  // namespace

absl::Status ShowStats(const Options& options, const std::string& group) {
  absl::StatusOr<Client> client = Open(options);
  if (!client.ok()) return client.status();
  if (options.watch) return WatchStats(options, group, *client);
  const absl::StatusOr<Stats> stats = client->ReadStats(group);
  if (!stats.ok()) return stats.status();
  Print(options.json ? StatsJson(*stats) : StatsText(*stats));
  return absl::OkStatus();
}

absl::Status ShowSettings(const Options& options) {
  Options once = options;
  once.watch = false;
  return ShowStats(once, "settings");
}

absl::Status ShowTop(const Options& options) {
  absl::StatusOr<Client> client = Open(options);
  if (!client.ok()) return client.status();
  std::optional<Sample> before;
  return Repeat(options, [&]() -> absl::StatusOr<std::string> {
    absl::StatusOr<Sample> now = TakeSample(options, *client);
    if (!now.ok()) return now.status();
    const Figures figures = Compare(before ? &*before : nullptr, *now);
    before = *std::move(now);
    return options.json ? TopJson(figures, options.server) : TopText(figures, options.server);
  });
}

absl::Status ListKeys(const Options& options) {
  absl::StatusOr<Client> client = Open(options);
  if (!client.ok()) return client.status();
  absl::Status asked = client->Ask("lru_crawler metadump all");
  if (!asked.ok()) return asked;
  uint64_t listed = 0;
  while (options.keys_max == 0 || listed < options.keys_max) {
    const absl::StatusOr<std::string> line = client->Line();
    if (!line.ok()) return line.status();
    if (*line == "OK") continue;
    if (*line == "END") return absl::OkStatus();
    const std::optional<KeyLine> key = ParseKeyLine(*line);
    if (!key) {
      return absl::InternalError(absl::StrCat(options.server, " answered ", util::Quoted(*line)));
    }
    if (!key->key.starts_with(options.prefix)) continue;
    if (listed == 0 && !options.json) Print("     bytes     expires  key\n");
    Print(options.json ? KeyJson(*key) : KeyText(*key));
    ++listed;
  }
  return absl::OkStatus();
}

absl::Status GetValues(const Options& options, const std::vector<std::string>& keys) {
  absl::StatusOr<Client> client = Open(options);
  if (!client.ok()) return client.status();
  absl::Status status;
  for (const std::string& key : keys) {
    const absl::StatusOr<std::optional<Item>> found = client->Get(key);
    if (!found.ok()) return found.status();
    const std::optional<Item>& item = *found;
    if (!item) {
      status = absl::NotFoundError(Missing(key));
    } else if (options.json) {
      JsonObject object;
      AddBytes("key", key, object);
      AddBytes("value", item->value, object);
      object.Add("bytes", std::to_string(item->value.size()));
      object.Add("flags", std::to_string(item->client_flags));
      object.Add("ttl_s", item->ttl_s < 0 ? "null" : std::to_string(item->ttl_s));
      Print(object.Text() + "\n");
    } else {
      Print(item->value);
      if (keys.size() > 1) Print("\n");
    }
  }
  return status;
}

absl::Status DeleteKeys(const Options& options, const std::vector<std::string>& keys) {
  absl::StatusOr<Client> client = Open(options);
  if (!client.ok()) return client.status();
  absl::Status status;
  for (const std::string& key : keys) {
    const absl::StatusOr<bool> deleted = client->Delete(key);
    if (!deleted.ok()) return deleted.status();
    if (options.json) {
      JsonObject object;
      AddBytes("key", key, object);
      object.Add("deleted", *deleted ? "true" : "false");
      Print(object.Text() + "\n");
    } else if (*deleted) {
      Print("deleted " + util::Escaped(key) + "\n");
    }
    if (!*deleted) status = absl::NotFoundError(Missing(key));
  }
  return status;
}

absl::Status Flush(const Options& options) {
  absl::StatusOr<Client> client = Open(options);
  if (!client.ok()) return client.status();
  absl::Status done = client->Do("flush_all");
  if (done.ok()) Print(options.json ? "{\"flushed\": true}\n" : "flushed: nothing is cached\n");
  return done;
}

absl::Status MemoryLimit(const Options& options, const std::string& size) {
  absl::StatusOr<Client> client = Open(options);
  if (!client.ok()) return client.status();
  if (!size.empty()) {
    const std::optional<uint64_t> bytes = util::ParseBytes(size, util::kMiB);
    if (!bytes || *bytes % util::kMiB != 0) {
      return absl::InvalidArgumentError(
          absl::StrCat(util::Quoted(size), " is no size; give megabytes, or a unit, as in 4g"));
    }
    absl::Status done = client->Do(absl::StrCat("cache_memlimit ", *bytes / util::kMiB));
    if (!done.ok()) return done;
  }
  const absl::StatusOr<Stats> stats = client->ReadStats();
  if (!stats.ok()) return stats.status();
  for (const auto& [name, value] : *stats) {
    if (name != "limit_maxbytes") continue;
    const std::optional<uint64_t> bytes = util::ParseUnsigned(value);
    Print(options.json ? absl::StrCat("{\"memory_limit_bytes\": ", value, "}\n")
                       : util::FormatBytes(bytes.value_or(0)) + "\n");
  }
  return absl::OkStatus();
}

}  // namespace larder::ctl
