#include "config/cli.h"

#include <algorithm>
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
#include "config/memcached_conf.h"
#include "config/memcached_flags.h"
#include "config/spelling.h"
#include "util/log.h"

namespace larder::config {
namespace {

constexpr std::string_view kVariablePrefix = "LARDER_";
constexpr std::string_view kConfigVariable = "LARDER_CONFIG";
constexpr std::string_view kConfigName = "config";
constexpr std::string_view kMemcachedConfVariable = "LARDER_MEMCACHED_CONF";
constexpr std::string_view kDaemonName = "daemon";
constexpr std::string_view kMemcachedConfName = "memcached-conf";
constexpr uint64_t kFileBytesMax = 1 << 20;

// A setting and the texts it was given, in order, by one source.
struct Given {
  const SettingInfo* info;
  std::string where;
  std::vector<std::string> texts;
};

// Where to read more.
struct Paths {
  std::optional<std::string> config;
  std::optional<std::string> memcached_conf;
};

struct Flags {
  std::vector<Given> given;
  std::vector<std::string> extended;  // the texts of -o
  std::vector<const MemcachedFlag*> foreign;
  Paths paths;
  bool help = false;
  bool version = false;
  bool license = false;
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

std::string Impossible(const Given& given, std::string_view text) {
  return given.where + ": " + util::Quoted(text) + " is not possible; give " + given.info->Right();
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
  const std::string shown =
      util::Escaped(is_long ? argument.substr(0, name.size() + 2) : argument.substr(0, 2));
  if (!is_long) return shown + ": no such flag; larderd -h lists them";
  std::vector<std::string> names = LongNames();
  for (const MemcachedFlag& flag : MemcachedFlags()) names.emplace_back(flag.long_name);
  for (const char* other :
       {"config", "memcached-conf", "print-config", "extended", "help", "license", "version"}) {
    names.emplace_back(other);
  }
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

std::string OptionNames(std::string_view flag, std::string_view long_name) {
  if (long_name.empty()) return "-" + std::string(flag);
  const std::string names = "--" + std::string(long_name);
  return flag.empty() ? names : "-" + std::string(flag) + "," + names;
}

// -v counts; a number, as in --verbose=2, stands for itself. More than the most is the most.
std::string LevelText(const SettingInfo& info, const std::vector<std::string>& texts) {
  const auto count = std::count(texts.begin(), texts.end(), "true");
  if (static_cast<size_t>(count) != texts.size()) return texts.back();
  return std::to_string(std::min<int64_t>(count, info.most));
}

// What CLI11 is told: the flags, and where it leaves what they were given.
class Syntax {
 public:
  Syntax() {
    app_.set_help_flag("");  // CLI11's own
    app_.allow_extras();
    config_ = AddValued("--config");
    memcached_conf_ = AddValued("--memcached-conf");
    extended_ = AddValued("-o,--extended");
    help_ = app_.add_flag("-h,--help");
    version_ = app_.add_flag("-V,--version");
    license_ = app_.add_flag("-i,--license");
    print_config_ = app_.add_flag("--print-config");
    for (const SettingInfo& info : AllSettings()) {
      const std::string names = OptionNames(info.flag, info.long_name);
      settings_.emplace_back(&info, info.IsFlagOnly() ? app_.add_flag(names) : AddValued(names));
      settings_.back().second->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    }
    for (const MemcachedFlag& flag : MemcachedFlags()) {
      const std::string names = OptionNames(flag.flag, flag.long_name);
      foreign_.emplace_back(&flag, flag.takes_value ? AddValued(names) : app_.add_flag(names));
    }
  }

  void Parse(std::span<const char* const> arguments) {
    // CLI11 wants the last argument first.
    app_.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
  }

  [[nodiscard]] std::vector<std::string> Extras() const { return app_.remaining(); }

  void Fill(Flags& flags) const {
    flags.help = help_->count() > 0;
    flags.version = version_->count() > 0;
    flags.license = license_->count() > 0;
    flags.print_config = print_config_->count() > 0;
    flags.extended = extended_->results();
    if (config_->count() > 0) flags.paths.config = config_->results().back();
    if (memcached_conf_->count() > 0)
      flags.paths.memcached_conf = memcached_conf_->results().back();
    for (const auto& [flag, option] : foreign_) {
      if (option->count() > 0) flags.foreign.push_back(flag);
    }
    for (const auto& [info, option] : settings_) {
      std::vector<std::string> texts = option->results();
      if (texts.empty()) continue;
      if (info->type == ValueType::kLevel) texts = {LevelText(*info, texts)};
      if (info->type != ValueType::kAddresses) texts = {texts.back()};
      flags.given.push_back({.info = info, .where = FlagName(*info), .texts = std::move(texts)});
    }
  }

 private:
  CLI::Option* AddValued(const std::string& names) {
    CLI::Option* option = app_.add_option(names, [](const CLI::results_t&) { return true; });
    option->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    return option;
  }

  CLI::App app_;
  std::vector<std::pair<const SettingInfo*, CLI::Option*>> settings_;
  std::vector<std::pair<const MemcachedFlag*, CLI::Option*>> foreign_;
  CLI::Option* config_;
  CLI::Option* memcached_conf_;
  CLI::Option* extended_;
  CLI::Option* help_;
  CLI::Option* version_;
  CLI::Option* license_;
  CLI::Option* print_config_;
};

Problem ReadFlags(std::span<const char* const> arguments, Flags& flags) {
  if (Problem problem = EmptyValue(arguments)) return problem;
  Syntax syntax;
  try {
    syntax.Parse(arguments);
  } catch (const CLI::ArgumentMismatch&) {
    return MissingValue(arguments);
  }
  syntax.Fill(flags);
  if (const std::vector<std::string> extras = syntax.Extras(); !extras.empty()) {
    return Unexpected(extras.front());
  }
  return std::nullopt;
}

// Flags that memcached has and we have not, and -o: a line each in `warnings`, settings in `given`.
// `place`, before each sentence, is where they stand.
Problem ReadForeign(const Flags& flags, const std::string& place, std::vector<Given>& given,
                    std::vector<std::string>& warnings) {
  for (const MemcachedFlag* flag : flags.foreign) {
    const std::string name = place + FlagName(flag->flag, flag->long_name);
    if (flag->fate == MemcachedFlag::Fate::kRefused) return name + ": " + std::string(flag->why);
    warnings.push_back(name + " is ignored: " + std::string(flag->why));
  }
  for (const std::string& text : flags.extended) {
    const std::string where = place + FlagName("o", "extended");
    Extended extended = ReadExtended(text, where);
    if (!extended.problem.empty()) return extended.problem;
    std::move(extended.warnings.begin(), extended.warnings.end(), std::back_inserter(warnings));
    for (auto& [name, value] : extended.settings) {
      given.push_back({.info = FindSetting(name),
                       .where = where + ": " + std::string(name),
                       .texts = {std::move(value)}});
    }
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

Problem ReadEnvironment(const char* const* environment, std::vector<Given>& given, Paths& paths) {
  std::map<std::string, const SettingInfo*, std::less<>> variables;
  std::map<std::string, std::optional<std::string>*, std::less<>> files{
      {std::string(kConfigVariable), &paths.config},
      {std::string(kMemcachedConfVariable), &paths.memcached_conf}};
  std::vector<std::string> known = {std::string(kConfigVariable),
                                    std::string(kMemcachedConfVariable)};
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
    const auto file = files.find(name);
    if (found == variables.end() && file == files.end()) return UnknownVariable(name, known);
    if (text.empty()) continue;
    if (file != files.end()) {
      *file->second = text;
      continue;
    }
    given.push_back({.info = found->second,
                     .where = std::string(name) + " (environment)",
                     .texts = {std::string(text)}});
  }
  return std::nullopt;
}

// ---- the file ----

// `flag` is the one that names the file, without its dashes.
Problem ReadText(const std::string& path, std::string_view flag, std::string& text) {
  const std::string give = "; give --" + std::string(flag);
  const std::string shown = util::Escaped(path);
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    return shown + ": cannot be read (" + std::strerror(errno) + ")" + give +
           " a file that larderd may read";
  }
  text.assign(kFileBytesMax + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<size_t>(file.gcount()));
  if (file.bad()) return shown + ": cannot be read" + give + " a regular file";
  if (text.size() > kFileBytesMax) {
    return shown + ": is over 1 MiB" + give + " a configuration file";
  }
  return std::nullopt;
}

std::string FilePlace(const std::string& path, uint32_t line) {
  return util::Escaped(path) + ":" + std::to_string(line);
}

// A name in the file that is no setting's.
std::string UnknownName(const std::string& place, std::string_view name) {
  const std::string what = place + ": no setting is called " + util::Quoted(name) + "; ";
  if (name == kConfigName || name == kMemcachedConfName) {
    return what + "a file cannot name another; give --" + std::string(name) + " as a flag";
  }
  for (const SettingInfo& info : AllSettings()) {
    if (!name.empty() && name == info.flag) {
      return what + "did you mean " + std::string(info.long_name) + "?";
    }
  }
  return what + DidYouMean("", name, LongNames(), "larderd --print-config lists them");
}

Problem ReadFile(const std::string& path, std::vector<Given>& given) {
  std::string text;
  if (Problem problem = ReadText(path, kConfigName, text)) return problem;
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

// ---- Debian's file of flags ----

// Adds what one line gave to what the lines before it gave, as if they stood on one command line.
// Each value is tried alone, so that the line in question is the one that is named.
Problem Merge(Given&& one, std::vector<Given>& given) {
  Settings scratch = DefaultSettings();
  std::string text;
  for (const std::string& part : one.texts) text += (text.empty() ? "" : ",") + part;
  if (!one.info->read(*one.info, text, scratch)) return Impossible(one, text);
  const auto before = std::find_if(given.begin(), given.end(),
                                   [&](const Given& other) { return other.info == one.info; });
  if (before == given.end()) {
    given.push_back(std::move(one));
  } else if (one.info->type == ValueType::kAddresses) {
    std::move(one.texts.begin(), one.texts.end(), std::back_inserter(before->texts));
  } else if (one.info->type == ValueType::kLevel) {
    const int64_t level = std::stoll(before->texts.back()) + std::stoll(one.texts.back());
    before->texts = {std::to_string(std::min(level, one.info->most))};
  } else {
    *before = std::move(one);
  }
  return std::nullopt;
}

// One line of the file. -d and -h have no meaning there, as for Debian's own scripts: who starts us
// with the file decides where we run.
Problem ReadConfLine(const MemcachedConfLine& line, const std::string& place,
                     std::vector<Given>& given, std::vector<std::string>& warnings) {
  std::vector<const char*> words;
  for (const std::string& word : line.words) words.push_back(word.c_str());
  Flags flags;
  if (Problem problem = ReadFlags(words, flags)) return place + *problem;
  if (flags.paths.config || flags.paths.memcached_conf || flags.version || flags.license ||
      flags.print_config) {
    return place + "what the file says is for a command line; leave the line out";
  }
  std::vector<Given> extended;
  if (Problem problem = ReadForeign(flags, place, extended, warnings)) return problem;
  for (std::vector<Given>* source : {&extended, &flags.given}) {
    for (Given& one : *source) {
      if (one.info->long_name == kDaemonName) continue;
      if (source == &flags.given) one.where.insert(0, place);
      if (Problem problem = Merge(std::move(one), given)) return problem;
    }
  }
  return std::nullopt;
}

Problem ReadMemcachedConf(const std::string& path, std::vector<Given>& given,
                          std::vector<std::string>& warnings) {
  std::string text;
  if (Problem problem = ReadText(path, kMemcachedConfName, text)) return problem;
  const MemcachedConf conf = ParseMemcachedConf(text);
  for (const MemcachedConfLine& line : conf.lines) {
    const std::string place = FilePlace(path, line.line) + ": ";
    if (Problem problem = ReadConfLine(line, place, given, warnings)) return problem;
  }
  if (!conf.error) return std::nullopt;
  return FilePlace(path, conf.error->line) + ": " + conf.error->sentence;
}

// ---- all together ----

// Where each setting was given last, for sentences about relations.
using Places = std::map<std::string_view, std::string>;

Problem Apply(const std::vector<Given>& given, Settings& settings, Places& places) {
  for (const Given& one : given) {
    std::string text;
    for (const std::string& part : one.texts) text += (text.empty() ? "" : ",") + part;
    if (!one.info->read(*one.info, text, settings)) {
      return Impossible(one, text);
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
  if (flags.version) return Print(VersionText());
  if (flags.license) return Print(LicenseText());
  if (flags.print_config) return Print(ConfigTemplate());
  if (flag_problem) return Wrong(*flag_problem);

  ParseResult result;
  result.settings = DefaultSettings();
  std::vector<Given> from_environment;
  std::vector<Given> from_conf;
  std::vector<Given> from_file;
  std::vector<Given> from_extended;
  Paths paths;
  Problem problem = ReadEnvironment(environment, from_environment, paths);
  if (problem) return Wrong(*problem);
  if (flags.paths.config) paths.config = flags.paths.config;
  if (flags.paths.memcached_conf) paths.memcached_conf = flags.paths.memcached_conf;
  if (paths.memcached_conf &&
      (problem = ReadMemcachedConf(*paths.memcached_conf, from_conf, result.warnings))) {
    return Wrong(*problem);
  }
  if (paths.config && (problem = ReadFile(*paths.config, from_file))) return Wrong(*problem);
  problem = ReadForeign(flags, "", from_extended, result.warnings);
  if (problem) return Wrong(*problem);

  Places places;
  for (const std::vector<Given>* source :
       {&from_conf, &from_file, &from_environment, &from_extended, &flags.given}) {
    if ((problem = Apply(*source, result.settings, places))) return Wrong(*problem);
  }
  const Where where = [&places](std::string_view long_name) {
    const auto place = places.find(long_name);
    return place != places.end() ? place->second : FlagName(*FindSetting(long_name));
  };
  if ((problem = CheckSettings(result.settings, where))) return Wrong(*problem);
  std::vector<std::string> fitted = FitToMachine(machine, result.settings);
  std::move(fitted.begin(), fitted.end(), std::back_inserter(result.warnings));
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
