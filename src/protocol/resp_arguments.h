// The arguments of one RESP request, as they came: verified once by the parser, walked by whoever
// executes a command with many of them.
//
//     argument = "$" length CR LF bytes CR LF
#ifndef LARDER_PROTOCOL_RESP_ARGUMENTS_H_
#define LARDER_PROTOCOL_RESP_ARGUMENTS_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "util/bytes.h"
#include "util/check.h"

namespace larder::protocol {

// A length behind its "*" or "$", as far as it can be read.
struct RespLength {
  enum class State : uint8_t { kMore, kBad, kRead };
  State state;
  int64_t value;
  size_t end;  // behind its line end
};

// `at` is behind the first byte of the line. Lengths of more digits than any has are bad, so that a
// line without an end is never waited for; so are those that begin with a zero and go on, and minus
// zero.
inline RespLength ReadRespLength(std::string_view bytes, size_t at) {
  constexpr size_t kDigitsMax = 18;
  using State = RespLength::State;
  const bool negative = at < bytes.size() && bytes[at] == '-';
  size_t next = negative ? at + 1 : at;
  const size_t first = next;
  int64_t value = 0;
  while (next < bytes.size()) {
    const auto digit = static_cast<uint8_t>(bytes[next] - '0');
    if (digit > 9) break;
    if (next - first == kDigitsMax) return {State::kBad, 0, 0};
    value = value * 10 + digit;
    ++next;
  }
  if (next == bytes.size()) return {State::kMore, 0, 0};
  const size_t digits = next - first;
  if (digits == 0 || (digits > 1 && bytes[first] == '0')) return {State::kBad, 0, 0};
  if (negative && value == 0) return {State::kBad, 0, 0};
  if (bytes[next] != '\r') return {State::kBad, 0, 0};
  if (next + 1 == bytes.size()) return {State::kMore, 0, 0};
  if (bytes[next + 1] != '\n') return {State::kBad, 0, 0};
  return {State::kRead, negative ? -value : value, next + 2};
}

// As Redis reads an integer: no sign but a minus, no zero in front, no minus zero.
inline std::optional<int64_t> RespInteger(std::string_view text) {
  const std::string_view digits = text.starts_with('-') ? text.substr(1) : text;
  if (digits.size() > 1 && digits.front() == '0') return std::nullopt;
  if (text == "-0") return std::nullopt;
  return util::ParseInt64(text);
}

class RespArguments {
 public:
  // `bytes` are whole arguments, the first one's "$" in front.
  explicit RespArguments(std::string_view bytes) : rest_(bytes) {}

  [[nodiscard]] bool empty() const { return rest_.empty(); }
  // The next one; not to be called when empty.
  std::string_view Next() {
    const RespLength length = ReadRespLength(rest_, 1);
    DCHECK(length.state == RespLength::State::kRead);
    const std::string_view argument = rest_.substr(length.end, static_cast<size_t>(length.value));
    rest_.remove_prefix(length.end + argument.size() + 2);
    return argument;
  }

 private:
  std::string_view rest_;
};

}  // namespace larder::protocol

#endif  // LARDER_PROTOCOL_RESP_ARGUMENTS_H_
