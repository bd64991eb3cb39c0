// Goal: a trace is read as it is, or refused; never shorter than it is. Method: a small trace,
// plain and compressed, cut at every byte.
#include "bench/replay/trace_reader.h"

#include <unistd.h>
#include <zstd.h>

#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace larder::bench {
namespace {

void AppendLittleEndian(uint64_t value, int bytes, std::string& out) {
  for (int i = 0; i < bytes; ++i) out.push_back(static_cast<char>(value >> (8 * i)));
}

std::string Encoded(const std::vector<TraceRecord>& records) {
  std::string bytes;
  for (const TraceRecord& record : records) {
    AppendLittleEndian(record.time, 4, bytes);
    AppendLittleEndian(record.id, 8, bytes);
    AppendLittleEndian(record.size, 4, bytes);
    AppendLittleEndian(UINT64_MAX, 8, bytes);
  }
  return bytes;
}

std::string Compressed(const std::string& bytes) {
  std::string out(ZSTD_compressBound(bytes.size()), '\0');
  out.resize(ZSTD_compress(out.data(), out.size(), bytes.data(), bytes.size(), 3));
  return out;
}

const std::vector<TraceRecord> kThree = {
    {0, 1, 1}, {0x01020304, 0x05060708090a0b0c, 0x0d0e0f10}, {UINT32_MAX, UINT64_MAX, 0}};

class TraceReaderTest : public testing::Test {
 protected:
  ~TraceReaderTest() override { std::remove(path_.c_str()); }

  struct Read {
    std::vector<TraceRecord> records;
    bool well = false;
    std::string failure;
  };

  Read ReadAll(const std::string& bytes) {
    std::FILE* file = std::fopen(path_.c_str(), "wbe");
    EXPECT_NE(file, nullptr);
    EXPECT_EQ(std::fwrite(bytes.data(), 1, bytes.size(), file), bytes.size());
    std::fclose(file);
    Read read;
    TraceReader reader;
    EXPECT_TRUE(reader.Open(path_));
    TraceRecord record;
    auto result = reader.Next(&record);
    for (; result == TraceReader::Result::kRecord; result = reader.Next(&record)) {
      read.records.push_back(record);
    }
    read.well = result == TraceReader::Result::kEnd;
    read.failure = reader.failure();
    EXPECT_EQ(reader.Fraction(), 1.0) << "all of it was read, or the failure was at the end";
    return read;
  }

  static void ExpectFirst(size_t count, const std::vector<TraceRecord>& records) {
    ASSERT_EQ(records.size(), count);
    for (size_t i = 0; i < count; ++i) {
      EXPECT_EQ(records[i].time, kThree[i].time);
      EXPECT_EQ(records[i].id, kThree[i].id);
      EXPECT_EQ(records[i].size, kThree[i].size);
    }
  }

  std::string path_ = testing::TempDir() + "larder_trace_" + std::to_string(getpid());
};

TEST_F(TraceReaderTest, EveryPrefixOfAPlainTraceIsWholeRecordsOrAnError) {
  const std::string bytes = Encoded(kThree);
  ASSERT_EQ(bytes.size(), 3 * kTraceRecordBytes);
  for (size_t n = 0; n <= bytes.size(); ++n) {
    SCOPED_TRACE(n);
    const Read read = ReadAll(bytes.substr(0, n));
    ExpectFirst(n / kTraceRecordBytes, read.records);
    EXPECT_EQ(read.well, n % kTraceRecordBytes == 0);
    EXPECT_EQ(read.failure.empty(), read.well);
  }
}

TEST_F(TraceReaderTest, EveryPrefixOfACompressedTraceIsAnErrorButTheWhole) {
  path_ += ".zst";
  const std::string bytes = Compressed(Encoded(kThree));
  for (size_t n = 0; n < bytes.size(); ++n) {
    SCOPED_TRACE(n);
    const Read read = ReadAll(bytes.substr(0, n));
    EXPECT_FALSE(read.well);
    EXPECT_FALSE(read.failure.empty());
  }
  const Read whole = ReadAll(bytes);
  ExpectFirst(3, whole.records);
  EXPECT_TRUE(whole.well);
}

TEST_F(TraceReaderTest, CompressionIsRecognisedWithoutASuffix) {
  const Read read = ReadAll(Compressed(Encoded(kThree)));
  ExpectFirst(3, read.records);
  EXPECT_TRUE(read.well);
}

TEST_F(TraceReaderTest, TwoFramesAreOneTrace) {
  const std::string first = Encoded({kThree[0]});
  const std::string rest = Encoded({kThree[1], kThree[2]});
  // The first frame ends in the middle of a record.
  const std::string all = first + rest;
  const Read read = ReadAll(Compressed(all.substr(0, 30)) + Compressed(all.substr(30)));
  ExpectFirst(3, read.records);
  EXPECT_TRUE(read.well);
}

TEST_F(TraceReaderTest, DamageInACompressedTraceIsAnError) {
  path_ += ".zst";
  EXPECT_FALSE(ReadAll("this is not zstd, whatever its name says").well);
}

TEST_F(TraceReaderTest, LongTracesComeInOrder) {
  std::vector<TraceRecord> records;
  for (uint32_t i = 0; i < 30'000; ++i) records.push_back({i, i * 7ULL, i % 100});
  for (const std::string& bytes : {Encoded(records), Compressed(Encoded(records))}) {
    const Read read = ReadAll(bytes);
    ASSERT_TRUE(read.well);
    ASSERT_EQ(read.records.size(), records.size());
    for (size_t i = 0; i < records.size(); ++i) ASSERT_EQ(read.records[i].id, records[i].id);
  }
}

std::string EncodedKv1(uint8_t op, uint16_t key_size) {
  std::string bytes;
  AppendLittleEndian(0x0102030405060708, 8, bytes);
  AppendLittleEndian(86'399, 4, bytes);
  AppendLittleEndian(3'600, 4, bytes);
  AppendLittleEndian(70'000, 4, bytes);
  AppendLittleEndian(key_size, 2, bytes);
  AppendLittleEndian(op, 1, bytes);
  AppendLittleEndian(0xff, 1, bytes);  // nobody's business
  return bytes;
}

TEST_F(TraceReaderTest, Kv1IsRecognisedByItsName) {
  const std::string bytes = EncodedKv1(0, 4) + EncodedKv1(1, 65'535) + EncodedKv1(2, 16);
  for (const bool compressed : {false, true}) {
    path_ = testing::TempDir() + "larder_trace_" + std::to_string(getpid()) +
            (compressed ? ".kv1.zst" : ".kv1");
    const Read read = ReadAll(compressed ? Compressed(bytes) : bytes);
    std::remove(path_.c_str());
    ASSERT_TRUE(read.well) << read.failure;
    ASSERT_EQ(read.records.size(), 3U);
    const TraceOp ops[] = {TraceOp::kGet, TraceOp::kSet, TraceOp::kDelete};
    const uint16_t key_sizes[] = {4, 65'535, 16};
    for (size_t i = 0; i < 3; ++i) {
      EXPECT_EQ(read.records[i].id, 0x0102030405060708U);
      EXPECT_EQ(read.records[i].time, 86'399U);
      EXPECT_EQ(read.records[i].ttl_s, 3'600U);
      EXPECT_EQ(read.records[i].size, 70'000U);
      EXPECT_EQ(read.records[i].key_size, key_sizes[i]);
      EXPECT_EQ(read.records[i].op, ops[i]);
    }
  }
}

TEST_F(TraceReaderTest, Kv1WithWhatItDoesNotKnowIsRefused) {
  path_ += ".kv1";
  const Read op = ReadAll(EncodedKv1(1, 4) + EncodedKv1(3, 4));
  EXPECT_FALSE(op.well);
  EXPECT_EQ(op.records.size(), 1U);
  EXPECT_NE(op.failure.find("operation 3"), std::string::npos) << op.failure;
  const Read key = ReadAll(EncodedKv1(0, 0));
  EXPECT_FALSE(key.well);
  EXPECT_NE(key.failure.find("no bytes"), std::string::npos) << key.failure;
}

TEST_F(TraceReaderTest, AMissingFileIsNamed) {
  TraceReader reader;
  EXPECT_FALSE(reader.Open("/nowhere/at/all"));
  EXPECT_NE(reader.failure().find("/nowhere/at/all"), std::string::npos);
}

}  // namespace
}  // namespace larder::bench
