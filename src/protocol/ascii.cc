#include "protocol/ascii.h"

namespace larder::protocol {

void SplitTokens(std::string_view line, Tokens& tokens) {
  tokens.count = 0;
  for (size_t start = SkipBlanks(line, 0); start < line.size() && tokens.count < Tokens::kMax;) {
    const size_t end = FindBlank(line, start);
    tokens.at[tokens.count++] = line.substr(start, end - start);
    start = SkipBlanks(line, end);
  }
}

Verb VerbOf(std::string_view word) {
  Verb verb = Verb::kRejected;
  switch (PackWord(word)) {
#define VERB(id, text, kind) \
  case PackWord(text):       \
    verb = Verb::k##id;      \
    break;
#include "larder/verbs.def"
#undef VERB
    default:
      return Verb::kRejected;
  }
  // Eight bytes are not the whole of a longer word.
  return word == VerbText(verb) ? verb : Verb::kRejected;
}

}  // namespace larder::protocol
