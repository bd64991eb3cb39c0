#include "protocol/resp_requests.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>

#include "protocol/resp_arguments.h"
#include "protocol/resp_errors.h"
#include "protocol/stored_key.h"
#include "util/bytes.h"
#include "util/check.h"

namespace larder::protocol {
namespace {

using Words = std::span<const std::string_view>;
using Ask = Extras::Ask;

constexpr int64_t kMsPerSecond = 1000;

// A request on its way to be a Command.
struct Draft {
  RespCommand id;
  RespSubcommand subcommand;
  Words words;  // the first ones of the request
  size_t count;
  const Resume& resume;
  ParserSpace& space;
  Parsed& parsed;

  [[nodiscard]] Command& command() const { return parsed.command; }
  [[nodiscard]] Extras& extras() const { return space.extras; }
};

void Refuse(const Draft& draft, RespError error) {
  draft.command() = {.verb = Verb::kRejected,
                     .rejection = Status::kRefused,
                     .number = RespRefusal{.error = error, .command = draft.id}.Pack()};
}

// False if it is too long.
bool TakeKey(const Draft& draft, std::string_view key) {
  const uint8_t database = draft.resume.database;
  if (IsStoredAsItIs(key, database)) [[likely]] {
    draft.command().key = key;
  } else {
    draft.command().key = PrefixKey(key, database, draft.space);
  }
  if (draft.command().key.size() <= kLongKeyBytesMax) return true;
  Refuse(draft, RespError::kLongKey);
  return false;
}

// The command that the words are, with one key; its reply is worded as for `id`.
void Take(const Draft& draft, Verb verb, std::string_view key, uint32_t asks = 0) {
  draft.extras() = {
      .asks = asks, .spelling = Spelling::kResp, .opcode = static_cast<uint8_t>(draft.id)};
  draft.command().verb = verb;
  draft.command().extras = &draft.extras();
  (void)TakeKey(draft, key);
}

// Of a command that is whole but for its value.
void TakeWithValue(const Draft& draft, Verb verb, std::string_view key, std::string_view value,
                   uint32_t asks = 0) {
  draft.command().value = value;
  Take(draft, verb, key, asks);
}

// --- times --------------------------------------------------------------------------------------

enum class Unit : uint8_t { kSeconds, kMilliseconds };
struct TimeForm {
  Unit unit;
  TimeIs is;

  friend bool operator==(const TimeForm&, const TimeForm&) = default;
};

// False, and the draft is refused, if `text` is no time in `form`.
bool TakeTime(const Draft& draft, std::string_view text, TimeForm form) {
  const std::optional<int64_t> number = RespInteger(text);
  if (!number) {
    Refuse(draft, RespError::kNotInteger);
    return false;
  }
  // Times of day and those from now on may be added up.
  constexpr int64_t kMsMax = std::numeric_limits<int64_t>::max() / 2;
  const int64_t most = form.unit == Unit::kSeconds ? kMsMax / kMsPerSecond : kMsMax;
  if (*number > most || *number < -most) {
    Refuse(draft, RespError::kExpireTime);
    return false;
  }
  draft.command().exptime = form.unit == Unit::kSeconds ? *number * kMsPerSecond : *number;
  draft.extras().time = form.is;
  return true;
}

// The same for what must be in the future.
bool TakeFutureTime(const Draft& draft, std::string_view text, TimeForm form) {
  const std::optional<int64_t> number = RespInteger(text);
  if (number && *number <= 0) {
    Refuse(draft, RespError::kExpireTime);
    return false;
  }
  return TakeTime(draft, text, form);
}

std::optional<TimeForm> TimeFormOf(std::string_view word) {
  if (IsWord(word, "ex")) return TimeForm{Unit::kSeconds, TimeIs::kMsFromNow};
  if (IsWord(word, "px")) return TimeForm{Unit::kMilliseconds, TimeIs::kMsFromNow};
  if (IsWord(word, "exat")) return TimeForm{Unit::kSeconds, TimeIs::kUnixMs};
  if (IsWord(word, "pxat")) return TimeForm{Unit::kMilliseconds, TimeIs::kUnixMs};
  return std::nullopt;
}

// --- SET and GETEX ------------------------------------------------------------------------------

// What the words behind key and value ask for.
struct SetOptions {
  uint32_t asks = 0;
  bool persist = false;
  std::optional<TimeForm> form;
  std::string_view time;

  [[nodiscard]] bool SaysTime() const {
    return form.has_value() || persist || (asks & Ask::kKeepExpiry) != 0;
  }
};

bool TakeAsk(SetOptions& options, uint32_t ask, uint32_t not_with) {
  if ((options.asks & not_with) != 0) return false;
  options.asks |= ask;
  return true;
}

enum class Options : uint8_t { kOfSet, kOfGetex };

// None if they are no options, or contradict each other.
std::optional<SetOptions> ReadOptions(Words words, Options of) {
  SetOptions options;
  for (size_t at = 0; at < words.size(); ++at) {
    const std::string_view word = words[at];
    bool good = false;
    if (const std::optional<TimeForm> form = TimeFormOf(word)) {
      // The same word again is none too many; the last one counts.
      good = (!options.SaysTime() || options.form == form) && at + 1 < words.size();
      options.form = form;
      if (good) options.time = words[++at];
    } else if (of == Options::kOfGetex) {
      good = IsWord(word, "persist") && !options.form.has_value();
      options.persist = true;
    } else if (IsWord(word, "nx")) {
      good = TakeAsk(options, Ask::kIfAbsent, Ask::kIfPresent);
    } else if (IsWord(word, "xx")) {
      good = TakeAsk(options, Ask::kIfPresent, Ask::kIfAbsent);
    } else if (IsWord(word, "get")) {
      good = TakeAsk(options, Ask::kGiveOld, 0);
    } else if (IsWord(word, "keepttl")) {
      good = !options.form.has_value() && TakeAsk(options, Ask::kKeepExpiry, 0);
    }
    if (!good) return std::nullopt;
  }
  return options;
}

void BuildSet(const Draft& draft) {
  const Words words = draft.words;
  if (draft.count == 3) {
    draft.command().verb = Verb::kSet;
    draft.command().value = words[2];
    (void)TakeKey(draft, words[1]);
    return;
  }
  if (draft.count > words.size()) return Refuse(draft, RespError::kSyntax);
  const std::optional<SetOptions> options = ReadOptions(words.subspan(3), Options::kOfSet);
  if (!options) return Refuse(draft, RespError::kSyntax);
  TakeWithValue(draft, options->asks == 0 ? Verb::kSet : Verb::kExchange, words[1], words[2],
                options->asks);
  if (options->form) (void)TakeFutureTime(draft, options->time, *options->form);
}

void BuildSetWithTime(const Draft& draft, Unit unit) {
  const Words words = draft.words;
  TakeWithValue(draft, Verb::kSet, words[1], words[3]);
  (void)TakeFutureTime(draft, words[2], {unit, TimeIs::kMsFromNow});
}

void BuildGetex(const Draft& draft) {
  const Words words = draft.words;
  if (draft.count > words.size()) return Refuse(draft, RespError::kSyntax);
  const std::optional<SetOptions> options = ReadOptions(words.subspan(2), Options::kOfGetex);
  if (!options) return Refuse(draft, RespError::kSyntax);
  const bool touches = options->persist || options->form.has_value();
  Take(draft, Verb::kGet, words[1], touches ? uint32_t{Ask::kTouch} : 0);
  if (!options->form || TakeFutureTime(draft, options->time, *options->form)) return;
  // The time is looked at only if there is a value to give.
  const uint64_t refusal = draft.command().number;
  if (draft.command().rejection != Status::kRefused) return;
  draft.command() = {};
  Take(draft, Verb::kDescribe, words[1]);
  draft.extras().opaque = static_cast<uint32_t>(refusal) | kRefusesHit;
}

// --- EXPIRE and its kin -------------------------------------------------------------------------

void BuildExpire(const Draft& draft, TimeForm form) {
  const Words words = draft.words;
  if (draft.count > words.size()) return Refuse(draft, RespError::kSyntax);
  uint32_t asks = 0;
  for (const std::string_view word : words.subspan(3)) {
    if (IsWord(word, "nx")) {
      asks |= Ask::kIfAbsent;
    } else if (IsWord(word, "xx")) {
      asks |= Ask::kIfPresent;
    } else if (IsWord(word, "gt")) {
      asks |= Ask::kIfLater;
    } else if (IsWord(word, "lt")) {
      asks |= Ask::kIfSooner;
    } else {
      // The one error that names what it means.
      Refuse(draft, RespError::kOption);
      draft.command().value = word;
      return;
    }
  }
  const bool absent = (asks & Ask::kIfAbsent) != 0;
  if (absent && asks != Ask::kIfAbsent) return Refuse(draft, RespError::kNxAndOthers);
  if ((asks & Ask::kIfLater) != 0 && (asks & Ask::kIfSooner) != 0) {
    return Refuse(draft, RespError::kGtAndLt);
  }
  Take(draft, Verb::kExpire, words[1], asks);
  (void)TakeTime(draft, words[2], form);
}

// --- numbers ------------------------------------------------------------------------------------

enum class Sign : uint8_t { kPlus, kMinus };

void BuildSum(const Draft& draft, Sign sign) {
  int64_t delta = 1;
  if (draft.count == 3) {
    const std::optional<int64_t> number = RespInteger(draft.words[2]);
    if (!number) return Refuse(draft, RespError::kNotInteger);
    delta = *number;
  }
  if (sign == Sign::kMinus) {
    if (delta == std::numeric_limits<int64_t>::min()) return Refuse(draft, RespError::kDecrement);
    delta = -delta;
  }
  Take(draft, Verb::kSum, draft.words[1]);
  draft.command().number = static_cast<uint64_t>(delta);
}

void BuildGetrange(const Draft& draft) {
  const std::optional<int64_t> first = RespInteger(draft.words[2]);
  const std::optional<int64_t> last = RespInteger(draft.words[3]);
  if (!first || !last) return Refuse(draft, RespError::kNotInteger);
  Take(draft, Verb::kRange, draft.words[1]);
  draft.extras().first = *first;
  draft.extras().last = *last;
}

void BuildSetrange(const Draft& draft) {
  const std::optional<int64_t> first = RespInteger(draft.words[2]);
  if (!first) return Refuse(draft, RespError::kNotInteger);
  if (*first < 0) return Refuse(draft, RespError::kOffset);
  TakeWithValue(draft, Verb::kWriteRange, draft.words[1], draft.words[3]);
  draft.extras().first = *first;
}

void BuildSetnx(const Draft& draft) {
  TakeWithValue(draft, Verb::kExchange, draft.words[1], draft.words[2], Ask::kIfAbsent);
}

// --- about an item -------------------------------------------------------------------------------

// OBJECT and MEMORY USAGE: the reply is worded as for the subcommand.
void BuildAbout(const Draft& draft) {
  const Words words = draft.words;
  const bool encoding = draft.subcommand == RespSubcommand::kObjectEncoding;
  if (draft.subcommand == RespSubcommand::kMemoryUsage) {
    // Values are in one piece: there is nothing to take samples of.
    if (draft.count > words.size()) return Refuse(draft, RespError::kSyntax);
    for (size_t at = 3; at < words.size(); at += 2) {
      if (!IsWord(words[at], "samples") || at + 1 == words.size()) {
        return Refuse(draft, RespError::kSyntax);
      }
      const std::optional<int64_t> samples = RespInteger(words[at + 1]);
      if (!samples) return Refuse(draft, RespError::kNotInteger);
      if (*samples < 0) return Refuse(draft, RespError::kSyntax);
    }
  }
  Take(draft, encoding ? Verb::kGet : Verb::kDescribe, words[2],
       encoding ? Ask::kNoBump | Ask::kNoValue : 0);
  draft.extras().opaque = static_cast<uint32_t>(draft.subcommand);
}

// --- the switch ---------------------------------------------------------------------------------

// Commands whose only argument is the key.
struct OfKeyOnly {
  Verb verb;
  uint32_t asks;
};
std::optional<OfKeyOnly> KeyOnly(RespCommand id) {
  switch (id) {
    case RespCommand::kGetdel:
      return OfKeyOnly{Verb::kTake, 0};
    case RespCommand::kStrlen:
    case RespCommand::kTouch:
      return OfKeyOnly{Verb::kGet, Ask::kNoValue};
    case RespCommand::kDel:
    case RespCommand::kUnlink:
      return OfKeyOnly{Verb::kDelete, 0};
    case RespCommand::kExists:
    case RespCommand::kType:
    case RespCommand::kTtl:
    case RespCommand::kPttl:
      return OfKeyOnly{Verb::kDescribe, 0};
    case RespCommand::kExpiretime:
    case RespCommand::kPexpiretime:
      return OfKeyOnly{Verb::kDeadline, 0};
    case RespCommand::kPersist:
      return OfKeyOnly{Verb::kExpire, Ask::kIfPresent};
    default:
      return std::nullopt;
  }
}

void BuildItem(const Draft& draft) {
  const Words words = draft.words;
  if (const std::optional<OfKeyOnly> only = KeyOnly(draft.id)) {
    return Take(draft, only->verb, words[1], only->asks);
  }
  switch (draft.id) {
    case RespCommand::kSet:
      return BuildSet(draft);
    case RespCommand::kSetex:
      return BuildSetWithTime(draft, Unit::kSeconds);
    case RespCommand::kPsetex:
      return BuildSetWithTime(draft, Unit::kMilliseconds);
    case RespCommand::kSetnx:
      return BuildSetnx(draft);
    case RespCommand::kGetset:
      return TakeWithValue(draft, Verb::kExchange, words[1], words[2], Ask::kGiveOld);
    case RespCommand::kGetex:
      return BuildGetex(draft);
    case RespCommand::kAppend:
      return TakeWithValue(draft, Verb::kAppend, words[1], words[2], Ask::kCreate);
    case RespCommand::kGetrange:
    case RespCommand::kSubstr:
      return BuildGetrange(draft);
    case RespCommand::kSetrange:
      return BuildSetrange(draft);
    case RespCommand::kIncr:
    case RespCommand::kIncrby:
      return BuildSum(draft, Sign::kPlus);
    case RespCommand::kDecr:
    case RespCommand::kDecrby:
      return BuildSum(draft, Sign::kMinus);
    case RespCommand::kIncrbyfloat:
      return TakeWithValue(draft, Verb::kSumFloat, words[1], words[2]);
    case RespCommand::kExpire:
      return BuildExpire(draft, {Unit::kSeconds, TimeIs::kMsFromNow});
    case RespCommand::kPexpire:
      return BuildExpire(draft, {Unit::kMilliseconds, TimeIs::kMsFromNow});
    case RespCommand::kExpireat:
      return BuildExpire(draft, {Unit::kSeconds, TimeIs::kUnixMs});
    case RespCommand::kPexpireat:
      return BuildExpire(draft, {Unit::kMilliseconds, TimeIs::kUnixMs});
    case RespCommand::kObject:
    case RespCommand::kMemory:
      return BuildAbout(draft);
    default:
      break;
  }
  CHECK(false);
}

void BuildCall(const Draft& draft, std::string_view raw) {
  draft.command().verb = Verb::kCall;
  draft.command().number = PackRespCall(draft.id, draft.subcommand);
  draft.command().exptime = static_cast<int64_t>(draft.count);
  draft.command().key = raw;
}

}  // namespace

void BuildRespCommand(const RespRequest& request, RespCommand id, const Resume& resume,
                      ParserSpace& space, Parsed& parsed) {
  const Draft draft = {
      .id = id,
      .subcommand = request.subcommand,
      .words = Words(request.words).first(std::min(request.count, RespRequest::kWordsMax)),
      .count = request.count,
      .resume = resume,
      .space = space,
      .parsed = parsed};
  parsed.state = ParseState::kReady;
  if (resume.queueing && id != RespCommand::kUnknown && InfoOf(id).way != RespWay::kFirst) {
    return BuildCall(draft, request.raw);
  }
  // The commonest first.
  if (id == RespCommand::kGet) {
    parsed.command.verb = Verb::kGet;
    (void)TakeKey(draft, request.words[1]);
    return;
  }
  if (id == RespCommand::kUnknown) return BuildCall(draft, request.raw);
  const bool is_whole = request.subcommand == RespSubcommand::kNone;
  switch (is_whole ? InfoOf(id).way : InfoOf(request.subcommand).way) {
    case RespWay::kItem:
      return BuildItem(draft);
    case RespWay::kItems:
      // Of one key, the answer of the whole is that of the item.
      if (request.count == 2 && KeyOnly(id)) return BuildItem(draft);
      return BuildCall(draft, request.raw);
    case RespWay::kFirst:
      parsed.state = ParseState::kExecuteFirst;
      return BuildCall(draft, request.raw);
    case RespWay::kCall:
      return BuildCall(draft, request.raw);
  }
}

}  // namespace larder::protocol
