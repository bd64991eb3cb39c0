// The rules of docs/architecture.md that a compiler does not check.
//
// Goal: an upward include, a third-party header in the wrong file, a file that has outgrown its
// subject, a list that fell out of step: each is named with file and line, and fails.
// Method: a rule is a function from a Tree (path to text) to violations. Each rule is first run on
// a small tree that breaks it and on one that keeps it, then all of them on the real tree.
//
// Words that the rules look for are written here in two halves, so that this file keeps them too.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// Paths are relative to the root of the tree, with forward slashes.
using Tree = std::map<std::string, std::string>;
using Violations = std::vector<std::string>;
using Rule = std::function<void(const Tree&, Violations&)>;

// --- Reading text --------------------------------------------------------------------------------

bool StartsWith(std::string_view text, std::string_view start) { return text.starts_with(start); }
bool EndsWith(std::string_view text, std::string_view end) { return text.ends_with(end); }

bool IsSource(std::string_view path) { return EndsWith(path, ".h") || EndsWith(path, ".cc"); }

bool IsWordByte(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

// Calls `visit(line, number)` for each line, from 1.
void ForEachLine(std::string_view text, const std::function<void(std::string_view, int)>& visit) {
  int number = 1;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    visit(text.substr(0, end), number++);
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
}

std::string At(const std::string& path, int line) { return path + ":" + std::to_string(line); }

// Position of `word` in `line` with no word byte on either side.
bool HasWord(std::string_view line, std::string_view word) {
  for (size_t at = line.find(word); at != std::string_view::npos; at = line.find(word, at + 1)) {
    const size_t end = at + word.size();
    const bool starts = at == 0 || !IsWordByte(line[at - 1]);
    if (starts && (end == line.size() || !IsWordByte(line[end]))) return true;
  }
  return false;
}

std::vector<std::string> Words(std::string_view text) {
  std::istringstream stream{std::string(text)};
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

struct Include {
  std::string header;
  bool quoted = false;
  int line = 0;
};

std::vector<Include> IncludesOf(std::string_view text) {
  std::vector<Include> includes;
  ForEachLine(text, [&](std::string_view line, int number) {
    if (!StartsWith(line, "#include ") || line.size() < 12) return;
    const bool quoted = line[9] == '"';
    const size_t end = line.find(quoted ? '"' : '>', 10);
    includes.push_back({std::string(line.substr(10, end - 10)), quoted, number});
  });
  return includes;
}

std::string FirstFolder(std::string_view path) {
  const size_t slash = path.find('/');
  return slash == std::string_view::npos ? "" : std::string(path.substr(0, slash));
}

// --- The map of layers ---------------------------------------------------------------------------

using LayerMap = std::map<std::string, std::set<std::string>>;

// Reads the layer(NAME DEPENDS … FILES …) calls; they may span lines.
LayerMap ReadLayerMap(std::string_view cmake) {
  LayerMap layers;
  for (size_t at = cmake.find("\nlayer("); at != std::string_view::npos;
       at = cmake.find("\nlayer(", at + 1)) {
    const size_t start = at + 7;
    const std::vector<std::string> words =
        Words(cmake.substr(start, cmake.find(')', start) - start));
    std::set<std::string>& depends = layers[words.at(0)];
    bool in_depends = false;
    for (size_t i = 1; i < words.size(); ++i) {
      const std::string& word = words[i];
      if (word == "DEPENDS" || word == "LINKS" || word == "FILES") {
        in_depends = word == "DEPENDS";
      } else if (in_depends) {
        depends.insert(word);
      }
    }
  }
  return layers;
}

// A file of src/<layer>/ includes its own layer, those the map names, and include/larder; the whole
// path is spelled out. Files directly in src/ (main.cc) are above all layers.
void CheckLayers(const Tree& tree, Violations& violations) {
  const auto map_file = tree.find("src/CMakeLists.txt");
  if (map_file == tree.end()) return violations.push_back("src/CMakeLists.txt: missing");
  const LayerMap layers = ReadLayerMap(map_file->second);
  if (layers.empty()) violations.push_back("src/CMakeLists.txt: no layer() line understood");
  for (const auto& [path, text] : tree) {
    if (!StartsWith(path, "src/") || !IsSource(path)) continue;
    const std::string layer = FirstFolder(path.substr(4));
    if (layer.empty()) continue;
    const auto known = layers.find(layer);
    if (known == layers.end()) {
      violations.push_back(path + ": layer " + layer + " is not in the map");
      continue;
    }
    for (const Include& include : IncludesOf(text)) {
      const std::string other = FirstFolder(include.header);
      if (!include.quoted || other == layer || other == "larder") continue;
      if (other.empty()) {
        violations.push_back(At(path, include.line) + ": \"" + include.header +
                             "\" without its folder");
      } else if (!layers.contains(other)) {
        violations.push_back(At(path, include.line) + ": write <" + include.header +
                             ">, it is not ours");
      } else if (!known->second.contains(other)) {
        violations.push_back(At(path, include.line) + ": " + layer + " may not include " + other);
      }
    }
  }
}

// The protocols do not know each other: text_parser.cc includes nothing of meta_*, and so on.
void CheckProtocolSiblings(const Tree& tree, Violations& violations) {
  constexpr std::array<std::string_view, 4> kFamilies = {"text", "meta", "binary", "resp"};
  const auto family_of = [&](std::string_view name) -> std::string_view {
    for (const std::string_view family : kFamilies) {
      if (StartsWith(name, std::string(family) + "_")) return family;
    }
    return "";
  };
  for (const auto& [path, text] : tree) {
    if (!StartsWith(path, "src/protocol/")) continue;
    const std::string_view family = family_of(std::string_view(path).substr(13));
    for (const Include& include : IncludesOf(text)) {
      if (family.empty() || !StartsWith(include.header, "protocol/")) continue;
      const std::string_view other = family_of(std::string_view(include.header).substr(9));
      if (!other.empty() && other != family) {
        violations.push_back(At(path, include.line) + ": " + std::string(family) +
                             " may not include " + std::string(other));
      }
    }
  }
}

// --- Third-party headers -------------------------------------------------------------------------

struct Confinement {
  std::string_view header;                   // whole, or a folder with its slash
  std::vector<std::string_view> home_paths;  // beginnings of paths below src/
};

const std::vector<Confinement>& Confinements() {
  static const auto& table = *new std::vector<Confinement>{
      {"liburing.h", {"io/uring_"}},
      {"event2/", {"io/event_", "admin/http_server.cc", "admin/event_owners.h", "admin/relay.cc"}},
      {"prometheus/", {"admin/prometheus_"}},
      {"CLI/", {"config/cli.cc"}},
      {"gperftools/", {"util/memory_usage.cc"}},
      {"spdlog/", {"util/log.cc"}},
      {"xxhash.h", {"util/hash."}},
      {"openssl/", {"io/tls_"}},
      {"systemd/", {"server/service_manager.cc"}},
      {"sys/socket.h", {"io/"}},
      {"netinet/", {"io/"}},
      {"zstd.h", {}},
      {"absl/", {""}},
  };
  return table;
}

void CheckConfinement(const Tree& tree, Violations& violations) {
  for (const auto& [path, text] : tree) {
    if (!StartsWith(path, "src/") || !IsSource(path)) continue;
    const std::string_view below = std::string_view(path).substr(4);
    for (const Include& include : IncludesOf(text)) {
      for (const Confinement& rule : Confinements()) {
        const bool matches = EndsWith(rule.header, "/") ? StartsWith(include.header, rule.header)
                                                        : include.header == rule.header;
        const bool at_home =
            std::any_of(rule.home_paths.begin(), rule.home_paths.end(),
                        [&](std::string_view home) { return StartsWith(below, home); });
        if (matches && !at_home) {
          violations.push_back(At(path, include.line) + ": <" + include.header +
                               "> is confined to other files");
        }
      }
    }
  }
}

// --- The front door ------------------------------------------------------------------------------

void CheckFrontDoor(const Tree& tree, Violations& violations) {
  int headers = 0;
  for (const auto& [path, text] : tree) {
    if (!StartsWith(path, "include/")) continue;
    headers += EndsWith(path, ".h") ? 1 : 0;
    if (std::count(text.begin(), text.end(), '\n') > 200) {
      violations.push_back(path + ": more than 200 lines");
    }
    for (const Include& include : IncludesOf(text)) {
      // The standard library's own names have neither a folder nor an ending.
      const bool standard =
          !include.quoted && include.header.find_first_of("/.") == std::string::npos;
      if (!standard && !(include.quoted && StartsWith(include.header, "larder/"))) {
        violations.push_back(At(path, include.line) + ": <" + include.header +
                             "> in include/, where only the standard library is allowed");
      }
    }
  }
  if (headers > 8) violations.push_back("include/larder: more than 8 headers");
}

// --- Form of a file ------------------------------------------------------------------------------

// src/io/loop.h: LARDER_IO_LOOP_H_; include/larder/clock.h: LARDER_CLOCK_H_.
std::string GuardOf(std::string_view path) {
  path.remove_prefix(StartsWith(path, "src/") ? 4 : std::string_view("include/larder/").size());
  std::string guard = "LARDER_";
  for (const char c : path) {
    guard += IsWordByte(c) ? static_cast<char>(std::toupper(static_cast<unsigned char>(c))) : '_';
  }
  return guard + "_";
}

void CheckIncludeGuards(const Tree& tree, Violations& violations) {
  for (const auto& [path, text] : tree) {
    const bool ours = StartsWith(path, "src/") || StartsWith(path, "include/larder/");
    if (!ours || !EndsWith(path, ".h")) continue;
    const std::string guard = GuardOf(path);
    const std::string opening = "#ifndef " + guard + "\n#define " + guard + "\n";
    const size_t at = text.find(opening);
    if (at == std::string::npos || text.find('#') != at) {
      violations.push_back(path + ": does not begin with the guard " + guard);
    }
    if (!EndsWith(text, "#endif  // " + guard + "\n")) {
      violations.push_back(path + ": does not end with '#endif  // " + guard + "'");
    }
  }
}

bool IsCode(std::string_view path) {
  return IsSource(path) || EndsWith(path, ".c") || EndsWith(path, ".py") || EndsWith(path, ".js") ||
         EndsWith(path, ".pl");
}

void CheckFileLengths(const Tree& tree, Violations& violations) {
  for (const auto& [path, text] : tree) {
    const int most = StartsWith(path, "tests/") ? 800 : 600;
    if (IsCode(path) && std::count(text.begin(), text.end(), '\n') > most) {
      violations.push_back(path + ": more than " + std::to_string(most) + " lines");
    }
  }
}

// --- Words ---------------------------------------------------------------------------------------

bool IsProse(std::string_view path) {
  return EndsWith(path, ".md") || path == "LICENSE" || EndsWith(path, "package-lock.json");
}

void CheckNoPostponedWork(const Tree& tree, Violations& violations) {
  constexpr std::array<std::string_view, 4> kWords = {
      "TO"
      "DO",
      "FIX"
      "ME",
      "XX"
      "X",
      "HA"
      "CK"};
  for (const auto& [path, text] : tree) {
    if (IsProse(path)) continue;
    ForEachLine(text, [&](std::string_view line, int number) {
      for (const std::string_view word : kWords) {
        if (HasWord(line, word)) {
          violations.push_back(At(path, number) + ": " + std::string(word));
        }
      }
    });
  }
}

// "sleep 1", "sleep(0.1)", but not "asleep" or "sleepers 3".
bool SleepsForANumber(std::string_view line) {
  constexpr std::string_view kWord = "sleep";
  for (size_t at = line.find(kWord); at != std::string_view::npos; at = line.find(kWord, at + 1)) {
    if (at > 0 && IsWordByte(line[at - 1])) continue;
    const std::string_view rest = line.substr(at + kWord.size());
    const size_t argument = rest.find_first_not_of(" (");
    if (argument == 0 || argument == std::string_view::npos) continue;
    if (std::isdigit(static_cast<unsigned char>(rest[argument])) != 0) return true;
  }
  return false;
}

void CheckTestsNeitherSleepNorSkip(const Tree& tree, Violations& violations) {
  constexpr std::array<std::string_view, 9> kForbidden = {
      "sleep_"
      "for",
      "sleep_"
      "until",
      "us"
      "leep",
      "nano"
      "sleep",
      "time."
      "sleep",
      "asyncio."
      "sleep",
      "GTEST_"
      "SKIP",
      "DISAB"
      "LED_",
      "unittest."
      "skip"};
  for (const auto& [path, text] : tree) {
    if (!StartsWith(path, "tests/") || IsProse(path)) continue;
    ForEachLine(text, [&](std::string_view line, int number) {
      for (const std::string_view word : kForbidden) {
        if (line.find(word) != std::string_view::npos) {
          violations.push_back(At(path, number) + ": " + std::string(word) + " in a test");
        }
      }
      if (path != "tests/tidy_test.cc" && SleepsForANumber(line)) {
        violations.push_back(At(path, number) + ": a test that sleeps");
      }
    });
  }
}

// Folders of one developer's machine, which mean nothing on another.
void CheckNoMachinePaths(const Tree& tree, Violations& violations) {
  constexpr std::array<std::string_view, 4> kFolders = {
      "/ro"
      "ot",
      "/ho"
      "me",
      "/wo"
      "rk",
      "/fa"
      "rm"};
  for (const auto& [path, text] : tree) {
    ForEachLine(text, [&](std::string_view line, int number) {
      for (const std::string_view folder : kFolders) {
        const size_t at = line.find(folder);
        if (at == std::string_view::npos) continue;
        const size_t end = at + folder.size();
        // "and/work" and "${x}/home" are relative; "/workers" is another word.
        const bool absolute =
            at == 0 || (!IsWordByte(line[at - 1]) &&
                        std::string_view("}).*-/").find(line[at - 1]) == std::string_view::npos);
        const bool whole = end == line.size() || (!IsWordByte(line[end]) && line[end] != '-');
        if (absolute && whole) {
          violations.push_back(At(path, number) + ": a path of one machine, " +
                               std::string(folder));
        }
      }
    });
  }
}

// --- Lists that must stay in step ----------------------------------------------------------------

// Arguments of each `macro(…)` in a .def file, comments and strings understood as far as these
// lists need it: no escaped quotes.
std::vector<std::vector<std::string>> ReadList(std::string_view text, const std::string& macro) {
  std::vector<std::vector<std::string>> entries;
  const std::string opening = "\n" + macro + "(";
  for (size_t at = text.find(opening); at != std::string_view::npos;
       at = text.find(opening, at + 1)) {
    std::vector<std::string> arguments(1);
    bool in_string = false;
    for (size_t i = at + opening.size(); i < text.size() && (in_string || text[i] != ')'); ++i) {
      const char c = text[i];
      if (c == '"') {
        in_string = !in_string;
      } else if (c == ',' && !in_string) {
        arguments.emplace_back();
      } else if (in_string || std::isspace(static_cast<unsigned char>(c)) == 0) {
        arguments.back() += c;
      }
    }
    entries.push_back(std::move(arguments));
  }
  return entries;
}

// config/larder.conf shows every setting once, as a commented "# name = default", and nothing else.
void CheckConfigurationFile(const Tree& tree, Violations& violations) {
  const auto list = tree.find("src/config/settings.def");
  const auto file = tree.find("config/larder.conf");
  if (list == tree.end() && file == tree.end()) return;
  if (list == tree.end() || file == tree.end()) {
    violations.push_back("config/larder.conf and src/config/settings.def need each other");
    return;
  }
  std::multiset<std::string> in_list;
  for (const auto& arguments : ReadList(list->second, "SETTING")) {
    if (arguments.size() > 3) in_list.insert(arguments[3]);
  }
  if (in_list.empty()) violations.push_back("src/config/settings.def: no SETTING understood");
  std::multiset<std::string> in_file;
  ForEachLine(file->second, [&](std::string_view line, int) {
    const size_t start = line.find_first_not_of("# ");
    if (start == std::string_view::npos) return;
    const size_t end = line.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-_", start);
    if (end == std::string_view::npos || end == start) return;
    const size_t sign = line.find_first_not_of(' ', end);
    if (sign != std::string_view::npos && line[sign] == '=') {
      in_file.insert(std::string(line.substr(start, end - start)));
    }
  });
  std::set<std::string> names(in_list.begin(), in_list.end());
  names.insert(in_file.begin(), in_file.end());
  for (const std::string& name : names) {
    if (in_list.count(name) != 1 || in_file.count(name) != 1) {
      violations.push_back("setting " + name + ": " + std::to_string(in_list.count(name)) +
                           " times in settings.def, " + std::to_string(in_file.count(name)) +
                           " times in larder.conf");
    }
  }
}

// A counter that nothing counts is a lie in `stats`.
void CheckCountersAreUsed(const Tree& tree, Violations& violations) {
  const auto list = tree.find("src/stats/counters.def");
  if (list == tree.end()) return;
  std::set<std::string> unused;
  for (const std::string macro : {"COUNTER", "GAUGE"}) {
    for (const auto& arguments : ReadList(list->second, macro)) unused.insert("k" + arguments[0]);
  }
  if (unused.empty()) violations.push_back("src/stats/counters.def: no COUNTER understood");
  for (const auto& [path, text] : tree) {
    if (!StartsWith(path, "src/") || !IsSource(path)) continue;
    std::erase_if(unused,
                  [&, &source = text](const std::string& id) { return HasWord(source, id); });
  }
  for (const std::string& id : unused) {
    violations.push_back("src/stats/counters.def: nothing in src/ uses " + id);
  }
}

// --- Each rule on small trees --------------------------------------------------------------------

Violations Broken(const Rule& rule, const Tree& tree) {
  Violations violations;
  rule(tree, violations);
  return violations;
}

constexpr char kMap[] = R"(# layer(NAME ...) is no layer
function(layer NAME)
endfunction()
layer(util                     FILES a.cc)
layer(store    DEPENDS util    FILES b.cc
               LINKS absl::strings)
layer(protocol DEPENDS util)
)";

TEST(LayersTest, UpwardIncludeIsNamed) {
  const Tree tree = {{"src/CMakeLists.txt", kMap},
                     {"src/util/a.cc", "// x\n#include \"store/b.h\"\n"}};
  EXPECT_THAT(Broken(CheckLayers, tree),
              ElementsAre("src/util/a.cc:2: util may not include store"));
}

TEST(LayersTest, SidewaysIncludeIsNamed) {
  const Tree tree = {{"src/CMakeLists.txt", kMap},
                     {"src/store/b.cc", "#include \"protocol/ascii.h\"\n"}};
  EXPECT_THAT(Broken(CheckLayers, tree), ElementsAre(HasSubstr("store may not include protocol")));
}

TEST(LayersTest, UnknownLayerAndBareNameAreNamed) {
  const Tree tree = {
      {"src/CMakeLists.txt", kMap}, {"src/new/a.cc", ""}, {"src/util/a.cc", "#include \"a.h\"\n"}};
  EXPECT_THAT(Broken(CheckLayers, tree), ElementsAre("src/new/a.cc: layer new is not in the map",
                                                     HasSubstr("\"a.h\" without its folder")));
}

TEST(LayersTest, ThirdPartyInQuotesIsNamed) {
  const Tree tree = {{"src/CMakeLists.txt", kMap},
                     {"src/util/a.cc", "#include \"absl/x.h\"\n#include <absl/x.h>\n"}};
  EXPECT_THAT(Broken(CheckLayers, tree),
              ElementsAre("src/util/a.cc:1: write <absl/x.h>, it is not ours"));
}

TEST(LayersTest, AllowedIncludesPass) {
  const Tree tree = {{"src/CMakeLists.txt", kMap},
                     {"src/main.cc", "#include \"store/b.h\"\n"},
                     {"src/store/b.cc",
                      "#include \"store/b.h\"\n#include <vector>\n#include \"larder/clock.h\"\n"
                      "#include \"util/a.h\"\n"}};
  EXPECT_THAT(Broken(CheckLayers, tree), IsEmpty());
}

TEST(LayersTest, EmptyMapIsNamed) {
  EXPECT_THAT(Broken(CheckLayers, {{"src/CMakeLists.txt", ""}}),
              ElementsAre(HasSubstr("no layer()")));
  EXPECT_THAT(Broken(CheckLayers, {}), ElementsAre(HasSubstr("missing")));
}

TEST(ProtocolSiblingsTest, OneProtocolMayNotIncludeAnother) {
  const Tree tree = {{"src/protocol/meta_parser.cc",
                      "#include \"protocol/ascii.h\"\n#include \"protocol/meta_parser.h\"\n"
                      "#include \"protocol/text_parser.h\"\n"},
                     {"src/protocol/codec.cc", "#include \"protocol/text_parser.h\"\n"}};
  EXPECT_THAT(Broken(CheckProtocolSiblings, tree),
              ElementsAre("src/protocol/meta_parser.cc:3: meta may not include text"));
}

TEST(ConfinementTest, EveryRowOfTheTableIsHeld) {
  for (const Confinement& rule : Confinements()) {
    SCOPED_TRACE(rule.header);
    const std::string header = std::string(rule.header) + (EndsWith(rule.header, "/") ? "x.h" : "");
    const std::string text = "#include <" + header + ">\n";
    if (rule.header != "absl/") {
      EXPECT_THAT(Broken(CheckConfinement, {{"src/engine/get.cc", text}}),
                  ElementsAre(HasSubstr(header)));
    }
    for (const std::string_view home : rule.home_paths) {
      const std::string path = "src/" + std::string(home) + (EndsWith(home, ".cc") ? "" : "x.cc");
      EXPECT_THAT(Broken(CheckConfinement, {{path, text}}), IsEmpty()) << path;
    }
  }
}

TEST(FrontDoorTest, OnlyTheStandardLibrary) {
  const Tree tree = {{"include/larder/a.h",
                      "#include <cstdint>\n#include \"larder/b.h\"\n#include <absl/x.h>\n"
                      "#include \"util/a.h\"\n#include <unistd.h>\n"}};
  EXPECT_THAT(Broken(CheckFrontDoor, tree),
              ElementsAre(HasSubstr("a.h:3"), HasSubstr("a.h:4"), HasSubstr("a.h:5")));
}

TEST(FrontDoorTest, SizesAreHeld) {
  Tree tree;
  for (int i = 0; i < 8; ++i) tree["include/larder/h" + std::to_string(i) + ".h"] = "";
  tree["include/larder/verbs.def"] = std::string(200, '\n');
  EXPECT_THAT(Broken(CheckFrontDoor, tree), IsEmpty());
  tree["include/larder/verbs.def"] += '\n';
  tree["include/larder/h8.h"] = "";
  EXPECT_THAT(Broken(CheckFrontDoor, tree),
              ElementsAre(HasSubstr("more than 200"), HasSubstr("more than 8")));
}

TEST(IncludeGuardsTest, NameAndPlaceAreHeld) {
  const auto guarded = [](const std::string& guard) {
    return "// What.\n#ifndef " + guard + "\n#define " + guard + "\n#endif  // " + guard + "\n";
  };
  const Tree good = {{"src/io/uring_loop.h", guarded("LARDER_IO_URING_LOOP_H_")},
                     {"include/larder/clock.h", guarded("LARDER_CLOCK_H_")}};
  EXPECT_THAT(Broken(CheckIncludeGuards, good), IsEmpty());
  const Tree bad = {{"src/io/a.h", guarded("IO_A_H")},
                    {"src/io/b.h", "#include <x>\n" + guarded("LARDER_IO_B_H_")},
                    {"src/io/c.h", "#pragma once\n"}};
  EXPECT_EQ(Broken(CheckIncludeGuards, bad).size(), 5U);
}

TEST(FileLengthsTest, OneLineTooManyIsNamed) {
  const Tree tree = {{"src/a/fits.cc", std::string(600, '\n')},
                     {"src/a/over.cc", std::string(601, '\n')},
                     {"tests/fits.py", std::string(800, '\n')},
                     {"tests/over.cc", std::string(801, '\n')},
                     {"docs/long.md", std::string(5000, '\n')}};
  EXPECT_THAT(Broken(CheckFileLengths, tree),
              ElementsAre(HasSubstr("src/a/over.cc: more than 600"),
                          HasSubstr("tests/over.cc: more than 800")));
}

TEST(PostponedWorkTest, WordsAreFound) {
  const Tree tree = {{"src/a.cc",
                      "// TO"
                      "DO(me): later\nint TODOS;\n"},
                     {"bench/b.py",
                      "\n# FIX"
                      "ME\n"},
                     {"README.md",
                      "No TO"
                      "DO here."}};
  EXPECT_THAT(Broken(CheckNoPostponedWork, tree),
              ElementsAre(HasSubstr("bench/b.py:2"), HasSubstr("src/a.cc:1")));
}

TEST(SleepAndSkipTest, EachFormIsFound) {
  for (const std::string line : {"std::this_thread::sleep_"
                                 "for(x);",
                                 "us"
                                 "leep(10);",
                                 "time."
                                 "sleep(x)",
                                 "sleep 1", "sleep(5);",
                                 "GTEST_"
                                 "SKIP();",
                                 "TEST(A, DISAB"
                                 "LED_B)",
                                 "@unittest."
                                 "skip(x)"}) {
    EXPECT_THAT(Broken(CheckTestsNeitherSleepNorSkip, {{"tests/x", line}}), Not(IsEmpty())) << line;
  }
  const Tree fine = {{"tests/x", "// wakes 3 sleepers; a core asleep 2 turns; sleep is bad\n"},
                     {"src/x.cc",
                      "us"
                      "leep(1);"}};
  EXPECT_THAT(Broken(CheckTestsNeitherSleepNorSkip, fine), IsEmpty());
}

TEST(MachinePathsTest, OnlyAbsoluteOnesAreFound) {
  const Tree tree = {{"a",
                      "x = '/ho"
                      "me/me/x'\n"},
                     {"b",
                      "cd /wo"
                      "rk\n"},
                     {"c",
                      "src/wo"
                      "rk and ${HOME}/wo"
                      "rk, /wo"
                      "rkers, /usr/ro"
                      "ot\n"}};
  EXPECT_THAT(Broken(CheckNoMachinePaths, tree), ElementsAre(HasSubstr("a:1"), HasSubstr("b:1")));
}

TEST(ConfigurationFileTest, MissingUnknownAndDoubleNamesAreFound) {
  const std::string list =
      "// SETTING(no)\nSETTING(a, kPort, \"p\", \"port\", \"1, 2\", -1, 9, \"x\",\n   \"Help.\")\n"
      "SETTING(b, kText, \"\", \"user\", \"\", 0, 0, \"\", \"Who (if root).\")\n"
      "SETTING(c, kText, \"\", \"io\", \"\", 0, 0, \"\", \"How.\")\n";
  const std::string good = "# Text about it.\n# port = 1\n\n#user = \"\"\nio = \"auto\"\n";
  const auto run = [&](const std::string& file) {
    return Broken(CheckConfigurationFile,
                  {{"src/config/settings.def", list}, {"config/larder.conf", file}});
  };
  EXPECT_THAT(run(good), IsEmpty());
  EXPECT_THAT(run(good + "# prot = 1\n"), ElementsAre(HasSubstr("setting prot")));
  EXPECT_THAT(run(good + "# port = 1\n"), ElementsAre(HasSubstr("2 times in larder.conf")));
  EXPECT_EQ(run("").size(), 3U);
  EXPECT_THAT(Broken(CheckConfigurationFile, {{"src/config/settings.def", list}}), Not(IsEmpty()));
}

TEST(CountersTest, UnusedOneIsNamed) {
  const Tree tree = {
      {"src/stats/counters.def",
       "// All.\nCOUNTER(Hits, \"h\", \"h\", \"H.\")\nGAUGE(Items, \"i\", \"i\", \"I.\")\n"},
      {"src/a.cc", "Add(Counter::kHits); // kItemsMax\n"}};
  EXPECT_THAT(Broken(CheckCountersAreUsed, tree), ElementsAre(HasSubstr("uses kItems")));
}

// --- All rules on the real tree ------------------------------------------------------------------

// Every text file but hidden folders, builds and what package managers fetch.
Tree ReadRealTree() {
  namespace fs = std::filesystem;
  const fs::path root = LARDER_SOURCE_DIR;
  const std::set<std::string> skipped = {"build", "node_modules", "__pycache__"};
  Tree tree;
  for (auto it = fs::recursive_directory_iterator(root); it != fs::recursive_directory_iterator();
       ++it) {
    const std::string name = it->path().filename();
    if (it->is_directory()) {
      if (skipped.contains(name) || (name[0] == '.' && name != ".ci"))
        it.disable_recursion_pending();
      continue;
    }
    std::ostringstream text;
    text << std::ifstream(it->path(), std::ios::binary).rdbuf();
    if (text.view().find('\0') != std::string_view::npos) continue;
    tree[it->path().lexically_relative(root).generic_string()] = text.str();
  }
  return tree;
}

TEST(RealTreeTest, KeepsEveryRule) {
  const Tree tree = ReadRealTree();
  ASSERT_TRUE(tree.contains("src/CMakeLists.txt"));
  ASSERT_GT(tree.size(), 20U);
  for (const Rule& rule : std::vector<Rule>{
           CheckLayers, CheckProtocolSiblings, CheckConfinement, CheckFrontDoor, CheckIncludeGuards,
           CheckFileLengths, CheckNoPostponedWork, CheckTestsNeitherSleepNorSkip,
           CheckNoMachinePaths, CheckConfigurationFile, CheckCountersAreUsed}) {
    for (const std::string& violation : Broken(rule, tree)) ADD_FAILURE() << violation;
  }
}

}  // namespace
