// Texts about the settings, generated from settings.def.
#ifndef LARDER_CONFIG_HELP_H_
#define LARDER_CONFIG_HELP_H_

#include <string>

namespace larder::config {

// For -h: every flag, in groups, 80 columns.
std::string HelpText();

// config/larder.conf: every setting at its default, commented out, with its help. A test holds the
// file to this; `larderd --print-config` prints it.
std::string ConfigTemplate();

}  // namespace larder::config

#endif  // LARDER_CONFIG_HELP_H_
