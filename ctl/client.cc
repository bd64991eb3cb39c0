#include "ctl/client.h"

#include <absl/strings/numbers.h>
#include <absl/strings/str_cat.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "bench/common/endpoint.h"
#include "protocol/base64.h"
#include "util/absl_view.h"
#include "util/log.h"

namespace larder::ctl {

using util::View;

namespace {

constexpr size_t kReceiveBytes = 64 << 10;
constexpr time_t kPatienceS = 10;

// A key as meta commands take it, with the flag that says how.
std::string MetaKey(std::string_view key) {
  const bool word = key.find_first_of(std::string_view(" \t\r\n\0\x7f", 6)) == key.npos;
  const bool controls = std::any_of(key.begin(), key.end(),
                                    [](char c) { return static_cast<unsigned char>(c) < 0x20; });
  if (word && !controls && !key.empty()) return std::string(key);
  std::string text(protocol::Base64Bytes(key.size()), '\0');
  protocol::AppendBase64(text.data(), key);
  return text + " b";
}

}  // namespace

absl::StatusOr<Client> Client::Connect(const std::string& where) {
  const auto endpoint = bench::Endpoint::Parse(where);
  if (!endpoint) {
    return absl::InvalidArgumentError(absl::StrCat(
        View(util::Quoted(where)), " is no server; give HOST:PORT, or the path of a Unix socket"));
  }
  std::string error;
  const int fd = bench::Connect(*endpoint, &error);
  if (fd < 0) return absl::UnavailableError(error);
  const timeval patience = {.tv_sec = kPatienceS, .tv_usec = 0};
  (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  return Client(fd, where);
}

Client::~Client() {
  if (fd_ >= 0) close(fd_);
}

absl::Status Client::Send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return absl::UnavailableError(absl::StrCat(where_, ": ", std::strerror(errno)));
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
  return absl::OkStatus();
}

absl::StatusOr<bool> Client::Receive() {
  char bytes[kReceiveBytes];
  ssize_t received = 0;
  do {
    received = recv(fd_, bytes, sizeof(bytes), 0);
  } while (received < 0 && errno == EINTR);
  if (received < 0) {
    const char* why = errno == EAGAIN ? "no answer for ten seconds" : std::strerror(errno);
    return absl::UnavailableError(absl::StrCat(where_, ": ", why));
  }
  unread_.append(bytes, static_cast<size_t>(received));
  return received > 0;
}

absl::StatusOr<std::string> Client::Line() {
  size_t end = 0;
  while ((end = unread_.find('\n')) == std::string::npos) {
    const absl::StatusOr<bool> more = Receive();
    if (!more.ok()) return more.status();
    if (!*more) return absl::UnavailableError(absl::StrCat(where_, " closed the connection"));
  }
  std::string line = unread_.substr(0, end);
  unread_.erase(0, end + 1);
  if (line.ends_with('\r')) line.pop_back();
  return line;
}

absl::StatusOr<std::string> Client::Exactly(size_t bytes) {
  while (unread_.size() < bytes) {
    const absl::StatusOr<bool> more = Receive();
    if (!more.ok()) return more.status();
    if (!*more) return absl::UnavailableError(absl::StrCat(where_, " closed the connection"));
  }
  std::string taken = unread_.substr(0, bytes);
  unread_.erase(0, bytes);
  return taken;
}

absl::Status Client::Unexpected(std::string_view line) const {
  if (line == "CLIENT_ERROR unauthenticated") {
    return absl::UnauthenticatedError(absl::StrCat(
        where_, " wants to know who you are; give --user, and the password in LARDERCTL_PASSWORD"));
  }
  return absl::InternalError(absl::StrCat(where_, " answered ", View(util::Quoted(line))));
}

absl::Status Client::LogIn(std::string_view user, std::string_view password) {
  const std::string who = absl::StrCat(View(user), " ", View(password));
  absl::Status sent = Send(absl::StrCat("set auth 0 0 ", who.size(), "\r\n", who, "\r\n"));
  if (!sent.ok()) return sent;
  const absl::StatusOr<std::string> line = Line();
  if (!line.ok()) return line.status();
  if (*line == "STORED") return absl::OkStatus();
  return absl::UnauthenticatedError(
      absl::StrCat(where_, ": no such user, or not this password: ", View(util::Quoted(user))));
}

absl::Status Client::Ask(std::string_view command) {
  return Send(absl::StrCat(View(command), "\r\n"));
}

absl::StatusOr<Stats> Client::ReadStats(std::string_view group) {
  const absl::Status sent = Ask(group.empty() ? "stats" : absl::StrCat("stats ", View(group)));
  if (!sent.ok()) return sent;
  Stats stats;
  while (true) {
    absl::StatusOr<std::string> line = Line();
    if (!line.ok()) return line.status();
    if (*line == "END" || *line == "RESET") return stats;
    if (!line->starts_with("STAT ")) return Unexpected(*line);
    const size_t name_end = line->find(' ', 5);
    if (name_end == std::string::npos) {
      stats.emplace_back(line->substr(5), "");
    } else {
      stats.emplace_back(line->substr(5, name_end - 5), line->substr(name_end + 1));
    }
  }
}

absl::StatusOr<std::optional<Item>> Client::Get(std::string_view key) {
  const absl::Status sent = Ask(absl::StrCat("mg ", MetaKey(key), " v f t"));
  if (!sent.ok()) return sent;
  const absl::StatusOr<std::string> line = Line();
  if (!line.ok()) return line.status();
  if (*line == "EN") return std::nullopt;
  if (!line->starts_with("VA ")) return Unexpected(*line);
  Item item;
  uint64_t bytes = 0;
  size_t at = 3;
  while (at < line->size()) {
    const size_t end = std::min(line->find(' ', at), line->size());
    const absl::string_view token(line->data() + at, end - at);
    const absl::string_view rest = token.substr(token.empty() ? 0 : 1);
    if (at == 3 && !absl::SimpleAtoi(token, &bytes)) return Unexpected(*line);
    if (at > 3 && token[0] == 'f') (void)absl::SimpleAtoi(rest, &item.client_flags);
    if (at > 3 && token[0] == 't') (void)absl::SimpleAtoi(rest, &item.ttl_s);
    at = end + 1;
  }
  absl::StatusOr<std::string> value = Exactly(bytes + 2);
  if (!value.ok()) return value.status();
  item.value = value->substr(0, bytes);
  return item;
}

absl::StatusOr<bool> Client::Delete(std::string_view key) {
  const absl::Status sent = Ask(absl::StrCat("md ", MetaKey(key)));
  if (!sent.ok()) return sent;
  const absl::StatusOr<std::string> line = Line();
  if (!line.ok()) return line.status();
  if (*line != "HD" && *line != "NF") return Unexpected(*line);
  return *line == "HD";
}

absl::Status Client::Do(std::string_view command) {
  absl::Status sent = Ask(command);
  if (!sent.ok()) return sent;
  const absl::StatusOr<std::string> line = Line();
  if (!line.ok()) return line.status();
  return *line == "OK" ? absl::OkStatus() : Unexpected(*line);
}

absl::StatusOr<std::string> Client::ReadPage(const std::string& where, std::string_view path) {
  absl::StatusOr<Client> client = Connect(where);
  if (!client.ok()) return client.status();
  const absl::Status sent =
      client->Send(absl::StrCat("GET ", View(path), " HTTP/1.0\r\nHost: larder\r\n\r\n"));
  if (!sent.ok()) return sent;
  while (true) {
    const absl::StatusOr<bool> more = client->Receive();
    if (!more.ok()) return more.status();
    if (!*more) break;
  }
  const std::string& answer = client->unread_;
  const size_t body = answer.find("\r\n\r\n");
  if (!answer.starts_with("HTTP/") || body == std::string::npos) {
    return absl::InternalError(absl::StrCat(where, " is no admin door"));
  }
  if (answer.find(" 200 ") != answer.find(' ')) {
    return absl::InternalError(
        absl::StrCat(where, View(path), ": ", answer.substr(0, answer.find('\r'))));
  }
  return answer.substr(body + 4);
}

}  // namespace larder::ctl
