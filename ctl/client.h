// A blocking client of a server's cache port, and of its admin door.
//
// Errors are sentences for the one who typed the command: absl::Status with what was asked and what
// came instead. A server that says nothing for ten seconds is an error.
#ifndef LARDER_CTL_CLIENT_H_
#define LARDER_CTL_CLIENT_H_

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace larder::ctl {

using Stats = std::vector<std::pair<std::string, std::string>>;

struct Item {
  std::string value;
  uint32_t client_flags = 0;
  int64_t ttl_s = -1;  // -1: for ever
};

class Client {
 public:
  // `where` is HOST:PORT or the path of a Unix socket.
  static absl::StatusOr<Client> Connect(const std::string& where);
  Client(Client&& other) noexcept
      : fd_(std::exchange(other.fd_, -1)), where_(other.where_), unread_(other.unread_) {}
  Client& operator=(Client&&) = delete;
  ~Client();

  // Of a server that wants to know who we are.
  absl::Status LogIn(std::string_view user, std::string_view password);

  // `stats`, or a group of it. In the server's order.
  absl::StatusOr<Stats> ReadStats(std::string_view group = {});
  // Nothing: there is no such item. Any bytes are a key.
  absl::StatusOr<std::optional<Item>> Get(std::string_view key);
  absl::StatusOr<bool> Delete(std::string_view key);
  // A command whose answer is "OK".
  absl::Status Do(std::string_view command);

  // Sends a command whose answer is lines and a last one of END; Line() reads them.
  absl::Status Ask(std::string_view command);
  // Without its end.
  absl::StatusOr<std::string> Line();

  // The body of a page of an admin door.
  static absl::StatusOr<std::string> ReadPage(const std::string& where, std::string_view path);

 private:
  Client(int fd, std::string where) : fd_(fd), where_(std::move(where)) {}
  absl::Status Send(std::string_view bytes);
  // True: more bytes are unread than before. False: the server has closed.
  absl::StatusOr<bool> Receive();
  absl::StatusOr<std::string> Exactly(size_t bytes);
  [[nodiscard]] absl::Status Unexpected(std::string_view line) const;

  int fd_;
  const std::string where_;
  std::string unread_;
};

}  // namespace larder::ctl

#endif  // LARDER_CTL_CLIENT_H_
