#include "server/credentials.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <utility>

#include "util/check.h"

namespace larder::server {

namespace {

// Enough for kUsersMax lines of the longest.
constexpr size_t kFileBytesMax = 1 << 20;
static_assert(kFileBytesMax >= kUsersMax * (2 * kSecretBytesMax + 3));

constexpr std::string_view kRight = "a line is name:password, neither of them empty";

std::string TooLong(std::string_view what) {
  return "the " + std::string(what) + " has more than " + std::to_string(kSecretBytesMax) +
         " bytes; shorten it";
}

// What is wrong with the line, or nothing.
std::string ParseLine(std::string_view line, std::vector<ServerOptions::User>& users) {
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos) return "there is no colon; " + std::string(kRight);
  const std::string_view name = line.substr(0, colon);
  const std::string_view password = line.substr(colon + 1);
  if (name.empty()) return "the name is empty; " + std::string(kRight);
  if (password.empty()) return "the password is empty; " + std::string(kRight);
  if (line.find('\0') != std::string_view::npos) return "there is a NUL byte; give text";
  if (name.size() > kSecretBytesMax) return TooLong("name");
  if (password.size() > kSecretBytesMax) return TooLong("password");
  if (users.size() == kUsersMax) {
    return "these are more than " + std::to_string(kUsersMax) + " users; give fewer";
  }
  users.push_back({.name = std::string(name), .password = std::string(password)});
  return {};
}

}  // namespace

Credentials::Padded Credentials::Pad(std::string_view text) {
  Padded padded{};
  // A longer text has a size that no user's has.
  padded[0] = text.size();
  const size_t bytes = std::min(text.size(), kSecretBytesMax);
  if (bytes > 0) std::memcpy(&padded[1], text.data(), bytes);
  return padded;
}

uint64_t Credentials::Difference(const Padded& a, const Padded& b) {
  uint64_t difference = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    difference |= a[i] ^ b[i];
    // The compiler may not conclude that the rest does not matter.
    asm volatile("" : "+r"(difference));
  }
  return difference;
}

bool Credentials::Matches(std::string_view name, std::string_view password) const {
  const Padded wanted_name = Pad(name);
  const Padded wanted_password = Pad(password);
  std::shared_ptr<const Entries> entries;
  {
    const std::lock_guard lock(mutex_);
    entries = entries_;
  }
  uint64_t matching = 0;
  for (const Entry& entry : *entries) {
    const uint64_t difference =
        Difference(entry.name, wanted_name) | Difference(entry.password, wanted_password);
    // 1 if there is none, without a branch.
    matching |= ((difference | (0 - difference)) >> 63) ^ 1;
  }
  return matching != 0;
}

void Credentials::Replace(std::span<const ServerOptions::User> users) {
  CHECK_LE(users.size(), kUsersMax);
  auto entries = std::make_shared<Entries>();
  entries->reserve(users.size());
  for (const ServerOptions::User& user : users) {
    CHECK_LE(user.name.size(), kSecretBytesMax);
    CHECK_LE(user.password.size(), kSecretBytesMax);
    entries->push_back({.name = Pad(user.name), .password = Pad(user.password)});
  }
  std::shared_ptr<const Entries> old;  // goes after the lock
  const std::lock_guard lock(mutex_);
  old = std::exchange(entries_, std::move(entries));
}

std::string ParseUsers(std::string_view text, std::vector<ServerOptions::User>& users) {
  users.clear();
  for (size_t number = 1; !text.empty(); ++number) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty()) continue;
    const std::string problem = ParseLine(line, users);
    if (!problem.empty()) return "line " + std::to_string(number) + ": " + problem;
  }
  return users.empty() ? "there is no user in it; " + std::string(kRight) : "";
}

std::string ReadUsers(const std::string& path, std::vector<ServerOptions::User>& users) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    return path + ": cannot be read (" + std::strerror(errno) + "); give a file that we may read";
  }
  std::string text(kFileBytesMax + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<size_t>(file.gcount()));
  if (file.bad()) return path + ": cannot be read; give a regular file";
  if (text.size() > kFileBytesMax) return path + ": is over 1 MiB; give a file of users";
  const std::string problem = ParseUsers(text, users);
  return problem.empty() ? "" : path + ": " + problem;
}

}  // namespace larder::server
