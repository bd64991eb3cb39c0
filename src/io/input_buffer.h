// The unread bytes of one connection, contiguous, between turns.
//
//   data_        begin_             end_            capacity_
//     | consumed | unread           | free          |
//
// Empty, it holds no memory. It grows with the bytes that have come, never with what is announced.
// Belongs to one core; views are valid until the next change.
#ifndef LARDER_IO_INPUT_BUFFER_H_
#define LARDER_IO_INPUT_BUFFER_H_

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

namespace larder::io {

class InputBuffer {
 public:
  InputBuffer() = default;
  ~InputBuffer() { Clear(); }
  InputBuffer(const InputBuffer&) = delete;
  InputBuffer& operator=(const InputBuffer&) = delete;

  [[nodiscard]] bool empty() const { return begin_ == end_; }
  [[nodiscard]] size_t size() const { return end_ - begin_; }
  // Bytes of memory held.
  [[nodiscard]] size_t capacity() const { return capacity_; }
  [[nodiscard]] std::string_view view() const { return {data_ + begin_, size()}; }

  // `bytes` lie outside of the buffer. Amortised one copy per byte; all unread bytes together stay
  // below 4 GiB. Where `expected` bytes will be wanted together, room for them is made as soon as a
  // quarter has come: not before, for it is only promised.
  void Append(std::string_view bytes, size_t expected = 0);
  // Drops bytes at the front; `bytes` <= size(). All of them: the memory goes as well.
  void Consume(size_t bytes);
  void Clear();

 private:
  char* data_ = nullptr;
  uint32_t begin_ = 0;
  uint32_t end_ = 0;
  uint32_t capacity_ = 0;
};

static_assert(sizeof(InputBuffer) == 24);

}  // namespace larder::io

#endif  // LARDER_IO_INPUT_BUFFER_H_
