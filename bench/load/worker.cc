#include "bench/load/worker.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <ctime>

#include "util/check.h"

namespace larder::bench {
namespace {

constexpr size_t kScratchBytesMin = 256 << 10;
constexpr uint64_t kNoLimit = UINT64_MAX;
// The longest sleep: how soon `stop` is seen.
constexpr uint64_t kSleepNsMax = 100'000'000;
constexpr uint64_t kGraceNs = 100'000'000;

// Bytes of a server as a sentence can show them.
std::string Shown(std::string_view bytes) {
  std::string shown;
  for (const char c : bytes.substr(0, 60)) {
    const bool plain = c >= ' ' && c <= '~';
    shown += plain ? std::string(1, c) : c == '\r' ? "\\r" : c == '\n' ? "\\n" : "?";
  }
  return "\"" + shown + (bytes.size() > 60 ? "…\"" : "\"");
}

}  // namespace

uint64_t MonotonicNs() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(now.tv_nsec);
}

void Tally::Merge(const Tally& other) {
  get_ns.Merge(other.get_ns);
  set_ns.Merge(other.set_ns);
  hits += other.hits;
  misses += other.misses;
  refused += other.refused;
  unsent_ns.Merge(other.unsent_ns);
}

Worker::Worker(const Options& options, const KeySpace& keys, const Dialect& dialect,
               std::atomic<bool>& stop)
    : options_(options),
      key_space_(keys),
      dialect_(dialect),
      keys_per_request_(std::max(options.keys_per_get, options.keys_per_set)),
      stop_(stop),
      random_(options.seed) {
  CHECK(options.connections > 0 && options.depth > 0 && options.keys_per_get > 0);
  CHECK(options.keys_per_set == 1 || dialect.HasMultiSet());
  if (options.zipf_exponent > 0) zipf_.emplace(keys.Keys(), options.zipf_exponent);
  scratch_.resize(std::max(kScratchBytesMin, 2 * dialect.PartBytesMax()));
}

Worker::~Worker() {
  for (const Connection& connection : connections_) close(connection.fd);
  if (epoll_fd_ >= 0) close(epoll_fd_);
}

bool Worker::Connect() {
  epoll_fd_ = epoll_create1(EPOLL_CLOEXEC);
  if (epoll_fd_ < 0) return Fail(std::string("epoll_create1: ") + std::strerror(errno));
  connections_.reserve(options_.connections);
  for (uint32_t i = 0; i < options_.connections; ++i) {
    std::string error;
    const int fd = bench::Connect(options_.endpoint, &error);
    if (fd < 0) return Fail(error);
    Connection& connection = connections_.emplace_back();
    connection.fd = fd;
    connection.requests.resize(options_.depth);
    connection.keys.resize(size_t{options_.depth} * keys_per_request_);
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    epoll_event event = {.events = EPOLLIN, .data = {.u32 = i}};
    connection.events = EPOLLIN;
    if (epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, fd, &event) != 0) {
      return Fail(std::string("epoll_ctl: ") + std::strerror(errno));
    }
  }
  return true;
}

bool Worker::Run(const Plan& plan) {
  BeginPhase(plan);
  if (plan_.rate_per_s == 0) {
    for (Connection& connection : connections_) FillBatch(connection, MonotonicNs());
  }
  while (failure_.empty()) {
    const uint64_t now_ns = MonotonicNs();
    if (plan_.rate_per_s > 0) IssueDue(now_ns);
    if (on_way_ == 0 && !MayIssue(now_ns)) break;
    Turn();
  }
  CountUnsent(MonotonicNs());
  return failure_.empty();
}

void Worker::BeginPhase(const Plan& plan) {
  plan_ = plan;
  tally_ = Tally();
  answered_.store(0, std::memory_order_relaxed);
  issued_ = 0;
  begin_ns_ = MonotonicNs();
  last_reply_ns_ = begin_ns_;
  limit_ = plan.requests > 0 ? plan.requests : kNoLimit;
  if (plan.preload_end > plan.preload_begin) limit_ = plan.preload_end - plan.preload_begin;
  // With a rate the requests of a phase are counted beforehand: those that were due count, sent or
  // not.
  if (limit_ == kNoLimit && plan.rate_per_s > 0) {
    limit_ = static_cast<uint64_t>(
        std::ceil(plan.rate_per_s * static_cast<double>(plan.duration_ns) / 1e9));
  }
}

bool Worker::MayIssue(uint64_t now_ns) const {
  if (issued_ >= limit_ || stop_.load(std::memory_order_relaxed)) return false;
  // With a rate, what was due just before the end may still go out a moment after it.
  const uint64_t grace_ns = plan_.rate_per_s > 0 ? kGraceNs : 0;
  return plan_.duration_ns == 0 || now_ns - begin_ns_ < plan_.duration_ns + grace_ns;
}

uint32_t Worker::DrawKey() {
  if (zipf_) return static_cast<uint32_t>(zipf_->Next(random_));
  return static_cast<uint32_t>(random_.Below(key_space_.Keys()));
}

void Worker::Issue(Connection& connection, uint64_t from_ns) {
  DCHECK_LT(connection.on_way, options_.depth);
  const uint32_t slot = (connection.head + connection.on_way) % options_.depth;
  uint32_t* keys = &connection.keys[size_t{slot} * keys_per_request_];
  const bool preload = plan_.preload_end > plan_.preload_begin;
  const bool get = !preload && (options_.get_ratio >= 1 || random_.Fraction() < options_.get_ratio);
  if (get) {
    for (uint32_t i = 0; i < options_.keys_per_get; ++i) keys[i] = DrawKey();
    dialect_.AppendGet({keys, options_.keys_per_get}, connection.output);
  } else if (preload || options_.keys_per_set == 1) {
    keys[0] = preload ? plan_.preload_begin + static_cast<uint32_t>(issued_) : DrawKey();
    dialect_.AppendSet(keys[0], connection.output);
  } else {
    for (uint32_t i = 0; i < options_.keys_per_set; ++i) keys[i] = DrawKey();
    dialect_.AppendMultiSet({keys, options_.keys_per_set}, connection.output);
  }
  connection.requests[slot] = {from_ns, get ? Operation::kGet : Operation::kSet};
  ++connection.on_way;
  ++on_way_;
  ++issued_;
}

void Worker::FillBatch(Connection& connection, uint64_t now_ns) {
  while (connection.on_way < options_.depth && MayIssue(now_ns)) Issue(connection, now_ns);
  Flush(connection);
}

uint64_t Worker::DueNs(uint64_t request) const {
  return begin_ns_ + static_cast<uint64_t>(static_cast<double>(request) * 1e9 / plan_.rate_per_s);
}

void Worker::IssueDue(uint64_t now_ns) {
  const auto count = static_cast<uint32_t>(connections_.size());
  uint32_t full = 0;
  while (full < count && MayIssue(now_ns) && DueNs(issued_) <= now_ns) {
    Connection& connection = connections_[next_connection_];
    next_connection_ = (next_connection_ + 1) % count;
    if (connection.on_way == options_.depth) {
      ++full;
      continue;
    }
    full = 0;
    Issue(connection, DueNs(issued_));
  }
  for (Connection& connection : connections_) {
    if (connection.output_sent < connection.output.size()) Flush(connection);
  }
}

// They waited until now, at least.
void Worker::CountUnsent(uint64_t now_ns) {
  if (plan_.rate_per_s == 0 || !failure_.empty()) return;
  for (; issued_ < limit_ && DueNs(issued_) <= now_ns; ++issued_) {
    tally_.unsent_ns.Record(now_ns - DueNs(issued_));
  }
}

uint64_t Worker::WaitNs(uint64_t now_ns) const {
  if (plan_.rate_per_s == 0 || !MayIssue(now_ns)) return kSleepNsMax;
  // What is due already waits for a free connection, not for the clock.
  const uint64_t due_ns = DueNs(issued_);
  if (due_ns <= now_ns) return on_way_ > 0 ? kSleepNsMax : 0;
  return std::min(due_ns - now_ns, kSleepNsMax);
}

void Worker::Turn() {
  std::array<epoll_event, 256> events;
  const uint64_t wait_ns = WaitNs(MonotonicNs());
  const timespec wait = {.tv_sec = 0, .tv_nsec = static_cast<long>(wait_ns)};
  const int ready = epoll_pwait2(epoll_fd_, events.data(), events.size(), &wait, nullptr);
  if (ready < 0 && errno != EINTR) {
    Fail(std::string("epoll_pwait2: ") + std::strerror(errno));
    return;
  }
  for (int i = 0; i < ready && failure_.empty(); ++i) {
    Connection& connection = connections_[events[static_cast<size_t>(i)].data.u32];
    const uint32_t happened = events[static_cast<size_t>(i)].events;
    if ((happened & EPOLLOUT) != 0) Flush(connection);
    if ((happened & ~uint32_t{EPOLLOUT}) != 0) OnReadable(connection);
  }
  if (ready <= 0 && on_way_ > 0 && MonotonicNs() - last_reply_ns_ > options_.stall_ns) {
    Fail("no reply for " + std::to_string(options_.stall_ns / 1'000'000'000) + " s, with " +
         std::to_string(on_way_) + " requests on their way");
  }
}

void Worker::OnReadable(Connection& connection) {
  const size_t kept = connection.input.size();
  CHECK_LT(kept, scratch_.size());
  std::memcpy(scratch_.data(), connection.input.data(), kept);
  const ssize_t got = recv(connection.fd, scratch_.data() + kept, scratch_.size() - kept, 0);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got <= 0) {
    Fail(got == 0 ? "the server closed a connection"
                  : std::string("receiving: ") + std::strerror(errno));
    return;
  }
  const uint64_t now_ns = MonotonicNs();
  const std::string_view bytes(scratch_.data(), kept + static_cast<size_t>(got));
  if (!TakeReplies(connection, bytes, now_ns)) return;
  if (connection.on_way == 0 && plan_.rate_per_s == 0) FillBatch(connection, now_ns);
}

bool Worker::TakeReplies(Connection& connection, std::string_view bytes, uint64_t now_ns) {
  last_reply_ns_ = now_ns;
  while (connection.on_way > 0) {
    const uint32_t slot = connection.head;
    const Operation operation = connection.requests[slot].operation;
    const Asked asked = {operation,
                         {&connection.keys[size_t{slot} * keys_per_request_],
                          operation == Operation::kGet ? options_.keys_per_get : 1}};
    const Scanned scanned = dialect_.Scan(bytes, asked, connection.scan);
    bytes.remove_prefix(scanned.consumed);
    if (scanned.result == ScanResult::kBroken) {
      return Fail("a wrong reply to a " +
                  std::string(operation == Operation::kGet ? "get" : "set") + ": " + Shown(bytes));
    }
    if (scanned.result == ScanResult::kNeedMore) break;
    FinishRequest(connection, scanned.result == ScanResult::kRefused, now_ns);
  }
  if (connection.on_way == 0 && !bytes.empty()) {
    return Fail("bytes that nobody asked for: " + Shown(bytes));
  }
  if (bytes.size() == scratch_.size()) return Fail("a reply is far too long: " + Shown(bytes));
  connection.input.assign(bytes);
  return true;
}

void Worker::FinishRequest(Connection& connection, bool refused, uint64_t now_ns) {
  const Request& request = connection.requests[connection.head];
  const bool get = request.operation == Operation::kGet;
  (get ? tally_.get_ns : tally_.set_ns).Record(now_ns - request.from_ns);
  tally_.hits += connection.scan.hits;
  tally_.misses += connection.scan.misses;
  tally_.refused += refused ? 1 : 0;
  connection.scan = ScanState();
  connection.head = (connection.head + 1) % options_.depth;
  --connection.on_way;
  --on_way_;
  // One writer: a load and a store are exact.
  answered_.store(answered_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

void Worker::Flush(Connection& connection) {
  std::string_view rest = connection.output;
  rest.remove_prefix(connection.output_sent);
  if (!rest.empty()) {
    const ssize_t sent = send(connection.fd, rest.data(), rest.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN && errno != EINTR) {
      Fail(std::string("sending: ") + std::strerror(errno));
      return;
    }
    connection.output_sent += sent > 0 ? static_cast<size_t>(sent) : 0;
  }
  const bool all = connection.output_sent == connection.output.size();
  if (all) {
    connection.output.clear();
    connection.output_sent = 0;
  }
  Watch(connection, all ? uint32_t{EPOLLIN} : uint32_t{EPOLLIN} | EPOLLOUT);
}

void Worker::Watch(Connection& connection, uint32_t events) {
  if (connection.events == events) return;
  connection.events = events;
  epoll_event event = {.events = events,
                       .data = {.u32 = static_cast<uint32_t>(&connection - connections_.data())}};
  CHECK_EQ(epoll_ctl(epoll_fd_, EPOLL_CTL_MOD, connection.fd, &event), 0);
}

bool Worker::Fail(const std::string& sentence) {
  if (failure_.empty()) failure_ = sentence;
  stop_.store(true, std::memory_order_relaxed);
  return false;
}

}  // namespace larder::bench
