#include "server/observer.h"

#include <absl/strings/str_cat.h>
#include <absl/strings/str_format.h>

#include <algorithm>

#include "engine/execute.h"
#include "io/socket.h"
#include "larder/clock.h"
#include "server/page.h"
#include "server/worker.h"
#include "stats/size_classes.h"
#include "util/absl_view.h"

namespace larder::server {

using stats::Counter;
using store::Item;
using store::Shard;
using util::View;

namespace {

// Batches that another core may have before it has taken one.
constexpr uint32_t kUnderWayMax = 4;

std::string Encoded(std::string_view key) {
  std::string text;
  AppendEncoded(text, key);
  return text;
}

bool Stores(const Command& command) {
  switch (command.verb) {
    case Verb::kSet:
    case Verb::kAdd:
    case Verb::kReplace:
    case Verb::kAppend:
    case Verb::kPrepend:
    case Verb::kCas:
    case Verb::kIncr:
    case Verb::kDecr:
    case Verb::kExchange:
    case Verb::kWriteRange:
    case Verb::kSum:
    case Verb::kSumFloat:
    case Verb::kRejected:  // as too large
      return true;
    default:
      return false;
  }
}

// As a client of Memcached would say it.
std::string_view StoreWord(Verb verb) {
  return verb == Verb::kRejected || verb == Verb::kExchange ? "set" : VerbText(verb);
}

bool IsMeta(const Command& command) {
  return command.extras != nullptr && command.extras->spelling == Spelling::kMeta;
}

bool Invalidates(const Command& command) {
  return command.extras != nullptr && command.extras->Asks(Extras::kInvalidate);
}

std::string_view StoreStatus(Status status) {
  switch (status) {
    case Status::kStored:
    case Status::kNumber:
      return "stored";
    case Status::kExists:
      return "exists";
    case Status::kNotFound:
      return "not_found";
    case Status::kTooLarge:
      return "too_large";
    case Status::kNoMemory:
      return "no_memory";
    default:
      return "not_stored";
  }
}

std::string_view Misses(Shard::Missed missed) {
  switch (missed) {
    case Shard::Missed::kAbsent:
      break;
    case Shard::Missed::kExpired:
      return "expired";
    case Shard::Missed::kFlushed:
      return "flushed";
  }
  return "not_found";
}

// "tcp:1.2.3.4:5", "tcp6:[::1]:5" or "unix:/path", in memcached's three fields.
std::string AddressFields(int fd) {
  const std::string peer = io::PeerName(fd);
  const std::string_view name = peer;
  const size_t kind = name.find(':');
  if (kind == std::string_view::npos) return "rip= rport=0 transport=tcp";
  if (name.starts_with("unix:")) return "rip=unix rport=0 transport=local";
  const size_t port = name.rfind(':');
  std::string_view host = name.substr(kind + 1, port - kind - 1);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  return absl::StrCat("rip=", View(host), " rport=", absl::string_view(peer).substr(port + 1),
                      " transport=tcp");
}

}  // namespace

void Observer::LookCloser(const Wishes& wishes) {
  version_ = wishes.version();
  wishes_ = wishes.Read();
  streams_ = 0;
  for (size_t core = 0; core < wishes_.of_core.size(); ++core) {
    streams_ |= wishes_.of_core[core];
    // Nobody is left there to be told.
    if (wishes_.of_core[core] == 0) waiting_[core].Clear();
  }
  observes_ = streams_ != 0 || wishes_.detail;
  worker_.shard().SetEvictionObserver(Wants(Stream::kEvictions) ? this : nullptr);
}

Outcome Observer::Execute(const Command& command, int fd) {
  const bool deletes =
      command.verb == Verb::kDelete && Wants(Stream::kDeletions) && !Invalidates(command);
  const Shown before = deletes ? ItemOf(command) : Shown{};
  const Outcome outcome = engine::Execute(worker_.place(), command);
  if (wishes_.detail) CountPrefix(command, outcome);
  if (Stores(command)) {
    if (Wants(Stream::kMutations)) SawWrite(command, outcome, fd);
  } else if (command.verb == Verb::kDelete) {
    if (deletes && outcome.status == Status::kDeleted) SawDelete(command, before);
  } else if (Wants(Stream::kFetchers)) {
    SawRead(command, outcome, fd);
  }
  return outcome;
}

// Without a trace: only what an expired item leaves when it is met.
Observer::Shown Observer::ItemOf(const Command& command) const {
  const Item* item = worker_.shard().Find(command.key, command.hash, Shard::Access::kPeek);
  return item == nullptr ? Shown{} : Show(*item);
}

Observer::Shown Observer::Show(const Item& item) const {
  return {.size_class = stats::ClassOf(item.CountedBytes()),
          .bytes = item.Value().size(),
          .ttl_s = TtlOf(item.expire_at())};
}

// Of what was to be stored, and is not there.
Observer::Shown Observer::ItemWanted(const Command& command, const Outcome& outcome) const {
  const uint64_t bytes = outcome.status == Status::kStored ? outcome.number : command.value.size();
  return {
      .size_class = stats::ClassOf(CountedBytes(command.key.size(), bytes, command.client_flags)),
      .bytes = bytes,
      .ttl_s = TtlOf(engine::ExpiryOf(command, worker_.now()))};
}

CacheSeconds Observer::TtlOf(CacheSeconds expire_at) const {
  const CacheSeconds now = worker_.now().CeilSeconds();
  return expire_at == kNever || expire_at < now ? 0 : expire_at - now;
}

std::string Observer::Begin(std::string_view type) {
  const int64_t unix_ns = worker_.now().unix_ns;
  const uint64_t cores = under_way_.size();
  return absl::StrFormat("ts=%d.%06d gid=%d type=%s ", unix_ns / kNsPerSecond,
                         unix_ns % kNsPerSecond / 1000, ++events_ * cores + worker_.index(),
                         View(type));
}

void Observer::SawRead(const Command& command, const Outcome& outcome, int fd) {
  Shown shown;
  std::string_view status = "found";
  if (outcome.item != nullptr) {
    shown = Show(*outcome.item);
  } else if (outcome.status == Status::kTouched) {
    shown = ItemOf(command);
  } else {
    status = Misses(worker_.shard().missed());
  }
  batch_.Add(Stream::kFetchers,
             absl::StrCat(Begin("item_get"), "key=", Encoded(command.key), " status=", View(status),
                          " clsid=", shown.size_class, " cfd=", fd, " size=", shown.bytes));
}

void Observer::SawWrite(const Command& command, const Outcome& outcome, int fd) {
  const bool stored = outcome.status == Status::kStored || outcome.status == Status::kNumber;
  Shown shown;
  if (stored) shown = ItemOf(command);
  // It had expired before it was stored, or was not.
  if (shown.size_class == 0) shown = ItemWanted(command, outcome);
  batch_.Add(Stream::kMutations,
             absl::StrCat(Begin("item_store"), "key=", Encoded(command.key),
                          " status=", View(StoreStatus(outcome.status)),
                          " cmd=", View(StoreWord(command.verb)), " ttl=", shown.ttl_s,
                          " clsid=", shown.size_class, " cfd=", fd, " size=", shown.bytes));
}

void Observer::SawDelete(const Command& command, Shown gone) {
  batch_.Add(Stream::kDeletions, absl::StrCat(Begin("deleted"), "key=", Encoded(command.key),
                                              " cmd=", IsMeta(command) ? "md" : "delete",
                                              " clsid=", gone.size_class, " size=", gone.bytes));
}

void Observer::OnEvicted(const Item& item) {
  const CacheSeconds now = worker_.now().FloorSeconds();
  const int64_t ttl = !item.HasExpiry() || item.expire_at() == kNever
                          ? -1
                          : int64_t{item.expire_at()} - int64_t{now};
  batch_.Add(Stream::kEvictions, absl::StrCat(Begin("eviction"), "key=", Encoded(item.Key()),
                                              " fetch=", item.fetched() ? "yes" : "no",
                                              " ttl=", ttl, " la=", item.access().AgeOf(now),
                                              " clsid=", stats::ClassOf(item.CountedBytes()),
                                              " size=", item.Value().size()));
}

void Observer::SawClient(int fd) {
  if (!Wants(Stream::kConnEvents)) return;
  batch_.Add(Stream::kConnEvents, absl::StrCat(Begin("conn_new"), AddressFields(fd), " cfd=", fd));
}

void Observer::SawClientLeave(int fd, Leaving why) {
  if (!Wants(Stream::kConnEvents)) return;
  batch_.Add(Stream::kConnEvents, absl::StrCat(Begin("conn_close"), AddressFields(fd),
                                               " reason=", View(ReasonOf(why)), " cfd=", fd));
}

void Observer::CountPrefix(const Command& command, const Outcome& outcome) {
  stats::PrefixCounts counts;
  if (command.verb == Verb::kDescribe || command.verb == Verb::kDeadline) return;
  if (KindOf(command.verb) == VerbKind::kRead) {
    counts.gets = 1;
    counts.hits = outcome.status == Status::kHit ? 1 : 0;
  } else if (command.verb == Verb::kDelete) {
    counts.deletes = 1;
  } else if (Stores(command) && command.verb != Verb::kIncr && command.verb != Verb::kDecr) {
    counts.sets = 1;
  } else {
    return;
  }
  prefixes_.Count(command.key, counts);
}

void Observer::Send() {
  if (batch_.empty() && waiting_cores_ == 0) return;
  worker_.counters().Add(Counter::kEventsLogged, batch_.lines());
  waiting_cores_ = 0;
  for (uint32_t core = 0; core < wishes_.of_core.size(); ++core) {
    EventBatch& waiting = waiting_[core];
    if (wishes_.of_core[core] == 0) continue;
    if (core == worker_.index()) {
      if (!batch_.empty()) worker_.TellWatchers(batch_.Encode());
    } else {
      if (!batch_.AddTo(waiting)) worker_.counters().Add(Counter::kEventsDropped, batch_.lines());
      if (!waiting.empty() && SendBatch(core, waiting.Encode())) waiting.Clear();
      if (!waiting.empty()) ++waiting_cores_;
    }
  }
  batch_.Clear();
}

// False if the core has enough to do with those that it was sent.
bool Observer::SendBatch(uint32_t core, std::string_view bytes) {
  Mailboxes& mailboxes = worker_.cluster().mailboxes;
  if (under_way_[core] == kUnderWayMax || !mailboxes.CanAsk(worker_.index(), core)) return false;
  Message& message = mailboxes.Ask(worker_.index(), core);
  PutCommand({}, message);
  message.kind = Message::Kind::kEvents;
  message.asker = nullptr;
  message.ticket = 0;
  std::copy(bytes.begin(), bytes.end(), message.MakeRoom(bytes.size()));
  ++under_way_[core];
  return true;
}

}  // namespace larder::server
