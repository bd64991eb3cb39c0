// Texts about the settings, generated from settings.def.
#ifndef LARDER_CONFIG_HELP_H_
#define LARDER_CONFIG_HELP_H_

#include <span>
#include <string>
#include <string_view>

#include "config/settings.h"

namespace larder::config {

// A flag that sets nothing: it says where settings are, or what to do instead of serving.
struct OtherFlag {
  std::string_view flag;  // one letter, or empty
  std::string_view long_name;
  std::string_view placeholder;  // of its value; empty: it takes none
  std::string_view help;
};
std::span<const OtherFlag> OtherFlags();

// What stands for a value of this type in a help text: "PORT"; empty for a switch.
std::string_view Placeholder(ValueType type);
// The default as the file has it: numbers and booleans bare, anything else a text.
std::string FileValue(const SettingInfo& info);

// For -h: the version, then every flag that has a meaning, in groups, 80 columns. Scripts ask
// memcached's help what it can do, so names of what is ignored or refused do not occur in it.
std::string HelpText();

// For -V. The first line is memcached's, for scripts that look for it; the second says who we are.
std::string VersionText();

// For -i.
std::string LicenseText();

// config/larder.conf: every setting at its default, commented out, with its help. A test holds the
// file to this; `larderd --print-config` prints it.
std::string ConfigTemplate();

}  // namespace larder::config

#endif  // LARDER_CONFIG_HELP_H_
