#include "bench/floor/floor_connection.h"

#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <span>
#include <utility>

namespace larder::bench {
namespace {

constexpr std::string_view kLineEnd = "\r\n";
// Values up to here are copied into the reply, larger ones are spliced in.
constexpr size_t kCopyBytesMax = 4 << 10;
constexpr size_t kLineBytesMax = 1 << 20;

// The last number of a line; 0 if there is none.
uint64_t LastNumber(std::string_view line) {
  const size_t begin = line.rfind(' ') + 1;
  uint64_t number = 0;
  (void)std::from_chars(line.data() + begin, line.data() + line.size(), number);
  return number;
}

}  // namespace

void FloorConnection::OnReceive(std::string_view bytes) {
  if (closed_) return;
  server_.AddToTurn(*this);
  while (!bytes.empty()) {
    if (skip_bytes_ > 0) {
      const auto skipped = static_cast<size_t>(std::min<uint64_t>(skip_bytes_, bytes.size()));
      bytes.remove_prefix(skipped);
      skip_bytes_ -= skipped;
      if (skip_bytes_ == 0) next_.text.append("STORED\r\n");
      continue;
    }
    const auto* end = static_cast<const char*>(std::memchr(bytes.data(), '\n', bytes.size()));
    if (end == nullptr) {
      line_.append(bytes);
      if (line_.size() > kLineBytesMax) OnReceiveEnd(0);
      return;
    }
    const auto size = static_cast<size_t>(end - bytes.data()) + 1;
    if (line_.empty()) {
      TakeLine(bytes.substr(0, size));
    } else {
      line_.append(bytes.substr(0, size));
      TakeLine(line_);
      line_.clear();
    }
    bytes.remove_prefix(size);
  }
}

// `line` ends in '\n'.
void FloorConnection::TakeLine(std::string_view line) {
  line.remove_suffix(line.ends_with(kLineEnd) ? 2 : 1);
  if (line.starts_with("get ")) {
    AnswerGet(line.substr(4));
  } else if (line.starts_with("set ")) {
    skip_bytes_ = LastNumber(line) + kLineEnd.size();
  } else {
    next_.text.append("ERROR\r\n");
  }
}

void FloorConnection::AnswerGet(std::string_view keys) {
  std::string& text = next_.text;
  while (!keys.empty()) {
    const size_t size = std::min(keys.find(' '), keys.size());
    const std::string_view key = keys.substr(0, size);
    keys.remove_prefix(std::min(size + 1, keys.size()));
    text.append("VALUE ").append(key).append(" 0 ");
    std::array<char, 20> digits;
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), filler_.size());
    text.append(digits.data(), end.ptr).append(kLineEnd);
    text.append(key.substr(0, filler_.size()));
    if (filler_.size() <= kCopyBytesMax) {
      text.append(filler_.substr(std::min(key.size(), filler_.size())));
    } else {
      // All keys of a run are of one length (larder-load's).
      spliced_bytes_ = filler_.size() - key.size();
      next_.splices.push_back(text.size());
    }
    text.append(kLineEnd);
  }
  text.append("END\r\n");
}

void FloorConnection::EndTurn() {
  if (closed_ || sending_ || next_.empty()) return;
  leaving_.clear();
  std::swap(leaving_, next_);
  sent_ = 0;
  SendRest();
}

void FloorConnection::SendRest() {
  std::array<iovec, io::Loop::kSendPartsMax> parts;
  size_t count = 0;
  size_t passed = sent_;  // bytes that are not to be sent again
  const auto add = [&](std::string_view piece) {
    const size_t skipped = std::min(passed, piece.size());
    passed -= skipped;
    piece.remove_prefix(skipped);
    if (piece.empty() || count == parts.size()) return;
    parts[count++] = {const_cast<char*>(piece.data()), piece.size()};
  };
  const std::string_view text = leaving_.text;
  size_t begin = 0;
  for (const size_t at : leaving_.splices) {
    add(text.substr(begin, at - begin));
    add(filler_.substr(filler_.size() - spliced_bytes_));
    begin = at;
  }
  add(text.substr(begin));
  size_t bytes = sent_;
  for (const iovec& part : std::span(parts).first(count)) bytes += part.iov_len;
  const size_t all = text.size() + leaving_.splices.size() * spliced_bytes_;
  sending_ = true;
  loop_.Send(*this, std::span(parts).first(count),
             bytes == all ? io::Notice::kLazy : io::Notice::kPrompt);
}

void FloorConnection::OnSent(int result) {
  sending_ = false;
  if (closed_) return;
  if (result < 0) {
    OnReceiveEnd(result);
    return;
  }
  sent_ += static_cast<size_t>(result);
  if (sent_ < leaving_.text.size() + leaving_.splices.size() * spliced_bytes_) {
    SendRest();
  } else if (!next_.empty()) {
    server_.AddToTurn(*this);
  }
}

void FloorConnection::OnReceiveEnd(int error) {
  (void)error;
  if (closed_) return;
  closed_ = true;
  loop_.Close(*this);
}

void FloorConnection::OnClosed() { server_.Forget(*this); }

}  // namespace larder::bench
