// Who may come in: the users that every door asks about, whatever its protocol.
//
// The time that Matches() takes depends on the number of users and on nothing that a client sends:
// every user is compared, and every comparison goes through all bytes. So nobody learns by the
// clock which name exists or how much of a password is right.
//
// Any thread may ask, and any may replace the users at the same time: each question is answered by
// the users of one moment. It costs 30 ns a user, and a lock for the length of two increments.
#ifndef LARDER_SERVER_CREDENTIALS_H_
#define LARDER_SERVER_CREDENTIALS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "larder/options.h"

namespace larder::server {

// Longest name, and longest password.
inline constexpr size_t kSecretBytesMax = 256;
// Most users; one name may have several passwords.
inline constexpr size_t kUsersMax = 1024;

class Credentials {
 public:
  explicit Credentials(std::span<const ServerOptions::User> users) { Replace(users); }

  [[nodiscard]] bool Matches(std::string_view name, std::string_view password) const;
  // From now on, these count. At most kUsersMax, none longer than kSecretBytesMax.
  void Replace(std::span<const ServerOptions::User> users);

 private:
  // Text of any length up to the longest, as bytes of one length: the first word is the size.
  using Padded = std::array<uint64_t, 1 + kSecretBytesMax / sizeof(uint64_t)>;
  struct Entry {
    Padded name;
    Padded password;
  };
  using Entries = std::vector<Entry>;

  static Padded Pad(std::string_view text);
  static uint64_t Difference(const Padded& a, const Padded& b);

  mutable std::mutex mutex_;
  std::shared_ptr<const Entries> entries_;  // never changed, only replaced
};

// Users, one a line: `name:password`. The name ends at the first colon; blank lines are left out.
// If a line is wrong, one sentence without a full stop: which, and what would be right.
std::string ParseUsers(std::string_view text, std::vector<ServerOptions::User>& users);
// The same from a file, which the sentence names.
std::string ReadUsers(const std::string& path, std::vector<ServerOptions::User>& users);

}  // namespace larder::server

#endif  // LARDER_SERVER_CREDENTIALS_H_
