// The manual pages and the shell's completion, generated from settings.def as the help is, so that
// they cannot tell of a setting that is not there. packaging/print_manual.cc writes them.
#ifndef LARDER_CONFIG_MAN_PAGES_H_
#define LARDER_CONFIG_MAN_PAGES_H_

#include <string>

namespace larder::config {

// larderd(8), larder.conf(5): roff for man's macros.
std::string DaemonManPage();
std::string FileManPage();

// For bash-completion: flags of larderd, and values where there are few.
std::string BashCompletion();

}  // namespace larder::config

#endif  // LARDER_CONFIG_MAN_PAGES_H_
