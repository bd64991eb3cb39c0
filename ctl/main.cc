// larderctl: looks at a running server, and changes what can be changed while it runs.
//
// Compiled with exceptions, which CLI11 needs; none of ours.
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <functional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "ctl/commands.h"
#include "larder/version.h"

namespace ctl = larder::ctl;

namespace {

constexpr int kExitNotFound = 1;
constexpr int kExitFailed = 2;

using Action = std::function<absl::Status()>;

// What the words on the command line fill in.
struct Words {
  ctl::Options options;
  std::string group;
  std::string size;
  std::vector<std::string> keys;
  Action action;
};

CLI::App* AddCommand(CLI::App& app, Words& words, const char* name, const char* help,
                     Action action) {
  CLI::App* command = app.add_subcommand(name, help);
  command->add_flag("--json", words.options.json, "Answer in JSON, an object a line");
  command->callback([&words, action = std::move(action)] { words.action = action; });
  return command;
}

void AddRepetition(CLI::App* command, ctl::Options& options) {
  command->add_option("--interval", options.interval_s, "Seconds between two looks")
      ->check(CLI::Range(0.01, 86400.0))
      ->capture_default_str();
  command->add_option("--count", options.frames, "So many looks, then stop; 0: until Ctrl-C")
      ->capture_default_str();
}

void AddGlobals(CLI::App& app, ctl::Options& options) {
  app.add_option("-s,--server", options.server, "HOST:PORT of the cache, or its Unix socket")
      ->envname("LARDERCTL_SERVER")
      ->capture_default_str();
  app.add_option("--admin", options.admin, "HOST:PORT of its admin door, for top")
      ->envname("LARDERCTL_ADMIN")
      ->capture_default_str();
  app.add_option("--user", options.user, "Who we are; the password is in LARDERCTL_PASSWORD")
      ->envname("LARDERCTL_USER");
  app.set_version_flag("-V,--version", std::string("larderctl ") + larder::kVersion);
}

void AddCommands(CLI::App& app, Words& words) {
  ctl::Options& options = words.options;
  CLI::App* stats = AddCommand(app, words, "stats", "Statistics, or a group of them",
                               [&] { return ctl::ShowStats(options, words.group); });
  stats->add_option("group", words.group, "settings, items, slabs, sizes, conns");
  stats->add_flag("-w,--watch", options.watch, "Again and again, with what changed per second");
  AddRepetition(stats, options);
  CLI::App* top = AddCommand(app, words, "top", "What happens now: rates, memory, cores, verbs",
                             [&] { return ctl::ShowTop(options); });
  AddRepetition(top, options);
  CLI::App* keys = AddCommand(app, words, "keys", "All keys, with their size and end",
                              [&] { return ctl::ListKeys(options); });
  keys->add_option("-p,--prefix", options.prefix, "Only those that begin so");
  keys->add_option("-n,--limit", options.keys_max, "So many at most; 0: all")
      ->capture_default_str();
  CLI::App* get = AddCommand(app, words, "get", "The value of a key",
                             [&] { return ctl::GetValues(options, words.keys); });
  get->add_option("key", words.keys, "Keys")->required();
  CLI::App* del = AddCommand(app, words, "delete", "Deletes keys",
                             [&] { return ctl::DeleteKeys(options, words.keys); });
  del->add_option("key", words.keys, "Keys")->required();
  AddCommand(app, words, "flush", "Forgets everything", [&] { return ctl::Flush(options); });
  CLI::App* memory = AddCommand(app, words, "memlimit", "The memory limit, or another one",
                                [&] { return ctl::MemoryLimit(options, words.size); });
  memory->add_option("size", words.size, "Megabytes, or with a unit: 4g");
  AddCommand(app, words, "config", "The settings it runs with",
             [&] { return ctl::ShowSettings(options); });
  app.require_subcommand(1);
}

int Run(int argc, char** argv) {
  Words words;
  CLI::App app("Looks at a running larderd, and changes what can be changed.", "larderctl");
  AddGlobals(app, words.options);
  AddCommands(app, words);
  CLI11_PARSE(app, argc, argv);
  if (const char* password = std::getenv("LARDERCTL_PASSWORD")) words.options.password = password;
  const absl::Status done = words.action();
  if (done.ok()) return 0;
  const std::string message(done.message());
  (void)std::fprintf(stderr, "larderctl: %s\n", message.c_str());
  return done.code() == absl::StatusCode::kNotFound ? kExitNotFound : kExitFailed;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return Run(argc, argv);
  } catch (const std::exception& wrong) {
    // CLI11 found that the words it was given to look for make no sense.
    (void)std::fprintf(stderr, "larderctl: %s\n", wrong.what());
    return kExitFailed;
  }
}
