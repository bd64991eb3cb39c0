#include "protocol/ascii.h"

namespace larder::protocol {

Tokens::Tokens(std::string_view line) {
  for (size_t start = SkipBlanks(line, 0); start < line.size() && count_ < kMax;) {
    const size_t end = FindBlank(line, start);
    pieces_[count_++] = {line.data() + start, end - start};
    start = SkipBlanks(line, end);
  }
}

bool IsHttp(std::string_view line, std::string_view first) {
  const size_t end = line.find_last_not_of(' ') + 1;
  const size_t last = line.substr(0, end).rfind(' ') + 1;
  return line.substr(last).starts_with("HTTP/") || first == "POST" || first == "Host:";
}

Verb VerbOf(std::string_view word) {
  Verb verb = Verb::kRejected;
  switch (PackWord(word)) {
#define VERB(id, text, kind, line) \
  case PackWord(text):             \
    verb = Verb::k##id;            \
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
