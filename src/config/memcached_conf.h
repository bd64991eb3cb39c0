// Debian's /etc/memcached.conf, read into lines of flags; what they mean is not known here.
//
// Debian's scripts take the comments out and hand the rest to a shell, so words are split and
// quoted as a shell does it. No shell reads the file here: what one would act upon ($, ;, *) is an
// error where it is not quoted.
#ifndef LARDER_CONFIG_MEMCACHED_CONF_H_
#define LARDER_CONFIG_MEMCACHED_CONF_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/config_file.h"

namespace larder::config {

struct MemcachedConfLine {
  std::vector<std::string> words;  // at least one; the first begins with "-"
  uint32_t line = 0;               // from 1
};

struct MemcachedConf {
  std::vector<MemcachedConfLine> lines;
  std::optional<FileError> error;  // the first; lines before it are there
};

// Pure; takes any bytes.
//
//   # a comment, up to the end of the line
//   -m 64                       a flag and its value, or several
//   -s '/run/my cache/socket'   quotes and \ as in a shell
//   logfile /var/log/x          for Debian's old start script; passed over
MemcachedConf ParseMemcachedConf(std::string_view text);

}  // namespace larder::config

#endif  // LARDER_CONFIG_MEMCACHED_CONF_H_
