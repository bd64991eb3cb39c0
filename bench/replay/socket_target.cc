// A look-aside cache behind a socket, in the text protocol.
//
// Requests go in windows, because one at a time would measure nothing but round trips. What must
// not change is the order of the requests for one key:
//
//   window   a b a c a       misses of the round before: x
//   round 1  set x, get a b c        → a misses
//   round 2  set a, get a            → a hits
//   round 3         get a            → a hits;   nothing is left to set
//
// Each round is one write and one wait: first the values that the last round missed, then one get
// with the first occurrence of each key that is left. Between different keys the order changes
// within a window only; with a window of 1 it does not change at all.
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <unordered_set>
#include <vector>

#include "bench/common/endpoint.h"
#include "bench/load/key_space.h"
#include "bench/replay/replay.h"

namespace larder::bench {
namespace {

constexpr time_t kPatienceS = 30;
constexpr size_t kReceiveBytes = 64 << 10;

class SocketTarget final : public ReplayTarget {
 public:
  SocketTarget(const Endpoint& endpoint, bool flush) : endpoint_(endpoint), flush_(flush) {}
  ~SocketTarget() override {
    if (fd_ >= 0) close(fd_);
  }

  bool Begin(uint32_t trace) override {
    trace_ = trace;
    if (fd_ < 0 && !Connect()) return false;
    if (!flush_) return true;
    output_ = "flush_all\r\n";
    std::string_view line;
    if (!Send() || !ReadLine(&line)) return false;
    return line == "OK" || Fail("flush_all was answered with " + std::string(line));
  }

  bool Run(std::span<const Access> window, ReplayCounts& counts) override {
    left_.assign(window.begin(), window.end());
    counts.requests += window.size();
    while (!left_.empty()) {
      if (!Round(counts)) return false;
    }
    return true;
  }

  bool End(ReplayCounts& counts) override { return missed_.empty() || Round(counts); }

  Capacity CapacityNow() override {
    Capacity capacity = {.kind = "unknown", .amount = 0};
    constexpr std::string_view kLimit = "STAT limit_maxbytes ";
    output_ = "stats\r\n";
    std::string_view line;
    bool well = Send();
    while (well && ReadLine(&line) && line.starts_with("STAT ")) {
      if (!line.starts_with(kLimit)) continue;
      capacity.kind = "memory";
      std::from_chars(line.data() + kLimit.size(), line.data() + line.size(), capacity.amount);
    }
    return capacity;
  }

 private:
  bool Connect() {
    std::string error;
    fd_ = bench::Connect(endpoint_, &error);
    if (fd_ < 0) return Fail(error);
    const timeval patience = {.tv_sec = kPatienceS, .tv_usec = 0};
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    return true;
  }

  bool Round(ReplayCounts& counts) {
    output_.clear();
    for (const Access& access : missed_) AppendSet(access);
    TakeFirsts();
    if (!asked_.empty()) AppendGet();
    if (!Send()) return false;
    for (size_t i = 0; i < missed_.size(); ++i) {
      if (!ReadStored(counts)) return false;
    }
    missed_.clear();
    return asked_.empty() || ReadValues(counts);
  }

  // The first occurrence of each key moves from left_ to asked_.
  void TakeFirsts() {
    asked_.clear();
    seen_.clear();
    size_t kept = 0;
    for (const Access& access : left_) {
      if (seen_.insert(access.id).second) {
        asked_.push_back(access);
      } else {
        left_[kept++] = access;
      }
    }
    left_.resize(kept);
  }

  void AppendSet(const Access& access) {
    const std::string key = KeyOf(trace_, access.id);
    output_.append("set ").append(key).append(" 0 0 ");
    AppendDecimal(access.value_size, output_);
    output_.append("\r\n");
    AppendReplayValue(key, access.value_size, output_);
    output_.append("\r\n");
  }

  void AppendGet() {
    output_.append("get");
    for (const Access& access : asked_) output_.append(" ").append(KeyOf(trace_, access.id));
    output_.append("\r\n");
  }

  bool ReadStored(ReplayCounts& counts) {
    std::string_view line;
    if (!ReadLine(&line)) return false;
    if (line == "STORED") return true;
    if (line == "SERVER_ERROR object too large for cache") {
      ++counts.too_large;
      return true;
    }
    if (!line.starts_with("SERVER_ERROR ")) {
      return Fail("a set was answered with " + std::string(line));
    }
    ++counts.refused;
    counts.last_refusal = line;
    return true;
  }

  // Values come in the order of the request, without the missing ones.
  bool ReadValues(ReplayCounts& counts) {
    size_t next = 0;
    std::string_view line;
    while (true) {
      if (!ReadLine(&line)) return false;
      if (line == "END") break;
      uint64_t size = 0;
      std::string key;
      if (!ParseHead(line, &key, &size)) {
        return Fail("a get was answered with " + std::string(line));
      }
      while (next < asked_.size() && KeyOf(trace_, asked_[next].id) != key) {
        missed_.push_back(asked_[next++]);
      }
      if (next == asked_.size()) return Fail("a value came that nobody asked for: " + key);
      std::string_view value;
      if (!ReadBytes(size + 2, &value)) return false;
      if (!value.ends_with("\r\n") || !IsReplayValue(key, value.substr(0, size))) {
        return Fail("a wrong value came for " + key + " (values of another replay? try --flush)");
      }
      ++next;
      ++counts.hits;
    }
    while (next < asked_.size()) missed_.push_back(asked_[next++]);
    return true;
  }

  // "VALUE key flags bytes"
  static bool ParseHead(std::string_view line, std::string* key, uint64_t* size) {
    constexpr std::string_view kValue = "VALUE ";
    if (!line.starts_with(kValue)) return false;
    line.remove_prefix(kValue.size());
    const size_t key_end = line.find(' ');
    const size_t size_at = line.rfind(' ');
    if (key_end == std::string_view::npos || size_at == key_end) return false;
    key->assign(line.substr(0, key_end));
    const char* end = line.data() + line.size();
    const auto parsed = std::from_chars(line.data() + size_at + 1, end, *size);
    return parsed.ec == std::errc() && parsed.ptr == end;
  }

  bool Send() {
    std::string_view rest = output_;
    while (!rest.empty()) {
      const ssize_t sent = send(fd_, rest.data(), rest.size(), MSG_NOSIGNAL);
      if (sent < 0 && errno == EINTR) continue;
      if (sent <= 0) return Fail(std::string("sending: ") + std::strerror(errno));
      rest.remove_prefix(static_cast<size_t>(sent));
    }
    return true;
  }

  // Both leave a view that holds until the next read.
  bool ReadLine(std::string_view* line) {
    size_t searched = 0;
    while (true) {
      std::string_view ready = input_;
      ready.remove_prefix(input_begin_);
      const size_t end = ready.find("\r\n", searched);
      if (end != std::string_view::npos) {
        *line = ready.substr(0, end);
        input_begin_ += end + 2;
        return true;
      }
      searched = ready.empty() ? 0 : ready.size() - 1;
      if (!Receive()) return false;
    }
  }

  bool ReadBytes(size_t size, std::string_view* bytes) {
    while (input_.size() - input_begin_ < size) {
      if (!Receive()) return false;
    }
    *bytes = {input_.data() + input_begin_, size};
    input_begin_ += size;
    return true;
  }

  bool Receive() {
    input_.erase(0, input_begin_);
    input_begin_ = 0;
    const size_t kept = input_.size();
    input_.resize(kept + kReceiveBytes);
    ssize_t got = 0;
    do {
      got = recv(fd_, input_.data() + kept, kReceiveBytes, 0);
    } while (got < 0 && errno == EINTR);
    input_.resize(kept + (got > 0 ? static_cast<size_t>(got) : 0));
    if (got > 0) return true;
    return Fail(got == 0 ? "the server closed the connection"
                         : std::string("receiving: ") + std::strerror(errno));
  }

  const Endpoint endpoint_;
  const bool flush_;
  int fd_ = -1;
  uint32_t trace_ = 0;
  std::vector<Access> left_;    // of the window
  std::vector<Access> asked_;   // in this round
  std::vector<Access> missed_;  // in the last round; stored at the head of the next
  std::unordered_set<uint64_t> seen_;
  std::string output_;
  std::string input_;
  size_t input_begin_ = 0;
};

}  // namespace

std::unique_ptr<ReplayTarget> MakeSocketTarget(const Endpoint& endpoint, bool flush) {
  return std::make_unique<SocketTarget>(endpoint, flush);
}

}  // namespace larder::bench
