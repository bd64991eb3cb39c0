#include "config/cli.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <exception>
#include <fstream>
#include <iterator>
#include <map>
#include <optional>
#include <span>

#include <CLI/CLI.hpp>

#include "config/config_file.h"
#include "config/help.h"
#include "config/spelling.h"
#include "larder/version.h"
#include "util/log.h"

namespace larder::config {
namespace {

constexpr std::string_view kVariablePrefix = "LARDER_";
constexpr std::string_view kConfigVariable = "LARDER_CONFIG";
constexpr std::string_view kConfigName = "config";
constexpr uint64_t kFileBytesMax = 1 << 20;

// Flags of memcached that have no counterpart here yet.
struct MemcachedFlag {
  std::string_view flag;
  std::string_view long_name;
};
constexpr std::array<MemcachedFlag, 13> kMemcachedFlags{{{"r", "enable-coredumps"},
                                                         {"k", "lock-memory"},
                                                         {"f", "slab-growth-factor"},
                                                         {"n", "slab-min-size"},
                                                         {"L", "enable-largepages"},
                                                         {"D", ""},
                                                         {"C", "disable-cas"},
                                                         {"W", "disable-watch"},
                                                         {"e", "memory-file"},
                                                         {"Z", "enable-ssl"},
                                                         {"o", "extended"},
                                                         {"i", "license"},
                                                         {"N", "napi_ids"}}};

// A setting and the texts it was given, in order, by one source.
struct Given {
  const SettingInfo* info;
  std::string where;
  std::vector<std::string> texts;
};

struct Flags {
  std::vector<Given> given;
  std::optional<std::string> config_path;
  bool help = false;
  bool version = false;
  bool print_config = false;
};

// Either everything went well, or one sentence says what did not; without a full stop.
using Problem = std::optional<std::string>;

// "-p (--port)" or "--io".
std::string FlagName(std::string_view flag, std::string_view long_name) {
  if (long_name.empty()) return "-" + std::string(flag);
  if (flag.empty()) return "--" + std::string(long_name);
  return "-" + std::string(flag) + " (--" + std::string(long_name) + ")";
}

std::string FlagName(const SettingInfo& info) { return FlagName(info.flag, info.long_name); }

std::string DidYouMean(std::string_view prefix, std::string_view word,
                       const std::vector<std::string>& known, std::string_view otherwise) {
  const std::string_view nearest = Nearest(word, known);
  if (nearest.empty()) return std::string(otherwise);
  return "did you mean " + std::string(prefix) + std::string(nearest) + "?";
}

std::vector<std::string> LongNames() {
  std::vector<std::string> names;
  for (const SettingInfo& info : AllSettings()) names.emplace_back(info.long_name);
  return names;
}

// ---- flags ----

// An argument that no flag of ours takes.
std::string Unexpected(std::string_view argument) {
  if (argument.size() < 2 || argument.front() != '-') {
    return util::Quoted(argument) + ": larderd takes flags only; larderd -h lists them";
  }
  const bool is_long = argument.starts_with("--");
  const std::string_view name =
      is_long ? argument.substr(2, argument.find('=') - 2) : argument.substr(1, 1);
  for (const MemcachedFlag& known : kMemcachedFlags) {
    if (name != (is_long ? known.long_name : known.flag) || name.empty()) continue;
    return FlagName(known.flag, known.long_name) +
           ": memcached has this flag, but larderd does not have it yet; leave it out";
  }
  const std::string shown =
      util::Escaped(is_long ? argument.substr(0, name.size() + 2) : argument.substr(0, 2));
  if (!is_long) return shown + ": no such flag; larderd -h lists them";
  std::vector<std::string> names = LongNames();
  for (const char* other : {"config", "print-config", "help", "version"}) names.emplace_back(other);
  return shown + ": no such flag; " + DidYouMean("--", name, names, "larderd -h lists them");
}

// The argument that ends where its value should begin.
Problem MissingValue(std::span<const char* const> arguments) {
  if (arguments.empty()) return std::nullopt;
  const std::string_view last = arguments.back();
  for (const SettingInfo& info : AllSettings()) {
    const bool is_long = last == "--" + std::string(info.long_name);
    const bool is_short =
        !info.flag.empty() && !last.starts_with("--") && last.ends_with(info.flag);
    if (is_long || is_short) {
      return FlagName(info) + ": no value follows; give " + info.Right();
    }
  }
  return util::Escaped(last) + ": no value follows; give one";
}

// CLI11 takes the next argument as the value of "--port=".
Problem EmptyValue(std::span<const char* const> arguments) {
  for (const std::string_view argument : arguments) {
    if (!argument.starts_with("--") || !argument.ends_with("=")) continue;
    const SettingInfo* info = FindSetting(argument.substr(2, argument.size() - 3));
    if (info == nullptr) continue;
    return FlagName(*info) + ": no value after =; give " + info->Right();
  }
  return std::nullopt;
}

std::string OptionNames(const SettingInfo& info) {
  const std::string long_name = "--" + std::string(info.long_name);
  return info.flag.empty() ? long_name : "-" + std::string(info.flag) + "," + long_name;
}

// -v counts; a number, as in --verbose=2, stands for itself. More than the most is the most.
std::string LevelText(const SettingInfo& info, const std::vector<std::string>& texts) {
  const auto count = std::count(texts.begin(), texts.end(), "true");
  if (static_cast<size_t>(count) != texts.size()) return texts.back();
  return std::to_string(std::min<int64_t>(count, info.most));
}

Problem ReadFlags(std::span<const char* const> arguments, Flags& flags) {
  if (Problem problem = EmptyValue(arguments)) return problem;
  CLI::App app;
  app.set_help_flag("");
  app.allow_extras();
  std::vector<std::pair<const SettingInfo*, CLI::Option*>> options;
  const CLI::callback_t keep = [](const CLI::results_t&) { return true; };
  for (const SettingInfo& info : AllSettings()) {
    CLI::Option* option = info.IsFlagOnly() ? app.add_flag(OptionNames(info))
                                            : app.add_option(OptionNames(info), keep);
    option->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    options.emplace_back(&info, option);
  }
  CLI::Option* config = app.add_option("--config", keep);
  config->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  const CLI::Option* help = app.add_flag("-h,--help");
  const CLI::Option* version = app.add_flag("-V,--version");
  const CLI::Option* print_config = app.add_flag("--print-config");
  try {
    // CLI11 wants the last argument first.
    app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
  } catch (const CLI::ArgumentMismatch&) {
    return MissingValue(arguments);
  }
  flags.help = help->count() > 0;
  flags.version = version->count() > 0;
  flags.print_config = print_config->count() > 0;
  if (const std::vector<std::string> extras = app.remaining(); !extras.empty()) {
    return Unexpected(extras.front());
  }
  if (config->count() > 0) flags.config_path = config->results().back();
  for (const auto& [info, option] : options) {
    std::vector<std::string> texts = option->results();
    if (texts.empty()) continue;
    if (info->type == ValueType::kLevel) texts = {LevelText(*info, texts)};
    if (info->type != ValueType::kAddresses) texts = {texts.back()};
    flags.given.push_back({.info = info, .where = FlagName(*info), .texts = std::move(texts)});
  }
  return std::nullopt;
}

// ---- the environment ----

// A variable with our prefix that is no setting's. The prefix is left out of the comparison: it
// would make everything look near.
std::string UnknownVariable(std::string_view name, std::vector<std::string> known) {
  for (std::string& variable : known) variable.erase(0, kVariablePrefix.size());
  return util::Escaped(name) + " (environment): no such setting; " +
         DidYouMean(kVariablePrefix, name.substr(kVariablePrefix.size()), known,
                    "larderd -h lists them, unset it if it is not meant for larderd");
}

Problem ReadEnvironment(const char* const* environment, std::vector<Given>& given,
                        std::optional<std::string>& config_path) {
  std::map<std::string, const SettingInfo*, std::less<>> variables;
  std::vector<std::string> known{std::string(kConfigVariable)};
  for (const SettingInfo& info : AllSettings()) {
    variables.emplace(info.Variable(), &info);
    known.push_back(info.Variable());
  }
  for (; environment != nullptr && *environment != nullptr; ++environment) {
    const std::string_view pair = *environment;
    const size_t equals = pair.find('=');
    if (!pair.starts_with(kVariablePrefix) || equals == std::string_view::npos) continue;
    const std::string_view name = pair.substr(0, equals);
    const std::string_view text = pair.substr(equals + 1);
    const auto found = variables.find(name);
    if (found == variables.end() && name != kConfigVariable) return UnknownVariable(name, known);
    if (text.empty()) continue;
    if (name == kConfigVariable) {
      config_path = text;
      continue;
    }
    given.push_back({.info = found->second,
                     .where = std::string(name) + " (environment)",
                     .texts = {std::string(text)}});
  }
  return std::nullopt;
}

// ---- the file ----

Problem ReadText(const std::string& path, std::string& text) {
  const std::string shown = util::Escaped(path);
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    return shown + ": cannot be read (" + std::strerror(errno) +
           "); give --config a file that larderd may read";
  }
  text.assign(kFileBytesMax + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<size_t>(file.gcount()));
  if (file.bad()) return shown + ": cannot be read; give --config a regular file";
  if (text.size() > kFileBytesMax) {
    return shown + ": is over 1 MiB; give --config a configuration file";
  }
  return std::nullopt;
}

std::string FilePlace(const std::string& path, uint32_t line) {
  return util::Escaped(path) + ":" + std::to_string(line);
}

// A name in the file that is no setting's.
std::string UnknownName(const std::string& place, std::string_view name) {
  const std::string what = place + ": no setting is called " + util::Quoted(name) + "; ";
  if (name == kConfigName) return what + "a file cannot name another; give --config as a flag";
  for (const SettingInfo& info : AllSettings()) {
    if (!name.empty() && name == info.flag) {
      return what + "did you mean " + std::string(info.long_name) + "?";
    }
  }
  return what + DidYouMean("", name, LongNames(), "larderd --print-config lists them");
}

Problem ReadFile(const std::string& path, std::vector<Given>& given) {
  std::string text;
  if (Problem problem = ReadText(path, text)) return problem;
  const FileContent content = ParseConfigText(text);
  std::map<const SettingInfo*, uint32_t> lines;
  for (const FileEntry& entry : content.entries) {
    const std::string place = FilePlace(path, entry.line);
    const SettingInfo* info = FindSetting(entry.name);
    if (info == nullptr) return UnknownName(place, entry.name);
    const std::string where = place + ": " + entry.name;
    const auto [first, is_new] = lines.emplace(info, entry.line);
    if (!is_new) {
      return where + " was given in line " + std::to_string(first->second) +
             " already; keep one of the two";
    }
    if (entry.values.size() != 1 && info->type != ValueType::kAddresses) {
      return where + ": a list has no meaning here; give " + info->Right();
    }
    given.push_back({.info = info, .where = where, .texts = entry.values});
  }
  if (!content.error) return std::nullopt;
  return FilePlace(path, content.error->line) + ": " + content.error->sentence;
}

// ---- all together ----

// Where each setting was given last, for sentences about relations.
using Places = std::map<std::string_view, std::string>;

Problem Apply(const std::vector<Given>& given, Settings& settings, Places& places) {
  for (const Given& one : given) {
    std::string text;
    for (const std::string& part : one.texts) text += (text.empty() ? "" : ",") + part;
    if (!one.info->read(*one.info, text, settings)) {
      return one.where + ": " + util::Quoted(text) + " is not possible; give " + one.info->Right();
    }
    places[one.info->long_name] = one.where;
  }
  return std::nullopt;
}

ParseResult Print(std::string text) {
  ParseResult result;
  result.start = Start::kPrint;
  result.text = std::move(text);
  return result;
}

ParseResult Wrong(const std::string& sentence) {
  ParseResult result;
  result.text = "larderd: " + sentence + (sentence.ends_with('?') ? "\n" : ".\n");
  return result;
}

ParseResult ParseOrThrow(std::span<const char* const> arguments, const char* const* environment,
                         const Machine& machine) {
  Flags flags;
  const Problem flag_problem = ReadFlags(arguments, flags);
  // Who asks for help gets it, whatever else is on the line.
  if (flags.help) return Print(HelpText());
  if (flags.version) return Print(std::string("larderd ") + kVersion + "\n");
  if (flags.print_config) return Print(ConfigTemplate());
  if (flag_problem) return Wrong(*flag_problem);

  std::vector<Given> from_environment;
  std::vector<Given> from_file;
  std::optional<std::string> config_path;
  Problem problem = ReadEnvironment(environment, from_environment, config_path);
  if (problem) return Wrong(*problem);
  if (flags.config_path) config_path = flags.config_path;
  if (config_path && (problem = ReadFile(*config_path, from_file))) return Wrong(*problem);

  ParseResult result;
  result.settings = DefaultSettings();
  Places places;
  for (const std::vector<Given>* source : {&from_file, &from_environment, &flags.given}) {
    if ((problem = Apply(*source, result.settings, places))) return Wrong(*problem);
  }
  const Where where = [&places](std::string_view long_name) {
    const auto place = places.find(long_name);
    return place != places.end() ? place->second : FlagName(*FindSetting(long_name));
  };
  if ((problem = CheckSettings(result.settings, where))) return Wrong(*problem);
  result.warnings = FitToMachine(machine, result.settings);
  // Once more: the machine may have lowered what another value depends on.
  if ((problem = CheckSettings(result.settings, where))) return Wrong(*problem);
  if (std::optional<std::string> warning = ExposureWarning(result.settings)) {
    result.warnings.push_back(*std::move(warning));
  }
  result.start = Start::kRun;
  return result;
}

}  // namespace

ParseResult ParseSettings(int argument_count, const char* const* arguments,
                          const char* const* environment, const Machine& machine) {
  const std::span<const char* const> all(arguments, static_cast<size_t>(argument_count));
  try {
    return ParseOrThrow(all.empty() ? all : all.subspan(1), environment, machine);
  } catch (const std::exception& error) {
    return Wrong("the command line cannot be read (" + util::Escaped(error.what()) +
                 "); larderd -h lists the flags");
  }
}

}  // namespace larder::config
