// The buffers that io_uring receives into: a ring which the kernel takes from and the loop gives
// back to, so that ten thousand idle connections hold no receive buffer at all.
//
//   kernel takes here                       Publish() moves this
//        v                                         v
//   +----+----+----+----+----+----+----+----+----+----+----+
//   |    | id | id | id | id | id | id | id | id |    |    |     one mapping: the ring's entries,
//   +----+----+----+----+----+----+----+----+----+----+----+     then the bytes of all buffers
//
// Invariant: every buffer is in exactly one place: offered to the kernel, lent to the owner, given
// back and not yet published, or withheld because fewer are to go round. Belongs to one loop; no
// call but Register() makes a system call.
#ifndef LARDER_IO_URING_BUFFERS_H_
#define LARDER_IO_URING_BUFFERS_H_

#include <liburing.h>

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace larder::io {

class UringBuffers {
 public:
  struct Options {
    uint32_t count = 128;          // a power of two, at most 32768
    uint32_t buffer_bytes = 8192;  // what one completion can hand over
  };
  static constexpr uint16_t kGroup = 0;

  UringBuffers() = default;
  UringBuffers(const UringBuffers&) = delete;
  UringBuffers& operator=(const UringBuffers&) = delete;
  // The ring must have been closed: the kernel may write to the buffers until then.
  ~UringBuffers();

  // Maps the memory and registers it. 0 or -errno.
  [[nodiscard]] int Register(io_uring& ring, const Options& options);

  // The first `size` bytes of buffer `id`.
  [[nodiscard]] std::string_view Bytes(uint16_t id, size_t size) const;
  // The buffer may be reused after the next Publish().
  void GiveBack(uint16_t id);
  // Offers to the kernel what was given back: one release store for the turn.
  void Publish();
  // So many buffers are to go round: 1…count. The others are withheld as they are given back.
  void SetCirculating(uint32_t count);
  [[nodiscard]] uint32_t count() const { return count_; }

  [[nodiscard]] uint64_t MappedBytes() const { return mapped_bytes_; }

 private:
  void Add(uint16_t id);

  io_uring_buf_ring* ring_ = nullptr;
  char* bytes_ = nullptr;
  uint64_t mapped_bytes_ = 0;
  uint32_t count_ = 0;
  uint32_t buffer_bytes_ = 0;
  int given_back_ = 0;
  uint32_t circulating_ = 0;  // what goes round now
  uint32_t circulating_max_ = 0;
  std::vector<uint16_t> withheld_;
};

}  // namespace larder::io

#endif  // LARDER_IO_URING_BUFFERS_H_
