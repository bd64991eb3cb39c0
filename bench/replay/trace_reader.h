// Reads traces in libCacheSim's oracleGeneral format, plain or compressed with zstd.
//
//   byte 0      4                12     16                24
//        +------+----------------+------+-----------------+
//        | time | key id         | size | next (an oracle |    little-endian, packed, no header
//        | u32  | u64            | u32  | may look) i64   |
//        +------+----------------+------+-----------------+
//
// The id is an opaque small number: a text key is made of it; it is no hash. A file is compressed
// if its name ends in .zst or it begins as zstd does. A file that ends within a record, or within a
// compressed frame, is an error, not a shorter trace.
#ifndef LARDER_BENCH_REPLAY_TRACE_READER_H_
#define LARDER_BENCH_REPLAY_TRACE_READER_H_

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

namespace larder::bench {

struct TraceRecord {
  uint32_t time = 0;
  uint64_t id = 0;
  uint32_t size = 0;
};

inline constexpr size_t kTraceRecordBytes = 24;

class TraceReader {
 public:
  TraceReader();
  ~TraceReader();
  TraceReader(const TraceReader&) = delete;
  TraceReader& operator=(const TraceReader&) = delete;

  // False on failure.
  bool Open(const std::string& path);

  enum class Result : uint8_t { kRecord, kEnd, kFailed };
  Result Next(TraceRecord* record);

  // One sentence, after kFailed or a failed Open.
  [[nodiscard]] const std::string& failure() const { return failure_; }
  // How much of the file has been read, 0 to 1.
  [[nodiscard]] double Fraction() const;

 private:
  struct Zstd;

  // Moves what is left to the front of records_ and reads behind it. False on failure or when
  // nothing more comes; then failure_ tells which.
  bool Refill();
  // Bytes of the trace, decompressed; 0 at the end or on failure.
  size_t ReadPlain(char* out, size_t size);
  size_t ReadZstd(char* out, size_t size);
  size_t Fail(const std::string& why);

  std::string path_;
  std::FILE* file_ = nullptr;
  uint64_t file_bytes_ = 0;
  uint64_t file_bytes_read_ = 0;
  std::unique_ptr<Zstd> zstd_;
  std::vector<char> records_;
  size_t begin_ = 0;
  size_t end_ = 0;
  std::string failure_;
};

}  // namespace larder::bench

#endif  // LARDER_BENCH_REPLAY_TRACE_READER_H_
