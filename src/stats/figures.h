// What a server tells those who watch it: its counters where they are, and what else is known of
// it. For the admin door and `stats`; read on any thread, while the cores go on.
//
// A plain value with pointers into the server, valid for as long as the server lives. Figures of
// one moment are not of one instant: each is read by itself.
#ifndef LARDER_STATS_FIGURES_H_
#define LARDER_STATS_FIGURES_H_

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "stats/counters.h"
#include "stats/request_times.h"
#include "stats/size_classes.h"
#include "stats/stats_text.h"

namespace larder::stats {

struct CoreFigures {
  const CounterBlock* counters = nullptr;
  const SizeClasses* size_classes = nullptr;
  const RequestTimes* times = nullptr;
  uint64_t cpu_ns = 0;  // processor time of its thread
  // Since its last turn began, by the cache's clock. An idle core has one every second; kNoTurn: it
  // has not had its first one yet.
  static constexpr uint64_t kNoTurn = UINT64_MAX;
  uint64_t turn_age_ns = kNoTurn;
};

struct Figures {
  GeneralStats general;
  uint64_t now_ns = 0;    // when they were read, by the cache's clock
  bool draining = false;  // no new clients
  // As `stats settings` answers them, in its order.
  std::span<const std::pair<std::string, std::string>> settings;
  std::vector<CoreFigures> cores;

  [[nodiscard]] std::vector<const CounterBlock*> Counters() const;
  [[nodiscard]] uint64_t Sum(Counter counter) const;
  [[nodiscard]] SizeTotals Sizes() const;
  [[nodiscard]] DurationCounts RequestsOf(RequestKind kind) const;
};

}  // namespace larder::stats

#endif  // LARDER_STATS_FIGURES_H_
