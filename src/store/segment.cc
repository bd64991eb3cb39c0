#include "store/segment.h"

#include <algorithm>
#include <cstring>

namespace larder::store {

TableSegment* TableSegment::Make(void* memory, uint32_t home_count, uint32_t depth) {
  DCHECK_GE(home_count, kHomeMin);
  DCHECK_LE(home_count, kHomeMax);
  std::memset(memory, 0, BytesFor(home_count));
  auto* segment = static_cast<TableSegment*>(memory);
  segment->home_count = home_count;
  segment->depth = depth;
  return segment;
}

TableSegment* TableSegment::New(TableArena& arena, uint32_t home_count, uint32_t depth) {
  void* memory = arena.Take(BytesFor(home_count));
  return memory == nullptr ? nullptr : Make(memory, home_count, depth);
}

// Fifteen sixteenths: at that load nearly every build succeeds at the first size tried
// (dashtable_test prints the loads that follow).
uint32_t TableSegment::HomeCountFor(uint32_t entries) {
  uint32_t homes = kHomeMin;
  while (homes < kHomeMax && entries * 16 > (homes + kStash) * Bucket::kSlots * 15) {
    homes += kHomeStep;
  }
  return homes;
}

void TableSegment::CopyEntry(const Bucket* from, uint32_t slot, Bucket* to,
                             Bucket::Resident resident) {
  const uint32_t copy = to->Add(from->handles[slot], from->tags[slot], resident);
  to->SetFrequency(copy, from->Frequency(slot));
}

// Makes a free slot in `bucket`: one of its own goes next door, as a guest.
bool TableSegment::MoveOneOn(Bucket* bucket) {
  Bucket* next = Next(bucket);
  const uint32_t own = bucket->Busy() & ~bucket->Guests();
  if (own == 0 || next->Full()) return false;
  const auto slot = static_cast<uint32_t>(std::countr_zero(own));
  CopyEntry(bucket, slot, next, Bucket::Resident::kGuest);
  bucket->Clear(slot);
  bucket->AddSpilled();
  return true;
}

// The same: one of its guests goes back home.
bool TableSegment::SendOneHome(Bucket* bucket) {
  Bucket* home = Before(bucket);
  const uint32_t guests = bucket->Guests();
  if (guests == 0 || home->Full()) return false;
  const auto slot = static_cast<uint32_t>(std::countr_zero(guests));
  CopyEntry(bucket, slot, home, Bucket::Resident::kOwn);
  bucket->Clear(slot);
  home->RemoveSpilled();
  return true;
}

// Home first, though balancing would fill the segment a little better: more than four
// lookups of five then end in the first line (dashtable_test prints it).
Place TableSegment::Insert(uint64_t hash, uint32_t handle) {
  const uint8_t tag = util::TagOf(hash);
  Bucket* home = Home(hash);
  Bucket* next = Next(home);
  if (!home->Full() || SendOneHome(home)) {
    ++entries;
    return {this, home, home, home->Add(handle, tag, Bucket::Resident::kOwn)};
  }
  if (!next->Full() || MoveOneOn(next)) {
    ++entries;
    home->AddSpilled();
    return {this, home, next, next->Add(handle, tag, Bucket::Resident::kGuest)};
  }
  if (home->Stashed() == Bucket::kStashedMax) return {};
  // Where this home has stashed before, if it can be: fewer lines for a lookup.
  for (const uint32_t mask : {home->StashMask(), ~home->StashMask() & 15U}) {
    for (uint32_t rest = mask; rest != 0; rest &= rest - 1) {
      const auto i = static_cast<uint32_t>(std::countr_zero(rest));
      if (Stash(i)->Full()) continue;
      ++entries;
      home->AddStashed(i);
      return {this, home, Stash(i), Stash(i)->Add(handle, tag, Bucket::Resident::kOwn)};
    }
  }
  return {};
}

void TableSegment::Erase(const Place& place) {
  DCHECK(place.segment == this);
  if (IsStash(place.bucket)) {
    place.home->RemoveStashed();
  } else if (place.bucket->IsGuest(place.slot)) {
    place.home->RemoveSpilled();
  }
  place.bucket->Clear(place.slot);
  --entries;
}

uint32_t TableSegment::Collect(const HashSource& source, Entry (&collected)[kEntriesMax]) const {
  uint32_t count = 0;
  for (uint32_t b = 0; b < home_count + kStash; ++b) {
    const Bucket& bucket = Buckets()[b];
    for (uint32_t rest = bucket.Busy(); rest != 0; rest &= rest - 1) {
      const auto slot = static_cast<uint32_t>(std::countr_zero(rest));
      collected[count++] = {0, bucket.handles[slot], bucket.Frequency(slot)};
    }
  }
  // Each hash is a key in memory that nobody has touched for long: ask for a group ahead.
  constexpr uint32_t kAhead = 16;
  for (uint32_t i = 0; i < std::min(kAhead, count); ++i) source.Prefetch(collected[i].handle);
  for (uint32_t i = 0; i < count; ++i) {
    if (i + kAhead < count) source.Prefetch(collected[i + kAhead].handle);
    collected[i].hash = source.HashOf(collected[i].handle);
  }
  DCHECK_EQ(count, entries);
  return count;
}

void TableSegment::CheckInvariants(const HashSource& source) const {
  auto* self = const_cast<TableSegment*>(this);
  uint32_t spilled[kHomeMax] = {};
  uint32_t stashed[kHomeMax] = {};
  uint32_t count = 0;
  for (uint32_t b = 0; b < home_count + kStash; ++b) {
    const Bucket& bucket = Buckets()[b];
    for (uint32_t slot = 0; slot < Bucket::kSlots; ++slot) {
      if (!bucket.Has(slot)) continue;
      ++count;
      const uint64_t hash = source.HashOf(bucket.handles[slot]);
      CHECK_EQ(bucket.tags[slot], util::TagOf(hash));
      const uint32_t home = util::BucketOf(hash, home_count);
      if (b >= home_count) {
        ++stashed[home];
        CHECK((Buckets()[home].StashMask() >> (b - home_count) & 1) != 0);
      } else if (bucket.IsGuest(slot)) {
        ++spilled[home];
        CHECK(self->Next(self->Buckets() + home) == &bucket);
      } else {
        CHECK_EQ(home, b);
      }
    }
  }
  CHECK_EQ(count, entries);
  for (uint32_t b = 0; b < home_count; ++b) {
    CHECK_EQ(Buckets()[b].Spilled(), spilled[b]);
    CHECK_EQ(Buckets()[b].Stashed(), stashed[b]);
  }
}

}  // namespace larder::store
