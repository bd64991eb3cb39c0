#include "io/uring_buffers.h"

#include <sys/mman.h>

#include <bit>
#include <cerrno>

#include "util/check.h"

namespace larder::io {

namespace {

// The bytes of the first buffer begin on a page of their own.
constexpr uint64_t kPageBytes = 4096;

uint64_t RingBytes(uint32_t count) {
  const uint64_t bytes = uint64_t{count} * sizeof(io_uring_buf);
  return (bytes + kPageBytes - 1) / kPageBytes * kPageBytes;
}

}  // namespace

UringBuffers::~UringBuffers() {
  if (ring_ != nullptr) munmap(ring_, mapped_bytes_);
}

int UringBuffers::Register(io_uring& ring, const Options& options) {
  CHECK(std::has_single_bit(options.count));
  CHECK_LE(options.count, 32768U);
  CHECK_GT(options.buffer_bytes, 0U);
  CHECK(ring_ == nullptr);

  const uint64_t bytes = RingBytes(options.count) + uint64_t{options.count} * options.buffer_bytes;
  void* mapped = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED) return -errno;
  ring_ = static_cast<io_uring_buf_ring*>(mapped);
  bytes_ = static_cast<char*>(mapped) + RingBytes(options.count);
  mapped_bytes_ = bytes;
  count_ = options.count;
  buffer_bytes_ = options.buffer_bytes;

  io_uring_buf_reg registration = {};
  registration.ring_addr = reinterpret_cast<uintptr_t>(mapped);
  registration.ring_entries = options.count;
  registration.bgid = kGroup;
  if (const int error = io_uring_register_buf_ring(&ring, &registration, 0); error != 0) {
    return error;
  }
  io_uring_buf_ring_init(ring_);
  circulating_ = circulating_max_ = count_;
  withheld_.reserve(count_);
  for (uint32_t id = 0; id < count_; ++id) Add(static_cast<uint16_t>(id));
  Publish();
  return 0;
}

std::string_view UringBuffers::Bytes(uint16_t id, size_t size) const {
  DCHECK_LT(id, count_);
  DCHECK_LE(size, buffer_bytes_);
  return {bytes_ + size_t{id} * buffer_bytes_, size};
}

void UringBuffers::GiveBack(uint16_t id) {
  DCHECK_LT(id, count_);
  if (circulating_ <= circulating_max_) {
    Add(id);
    return;
  }
  --circulating_;
  withheld_.push_back(id);
}

void UringBuffers::SetCirculating(uint32_t count) {
  DCHECK_GT(count, 0U);
  DCHECK_LE(count, count_);
  circulating_max_ = count;
  for (; circulating_ < count && !withheld_.empty(); ++circulating_) {
    Add(withheld_.back());
    withheld_.pop_back();
  }
}

void UringBuffers::Add(uint16_t id) {
  DCHECK_LT(given_back_, static_cast<int>(count_));
  io_uring_buf_ring_add(ring_, bytes_ + size_t{id} * buffer_bytes_, buffer_bytes_, id,
                        io_uring_buf_ring_mask(count_), given_back_);
  ++given_back_;
}

void UringBuffers::Publish() {
  if (given_back_ == 0) return;
  io_uring_buf_ring_advance(ring_, given_back_);
  given_back_ = 0;
}

}  // namespace larder::io
