#include "store/adaptive_policy.h"

#include <algorithm>

#include "util/hash.h"

namespace larder::store {

namespace {

constexpr double kShareMin = 0.01;
constexpr double kShareMax = 0.9;
// Probation has its share, and no more, up to this much above it.
constexpr double kShareSlack = 0.05;

// By how many items' bytes a signal moves the share: the first ones by more, for a small cache is
// to learn before what it learns is out of date.
constexpr double kStep = 2;
constexpr double kFirstStep = 6;
constexpr uint32_t kFirstSignals = 256;
// A key that main has lost was wanted more than once: it counts for more.
constexpr double kMainWeight = 1.5;

// Prices are counted in these parts of a read.
constexpr uint64_t kRead = 64;
// A little larger or smaller than average is average: sizes that are nearly equal cost nothing.
constexpr uint64_t kAverageMin = kRead * 3 / 4;
constexpr uint64_t kAverageMax = kRead * 5 / 4;
// However small, an item goes round without a read seven times of eight at most; however large, it
// stays if it was read as often as can be counted.
constexpr uint64_t kPriceMin = kRead / 8;
constexpr uint64_t kPriceMax = kRead * 4;
// With less than one hit in so many inserts, nothing shows that what main holds is worth its place.
constexpr uint64_t kInsertsPerHit = 1024;
constexpr uint64_t kPeriodInsertsMin = 8 * kInsertsPerHit;
// Main's hand catches up in steps of about so much.
constexpr uint64_t kAgeStepBytes = 4096;

}  // namespace

void AdaptivePolicy::Steer(double items, uint64_t item_bytes) {
  if (live_bytes_ == 0) return;
  const double step = signals_ < kFirstSignals ? kFirstStep : kStep;
  if (signals_ < kFirstSignals) ++signals_;
  const double parts = static_cast<double>(item_bytes) / static_cast<double>(live_bytes_);
  share_ = std::clamp(share_ + step * items * parts, kShareMin, kShareMax);
}

void AdaptivePolicy::NoteInsert(uint64_t item_bytes) {
  ++period_inserts_;
  period_bytes_ += item_bytes;
  if (period_bytes_ < live_bytes_ / 2 || period_inserts_ < kPeriodInsertsMin) return;
  unread_ = period_hits_ * kInsertsPerHit < period_inserts_;
  if (!unread_) age_debt_ = 0;
  period_hits_ = period_inserts_ = period_bytes_ = 0;
}

Log AdaptivePolicy::LogForNew(const Newcomer& newcomer) {
  const uint64_t bytes = newcomer.item_bytes;
  NoteInsert(bytes);
  if (mean_bytes_scaled_ == 0) mean_bytes_scaled_ = bytes * kMeanScale;
  mean_bytes_scaled_ += bytes - mean_bytes_scaled_ / kMeanScale;

  const uint8_t ghost = util::GhostOf(newcomer.hash);
  const uint32_t age = newcomer.home.TakeGhost(ghost);
  if (age < Bucket::kGhosts) {
    // Had probation been larger by a tenth of the cache, about, the key would still be there. But
    // while it has more than its share anyway, the share says nothing.
    if (age == 0 && probation_has_its_share_) Steer(1, bytes);
    return Log::kMain;
  }
  if (newcomer.home.main_ghost == ghost) {
    newcomer.home.main_ghost = 0;
    Steer(-kMainWeight, bytes);
  }
  return Log::kProbation;
}

Log AdaptivePolicy::HandToMove(const LogFills& fills) {
  const uint64_t probation = fills[static_cast<size_t>(Log::kProbation)].bytes;
  live_bytes_ = probation + fills[static_cast<size_t>(Log::kMain)].bytes;
  const auto live = static_cast<double>(live_bytes_);
  const auto has = static_cast<double>(probation);
  probation_has_its_share_ = has <= (share_ + kShareSlack) * live;
  if (has <= share_ * live || age_debt_ > kAgeStepBytes) return Log::kMain;
  return Log::kProbation;
}

// In reads: the item's size in terms of the mean; squared in probation, where most items have not
// been read at all and size is what tells them apart. The fraction that a price has is charged to
// the next item, so that on average everybody pays what it should, without chance.
uint32_t AdaptivePolicy::PriceOf(const Candidate& candidate) {
  const uint64_t mean = std::max<uint64_t>(1, MeanBytes());
  uint64_t price = std::min(candidate.item_bytes * kRead / mean, kPriceMax);
  if (price >= kAverageMin && price <= kAverageMax) price = kRead;
  if (candidate.log == Log::kProbation) price = price * price / kRead;
  uint64_t& rest = price_rests_[static_cast<size_t>(candidate.log)];
  rest += std::clamp(price, kPriceMin, kPriceMax);
  const uint64_t reads = rest / kRead;
  rest %= kRead;
  return static_cast<uint32_t>(std::min<uint64_t>(reads, Bucket::kFrequencyMax));
}

Verdict AdaptivePolicy::JudgeInProbation(const Place& place, uint32_t price) {
  if (place.bucket->Frequency(place.slot) >= std::max(price, 1U)) {
    place.bucket->SetFrequency(place.slot, 0);
    return Verdict::kToMain;
  }
  if (price > 0) return Verdict::kDrop;
  // While main has room to grow, it is there that a small item waits with the fewest copies.
  return probation_has_its_share_ ? Verdict::kToProbation : Verdict::kToMain;
}

Verdict AdaptivePolicy::JudgeInMain(const Candidate& candidate, uint32_t price) {
  const Place& place = candidate.place;
  if (age_debt_ > 0) {
    age_debt_ -= std::min(age_debt_, candidate.item_bytes);
    price = std::max(price, 1U);
  }
  const uint32_t frequency = place.bucket->Frequency(place.slot);
  if (frequency < price) return Verdict::kDrop;
  if (price > 0) place.bucket->SetFrequency(place.slot, frequency - price);
  return Verdict::kToMain;
}

Verdict AdaptivePolicy::Judge(const Candidate& candidate) {
  const Place& place = candidate.place;
  Verdict verdict = Verdict::kDrop;
  if (!candidate.must_go) {
    const uint32_t price = PriceOf(candidate);
    verdict = candidate.log == Log::kMain ? JudgeInMain(candidate, price)
                                          : JudgeInProbation(place, price);
  }
  if (unread_ && candidate.log == Log::kProbation) {
    age_debt_ = std::min(age_debt_ + candidate.item_bytes, live_bytes_);
  }
  if (verdict != Verdict::kDrop) return verdict;
  const uint8_t ghost = util::GhostOf(candidate.hash);
  if (candidate.log == Log::kMain) {
    place.home->main_ghost = ghost;
  } else {
    place.home->AddGhost(ghost);
  }
  return Verdict::kDrop;
}

}  // namespace larder::store
