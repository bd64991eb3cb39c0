// Keys that all RESP clients of a simulation have in common: no client knows what another writes,
// so they tell each other, and look for what nobody could have seen if commands of many keys were
// executed as one.
//
//   pair.N   written by MSET only, all with one value: WRITER/COUNT/padding. Read together, they
//            are the same; read one after the other, no writer's older value comes after a newer
//            one.
//   sum.N    counted up by one EXEC of INCRs, which is answered with the same new number for all:
//            so the numbers are an order of all writers.
//   swap     counted up by WATCH, GET, MULTI, SET, EXEC: no number is reached twice.
//
// And whatever anybody has been told before a command is sent, it sees, or something later.
#ifndef LARDER_TESTS_SIM_SIM_SHARED_H_
#define LARDER_TESTS_SIM_SIM_SHARED_H_

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

namespace larder::sim {

// What RESP clients have been answered: that it happened at all.
struct RespTally {
  uint64_t replies = 0;  // to commands about items
  uint64_t set_many = 0;
  uint64_t renames = 0;
  uint64_t execs = 0;
  uint64_t aborts = 0;         // EXECs that were not, because a watched key had changed
  uint64_t read_together = 0;  // pairs, or sums
  uint64_t read_in_order = 0;  // one of them in a pipeline
  uint64_t sums = 0;
  uint64_t swaps = 0;
  uint64_t swaps_lost = 0;  // to another client

  void Add(const RespTally& other) {
    replies += other.replies;
    set_many += other.set_many;
    renames += other.renames;
    execs += other.execs;
    aborts += other.aborts;
    read_together += other.read_together;
    read_in_order += other.read_in_order;
    sums += other.sums;
    swaps += other.swaps;
    swaps_lost += other.swaps_lost;
  }
};

// What any client has been told so far of a key that all have in common.
struct SimShared {
  static constexpr size_t kKeys = 4;  // of a kind
  static std::string PairKey(size_t index) { return "pair." + std::to_string(index); }
  static std::string SumKey(size_t index) { return "sum." + std::to_string(index); }
  static constexpr const char* kSwapKey = "swap";

  explicit SimShared(size_t clients) : pairs_sent(clients), pairs_told(clients) {}

  bool used = false;
  // By writer: the count of its last MSET, and the newest that anybody has seen.
  std::vector<uint64_t> pairs_sent;
  std::vector<uint64_t> pairs_told;
  uint64_t sums_sent = 0;
  uint64_t sum_told = 0;
  std::set<uint64_t> sums_made;
  uint64_t swaps_sent = 0;
  uint64_t swap_told = 0;
  std::set<uint64_t> swaps_made;
  RespTally tally;
};

}  // namespace larder::sim

#endif  // LARDER_TESTS_SIM_SIM_SHARED_H_
