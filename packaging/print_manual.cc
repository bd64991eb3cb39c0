// Prints one of the texts that are installed beside the daemon: print_manual larderd.8,
// larder.conf.5 or completion.
#include <cstdio>
#include <string_view>

#include "config/man_pages.h"

int main(int argc, char** argv) {
  const std::string_view what = argc == 2 ? argv[1] : "";
  std::string text;
  if (what == "larderd.8") text = larder::config::DaemonManPage();
  if (what == "larder.conf.5") text = larder::config::FileManPage();
  if (what == "completion") text = larder::config::BashCompletion();
  if (text.empty()) {
    std::fputs("usage: print_manual larderd.8|larder.conf.5|completion\n", stderr);
    return 1;
  }
  return std::fwrite(text.data(), 1, text.size(), stdout) == text.size() ? 0 : 1;
}
