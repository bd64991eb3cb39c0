// The verbs' own functions, one file a group; execute.cc switches between them.
//
// A command with extras asks for more than a classic one. What it asks for is done where the verb
// is: each function has one test for it, and the classic commands fail that and go on.
#ifndef LARDER_ENGINE_VERBS_H_
#define LARDER_ENGINE_VERBS_H_

#include "engine/execute.h"

namespace larder::engine {

// read_verbs.cc
Outcome Get(Place place, const Command& command);
Outcome GetAndTouch(Place place, const Command& command);
Outcome Describe(Place place, const Command& command);
// Seconds until the item expires, or Outcome::kForever.
uint32_t TtlOf(const store::Item& item, Now now);

// What Get() is for a command that asks for nothing more, whatever its extras say.
Outcome GetItem(Place place, const Command& command);

// string_verbs.cc
Outcome Range(Place place, const Command& command);
Outcome Exchange(Place place, const Command& command);
Outcome Take(Place place, const Command& command);
Outcome WriteRange(Place place, const Command& command);

// sum_verbs.cc
Outcome Sum(Place place, const Command& command);
Outcome SumFloat(Place place, const Command& command);

// expiry_verbs.cc
Outcome Expire(Place place, const Command& command);
Outcome Deadline(Place place, const Command& command);

// write_verbs.cc
Outcome Set(Place place, const Command& command);
Outcome Add(Place place, const Command& command);
Outcome Replace(Place place, const Command& command);
Outcome Append(Place place, const Command& command);
Outcome Prepend(Place place, const Command& command);
Outcome CompareAndSwap(Place place, const Command& command);

// number_verbs.cc
Outcome Increment(Place place, const Command& command);
Outcome Decrement(Place place, const Command& command);

// key_verbs.cc
Outcome Delete(Place place, const Command& command);
Outcome Touch(Place place, const Command& command);
// A command that touches has found the item, or none (null).
void CountTouch(Place place, const store::Item* item);
// A storing command was refused before its value arrived: what was stored under the key is no
// longer what the client believes.
Outcome ForgetRefused(Place place, const Command& command);

// The outcome of a Put, and its counters; gives the item the CAS unique that the command may name.
Outcome Stored(Place place, const Command& command, const store::Shard::Stored& stored);

// Does the command ask for it?
inline bool Asks(const Command& command, Extras::Ask what) {
  return command.extras != nullptr && command.extras->Asks(what);
}
// Does the command name another CAS unique than the item has?
inline bool Mismatches(const Command& command, const store::Item& item) {
  return Asks(command, Extras::kMatchCas) && command.extras->match_cas != item.cas();
}

}  // namespace larder::engine

#endif  // LARDER_ENGINE_VERBS_H_
