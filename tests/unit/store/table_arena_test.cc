// Goal: blocks of a table's segments overlap nowhere, keep what is in them when they are moved, and
// take little more memory than they have bytes, whatever sizes came before.
// Method: waves of sizes like a growing and shrinking table's, in random order; every block filled
// with a mark of its own.
#include "store/table_arena.h"

#include <cstring>
#include <vector>

#include "gtest/gtest.h"
#include "store/segment.h"
#include "util/prng.h"

namespace larder::store {
namespace {

class TableArenaTest : public testing::Test {
 protected:
  struct Block {
    char* memory;
    uint64_t bytes;
    char mark;
  };

  void Take(uint64_t bytes) {
    auto* memory = static_cast<char*>(arena_.Take(bytes));
    ASSERT_NE(memory, nullptr);
    ASSERT_EQ(reinterpret_cast<uintptr_t>(memory) % 64, 0U);
    blocks_.push_back({memory, bytes, static_cast<char>(prng_.Next())});
    std::memset(memory, blocks_.back().mark, bytes);
    taken_ += bytes;
  }
  void ReturnOne() {
    const size_t which = prng_.Below(blocks_.size());
    const Block gone = blocks_[which];
    blocks_[which] = blocks_.back();
    blocks_.pop_back();
    ExpectSame(gone);
    taken_ -= gone.bytes;
    const TableArena::Move move = arena_.Return(gone.memory, gone.bytes);
    if (move.from == nullptr) return;
    EXPECT_EQ(move.to, gone.memory);
    for (Block& block : blocks_) {
      if (block.memory != move.from) continue;
      EXPECT_EQ(block.bytes, gone.bytes);
      std::memcpy(move.to, move.from, gone.bytes);
      block.memory = static_cast<char*>(move.to);
      return;
    }
    FAIL() << "moved what is not there";
  }
  static void ExpectSame(const Block& block) {
    for (uint64_t i = 0; i < block.bytes; i += 64) ASSERT_EQ(block.memory[i], block.mark);
    ASSERT_EQ(block.memory[block.bytes - 1], block.mark);
  }
  void Check() {
    arena_.CheckInvariants();
    for (const Block& block : blocks_) ExpectSame(block);
    ASSERT_GE(arena_.Bytes(), taken_);
    // A span of each size that is not full, a few empty ones, and what does not fill a span.
    ASSERT_LE(arena_.Bytes(), taken_ + taken_ / 10 + (9 * 32 << 10));
  }

  util::Prng prng_{3};
  TableArena arena_{TableArena::Pages::kHuge};
  std::vector<Block> blocks_;
  uint64_t taken_ = 0;
};

TEST_F(TableArenaTest, SizesComeInWaves) {
  for (const uint64_t count : {50, 1500, 3000, 700, 2000, 0}) {
    for (uint32_t homes = TableSegment::kHomeMin; homes <= TableSegment::kHomeMax;
         homes += TableSegment::kHomeStep) {
      // One of the new size for one of any.
      for (size_t i = 0; i < 2 * count; ++i) {
        Take(TableSegment::BytesFor(homes));
        if (blocks_.size() > count) ReturnOne();
        ASSERT_FALSE(HasFatalFailure());
      }
      while (blocks_.size() > count) ReturnOne();
      Check();
      ASSERT_FALSE(HasFatalFailure());
    }
  }
  EXPECT_EQ(taken_, 0U);
}

TEST_F(TableArenaTest, AFewBlocksTakeNoMoreThanTheirBytes) {
  for (int i = 0; i < 20; ++i) Take(TableSegment::BytesFor(TableSegment::kHomeMin));
  EXPECT_EQ(arena_.Bytes(), taken_);
  while (!blocks_.empty()) ReturnOne();
  EXPECT_EQ(arena_.Bytes(), 0U);
}

}  // namespace
}  // namespace larder::store
