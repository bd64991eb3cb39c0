#include "store/dashtable.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace larder::store {
namespace {

using Entry = TableSegment::Entry;

// A new segment with these entries, of the first size from `home_count` up that takes them all.
// Null if none does.
TableSegment* Build(TableArena& arena, const Entry* entries, uint32_t count, uint32_t depth,
                    uint32_t home_count) {
  // Tried on the side: what has a place in the arena stays there.
  alignas(TableSegment) char memory[TableSegment::BytesFor(TableSegment::kHomeMax)];
  for (; home_count <= TableSegment::kHomeMax; home_count += TableSegment::kHomeStep) {
    TableSegment* segment = TableSegment::Make(memory, home_count, depth);
    bool fits = true;
    for (uint32_t i = 0; i < count && fits; ++i) {
      const Place place = segment->Insert(entries[i].hash, entries[i].handle);
      fits = static_cast<bool>(place);
      if (fits) place.bucket->SetFrequency(place.slot, entries[i].frequency);
    }
    if (!fits) continue;
    void* block = arena.Take(segment->Bytes());
    if (block == nullptr) return nullptr;
    std::memcpy(block, memory, segment->Bytes());
    return static_cast<TableSegment*>(block);
  }
  return nullptr;
}

}  // namespace

DashTable::DashTable(TableArena::Pages pages)
    : arena_(std::make_unique<TableArena>(pages)), directory_(1) {
  TableSegment* segment = TableSegment::New(*arena_, TableSegment::kHomeMin, 0);
  CHECK(segment != nullptr);
  Publish(0, segment);
  Adopt(segment);
}

DashTable::~DashTable() { Dismantle(UINT32_MAX); }

DashTable::DashTable(DashTable&& other) noexcept { *this = std::move(other); }

DashTable& DashTable::operator=(DashTable&& other) noexcept {
  arena_.swap(other.arena_);
  directory_.swap(other.directory_);
  std::swap(depth_, other.depth_);
  std::swap(count_, other.count_);
  std::swap(slots_, other.slots_);
  std::swap(bytes_, other.bytes_);
  std::swap(at_, other.at_);
  return *this;
}

void DashTable::Adopt(TableSegment* segment) {
  bytes_ += segment->Bytes();
  slots_ += (segment->home_count + TableSegment::kStash) * Bucket::kSlots;
}

TableArena::Move DashTable::Drop(TableSegment* segment) {
  bytes_ -= segment->Bytes();
  slots_ -= (segment->home_count + TableSegment::kStash) * Bucket::kSlots;
  return Return(segment);
}

// Its memory; another segment may take its place, and is found there if it is in the directory.
TableArena::Move DashTable::Return(TableSegment* segment) {
  const uint64_t bytes = segment->Bytes();
  const TableArena::Move move = arena_->Return(segment, bytes);
  if (move.from == nullptr) return move;
  std::memcpy(move.to, move.from, bytes);
  auto* moved = static_cast<TableSegment*>(move.to);
  const uint64_t index = uint64_t{moved->prefix} << (depth_ - moved->depth);
  if (directory_[index].segment() == move.from) Publish(index, moved);
  return move;
}

void DashTable::Publish(uint64_t index, TableSegment* segment) {
  const uint64_t span = uint64_t{1} << (depth_ - segment->depth);
  const uint64_t first = index & ~(span - 1);
  segment->prefix = static_cast<uint32_t>(first >> (depth_ - segment->depth));
  std::fill_n(directory_.begin() + static_cast<ptrdiff_t>(first), span, Word::Of(segment));
}

Place DashTable::Insert(uint64_t hash, uint32_t handle, const HashSource& source) {
  // Four steps of growth and a split or two are the most that ordinary hashes need.
  constexpr int kAttempts = 8;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    const Place place = SegmentFor(hash)->Insert(hash, handle);
    if (place) {
      ++count_;
      return place;
    }
    if (!Grow(hash, source)) break;
  }
  return {};
}

void DashTable::Erase(const Place& place) {
  place.segment->Erase(place);
  --count_;
}

bool DashTable::Grow(uint64_t hash, const HashSource& source) {
  TableSegment* old = SegmentFor(hash);
  if (old->home_count == TableSegment::kHomeMax) return Split(hash, source);
  Entry entries[TableSegment::kEntriesMax];
  const uint32_t count = old->Collect(source, entries);
  TableSegment* grown =
      Build(*arena_, entries, count, old->depth, old->home_count + TableSegment::kHomeStep);
  if (grown == nullptr) return Split(hash, source);
  Publish(IndexOf(hash), grown);
  Adopt(grown);
  (void)Drop(old);
  return true;
}

// A table of random hashes has segments within a step or two of the same depth. One that is far
// deeper than that is under attack, and splitting it further would only feed the directory.
bool DashTable::MaySplit(const TableSegment& segment) const {
  constexpr uint64_t kFewEntries = 128;
  constexpr uint32_t kDepthSlack = 3;
  const auto fair = static_cast<uint32_t>(std::bit_width(count_ / kFewEntries));
  return segment.depth < std::min(kDepthMax, fair + kDepthSlack);
}

bool DashTable::Split(uint64_t hash, const HashSource& source) {
  TableSegment* old = SegmentFor(hash);
  if (!MaySplit(*old)) return false;
  Entry entries[TableSegment::kEntriesMax];
  const uint32_t count = old->Collect(source, entries);
  const uint32_t depth = old->depth + 1;
  const auto middle = std::partition(entries, entries + count, [depth](const Entry& entry) {
    return (util::SegmentBitsOf(entry.hash) >> (64 - depth) & 1) == 0;
  });
  const auto low_count = static_cast<uint32_t>(middle - entries);
  const uint32_t high_count = count - low_count;
  TableSegment* low =
      Build(*arena_, entries, low_count, depth, TableSegment::HomeCountFor(low_count));
  if (low == nullptr) return false;
  TableSegment* high =
      Build(*arena_, middle, high_count, depth, TableSegment::HomeCountFor(high_count));
  if (high == nullptr) {
    (void)Return(low);
    return false;
  }
  if (old->depth == depth_) {
    std::vector<Word> doubled(directory_.size() * 2);
    for (size_t i = 0; i < doubled.size(); ++i) doubled[i] = directory_[i / 2];
    directory_ = std::move(doubled);
    ++depth_;
    at_ = 0;
  }
  const uint64_t span = uint64_t{1} << (depth_ - depth);
  const uint64_t first = IndexOf(hash) & ~(2 * span - 1);
  Publish(first, low);
  Publish(first + span, high);
  Adopt(low);
  Adopt(high);
  (void)Drop(old);
  return true;
}

Place DashTable::Rival(uint64_t hash) const {
  TableSegment* segment = SegmentFor(hash);
  Bucket* home = segment->Home(hash);
  Place rival;
  for (uint32_t rest = home->Busy() & ~home->Guests(); rest != 0; rest &= rest - 1) {
    const auto slot = static_cast<uint32_t>(std::countr_zero(rest));
    if (!rival || home->Frequency(slot) < home->Frequency(rival.slot)) {
      rival = {segment, home, home, slot};
    }
  }
  if (rival) return rival;
  // All ten are guests of the bucket before.
  const auto slot = static_cast<uint32_t>(std::countr_zero(home->Busy()));
  return {segment, segment->Before(home), home, slot};
}

bool DashTable::Merge(TableSegment* low, TableSegment* high, const HashSource& source) {
  // Far enough from full that it does not split again at once.
  constexpr uint32_t kEntriesMerged = TableSegment::kEntriesMax * 3 / 4;
  if (low->depth != high->depth || low->entries + high->entries > kEntriesMerged) return false;
  Entry low_entries[TableSegment::kEntriesMax];
  Entry high_entries[TableSegment::kEntriesMax];
  const uint32_t low_count = low->Collect(source, low_entries);
  const uint32_t high_count = high->Collect(source, high_entries);
  std::copy_n(high_entries, high_count, low_entries + low_count);
  const uint32_t count = low_count + high_count;
  TableSegment* merged =
      Build(*arena_, low_entries, count, low->depth - 1, TableSegment::HomeCountFor(count));
  if (merged == nullptr) return false;
  Publish(at_, merged);
  Adopt(merged);
  const TableArena::Move move = Drop(low);
  (void)Drop(move.from == high ? static_cast<TableSegment*>(move.to) : high);
  return true;
}

bool DashTable::Shrink(uint32_t segments, const HashSource& source) {
  for (; segments > 0 && at_ < directory_.size(); --segments) {
    TableSegment* segment = directory_[at_].segment();
    const uint64_t span = uint64_t{1} << (depth_ - segment->depth);
    at_ &= ~(span - 1);
    if (segment->depth > 0 && (at_ & span) == 0 &&
        Merge(segment, directory_[at_ + span].segment(), source)) {
      segment = directory_[at_].segment();
    } else if (TableSegment::HomeCountFor(segment->entries * 5 / 4) < segment->home_count) {
      Entry entries[TableSegment::kEntriesMax];
      const uint32_t count = segment->Collect(source, entries);
      TableSegment* smaller =
          Build(*arena_, entries, count, segment->depth, TableSegment::HomeCountFor(count * 5 / 4));
      if (smaller != nullptr) {
        Publish(at_, smaller);
        Adopt(smaller);
        (void)Drop(segment);
        segment = smaller;
      }
    }
    at_ = (at_ | ((uint64_t{1} << (depth_ - segment->depth)) - 1)) + 1;
  }
  if (at_ < directory_.size()) return false;
  at_ = 0;
  // A directory in which every two words are the same is twice too long.
  const bool halve =
      depth_ > 0 && std::all_of(directory_.begin(), directory_.end(),
                                [this](Word w) { return w.segment()->depth < depth_; });
  if (halve) {
    std::vector<Word> halved(directory_.size() / 2);
    for (size_t i = 0; i < halved.size(); ++i) halved[i] = directory_[2 * i];
    directory_ = std::move(halved);
    --depth_;
  }
  return !halve;
}

// From the end of the directory, which then is shorter than its depth says: see Holds.
bool DashTable::Dismantle(uint32_t segments) {
  for (; segments > 0 && !directory_.empty(); --segments) {
    TableSegment* segment = directory_.back().segment();
    const size_t span = size_t{1} << (depth_ - segment->depth);
    count_ -= segment->entries;
    (void)Drop(segment);
    directory_.resize(directory_.size() - span);
  }
  return directory_.empty();
}

void DashTable::CheckInvariants(const HashSource& source) const {
  uint64_t count = 0;
  uint64_t bytes = 0;
  uint64_t slots = 0;
  CHECK_EQ(directory_.size(), uint64_t{1} << depth_);
  for (uint64_t i = 0; i < directory_.size();) {
    const TableSegment* segment = directory_[i].segment();
    CHECK_LE(segment->depth, depth_);
    const uint64_t span = uint64_t{1} << (depth_ - segment->depth);
    CHECK_EQ(i & (span - 1), 0U);
    for (uint64_t j = i; j < i + span; ++j) {
      CHECK(directory_[j].segment() == segment);
      CHECK_EQ(directory_[j].home_count(), segment->home_count);
    }
    CHECK_EQ(segment->prefix, i >> (depth_ - segment->depth));
    segment->CheckInvariants(source);
    count += segment->entries;
    bytes += segment->Bytes();
    slots += (segment->home_count + TableSegment::kStash) * Bucket::kSlots;
    i += span;
  }
  CHECK_EQ(count, count_);
  CHECK_EQ(bytes, bytes_);
  CHECK_LE(bytes_, arena_->Bytes());
  arena_->CheckInvariants();
  CHECK_EQ(slots, slots_);
}

}  // namespace larder::store
