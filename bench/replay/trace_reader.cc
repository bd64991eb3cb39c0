#include "bench/replay/trace_reader.h"

#include <sys/stat.h>
#include <zstd.h>

#include <bit>
#include <cerrno>
#include <cstring>
#include <string_view>

namespace larder::bench {
namespace {

constexpr size_t kBufferBytes = kTraceRecordBytes * 8192;
constexpr size_t kCompressedBytes = 128 << 10;
constexpr std::string_view kZstdMagic = "\x28\xb5\x2f\xfd";

static_assert(std::endian::native == std::endian::little, "records are read as they lie");

template <typename T>
T Load(const char* from) {
  T value;
  std::memcpy(&value, from, sizeof(value));
  return value;
}

void ParseOracleGeneral(const char* from, TraceRecord* record) {
  *record = {};
  record->time = Load<uint32_t>(from);
  record->id = Load<uint64_t>(from + 4);
  record->size = Load<uint32_t>(from + 12);
}

}  // namespace

struct TraceReader::Zstd {
  ZSTD_DStream* stream = ZSTD_createDStream();
  std::vector<char> input = std::vector<char>(kCompressedBytes);
  size_t begin = 0;
  size_t end = 0;
  // A file must hold at least one frame, and end with the end of one.
  bool within_frame = true;

  Zstd() = default;
  Zstd(const Zstd&) = delete;
  Zstd& operator=(const Zstd&) = delete;
  ~Zstd() { ZSTD_freeDStream(stream); }
};

TraceReader::TraceReader() : records_(kBufferBytes) {}

TraceReader::~TraceReader() {
  if (file_ != nullptr) std::fclose(file_);
}

bool TraceReader::Open(const std::string& path) {
  path_ = path;
  const bool kv1 = path.ends_with(".kv1") || path.ends_with(".kv1.zst");
  format_ = kv1 ? TraceFormat::kKv1 : TraceFormat::kOracleGeneral;
  file_ = std::fopen(path.c_str(), "rbe");
  if (file_ == nullptr) return Fail(std::strerror(errno)) > 0;
  struct stat status = {};
  if (fstat(fileno(file_), &status) == 0) file_bytes_ = static_cast<uint64_t>(status.st_size);
  char magic[4] = {};
  const size_t got = std::fread(magic, 1, sizeof(magic), file_);
  if (std::fseek(file_, 0, SEEK_SET) != 0) return Fail("not a file that can be rewound") > 0;
  if (path.ends_with(".zst") || std::string_view(magic, got) == kZstdMagic) {
    zstd_ = std::make_unique<Zstd>();
  }
  return true;
}

double TraceReader::Fraction() const {
  if (file_bytes_ == 0) return 1;
  return static_cast<double>(file_bytes_read_) / static_cast<double>(file_bytes_);
}

TraceReader::Result TraceReader::Next(TraceRecord* record) {
  while (end_ - begin_ < kTraceRecordBytes) {
    if (Refill()) continue;
    if (!failure_.empty()) return Result::kFailed;
    if (begin_ == end_) return Result::kEnd;
    Fail("it ends within a record: " + std::to_string(end_ - begin_) + " bytes are left over");
    return Result::kFailed;
  }
  const char* from = &records_[begin_];
  begin_ += kTraceRecordBytes;
  if (format_ == TraceFormat::kKv1) {
    return ParseKv1(from, record) ? Result::kRecord : Result::kFailed;
  }
  ParseOracleGeneral(from, record);
  return Result::kRecord;
}

bool TraceReader::ParseKv1(const char* from, TraceRecord* record) {
  const auto op = Load<uint8_t>(from + 22);
  record->id = Load<uint64_t>(from);
  record->time = Load<uint32_t>(from + 8);
  record->ttl_s = Load<uint32_t>(from + 12);
  record->size = Load<uint32_t>(from + 16);
  record->key_size = Load<uint16_t>(from + 20);
  record->op = static_cast<TraceOp>(op);
  if (op > static_cast<uint8_t>(TraceOp::kDelete)) {
    Fail("a record has the operation " + std::to_string(op) + ", which is none of kv1");
  } else if (record->key_size == 0) {
    Fail("a record has a key of no bytes");
  }
  return failure_.empty();
}

bool TraceReader::Refill() {
  std::memmove(records_.data(), records_.data() + begin_, end_ - begin_);
  end_ -= begin_;
  begin_ = 0;
  char* out = records_.data() + end_;
  const size_t room = records_.size() - end_;
  const size_t got = zstd_ ? ReadZstd(out, room) : ReadPlain(out, room);
  end_ += got;
  return got > 0;
}

size_t TraceReader::ReadPlain(char* out, size_t size) {
  const size_t got = std::fread(out, 1, size, file_);
  file_bytes_read_ += got;
  if (got == 0 && std::ferror(file_) != 0) return Fail("it cannot be read");
  return got;
}

size_t TraceReader::ReadZstd(char* out, size_t size) {
  ZSTD_outBuffer output = {out, size, 0};
  while (output.pos == 0) {
    if (zstd_->begin == zstd_->end) {
      zstd_->begin = 0;
      zstd_->end = ReadPlain(zstd_->input.data(), zstd_->input.size());
      if (!failure_.empty()) return 0;
      if (zstd_->end == 0) {
        return zstd_->within_frame ? Fail("it ends within a compressed frame") : 0;
      }
    }
    ZSTD_inBuffer input = {zstd_->input.data(), zstd_->end, zstd_->begin};
    const size_t left = ZSTD_decompressStream(zstd_->stream, &output, &input);
    if (ZSTD_isError(left) != 0) return Fail(std::string("zstd: ") + ZSTD_getErrorName(left));
    zstd_->begin = input.pos;
    zstd_->within_frame = left != 0;
  }
  return output.pos;
}

size_t TraceReader::Fail(const std::string& why) {
  failure_ = "cannot read " + path_ + ": " + why;
  return 0;
}

}  // namespace larder::bench
