// The verbs' own functions, one file a group; execute.cc switches between them.
#ifndef LARDER_ENGINE_VERBS_H_
#define LARDER_ENGINE_VERBS_H_

#include "engine/execute.h"

namespace larder::engine {

// read_verbs.cc
Outcome Get(Place place, const Command& command);
Outcome GetAndTouch(Place place, const Command& command);

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
// A storing command was refused before its value arrived: what was stored under the key is no
// longer what the client believes.
Outcome ForgetRefused(Place place, const Command& command);

// The outcome of a Put, and its counters.
Outcome Stored(Place place, const store::Shard::Stored& stored);

}  // namespace larder::engine

#endif  // LARDER_ENGINE_VERBS_H_
