#include "io/input_buffer.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "util/check.h"

namespace larder::io {
namespace {

// A line's rest, usually.
constexpr uint64_t kCapacityMin = 256;

}  // namespace

void InputBuffer::Append(std::string_view bytes, size_t expected) {
  if (bytes.empty()) return;
  const uint64_t needed = uint64_t{size()} + bytes.size();
  CHECK_LE(needed, std::numeric_limits<uint32_t>::max());
  if (needed > capacity_ - begin_) {
    if (needed <= capacity_ && begin_ >= capacity_ / 2) {
      std::memmove(data_, data_ + begin_, size());
    } else {
      const bool nearly = needed < expected && needed >= expected / 4;
      const uint64_t wanted = nearly ? expected : std::max(needed + needed / 2, kCapacityMin);
      const uint64_t capacity = std::min<uint64_t>(wanted, std::numeric_limits<uint32_t>::max());
      char* data = new char[capacity];
      if (!empty()) std::memcpy(data, data_ + begin_, size());
      delete[] data_;
      data_ = data;
      capacity_ = static_cast<uint32_t>(capacity);
    }
    end_ -= begin_;
    begin_ = 0;
  }
  std::memcpy(data_ + end_, bytes.data(), bytes.size());
  end_ += static_cast<uint32_t>(bytes.size());
}

void InputBuffer::Consume(size_t bytes) {
  DCHECK_LE(bytes, size());
  begin_ += static_cast<uint32_t>(bytes);
  if (begin_ == end_) Clear();
}

void InputBuffer::Clear() {
  delete[] data_;
  data_ = nullptr;
  begin_ = end_ = capacity_ = 0;
}

}  // namespace larder::io
