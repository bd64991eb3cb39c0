#include "server/debug.h"

#include <absl/strings/str_cat.h>

#include <cstdint>
#include <optional>
#include <string>

#include "server/connection.h"
#include "server/populate.h"
#include "server/worker.h"
#include "util/absl_view.h"

namespace larder::server {

namespace {

constexpr std::string_view kOutOfRange = "-ERR value is out of range, must be positive\r\n";
constexpr size_t kWordBytesMax = 128;
// Of a step, on each core: about a millisecond.
constexpr uint32_t kNumbersOfStep = 4096;

}  // namespace

void AnswerDebug(RespCall& call) {
  const std::string_view word = call.arguments.Next().substr(0, kWordBytesMax);
  if (protocol::IsWord(word, "sleep")) {
    return call.reply.Error("ERR DEBUG SLEEP is refused: it would stop other clients");
  }
  call.reply.Error(absl::StrCat("ERR unknown subcommand or wrong number of arguments for '",
                                util::View(word), "'. Try DEBUG HELP."));
}

std::string_view AddPopulate(RespCall& call, Transaction& transaction) {
  PopulatePlan plan;
  const std::optional<int64_t> count = protocol::RespInteger(call.arguments.Next());
  if (!count) return kNotIntegerReply;
  if (*count < 0) return kOutOfRange;
  plan.count = static_cast<uint64_t>(*count);
  if (!call.arguments.empty()) plan.prefix = call.arguments.Next();
  if (!call.arguments.empty()) {
    const std::optional<int64_t> size = protocol::RespInteger(call.arguments.Next());
    if (!size) return kNotIntegerReply;
    if (*size < 0) return kOutOfRange;
    // Before anything of that size is made.
    if (static_cast<uint64_t>(*size) > call.worker.cluster().item_bytes_max) {
      return kLongValueReply;
    }
    plan.size = *size;
  }
  constexpr size_t kNumberBytesMax = 24;
  if (plan.prefix.size() + kNumberBytesMax > kLongKeyBytesMax) {
    return kLongKeyReply;
  }
  const std::string pattern = plan.Encode();
  transaction.BeginUnit(Transaction::Join::kRoom);
  for (uint32_t core = 0; core < call.worker.cluster().mailboxes.cores(); ++core) {
    transaction.AddSearch(core, {.what = Search::What::kPopulate,
                                 .database = call.client.database(),
                                 .pattern = pattern,
                                 .looks_max = kNumbersOfStep});
  }
  return {};
}

}  // namespace larder::server
