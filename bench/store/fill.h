// Fills a cache, and looks what is left of it: the hands of bench/store/measure.
//
// Keys and values are larder-load's (KeySpace): the number of a key says all. Sets go in batches
// over a few connections, and each answer is read: what is not STORED is counted as refused, and
// the first such answer is kept. Counting asks for every key of a range, or one in so many, with
// gets of many keys, checks each value, and adds up the bytes of keys and values that are there.
#ifndef LARDER_BENCH_STORE_FILL_H_
#define LARDER_BENCH_STORE_FILL_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "bench/common/endpoint.h"
#include "bench/load/key_space.h"
#include "bench/load/random.h"

namespace larder::bench {

// The numbers of keys, [first, first + count).
struct KeyRange {
  uint32_t first = 0;
  uint32_t count = 0;
};

struct Filled {
  uint64_t sets = 0;
  uint64_t refused = 0;
  uint64_t bytes = 0;  // of keys and values sent
  std::string first_refusal;
};

struct Counted {
  uint64_t asked = 0;
  uint64_t hits = 0;
  uint64_t bytes = 0;  // of keys and values that were there
};

class Filler {
 public:
  Filler(const Endpoint& endpoint, const KeySpace& keys) : endpoint_(endpoint), keys_(keys) {}
  ~Filler();
  Filler(const Filler&) = delete;
  Filler& operator=(const Filler&) = delete;

  // These return false on failure: then failure() is one sentence, and no other call is allowed.
  bool Connect();
  // Each key of the range once, in order, until `bytes_max` bytes of keys and values were sent.
  bool SetInOrder(KeyRange range, uint64_t bytes_max, Filled& filled);
  // Keys drawn from the range, until so many bytes.
  bool SetAtRandom(KeyRange range, uint64_t bytes_max, uint64_t seed, Filled& filled);
  // One key in `every`, from the first on.
  bool Count(KeyRange range, uint32_t every, Counted& counted);

  [[nodiscard]] const std::string& failure() const { return failure_; }

 private:
  // A blocking socket, and what was received and not yet read.
  struct Connection {
    int fd = -1;
    std::string input;
    size_t begin = 0;            // of what is unread
    std::vector<uint32_t> keys;  // of the batch that is on its way
  };

  template <typename NextKey>
  bool SetAll(const NextKey& next_key, uint64_t bytes_max, Filled& filled);
  bool TakeStored(Connection& connection, Filled& filled);
  bool TakeValues(Connection& connection, Counted& counted);
  bool Send(const Connection& connection, std::string_view bytes);
  bool Receive(Connection& connection);
  // A line without its end, valid until the next call.
  bool ReadLine(Connection& connection, std::string_view& line);
  bool ReadBytes(Connection& connection, size_t size, std::string_view& bytes);
  bool Fail(const std::string& sentence);

  const Endpoint endpoint_;
  const KeySpace& keys_;
  std::vector<Connection> connections_;
  std::string failure_;
};

}  // namespace larder::bench

#endif  // LARDER_BENCH_STORE_FILL_H_
