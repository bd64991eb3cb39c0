// A large value on its way from a client to where its item will be (Shard::Draft).
#ifndef LARDER_SERVER_INCOMING_VALUE_H_
#define LARDER_SERVER_INCOMING_VALUE_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <string_view>

#include "io/loop.h"
#include "store/shard.h"
#include "util/check.h"

namespace larder::server {

// On the thread of the shard.
class IncomingValue {
 public:
  static constexpr size_t kEndBytesMax = 2;

  // The value fills the draft, which is this one's from now on; so many bytes of its command came
  // before it, and so many come after it.
  IncomingValue(store::Shard& shard, store::Item* draft, size_t line_bytes, size_t end_bytes)
      : shard_(shard), draft_(draft), line_bytes_(line_bytes), end_bytes_(end_bytes) {
    DCHECK_LE(end_bytes, kEndBytesMax);
  }
  // Unless the draft has become an item, it is gone.
  ~IncomingValue() { shard_.EndDraft(draft_); }
  IncomingValue(const IncomingValue&) = delete;
  IncomingValue& operator=(const IncomingValue&) = delete;

  // Takes what is missing from the front of `bytes`.
  void Take(std::string_view& bytes) {
    taken_ += Move(bytes, draft_->ValueBytes() + taken_, value().size() - taken_);
    if (taken_ < value().size()) return;
    end_taken_ += Move(bytes, end_.data() + end_taken_, end_bytes_ - end_taken_);
  }
  // What is missing, and that so many bytes of it have come.
  [[nodiscard]] io::Landing Missing() {
    io::Landing landing;
    const auto add = [&landing](char* bytes, size_t size) {
      if (size > 0) landing.parts[landing.parts_count++] = {bytes, size};
    };
    add(draft_->ValueBytes() + taken_, value().size() - taken_);
    add(end_.data() + end_taken_, end_bytes_ - end_taken_);
    return landing;
  }
  void Took(size_t bytes) {
    const size_t of_value = std::min(bytes, value().size() - taken_);
    taken_ += of_value;
    end_taken_ += bytes - of_value;
    DCHECK_LE(end_taken_, end_bytes_);
  }
  [[nodiscard]] bool IsWhole() const {
    return taken_ == value().size() && end_taken_ == end_bytes_;
  }
  [[nodiscard]] size_t line_bytes() const { return line_bytes_; }
  [[nodiscard]] std::string_view value() const { return draft_->Value(); }
  [[nodiscard]] std::string_view end() const { return {end_.data(), end_taken_}; }

 private:
  static size_t Move(std::string_view& from, char* to, size_t bytes_max) {
    const size_t bytes = std::min(from.size(), bytes_max);
    if (bytes > 0) std::memcpy(to, from.data(), bytes);
    from.remove_prefix(bytes);
    return bytes;
  }

  store::Shard& shard_;
  store::Item* draft_;
  size_t taken_ = 0;  // of the value
  size_t line_bytes_;
  size_t end_bytes_;
  size_t end_taken_ = 0;
  std::array<char, kEndBytesMax> end_{};
};

}  // namespace larder::server

#endif  // LARDER_SERVER_INCOMING_VALUE_H_
