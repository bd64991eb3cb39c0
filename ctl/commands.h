// What larderctl does, a function a command. Results go to stdout; an error is a sentence.
#ifndef LARDER_CTL_COMMANDS_H_
#define LARDER_CTL_COMMANDS_H_

#include <absl/status/status.h>

#include <cstdint>
#include <string>
#include <vector>

namespace larder::ctl {

struct Options {
  std::string server = "127.0.0.1:11211";
  std::string admin = "127.0.0.1:11212";
  std::string user;
  std::string password;
  bool json = false;
  // Of what repeats.
  bool watch = false;
  double interval_s = 1;
  uint64_t frames = 0;  // 0: until a signal
  // Of keys.
  std::string prefix;
  uint64_t keys_max = 0;  // 0: all
};

absl::Status ShowStats(const Options& options, const std::string& group);
absl::Status ShowSettings(const Options& options);
absl::Status ShowTop(const Options& options);
absl::Status ListKeys(const Options& options);
// One value alone is written as it is, without a newline. NotFound if one of the keys has none.
absl::Status GetValues(const Options& options, const std::vector<std::string>& keys);
absl::Status DeleteKeys(const Options& options, const std::vector<std::string>& keys);
absl::Status Flush(const Options& options);
// Of everything that grows; empty: only tells it.
absl::Status MemoryLimit(const Options& options, const std::string& size);

}  // namespace larder::ctl

#endif  // LARDER_CTL_COMMANDS_H_
