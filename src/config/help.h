// Texts about the settings, generated from settings.def.
#ifndef LARDER_CONFIG_HELP_H_
#define LARDER_CONFIG_HELP_H_

#include <string>

namespace larder::config {

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
