#include "server/transaction.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "protocol/resp_arguments.h"
#include "protocol/resp_writer.h"
#include "server/connection.h"
#include "server/resp_calls.h"
#include "server/worker.h"
#include "util/bytes.h"
#include "util/check.h"

namespace larder::server {

namespace {

constexpr std::string_view kOkReply = "+OK\r\n";
constexpr std::string_view kNoSuchKey = "-ERR no such key\r\n";
constexpr std::string_view kZero = ":0\r\n";
constexpr std::string_view kOne = ":1\r\n";

// The number of a reply that is one.
int64_t NumberIn(std::string_view reply) {
  return util::ParseInt64(reply.substr(1, reply.size() - 3)).value_or(0);
}

ItemHead HeadIn(std::string_view reply) { return TakeValue<ItemHead>(reply); }

bool HasTwoSteps(Transaction::Join join) { return join >= Transaction::Join::kMsetnx; }

// The item itself.
void AppendItem(Worker& worker, const Command& command, EntryKind kind, std::string& replies) {
  const store::Item* item =
      worker.shard().Find(command.key, command.hash, store::Shard::Access::kPeek);
  if (item == nullptr) return AppendValue(ItemHead{}, replies);
  AppendValue(ItemHead{.unique = item->cas(),
                       .expire_at = item->expire_at(),
                       .client_flags = item->client_flags()},
              replies);
  if (kind == EntryKind::kRead) replies += item->Value();
}

}  // namespace

Transaction::Transaction(Worker& worker, Connection& client, Errands& errands,
                         protocol::Protocol protocol, Frame frame)
    : worker_(worker),
      client_(client),
      errands_(errands),
      protocol_(protocol),
      frame_(frame),
      takes_part_(worker.cluster().mailboxes.cores()),
      hashes_(worker.cluster().mailboxes.cores()) {
  steps_.push_back({.entries = std::vector<std::string>(hashes_.size())});
}

// --- what is to be done -------------------------------------------------------------------------

void Transaction::BeginUnit(Join join, std::string_view text) {
  // Its second step comes between this one and what is behind it.
  if (LastStep().unit != kNoUnit) {
    steps_.push_back({.entries = std::vector<std::string>(hashes_.size())});
  }
  units_.push_back(
      {.join = join, .first = static_cast<uint32_t>(replies_.size()), .text = std::string(text)});
  if (!HasTwoSteps(join)) return;
  LastStep().unit = static_cast<uint32_t>(units_.size() - 1);
}

void Transaction::Add(const Command& command) {
  Unit& unit = units_.back();
  switch (unit.join) {
    case Join::kMsetnx: {
      Command exists = command;
      exists.verb = Verb::kDescribe;
      exists.value = {};
      AddEntry(exists, EntryKind::kProbe);
      AppendEntry(command, EntryKind::kCommand, 0, unit.then);
      return;
    }
    case Join::kRename:
    case Join::kRenamenx:
    case Join::kCopy:
    case Join::kReplace:
      AddKey(command);
      return AddEntry(command, unit.keys.size() == 1 ? EntryKind::kRead : EntryKind::kProbe);
    case Join::kWatch:
      AddKey(command);
      return AddEntry(command, EntryKind::kProbe);
    default:
      return AddEntry(command, EntryKind::kCommand);
  }
}

void Transaction::AddWatched(const std::vector<WatchedKey>& watched) {
  BeginUnit(Join::kUnwatch);
  for (const WatchedKey& each : watched) {
    units_.back().keys.push_back(each);
    AddEntry({.verb = Verb::kDescribe, .hash = each.hash, .key = each.key}, EntryKind::kProbe);
  }
}

void Transaction::AddCall(const Command& call) {
  BeginUnit(Join::kCall);
  units_.back().then = call.key;
  units_.back().call = call;
}

// All in one go, before the first step: they have no part in what the cores do.
void Transaction::ExecuteCalls() {
  for (Unit& unit : units_) {
    if (unit.join != Join::kCall) continue;
    unit.call.key = unit.then;
    protocol::RespWriter reply(client_.resp_version(), unit.text);
    AnswerCall(worker_, client_, unit.call, reply);
  }
}

void Transaction::AddSearch(uint32_t core, const Search& search) {
  Unit& unit = units_.back();
  unit.search = search;
  unit.search.pattern = {};
  unit.then = search.pattern;
  // One that goes from core to core may come to any.
  if (unit.join == Join::kRandom) takes_part_.assign(takes_part_.size(), true);
  takes_part_[core] = true;
  unit.cores.push_back(core);
  replies_.emplace_back();
  SearchOn(unit, unit.count++, search.position, LastStep());
}

void Transaction::SearchOn(Unit& unit, uint32_t slot, uint64_t position, Step& step) {
  Search search = unit.search;
  search.pattern = unit.then;
  search.position = position;
  AppendEntry(CommandOf(search), EntryKind::kSearch, unit.first + slot,
              step.entries[unit.cores[slot]]);
}

void Transaction::AddKey(const Command& command) {
  units_.back().keys.push_back({.key = std::string(command.key), .hash = command.hash});
}

void Transaction::Want(uint64_t hash) { hashes_[worker_.OwnerOf(hash)].push_back(hash); }

std::string& Transaction::EntriesOf(Step& step, uint64_t hash) {
  return step.entries[worker_.OwnerOf(hash)];
}

void Transaction::AddEntry(const Command& command, EntryKind kind) {
  Want(command.hash);
  writes_ = writes_ || HasTwoSteps(units_.back().join) || KindOf(command.verb) == VerbKind::kWrite;
  AppendEntry(command, kind, static_cast<uint32_t>(replies_.size()),
              EntriesOf(LastStep(), command.hash));
  replies_.emplace_back();
  ++units_.back().count;
}

// --- how it goes --------------------------------------------------------------------------------

void Transaction::Schedule() {
  scheduled_ = true;
  const bool is_certain = units_.empty() || units_.front().join != Join::kUnwatch;
  if (is_certain) ExecuteCalls();
  // A unit's second step needs a place.
  if (LastStep().unit != kNoUnit) {
    steps_.push_back({.entries = std::vector<std::string>(hashes_.size())});
  }
  for (uint32_t core = 0; core < hashes_.size(); ++core) {
    if (takes_part_[core] || !hashes_[core].empty()) cores_.push_back(core);
  }
  // Nobody else is on this core while we are, if nobody has to be waited for.
  const bool ours = cores_.empty() || (cores_.size() == 1 && cores_[0] == worker_.index());
  if (ours && worker_.keeper().empty()) acquired_ = cores_.size();
}

void Transaction::Continue() {
  if (!scheduled_) Schedule();
  while (stage_ != Stage::kDone && waits_ == 0 && !waits_for_keys_) {
    if (stage_ == Stage::kOrder) {
      if (!TakeOrder()) return;
      continue;
    }
    if (stage_ == Stage::kAcquire) {
      if (acquired_ == cores_.size()) {
        stage_ = Stage::kExecute;
      } else if (!AcquireNext()) {
        return;
      }
      continue;
    }
    if (step_ > 0) EndStep(steps_[step_ - 1]);
    if (step_ == steps_.size()) {
      stage_ = Stage::kDone;
      if (relies_on_order_) worker_.keeper().LeaveOrder();
    } else if (!ExecuteStep()) {
      return;
    }
  }
}

// One that writes on several cores needs that all keep their clients' commands in order, and tells
// them, unless they do.
bool Transaction::TakeOrder() {
  Cluster& cluster = worker_.cluster();
  if (cores_.size() < 2 || !writes_) {
    stage_ = Stage::kAcquire;
    return true;
  }
  if (!relies_on_order_) worker_.keeper().JoinOrder();
  relies_on_order_ = true;
  if (ordering_) cluster.order.Establish();
  if (cluster.order.IsKept()) {
    stage_ = Stage::kAcquire;
    return true;
  }
  for (uint32_t core = 0; core < hashes_.size(); ++core) {
    if (core != worker_.index() && !cluster.mailboxes.CanAsk(worker_.index(), core)) {
      worker_.AddStarved(client_);
      return false;
    }
  }
  ordering_ = true;
  for (uint32_t core = 0; core < hashes_.size(); ++core) {
    if (core == worker_.index()) continue;
    errands_.AskOrder(core);
    ++waits_;
  }
  waits_for_keys_ = !worker_.keeper().KeepOrder(client_);
  return true;
}

// False if there is no room in the core's mailbox now.
bool Transaction::AcquireNext() {
  const uint32_t core = cores_[acquired_];
  if (core == worker_.index()) {
    keeps_ours_ = true;
    waits_for_keys_ = !worker_.keeper().Acquire(client_, hashes_[core]);
    ++acquired_;
    return true;
  }
  if (!worker_.cluster().mailboxes.CanAsk(worker_.index(), core)) {
    worker_.AddStarved(client_);
    return false;
  }
  ++acquired_;
  const bool whole = acquired_ == cores_.size() && steps_.size() == 1;
  std::string& entries = steps_[0].entries[core];
  Ask(core, {.acquire = true, .release = whole}, whole ? entries : std::string_view{});
  if (!whole) return true;
  cores_.pop_back();
  --acquired_;
  entries.clear();
  return true;
}

// Those who wait for our keys may have all places but the last.
bool Transaction::MayAskAll() const {
  for (const uint32_t core : cores_) {
    if (core != worker_.index() && !worker_.cluster().mailboxes.CanAskLast(worker_.index(), core)) {
      return false;
    }
  }
  return true;
}

bool Transaction::ExecuteStep() {
  if (!MayAskAll()) {
    worker_.AddStarved(client_);
    return false;
  }
  Step& step = steps_[step_++];
  const bool last = step_ == steps_.size();
  for (const uint32_t core : cores_) {
    if (core == worker_.index()) continue;
    if (last || !step.entries[core].empty()) Ask(core, {.release = last}, step.entries[core]);
  }
  std::string replies;
  ExecuteEntries(worker_, client_, step.entries[worker_.index()], protocol_, replies);
  TakeReplies(replies);
  if (last && keeps_ours_) worker_.keeper().Release(client_);
  return true;
}

void Transaction::Ask(uint32_t core, PartHead head, std::string_view entries) {
  const std::span<const uint64_t> hashes =
      head.acquire ? std::span<const uint64_t>(hashes_[core]) : std::span<const uint64_t>{};
  errands_.AskPart(core, MakePart(head, hashes, entries), protocol_);
  ++waits_;
}

void Transaction::TakePart(const Message& message) {
  --waits_;
  TakeReplies(message.Payload());
}

void Transaction::TakeReplies(std::string_view replies) {
  while (!replies.empty()) {
    const auto head = TakeValue<ReplyHead>(replies);
    replies_[head.slot] = replies.substr(0, head.bytes);
    replies.remove_prefix(head.bytes);
  }
}

// --- second steps -------------------------------------------------------------------------------

void Transaction::EndStep(const Step& step) {
  if (step.unit == kNoUnit || step_ == steps_.size()) return;
  const uint32_t index = step.unit;
  Unit& unit = units_[index];
  Step& next = steps_[step_];
  // Once.
  steps_[step_ - 1].unit = kNoUnit;
  switch (unit.join) {
    case Join::kMsetnx:
      return ThenMsetnx(unit, next);
    case Join::kWatch:
      return ThenWatch(unit);
    case Join::kUnwatch:
      return ThenUnwatch(unit);
    case Join::kScan:
    case Join::kRandom:
    case Join::kKeys:
    case Join::kCount:
    case Join::kOnce:
    case Join::kLines:
    case Join::kDone:
    case Join::kRoom:
      return ThenSearch(index);
    default:
      return ThenRename(unit, next);
  }
}

void Transaction::ThenMsetnx(Unit& unit, Step& next) {
  unit.text = kZero;
  for (uint32_t slot = unit.first; slot < unit.first + unit.count; ++slot) {
    if (HeadIn(replies_[slot]).unique != 0) return;
  }
  unit.text = kOne;
  Step sets = {.entries = std::vector<std::string>(hashes_.size())};
  EntryReader entries(unit.then);
  while (!entries.empty()) {
    EntryHead head;
    const Command& command = entries.Next(head);
    AppendEntry(command, EntryKind::kCommand, unit.first, EntriesOf(sets, command.hash));
  }
  for (size_t core = 0; core < hashes_.size(); ++core) {
    next.entries[core].insert(0, sets.entries[core]);
  }
}

void Transaction::Write(Unit& unit, const WatchedKey& to, std::string_view source, Step& next) {
  std::string_view value = source;
  const auto head = TakeValue<ItemHead>(value);
  std::string entry;
  const Command set = {.verb = Verb::kSet,
                       .client_flags = head.client_flags,
                       .exptime = head.expire_at,
                       .hash = to.hash,
                       .key = to.key,
                       .value = value};
  AppendEntry(set, EntryKind::kWrite, unit.first + 1, entry);
  EntriesOf(next, to.hash).insert(0, entry);
}

void Transaction::Erase(Unit& unit, const WatchedKey& key, Step& next) {
  std::string entry;
  AppendEntry({.verb = Verb::kDelete, .hash = key.hash, .key = key.key}, EntryKind::kCommand,
              unit.first, entry);
  EntriesOf(next, key.hash).insert(0, entry);
}

void Transaction::ThenRename(Unit& unit, Step& next) {
  const std::string source = replies_[unit.first];
  const bool there = HeadIn(source).unique != 0;
  const bool taken = HeadIn(replies_[unit.first + 1]).unique != 0;
  const WatchedKey& from = unit.keys[0];
  const WatchedKey& to = unit.keys[1];
  const bool renames = unit.join == Join::kRename || unit.join == Join::kRenamenx;
  const bool same = from.key == to.key;
  if (!there) {
    unit.text = renames ? kNoSuchKey : kZero;
  } else if (taken && (unit.join == Join::kRenamenx || unit.join == Join::kCopy)) {
    unit.text = kZero;
  } else {
    unit.text = unit.join == Join::kRename ? kOkReply : kOne;
    if (same) return;
    Write(unit, to, source, next);
    if (renames) Erase(unit, from, next);
  }
}

// Takes what was found, and searches on, unless that was all.
void Transaction::ThenSearch(uint32_t index) {
  Unit& unit = units_[index];
  Step more = {.entries = std::vector<std::string>(hashes_.size()), .unit = index};
  for (uint32_t slot = 0; slot < unit.count; ++slot) {
    if (!replies_[unit.first + slot].empty()) TakeFound(unit, slot, more);
  }
  const bool goes_on = std::any_of(more.entries.begin(), more.entries.end(),
                                   [](const std::string& entries) { return !entries.empty(); });
  if (goes_on) steps_.insert(steps_.begin() + static_cast<ptrdiff_t>(step_), std::move(more));
}

void Transaction::TakeFound(Unit& unit, uint32_t slot, Step& more) {
  constexpr uint32_t kCoreShift = 32;
  std::string& reply = replies_[unit.first + slot];
  std::string_view found = reply;
  const auto head = TakeValue<FoundHead>(found);
  unit.found += head.count;
  unit.text += found;
  reply.clear();
  uint32_t& core = unit.cores[slot];
  if (unit.join == Join::kScan) {
    // The next core, where this one has no more; behind the last one, the end.
    const uint64_t next = head.position == 0 ? core + 1 : core;
    unit.cursor = next == hashes_.size() ? 0 : next << kCoreShift | head.position;
    return;
  }
  const bool enough = unit.join == Join::kKeys && unit.found >= worker_.cluster().keys_output_max;
  if (unit.join == Join::kRandom && head.position == 0 && unit.found == 0) {
    // Once round, and what was left out on the first core.
    if (++unit.cursor > hashes_.size()) return;
    core = (core + 1) % static_cast<uint32_t>(hashes_.size());
    return SearchOn(unit, slot, 0, more);
  }
  if (unit.join == Join::kRandom && unit.found > 0) return;
  if (head.position != 0 && !enough) SearchOn(unit, slot, head.position, more);
}

void Transaction::ThenWatch(Unit& unit) {
  unit.text = kOkReply;
  for (uint32_t i = 0; i < unit.count; ++i) {
    const ItemHead head = HeadIn(replies_[unit.first + i]);
    unit.keys[i].unique = head.unique;
    unit.keys[i].expire_at = head.expire_at;
  }
  client_.Watch(std::move(unit.keys));
}

void Transaction::ThenUnwatch(const Unit& unit) {
  for (uint32_t i = 0; i < unit.count; ++i) {
    const ItemHead head = HeadIn(replies_[unit.first + i]);
    const WatchedKey& before = unit.keys[i];
    changed_ = changed_ || head.unique != before.unique || head.expire_at != before.expire_at;
  }
  if (!changed_) return ExecuteCalls();
  // What is left is to give up the keys.
  steps_.resize(step_ + 1);
  steps_[step_] = {.entries = std::vector<std::string>(hashes_.size())};
}

// --- the reply ----------------------------------------------------------------------------------

std::string Transaction::ReplyOf(const Unit& unit) const {
  const auto replies = std::span(replies_).subspan(unit.first, unit.count);
  switch (unit.join) {
    case Join::kOne:
      return replies.front();
    case Join::kSum: {
      int64_t sum = 0;
      for (const std::string& reply : replies) sum += NumberIn(reply);
      return ":" + std::to_string(sum) + "\r\n";
    }
    case Join::kOk:
      for (const std::string& reply : replies) {
        if (reply.starts_with('-')) return reply;
      }
      return std::string(kOkReply);
    case Join::kList: {
      std::string text = "*" + std::to_string(replies.size()) + "\r\n";
      for (const std::string& reply : replies) text += reply;
      return text;
    }
    default:
      return unit.cores.empty() ? unit.text : ReplyOfSearch(unit);
  }
}

std::string Transaction::ReplyOfSearch(const Unit& unit) const {
  std::string text;
  protocol::RespWriter reply(protocol_ == protocol::Protocol::kResp3
                                 ? protocol::RespVersion::kResp3
                                 : protocol::RespVersion::kResp2,
                             text);
  switch (unit.join) {
    case Join::kScan:
      reply.Array(2);
      reply.Bulk(std::to_string(unit.cursor));
      reply.Array(unit.text.empty() ? 0 : unit.found);
      reply.Raw(unit.text);
      break;
    case Join::kRandom: {
      if (unit.found == 0) {
        reply.Null();
        break;
      }
      protocol::RespArguments keys(unit.text);
      for (uint64_t skip = worker_.Draw() % unit.found; skip > 0; --skip) (void)keys.Next();
      reply.Bulk(keys.Next());
      break;
    }
    case Join::kKeys:
      reply.Array(unit.found);
      reply.Raw(unit.text);
      break;
    case Join::kCount:
      reply.Integer(static_cast<int64_t>(unit.found));
      break;
    case Join::kLines:
      reply.Verbatim(unit.text);
      break;
    case Join::kOnce:
      unit.found == 0 ? reply.Error("ERR No such client") : reply.Ok();
      break;
    case Join::kRoom:
      unit.found == 0 ? reply.Ok()
                      : reply.Error("OOM command not allowed when used memory > 'maxmemory'.");
      break;
    default:
      reply.Ok();
  }
  return text;
}

std::string Transaction::Reply() const {
  if (frame_ == Frame::kBare) return ReplyOf(units_.front());
  if (changed_) return protocol_ == protocol::Protocol::kResp3 ? "_\r\n" : "*-1\r\n";
  size_t count = units_.size();
  std::string text;
  for (const Unit& unit : units_) {
    if (unit.join == Join::kUnwatch) {
      --count;
    } else {
      text += ReplyOf(unit);
    }
  }
  return "*" + std::to_string(count) + "\r\n" + text;
}

void Transaction::ExecuteEntries(Worker& worker, const Connection& client, std::string_view entries,
                                 protocol::Protocol protocol, std::string& replies) {
  const protocol::Codec& codec = protocol::CodecOf(protocol);
  static constexpr Extras kAtOnce = {.time = TimeIs::kCacheSeconds, .spelling = Spelling::kResp};
  EntryReader reader(entries);
  while (!reader.empty()) {
    EntryHead head;
    Command command = reader.Next(head);
    const size_t head_at = replies.size();
    const size_t begin = head_at + sizeof(ReplyHead);
    replies.resize(begin);
    if (head.kind == EntryKind::kSearch) {
      RunSearch(worker, SearchIn(command), replies);
    } else if (head.kind == EntryKind::kRead || head.kind == EntryKind::kProbe) {
      AppendItem(worker, command, head.kind, replies);
    } else {
      if (head.kind == EntryKind::kWrite) command.extras = &kAtOnce;
      const Outcome outcome = worker.Execute(command, client);
      replies.resize(begin + codec.encoded_bytes_max(command, outcome));
      const char* end = codec.encode(command, outcome, replies.data() + begin);
      replies.resize(static_cast<size_t>(end - replies.data()));
    }
    const ReplyHead reply = {.slot = head.slot,
                             .bytes = static_cast<uint32_t>(replies.size() - begin)};
    std::memcpy(replies.data() + head_at, &reply, sizeof(reply));
  }
}

}  // namespace larder::server
