#include "server/admin_verbs.h"

#include <charconv>
#include <cstdint>
#include <optional>

#include "protocol/ascii.h"
#include "server/list_request.h"
#include "util/bytes.h"
#include "util/check.h"

namespace larder::server {

namespace {

using protocol::Tokens;

constexpr std::string_view kOk = "OK\r\n";
constexpr std::string_view kError = "ERROR\r\n";
constexpr std::string_view kBadFormat = "CLIENT_ERROR bad command line format\r\n";
constexpr uint64_t kSleepUsMax = 1'000'000;
constexpr uint64_t kHotAndWarmPercentMax = 80;

std::optional<double> ParseFraction(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// slabs reassign SOURCE DESTINATION | slabs automove 0|1|2
std::string_view AnswerSlabs(const Tokens& words) {
  if (words.count() == 3 && words[0] == "reassign") {
    const auto from = util::ParseInt64(words[1]);
    const auto to = util::ParseInt64(words[2]);
    if (!from || !to) return kBadFormat;
    if (*from == *to) return "SAME src and dst class are identical\r\n";
    const auto exists = [](int64_t id) { return id >= 0 && id <= int64_t{kClassMax}; };
    // There are no pages: memory goes to whatever size comes next.
    return exists(*from) && exists(*to) ? kOk : "BADCLASS invalid src or dst class id\r\n";
  }
  if (words.count() >= 2 && words[0] == "automove") {
    const auto level = util::ParseUint64(words[1]);
    if (!level) return kBadFormat;
    return *level <= 2 ? kOk : kError;
  }
  return kError;
}

// lru tune HOT WARM FACTOR FACTOR
std::string_view AnswerTune(const Tokens& words) {
  if (words.count() < 5) return kError;
  const auto hot = util::ParseUint64(words[1]);
  const auto warm = util::ParseUint64(words[2]);
  const auto hot_factor = ParseFraction(words[3]);
  const auto warm_factor = ParseFraction(words[4]);
  if (!hot || !warm || !hot_factor || !warm_factor) return kError;
  if (*hot > kHotAndWarmPercentMax || *warm > kHotAndWarmPercentMax ||
      *hot + *warm > kHotAndWarmPercentMax) {
    return "ERROR hot and warm pcts must not exceed 80\r\n";
  }
  if (*hot_factor <= 0 || *warm_factor <= 0) {
    return "ERROR hot/warm age factors must be greater than 0\r\n";
  }
  return kOk;
}

// lru mode flat|segmented | lru temp_ttl SECONDS | lru tune …
std::string_view AnswerLru(const Tokens& words) {
  if (words.count() < 2) return kError;
  if (words[0] == "tune") return AnswerTune(words);
  if (words[0] == "mode") {
    return words[1] == "flat" || words[1] == "segmented" ? kOk : kError;
  }
  if (words[0] == "temp_ttl") return util::ParseInt64(words[1]) ? kOk : kError;
  return kError;
}

// lru_crawler enable|disable | sleep US | tocrawl N | crawl all|CLASSES
std::string_view AnswerCrawler(const Tokens& words) {
  if (words.count() == 1) return words[0] == "enable" || words[0] == "disable" ? kOk : kError;
  if (words.count() != 2) return kError;
  if (words[0] == "crawl") return ParseClasses(words[1]) ? kOk : kBadClass;
  if (words[0] != "sleep" && words[0] != "tocrawl") return kError;
  const auto number = util::ParseUint64(words[1]);
  if (!number) return kBadFormat;
  if (words[0] == "sleep" && *number > kSleepUsMax) {
    return "CLIENT_ERROR sleep must be one second or less\r\n";
  }
  return kOk;
}

}  // namespace

std::string_view AnswerAdmin(const Command& command) {
  const Tokens words(command.key);
  switch (command.verb) {
    case Verb::kSlabs:
      return AnswerSlabs(words);
    case Verb::kLru:
      return AnswerLru(words);
    case Verb::kLruCrawler:
      return AnswerCrawler(words);
    default:
      CHECK(false);
  }
  return kError;
}

}  // namespace larder::server
