// What a program reads: JSON text, put together member by member.
#ifndef LARDER_CTL_JSON_H_
#define LARDER_CTL_JSON_H_

#include <cstdint>
#include <string>
#include <string_view>

namespace larder::ctl {

// Is it UTF-8? Anything else has no place in JSON.
bool IsUtf8(std::string_view bytes);

// A text in quotes; `text` is UTF-8.
std::string JsonText(std::string_view text);
// A number as it is, if JSON would read the same from it; else a text.
std::string JsonValue(std::string_view text);

// {"a": 1, "b": "x"}
class JsonObject {
 public:
  // `json` is JSON already.
  void Add(std::string_view name, std::string_view json);
  [[nodiscard]] std::string Text() const { return "{" + members_ + "}"; }

 private:
  std::string members_;
};

}  // namespace larder::ctl

#endif  // LARDER_CTL_JSON_H_
