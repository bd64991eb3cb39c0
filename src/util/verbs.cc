// The two questions of command.h that verbs.def answers.
#include "larder/command.h"
#include "util/check.h"

namespace larder {

std::string_view VerbText(Verb verb) {
  switch (verb) {
#define VERB(id, text, kind, line) \
  case Verb::k##id:                \
    return text;
#include "larder/verbs.def"
#undef VERB
    case Verb::kRejected:
      return "rejected";
  }
  CHECK(false);
}

VerbKind KindOf(Verb verb) {
  switch (verb) {
#define VERB(id, text, kind, line) \
  case Verb::k##id:                \
    return VerbKind::kind;
#include "larder/verbs.def"
#undef VERB
    case Verb::kRejected:
      return VerbKind::kServer;  // no key, and no shard is asked
  }
  CHECK(false);
}

}  // namespace larder
