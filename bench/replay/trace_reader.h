// Reads traces, plain or compressed with zstd, in one of two formats of 24-byte little-endian
// records without a header. Which one it is, the file's name says.
//
//   libCacheSim's oracleGeneral: every record is a get
//
//   byte 0      4                12     16                24
//        +------+----------------+------+-----------------+
//        | time | key id         | size | next (an oracle |
//        | u32  | u64            | u32  | may look) i64   |
//        +------+----------------+------+-----------------+
//
//   kv1 (a file NAME.kv1 or NAME.kv1.zst): gets, sets and deletes, with sizes and times to live
//
//   byte 0                8      12     16           20         22   23   24
//        +----------------+------+------+------------+----------+----+----+
//        | key id         | time | ttl  | value size | key size | op | -- |
//        | u64            | u32  | u32  | u32        | u16      | u8 | u8 |
//        +----------------+------+------+------------+----------+----+----+
//
// The id is opaque: a text key is made of it; it is no hash. Times are seconds. A file is
// compressed if its name ends in .zst or it begins as zstd does. A file that ends within a record,
// or within a compressed frame, is an error, not a shorter trace; so is an op or a key size that no
// cache knows.
#ifndef LARDER_BENCH_REPLAY_TRACE_READER_H_
#define LARDER_BENCH_REPLAY_TRACE_READER_H_

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

namespace larder::bench {

enum class TraceFormat : uint8_t { kOracleGeneral, kKv1 };
enum class TraceOp : uint8_t { kGet, kSet, kDelete };

struct TraceRecord {
  uint32_t time = 0;
  uint64_t id = 0;
  // Of the object; of a kv1 record, which has a key size as well: of its value.
  uint32_t size = 0;
  uint32_t ttl_s = 0;     // of what this record stores; 0: for ever
  uint16_t key_size = 0;  // 0: the trace does not say
  TraceOp op = TraceOp::kGet;
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

  [[nodiscard]] TraceFormat format() const { return format_; }
  // One sentence, after kFailed or a failed Open.
  [[nodiscard]] const std::string& failure() const { return failure_; }
  // How much of the file has been read, 0 to 1.
  [[nodiscard]] double Fraction() const;

 private:
  struct Zstd;

  bool ParseKv1(const char* from, TraceRecord* record);
  // Moves what is left to the front of records_ and reads behind it. False on failure or when
  // nothing more comes; then failure_ tells which.
  bool Refill();
  // Bytes of the trace, decompressed; 0 at the end or on failure.
  size_t ReadPlain(char* out, size_t size);
  size_t ReadZstd(char* out, size_t size);
  size_t Fail(const std::string& why);

  std::string path_;
  TraceFormat format_ = TraceFormat::kOracleGeneral;
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
