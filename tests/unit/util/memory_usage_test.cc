// Goal: the figures follow what the process really does.
// Method: one block, large enough to stand out from all else that happens meanwhile, is allocated,
// touched and freed.
#include "util/memory_usage.h"

#include <cstring>
#include <memory>
#include <vector>

#include "gtest/gtest.h"

namespace larder::util {
namespace {

constexpr size_t kBlock = 64 << 20;
constexpr size_t kPiece = 4 << 10;
constexpr uint64_t kMost = kBlock / 10 * 9;

std::unique_ptr<char[]> TouchedBlock() {
  auto block = std::make_unique_for_overwrite<char[]>(kBlock);
  std::memset(block.get(), 1, kBlock);
  return block;
}

TEST(MemoryUsage, ResidentBytesGrowWithMemoryThatIsTouched) {
  const uint64_t before = ResidentBytes();
  EXPECT_GT(before, 0U);
  const auto block = TouchedBlock();
  EXPECT_GE(ResidentBytes(), before + kMost);
}

// Where the allocator keeps no count, it must not seem to have one.
TEST(MemoryUsage, AllocatorCountsWhatIsGivenOut) {
  const auto before = ReadAllocator();
  auto block = TouchedBlock();
  const auto during = ReadAllocator();
  block.reset();
  const auto after = ReadAllocator();
  ASSERT_EQ(during.has_value(), before.has_value());
  ASSERT_EQ(after.has_value(), before.has_value());
  const uint64_t grown = before ? kBlock : 0;
  EXPECT_GE(during.value_or(AllocatorUsage{}).used_bytes,
            before.value_or(AllocatorUsage{}).used_bytes + grown);
  EXPECT_GE(during.value_or(AllocatorUsage{}).held_bytes,
            during.value_or(AllocatorUsage{}).used_bytes);
  EXPECT_LE(after.value_or(AllocatorUsage{}).used_bytes + grown / 2,
            during.value_or(AllocatorUsage{}).used_bytes);
}

// Small pieces, which the allocator keeps when they are freed.
TEST(MemoryUsage, FreeMemoryIsReleased) {
  std::vector<std::unique_ptr<char[]>> pieces(kBlock / kPiece);
  for (auto& piece : pieces) {
    piece = std::make_unique_for_overwrite<char[]>(kPiece);
    std::memset(piece.get(), 1, kPiece);
  }
  const uint64_t held = ReadAllocator().value_or(AllocatorUsage{}).held_bytes;
  const uint64_t resident = ResidentBytes();
  pieces.clear();
  ReleaseFreeMemory();
  const uint64_t released = ReadAllocator() ? kMost : 0;
  EXPECT_LE(ReadAllocator().value_or(AllocatorUsage{}).held_bytes + released, held);
  EXPECT_LE(ResidentBytes() + released, resident + kBlock / 16);
}

}  // namespace
}  // namespace larder::util
