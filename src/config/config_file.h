// The configuration file, read into names and values with their lines;
// what they mean is not known here.
//
// CLI11's own reader is not used: it tells no line, passes over what it does not understand, and
// takes a comment's sign inside quotes for a comment.
#ifndef LARDER_CONFIG_CONFIG_FILE_H_
#define LARDER_CONFIG_CONFIG_FILE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace larder::config {

struct FileEntry {
  std::string name;
  std::vector<std::string> values;  // one, or those of a list
  uint32_t line = 0;                // where the name stands, from 1
};

struct FileError {
  uint32_t line = 0;
  // What is wrong and what would be right, without a full stop.
  std::string sentence;
};

struct FileContent {
  std::vector<FileEntry> entries;  // in the order of the file; names may repeat
  std::optional<FileError> error;  // the first; entries before it are there
};

// Pure; takes any bytes. The format is the flat part of TOML, and of INI as CLI11 reads it:
//
//   # a comment                 ; or so
//   memory-limit = "1g"         a text in double quotes (\" \\ \n \t) or in single ones (as it is)
//   port = 11211                anything else up to the end of the line or a comment
//   listen = ["127.0.0.1",      a list, on one line or more
//             "::1"]
//   disable-evictions           a name alone is true
FileContent ParseConfigText(std::string_view text);

}  // namespace larder::config

#endif  // LARDER_CONFIG_CONFIG_FILE_H_
