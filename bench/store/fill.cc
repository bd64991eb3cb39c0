#include "bench/store/fill.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>

namespace larder::bench {
namespace {

// While the server works on one connection's batch, the next is being written.
constexpr size_t kConnections = 4;
// A batch of sets: so many bytes, and no more answers than a socket holds.
constexpr size_t kBatchBytes = 64 << 10;
constexpr size_t kBatchSetsMax = 512;
constexpr size_t kKeysPerGet = 100;
constexpr size_t kReceiveBytes = 256 << 10;

std::string System(std::string_view what) {
  return std::string(what) + ": " + std::strerror(errno);
}

}  // namespace

Filler::~Filler() {
  for (const Connection& connection : connections_) close(connection.fd);
}

bool Filler::Connect() {
  for (size_t i = 0; i < kConnections; ++i) {
    std::string error;
    const int fd = bench::Connect(endpoint_, &error);
    if (fd < 0) return Fail(error);
    connections_.emplace_back().fd = fd;
  }
  return true;
}

bool Filler::SetInOrder(KeyRange range, uint64_t bytes_max, Filled& filled) {
  const uint64_t end = uint64_t{range.first} + range.count;
  uint64_t next = range.first;
  return SetAll(
      [&](uint32_t& key) {
        key = static_cast<uint32_t>(next);
        return next++ < end;
      },
      bytes_max, filled);
}

bool Filler::SetAtRandom(KeyRange range, uint64_t bytes_max, uint64_t seed, Filled& filled) {
  Random random(seed);
  return SetAll(
      [&](uint32_t& key) {
        key = range.first + static_cast<uint32_t>(random.Below(range.count));
        return true;
      },
      bytes_max, filled);
}

template <typename NextKey>
bool Filler::SetAll(const NextKey& next_key, uint64_t bytes_max, Filled& filled) {
  std::string batch;
  size_t turn = 0;
  bool more = true;
  while (more) {
    Connection& connection = connections_[turn++ % connections_.size()];
    if (!TakeStored(connection, filled)) return false;
    batch.clear();
    while (batch.size() < kBatchBytes && connection.keys.size() < kBatchSetsMax) {
      uint32_t key = 0;
      more = filled.bytes < bytes_max && next_key(key);
      if (!more) break;
      const uint32_t value_size = keys_.ValueSize(key);
      batch.append("set ");
      keys_.AppendKey(key, batch);
      batch.append(" 0 0 ");
      AppendDecimal(value_size, batch);
      batch.append("\r\n");
      keys_.AppendValue(key, batch);
      batch.append("\r\n");
      connection.keys.push_back(key);
      filled.bytes += keys_.KeySize() + value_size;
      ++filled.sets;
    }
    if (!Send(connection, batch)) return false;
  }
  return std::all_of(connections_.begin(), connections_.end(),
                     [&](Connection& connection) { return TakeStored(connection, filled); });
}

// The answers of the batch that is on its way.
bool Filler::TakeStored(Connection& connection, Filled& filled) {
  for (size_t i = 0; i < connection.keys.size(); ++i) {
    std::string_view line;
    if (!ReadLine(connection, line)) return false;
    if (line == "STORED") continue;
    if (!line.starts_with("SERVER_ERROR "))
      return Fail("a set was answered with " + std::string(line));
    if (filled.refused++ == 0) filled.first_refusal = line;
  }
  connection.keys.clear();
  return true;
}

bool Filler::Count(KeyRange range, uint32_t every, Counted& counted) {
  std::string request;
  const uint64_t end = uint64_t{range.first} + range.count;
  uint64_t next = range.first;
  for (size_t turn = 0; next < end; ++turn) {
    Connection& connection = connections_[turn % connections_.size()];
    if (!TakeValues(connection, counted)) return false;
    request = "get";
    for (; next < end && connection.keys.size() < kKeysPerGet; next += every) {
      request.push_back(' ');
      connection.keys.push_back(static_cast<uint32_t>(next));
      keys_.AppendKey(connection.keys.back(), request);
    }
    request.append("\r\n");
    counted.asked += connection.keys.size();
    if (!Send(connection, request)) return false;
  }
  return std::all_of(connections_.begin(), connections_.end(),
                     [&](Connection& connection) { return TakeValues(connection, counted); });
}

// Values come in the order of the request, without those that are missing.
bool Filler::TakeValues(Connection& connection, Counted& counted) {
  if (connection.keys.empty()) return true;
  auto key = connection.keys.begin();
  while (true) {
    std::string_view line;
    if (!ReadLine(connection, line)) return false;
    if (line == "END") break;
    // VALUE KEY 0 BYTES
    const size_t key_size = keys_.KeySize();
    const std::string head(line);
    if (head.size() < 6 + key_size || !line.starts_with("VALUE "))
      return Fail("not a value: " + head);
    const std::string_view name = std::string_view(head).substr(6, key_size);
    key = std::find_if(key, connection.keys.end(),
                       [&](uint32_t number) { return keys_.IsKey(number, name); });
    if (key == connection.keys.end()) return Fail("a value that nobody asked for: " + head);
    const uint32_t value_size = keys_.ValueSize(*key);
    std::string_view value;
    if (head.substr(6 + key_size) != " 0 " + std::to_string(value_size) ||
        !ReadBytes(connection, value_size + 2, value) ||
        !keys_.IsValue(*key, value.substr(0, value_size))) {
      return failure_.empty() ? Fail("a wrong value: " + head) : false;
    }
    ++key;
    ++counted.hits;
    counted.bytes += key_size + value_size;
  }
  connection.keys.clear();
  return true;
}

bool Filler::Send(const Connection& connection, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(connection.fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno != EINTR) return Fail(System("sending"));
    bytes.remove_prefix(sent > 0 ? static_cast<size_t>(sent) : 0);
  }
  return true;
}

bool Filler::Receive(Connection& connection) {
  connection.input.erase(0, connection.begin);
  connection.begin = 0;
  const size_t kept = connection.input.size();
  connection.input.resize(kept + kReceiveBytes);
  const ssize_t got = recv(connection.fd, connection.input.data() + kept, kReceiveBytes, 0);
  connection.input.resize(kept + (got > 0 ? static_cast<size_t>(got) : 0));
  if (got == 0) return Fail("the server closed a connection");
  if (got < 0 && errno != EINTR) return Fail(System("receiving"));
  return true;
}

bool Filler::ReadLine(Connection& connection, std::string_view& line) {
  size_t looked = 0;
  while (true) {
    const size_t end = connection.input.find("\r\n", connection.begin + looked);
    if (end != std::string::npos) {
      line = std::string_view(connection.input).substr(connection.begin, end - connection.begin);
      connection.begin = end + 2;
      return true;
    }
    const size_t unread = connection.input.size() - connection.begin;
    looked = unread > 0 ? unread - 1 : 0;
    if (!Receive(connection)) return false;
  }
}

bool Filler::ReadBytes(Connection& connection, size_t size, std::string_view& bytes) {
  while (connection.input.size() - connection.begin < size) {
    if (!Receive(connection)) return false;
  }
  bytes = std::string_view(connection.input).substr(connection.begin, size);
  connection.begin += size;
  return true;
}

bool Filler::Fail(const std::string& sentence) {
  if (failure_.empty()) failure_ = sentence;
  return false;
}

}  // namespace larder::bench
