#include "server/worker.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "io/socket.h"
#include "protocol/detect.h"
#include "server/page.h"
#include "util/check.h"
#include "util/memory_usage.h"

namespace larder::server {

using stats::Counter;

namespace {

// Between looks at expired items and at connections, while there is nothing more urgent.
constexpr uint64_t kTickNs = 1'000'000'000;
// While accepting is paused for lack of descriptors.
constexpr uint64_t kAcceptRetryNs = 50'000'000;
// Requests of one other core that are executed in one turn; the rest waits, so that our own
// connections get their share.
constexpr size_t kInboxMessagesMax = 512;
constexpr size_t kGroupMax = Batch::kEntriesMax;
// What a connection may owe before it is not read any more, at most and at least.
constexpr uint64_t kReplyMarkMax = 1 << 20;
constexpr uint64_t kReplyMarkMin = 4 << 10;
// Worth asking the allocator to give memory back to the kernel.
constexpr uint64_t kReleaseBytes = 4 << 20;
// Changes of buffers below this are not worth telling the shard.
constexpr uint64_t kBudgetStepBytes = 256 << 10;

// What one client too many is told, in words that it knows. Where several protocols are spoken, its
// first byte tells, if it has come; without one it is taken for one of Memcached.
std::string_view TooManyConnections(const Cluster& cluster, Entrance entrance,
                                    std::optional<char> first) {
  const protocol::Codec& codec =
      protocol::Detect(cluster.protocol, first.value_or('\0'), protocol::Door::kOpen, entrance);
  return protocol::IsResp(codec.protocol) ? "-ERR max number of clients reached\r\n"
                                          : "ERROR Too many open connections\r\n";
}

}  // namespace

Worker::Worker(const Options& options, Cluster& cluster, io::Loop& loop)
    : options_(options),
      cluster_(cluster),
      loop_(loop),
      shard_({.memory_bytes_max = options.memory_bytes_max,
              .item_bytes_max = cluster.item_bytes_max,
              .when_full = options.evict ? store::WhenFull::kEvict : store::WhenFull::kRefuse,
              .huge_pages = options.huge_pages,
              .hash = cluster.hash},
             counters_),
      lender_(shard_),
      observer_(*this, cluster.mailboxes.cores(), cluster.prefix_delimiter),
      limits_({.item_bytes_max = cluster.item_bytes_max}),
      now_(cluster.clock.Read()),
      budgeted_bytes_(options.memory_bytes_max) {
  SetMemoryBytesMax(options.memory_bytes_max);
  turn_.reserve(64);
}

void Worker::LetGo() {
  connections_.clear();
  keeper_.LetGo();
  for (uint32_t from = 0; from < cluster_.mailboxes.cores(); ++from) {
    util::SpscRing<Message>* inbox = cluster_.mailboxes.Inbox(index(), from);
    while (inbox != nullptr && inbox->Front() != nullptr) {
      inbox->Front()->Drop();
      inbox->Pop();
    }
  }
}

void Worker::AddListener(int fd, Clients clients) {
  const int listener = loop_.AddListener(fd);
  CHECK_EQ(listener, listener_fds_.size());
  listener_fds_.push_back(fd);
  listener_clients_.push_back(clients);
}

// --- a turn -------------------------------------------------------------------------------------

void Worker::RunTurn(int64_t wait_ns) {
  if (more_to_tick_) wait_ns = std::min<int64_t>(wait_ns, store::Shard::kBusyTickNs);
  if (!paused_listeners_.empty()) wait_ns = std::min<int64_t>(wait_ns, kAcceptRetryNs);
  wait_ns = std::min<int64_t>(wait_ns, kTickNs);
  wait_ns = inflow_.WaitNs(wait_ns, held_.input, InputPool(), now_.ns);
  // The first turn shows that this core serves.
  if (TurnBeganNs() == 0) wait_ns = 0;
  if (more_mail_ || pages_wait_ || !yielded_.empty()) wait_ns = 0;
  if (wait_ns > 0 && !cluster_.mailboxes.PrepareSleep(index())) wait_ns = 0;
  loop_.RunOnce(*this, wait_ns);
}

void Worker::BeginTurn() {
  if (turn_begun_) return;
  turn_begun_ = true;
  // From here on we look into our inboxes before we sleep again: nobody needs to ring.
  cluster_.mailboxes.Awake(index());
  pages_wait_ = false;
  now_ = cluster_.clock.Read();
  turn_began_ns_.store(now_.ns, std::memory_order_relaxed);
  observer_.Look(cluster_.wishes);
  shard_.BeginTurn(now_);
  lender_.TakeBack();
}

void Worker::OnTurnEnd() {
  BeginTurn();
  counters_.Add(Counter::kTurns);
  ExecuteBatch();
  // Those that wait are first, so that they have their turn before those that had it lately.
  AddWaitingToTurn();
  DrainInboxes();
  if (now_.ns >= next_tick_ns_) Tick();
  if (phase() != Phase::kServe) DrainConnections();
  EndTurns();
  pages_made_ = 0;
  counters_.Add(Counter::kDoorbells, cluster_.mailboxes.Publish(index()));
  AdjustBudget();
  loop_.SetFrugal(!MayKeepInput());
  turn_begun_ = false;
  times_.EndTurn(now_.ns, cluster_.clock.ReadNs());
}

void Worker::EndTurns() {
  // The list may grow while it is walked; and by watchers, when all is done that they may see.
  size_t ended = 0;
  do {
    while (ended < turn_.size()) {
      Connection* connection = turn_[ended++];
      connection->EndTurn();
      if (connection->MayBeDestroyed()) Destroy(*connection);
    }
    if (observer_.observes()) observer_.Send();
  } while (ended < turn_.size());
  turn_.clear();
}

void Worker::AddWaitingToTurn() {
  for (Connection* connection : std::exchange(starved_, {})) AddToTurn(*connection);
  for (Connection* connection : std::exchange(yielded_, {})) AddToTurn(*connection);
  while (const auto next = inflow_.Next(held_.input, InputPool(), now_.ns)) {
    next->client->TakeVerdict(next->verdict);
  }
}

void Worker::AddToTurn(Connection& connection) {
  if (connection.in_turn_) return;
  connection.in_turn_ = true;
  turn_.push_back(&connection);
}

bool Worker::TakePageOfTurn() {
  pages_wait_ = pages_made_ == kPagesMax;
  if (!pages_wait_) ++pages_made_;
  return !pages_wait_;
}

void Worker::ExecuteBatch() {
  observer_.Look(cluster_.wishes);
  for (size_t i = 0; i < batch_.size(); ++i) {
    const uint64_t hash = batch_[i].command.hash;
    if (OwnerOf(hash) == index()) shard_.PrefetchItem(hash);
  }
  for (size_t i = 0; i < batch_.size(); ++i) {
    const uint64_t hash = batch_[i].command.hash;
    if (OwnerOf(hash) == index()) shard_.PrefetchItemElsewhere(hash);
  }
  for (size_t i = 0; i < batch_.size(); ++i) batch_[i].connection->Execute(batch_[i]);
  batch_.Clear();
}

// --- other cores --------------------------------------------------------------------------------

void Worker::DrainInboxes() {
  more_mail_ = false;
  for (uint32_t from = 0; from < cluster_.mailboxes.cores(); ++from) {
    util::SpscRing<Message>* inbox = cluster_.mailboxes.Inbox(index(), from);
    if (inbox == nullptr) continue;
    size_t taken = 0;
    while (taken < kInboxMessagesMax) {
      size_t count = 0;
      while (count < kGroupMax && inbox->At(count) != nullptr) {
        const Message& message = *inbox->At(count);
        if (message.kind == Message::Kind::kCommand) shard_.PrefetchBucket(message.hash);
        ++count;
      }
      if (count == 0) break;
      AnswerGroup(from, *inbox, count);
      taken += count;
    }
    more_mail_ = more_mail_ || inbox->Front() != nullptr;
    inbox->Release();
  }
}

void Worker::AnswerGroup(uint32_t from, util::SpscRing<Message>& inbox, size_t count) {
  observer_.Look(cluster_.wishes);
  for (size_t i = 0; i < count; ++i) {
    const Message& message = *inbox.At(i);
    if (message.kind == Message::Kind::kCommand) shard_.PrefetchItem(message.hash);
  }
  for (size_t i = 0; i < count; ++i) {
    const Message& message = *inbox.At(i);
    if (message.kind == Message::Kind::kCommand) shard_.PrefetchItemElsewhere(message.hash);
  }
  for (size_t i = 0; i < count; ++i) {
    Message& message = *inbox.Front();
    switch (message.kind) {
      case Message::Kind::kReply:
      case Message::Kind::kLentReply:
        cluster_.mailboxes.Answered(index(), from);
        message.asker->TakeReply(message);
        break;
      case Message::Kind::kPage:
        cluster_.mailboxes.Answered(index(), from);
        message.asker->TakePage(message);
        break;
      case Message::Kind::kPartDone:
        cluster_.mailboxes.Answered(index(), from);
        message.asker->TakePart(message);
        break;
      case Message::Kind::kEventsTaken:
        cluster_.mailboxes.Answered(index(), from);
        observer_.Arrived(from);
        break;
      case Message::Kind::kClientTaken:
        cluster_.mailboxes.Answered(index(), from);
        break;
      case Message::Kind::kCommand:
        if (!keeper_.TakeCommand(from, message)) Answer(from, message);
        break;
      case Message::Kind::kPart:
        keeper_.TakePart(from, message);
        break;
      case Message::Kind::kOrder:
        keeper_.KeepOrder(from, message);
        break;
      case Message::Kind::kEvents:
      case Message::Kind::kEverywhere:
      case Message::Kind::kListPage:
      case Message::Kind::kClient:
      case Message::Kind::kMoved:
        Answer(from, message);
        break;
    }
    inbox.Pop();
  }
}

Message& Worker::BeginAnswer(uint32_t from, const Message& request) {
  Message& reply = cluster_.mailboxes.Answer(index(), from);
  reply.kind = Message::Kind::kReply;
  reply.asker = request.asker;
  reply.ticket = request.ticket;
  reply.verb = request.verb;
  reply.reserved_bytes = request.reserved_bytes;
  reply.era = request.era;
  return reply;
}

void Worker::Answer(uint32_t from, Message& request) {
  Message& reply = BeginAnswer(from, request);
  if (request.kind == Message::Kind::kCommand) {
    AnswerCommand(request, reply);
  } else if (request.kind == Message::Kind::kEvents) {
    reply.kind = Message::Kind::kEventsTaken;
    TellWatchers(request.Payload());
    reply.MakeRoom(0);
  } else if (request.kind == Message::Kind::kClient) {
    reply.kind = Message::Kind::kClientTaken;
    TakeClient(static_cast<int>(request.ticket), static_cast<int>(request.number));
    reply.MakeRoom(0);
  } else if (request.kind == Message::Kind::kMoved) {
    reply.kind = Message::Kind::kClientTaken;
    placement_.Arrived(request);
    reply.MakeRoom(0);
  } else if (request.kind == Message::Kind::kEverywhere) {
    ExecuteEverywhere(CommandIn(request));
    reply.MakeRoom(0);
  } else {
    reply.kind = Message::Kind::kPage;
    reply.number = request.number;
    Selection selection;
    std::memcpy(&selection, request.Payload().data(), sizeof(selection));
    const std::string page = MakePage(*this, selection, reply.number);
    std::copy(page.begin(), page.end(), reply.MakeRoom(page.size()));
  }
  request.FreeBlock();
}

void Worker::AnswerCommand(Message& request, Message& reply) {
  const Command command = CommandIn(request);
  const protocol::Codec& codec = protocol::CodecOf(request.protocol);
  const Outcome outcome = Execute(command, *request.asker);
  const size_t bytes_max = codec.encoded_bytes_max(command, outcome);
  const bool copied =
      outcome.item == nullptr ||
      (!store::Shard::LiesAlone(*outcome.item) &&
       (outcome.value.size() <= kSmallValueBytes || bytes_max <= request.reserved_bytes));
  if (copied) {
    char* out = reply.MakeRoom(bytes_max);
    reply.payload_bytes = static_cast<uint32_t>(codec.encode(command, outcome, out) - out);
    return;
  }
  char* out = reply.MakeRoom(bytes_max - outcome.value.size());
  char* tail = codec.encode_head(command, outcome, out);
  reply.kind = Message::Kind::kLentReply;
  reply.head_bytes = static_cast<uint64_t>(tail - out);
  reply.payload_bytes = static_cast<uint32_t>(codec.encode_tail(command, outcome, tail) - out);
  counters_.Add(Counter::kValuesLent);
  reply.loan = lender_.Lend(outcome.item, outcome.value).release();
}

void Worker::ExecuteEverywhere(const Command& command) {
  if (command.verb == Verb::kStats) {
    counters_.ResetCounters();
    times_.Reset();
    shard_.ResetSizeClasses();
    observer_.prefixes().Clear();
    return;
  }
  if (command.verb == Verb::kCacheMemlimit) {
    SetMemoryBytesMax(command.number);
    AdjustBudget();
    return;
  }
  engine::ExecuteOnEveryShard(place(), command);
}

// --- clients ------------------------------------------------------------------------------------

void Worker::OnAccept(int listener, int fd) {
  BeginTurn();
  counters_.Add(Counter::kTotalConnections);
  // The count goes up before it is compared, so that two cores cannot both take the last place.
  if (cluster_.connections.fetch_add(1, std::memory_order_relaxed) >= cluster_.connections_max) {
    cluster_.connections.fetch_sub(1, std::memory_order_relaxed);
    counters_.Add(Counter::kRejectedConnections);
    io::RefuseClient(
        fd, TooManyConnections(cluster_, cluster_.EntranceOf(listener), io::FirstByte(fd)));
    return;
  }
  const uint32_t home = HomeOfClient(listener);
  if (home == index()) return TakeClient(listener, fd);
  Message& message = cluster_.mailboxes.Ask(index(), home);
  message.kind = Message::Kind::kClient;
  message.ticket = static_cast<uint32_t>(listener);
  message.number = static_cast<uint64_t>(fd);
  message.MakeRoom(0);
}

uint32_t Worker::HomeOfClient(int listener) {
  if (listener_clients_[static_cast<size_t>(listener)] == Clients::kOwn) return index();
  const uint32_t home =
      cluster_.clients_of_all.fetch_add(1, std::memory_order_relaxed) % cluster_.mailboxes.cores();
  // A core that answers no more mail is no home.
  return home == index() || cluster_.mailboxes.CanAsk(index(), home) ? home : index();
}

void Worker::TakeClient(int listener, int fd) {
  counters_.Add(Counter::kCurrConnections);
  // Unlike any other core's, and kept wherever it moves.
  const uint64_t id = next_id_++ * cluster_.mailboxes.cores() + index();
  auto connection = std::make_unique<Connection>(*this, id, fd, listener);
  loop_.Attach(*connection, fd);
  connections_.emplace(id, std::move(connection));
  if (observer_.observes()) observer_.SawClient(fd);
}

void Worker::TakeClient(MovingClient client) {
  counters_.Add(Counter::kCurrConnections);
  const uint64_t id = client.id;
  auto connection = std::make_unique<Connection>(*this, std::move(client));
  connection->Settle();
  connections_.emplace(id, std::move(connection));
}

bool Worker::AddWatcher(Connection& connection, Streams streams) {
  if (!cluster_.wishes.Add(index(), streams)) return false;
  counters_.Add(Counter::kWatchers);
  watchers_.push_back(&connection);
  // What others say in the same batch, behind it, is seen.
  observer_.Look(cluster_.wishes);
  return true;
}

void Worker::RemoveWatcher(Connection& connection, Streams streams) {
  cluster_.wishes.Remove(index(), streams);
  counters_.Subtract(Counter::kWatchers, 1);
  std::erase(watchers_, &connection);
}

void Worker::TellWatchers(std::string_view batch) {
  for (Connection* watcher : watchers_) watcher->TakeEvents(batch);
}

void Worker::OnAcceptError(int listener, int error) {
  BeginTurn();
  counters_.Add(Counter::kListenDisabled);
  if (error == -EMFILE || error == -ENFILE) {
    (void)reserve_.Spend(listener_fds_[static_cast<size_t>(listener)],
                         TooManyConnections(cluster_, cluster_.EntranceOf(listener), {}));
  }
  paused_listeners_.push_back(listener);
  counters_.Set(Counter::kListenersPaused, paused_listeners_.size());
  next_tick_ns_ = std::min(next_tick_ns_, now_.ns + kAcceptRetryNs);
}

void Worker::Destroy(Connection& connection) {
  counters_.Subtract(Counter::kCurrConnections, 1);
  cluster_.connections.fetch_sub(1, std::memory_order_relaxed);
  std::erase(starved_, &connection);
  std::erase(yielded_, &connection);
  keeper_.Forget(connection);
  inflow_.Forget(connection);
  Recharge(connection.charged_, {});
  connections_.erase(connection.id());
}

// --- memory -------------------------------------------------------------------------------------

void Worker::Recharge(const HeldBytes& before, const HeldBytes& after) {
  held_.input += after.input - before.input;
  held_.output += after.output - before.output;
  held_.lent += after.lent - before.lent;
}

void Worker::SetOff(Cargo what, uint64_t bytes) {
  (what == Cargo::kValue ? held_.input : coming_bytes_) += bytes;
  if (what == Cargo::kPage) ++pages_asked_;
}

void Worker::Arrived(Cargo what, uint64_t bytes) {
  (what == Cargo::kValue ? held_.input : coming_bytes_) -= bytes;
  if (what == Cargo::kPage) --pages_asked_;
}

void Worker::SetMemoryBytesMax(uint64_t bytes) {
  memory_bytes_max_ = bytes;
  // An eighth of the memory is for replies that wait for slow clients, and as much for values that
  // are arriving.
  buffer_pool_bytes_ = std::max(memory_bytes_max_ / 8, options_.buffer_pool_bytes_min);
}

uint64_t Worker::ReplyMark() const {
  // A fixed share of what is still free: many slow clients get less each, and there is always
  // something left for the next one (Choudhury and Hahne, "Dynamic Queue Length Thresholds for
  // Shared-Memory Packet Switches", ToN 1998). Lent values cost no memory, but cannot be evicted.
  const auto left = [](uint64_t pool, uint64_t used) { return pool > used ? pool - used : 0; };
  const uint64_t free_bytes = std::min(left(buffer_pool_bytes_, held_.output + coming_bytes_),
                                       left(memory_bytes_max_ / 4, held_.lent));
  return std::clamp(free_bytes / 2, kReplyMarkMin, kReplyMarkMax);
}

uint64_t Worker::InputPool() const {
  // The largest value must find room while nobody else sends one.
  return std::max(buffer_pool_bytes_, 2 * (cluster_.item_bytes_max + (64 << 10)));
}

void Worker::AdjustBudget() {
  // Lent values are in the shard's own count.
  const uint64_t buffers = held_.input + held_.output + loop_.BufferBytes();
  counters_.Set(Counter::kReadBufferBytes, held_.input + loop_.BufferBytes());
  counters_.Set(Counter::kReplyBytes, held_.output);
  counters_.Set(Counter::kLentBytes, held_.lent);
  const uint64_t total = memory_bytes_max_ > buffers ? memory_bytes_max_ - buffers : 0;
  const uint64_t change =
      total > budgeted_bytes_ ? total - budgeted_bytes_ : budgeted_bytes_ - total;
  if (change < kBudgetStepBytes) return;
  budgeted_bytes_ = total;
  // The cache keeps half of its memory whatever the clients owe.
  shard_.SetMemoryBytesMax(std::max(total, memory_bytes_max_ / 2));
}

// --- time ---------------------------------------------------------------------------------------

void Worker::Tick() {
  using store::Shard;
  more_to_tick_ = shard_.Tick(Shard::kTickItems);
  next_tick_ns_ = now_.ns + (more_to_tick_ ? Shard::kBusyTickNs : Shard::kIdleTickNs);
  for (const int listener : std::exchange(paused_listeners_, {})) {
    if (phase() == Phase::kServe) loop_.ResumeAccept(listener);
  }
  counters_.Set(Counter::kListenersPaused, paused_listeners_.size());
  if (last_second_ == now_.FloorSeconds()) return;
  last_second_ = now_.FloorSeconds();
  keeper_.Tick();
  recent_traffic_.Look(now_.ns, {.requests = times_.count(),
                                 .received_bytes = counters_.Get(Counter::kBytesRead),
                                 .sent_bytes = counters_.Get(Counter::kBytesWritten)});
  TickConnections();
  placement_.Look(last_second_);
  ReleaseMemory();
}

void Worker::ReleaseMemory() {
  // What the process's allocator has been given back in a second: buffers of clients that are gone,
  // a table that was flushed. The heap's segments are its own.
  const uint64_t bytes = held_.input + held_.output + counters_.Get(Counter::kTableBytes);
  if (allocated_bytes_ > bytes + kReleaseBytes) util::ReleaseFreeMemory();
  allocated_bytes_ = bytes;
}

void Worker::TickConnections() {
  const CacheSeconds second = now_.FloorSeconds();
  for (const auto& [id, connection] : connections_) {
    if (connection->lingering_ && second >= connection->linger_until()) {
      connection->Abort(Leaving::kNormal);
    } else if (connection->KeepsInSilence(second) && !MayKeepInput()) {
      connection->TakeVerdict(Inflow::Verdict::kRefuse);
    } else if (connection->watching()) {
      // It has nothing to say.
    } else if (cluster_.idle_timeout_s > 0 &&
               second - connection->last_active() > cluster_.idle_timeout_s) {
      if (!connection->closing()) counters_.Add(Counter::kIdleKicks);
      // Who has taken nothing of what it is owed for so long will not take the rest.
      if (connection->Idle()) {
        connection->CloseWhenDone(Leaving::kIdleTimeout);
      } else {
        connection->Abort(Leaving::kIdleTimeout);
      }
    }
  }
  MissLoans();
  if (second > cluster_.loans_missed_until_s.load(std::memory_order_relaxed)) return;
  for (const auto& [id, connection] : connections_) {
    if (connection->LentBytes() == 0 || !connection->LooksDeaf(second)) continue;
    counters_.Add(Counter::kDeafClosed);
    connection->Abort(Leaving::kError);
  }
}

// A value that is lent cannot be evicted: whoever does not take it keeps others from storing.
void Worker::MissLoans() {
  const uint64_t refused = counters_.Get(Counter::kStoreNoMemory);
  const bool more = std::exchange(refused_, refused) != refused;
  if (!more || !options_.evict || !lender_.HasLent()) return;
  cluster_.loans_missed_until_s.store(now_.FloorSeconds() + 10, std::memory_order_relaxed);
}

// --- the end ------------------------------------------------------------------------------------

void Worker::Signal(Phase phase) {
  // Release: what the caller did before is seen by the worker that reads the phase.
  phase_.store(phase, std::memory_order_release);
  loop_.Wake();
}

void Worker::DrainConnections() {
  if (drain_turns_ == 0) {
    for (size_t i = 0; i < listener_fds_.size(); ++i) loop_.RemoveListener(static_cast<int>(i));
  }
  // What had arrived before the signal is read in the first turns, and answered.
  if (++drain_turns_ < 3) {
    loop_.Wake();
    return;
  }
  // Those who watch see the others go.
  const bool only_watchers = connections_.size() == watchers_.size();
  for (const auto& [id, connection] : connections_) {
    if (connection->watching() && !only_watchers) continue;
    if (connection->Idle()) connection->CloseWhenDone(Leaving::kShutdown);
  }
}

void Worker::CloseAll() {
  for (const auto& [id, connection] : connections_) connection->Abort(Leaving::kShutdown);
}

}  // namespace larder::server
