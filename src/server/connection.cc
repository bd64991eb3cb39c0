#include "server/connection.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include "engine/execute.h"
#include "io/socket.h"
#include "server/request_kind.h"
#include "server/server_verbs.h"
#include "server/worker.h"
#include "util/check.h"

namespace larder::server {

using stats::Counter;

namespace {

// While a connection waits for its next turn, it is received from up to here.
constexpr size_t kInputAheadBytesMax = 16 << 10;
// How long a client may take to hang up after it was told that nothing more will come.
constexpr CacheSeconds kLingerSeconds = 2;
// A client that takes nothing between so many looks does not read.
constexpr uint32_t kVainLooksMax = 5;

}  // namespace

Connection::Connection(Worker& worker, uint64_t id, int fd, int listener)
    : worker_(worker),
      id_(id),
      output_(worker.blocks()),
      errands_(worker, *this, output_),
      last_active_(worker.now().FloorSeconds()),
      accepted_at_(last_active_),
      fd_(fd),
      listener_(static_cast<int16_t>(listener)) {}

Connection::Connection(Worker& worker, MovingClient client)
    : worker_(worker),
      codec_(client.codec),
      id_(client.id),
      resume_(client.resume),
      output_(worker.blocks()),
      errands_(worker, *this, output_),
      session_(std::move(client.session)),
      last_active_(client.last_active),
      accepted_at_(client.accepted_at),
      home_(client.home),
      fd_(client.fd.Release()),
      listener_(static_cast<int16_t>(client.listener)) {
  KeepInput(client.unread);
}

// --- moving -------------------------------------------------------------------------------------

void Connection::Move(uint32_t core) {
  home_.next = core;
  moves_ = true;
  worker_.AddToTurn(*this);
}

void Connection::SetOff() {
  const bool between_requests = Idle() && codec_ != nullptr && !HasPending() && input_.empty() &&
                                discard_bytes_ == 0 && incoming_ == nullptr && !paused_;
  const bool says_more = queue_ != nullptr && (queue_->open || !queue_->watched.empty());
  if (!between_requests || says_more || watcher_ != nullptr || closing_ || received_all_) return;
  if (worker_.phase() != Worker::Phase::kServe) return;
  moves_ = false;
  moving_ = true;
  closed_ = true;
  worker_.loop().Release(*this);
}

MovingClient Connection::Pack() {
  return {.id = id_,
          .fd = io::UniqueFd(fd_),
          .listener = listener_,
          .codec = codec_,
          .resume = resume_,
          .session = std::move(session_),
          .last_active = last_active_,
          .accepted_at = accepted_at_,
          .home = home_,
          .unread = std::string(input_.view())};
}

void Connection::Settle() {
  moving_ = false;
  closed_ = false;
  worker_.loop().Attach(*this, fd_);
  if (input_.empty()) return;
  // As one that was stopped: it goes on at the end of the turn.
  stopped_ = true;
  worker_.AddToTurn(*this);
}

// --- execution ----------------------------------------------------------------------------------

bool Connection::MayExecute() const {
  if (listing_ != nullptr || transaction_ != nullptr || errands_.full()) return false;
  // With nothing owed and nothing asked, there is always room for one: nobody would wake us later.
  if (errands_.asked() == 0 && Owes() == 0) return true;
  return Owes() + errands_.ComingBytes() < worker_.ReplyMark();
}

void Connection::Execute(const BatchEntry& entry) {
  if (stopped_ || closed_) return;
  const Command& command = entry.command;
  if (!MayExecute()) {
    worker_.counters().Add(Counter::kRepliesPaused);
    Stop(entry);
    return;
  }
  if (executed_ == worker_.cluster().requests_per_turn) {
    worker_.counters().Add(Counter::kConnYields);
    Stop(entry);
    return;
  }
  ++executed_;
  if (entry.names_key) {
    const uint32_t owner = worker_.OwnerOf(command.hash);
    if (MustKeepOrder(owner)) {
      Stop(entry);  // the answer to what we have asked wakes us
    } else if (owner == worker_.index() && worker_.keeper().IsKept(command.hash)) {
      worker_.keeper().AddStopped(*this);
      Stop(entry);
    } else if (owner == worker_.index()) {
      ExecuteHere(command);
      worker_.times().Count(RequestKindOf(command, codec_->protocol));
    } else if (!worker_.cluster().mailboxes.CanAsk(worker_.index(), owner)) {
      worker_.AddStarved(*this);
      Stop(entry);
    } else if (command.value.size() > Message::kInlineBytesMax && errands_.asked() > 0 &&
               !worker_.MayKeepInput()) {
      Stop(entry);  // the answer to what we have asked wakes us
    } else {
      errands_.Ask(command, owner, *codec_);
    }
    return;
  }
  if (!MayExecuteServerVerb(worker_, *this, command)) {
    worker_.AddStarved(*this);
    Stop(entry);
    return;
  }
  const stats::RequestKind kind = RequestKindOf(command, codec_->protocol);
  const Outcome outcome = ExecuteServerVerb(worker_, *this, command);
  if (outcome.progress != Progress::kDone) return;
  worker_.times().Count(kind);
  Reply(command, outcome);
}

bool Connection::MustKeepOrder(uint32_t owner) const {
  return worker_.keeper().keeps_order() && protocol::IsResp(codec_->protocol) && HasPending() &&
         errands_.last_owner() != owner;
}

void Connection::ExecuteHere(const Command& command) {
  const Outcome outcome = worker_.Execute(command, *this);
  if (outcome.item != nullptr &&
      (store::Shard::LiesAlone(*outcome.item) || !worker_.MayCopy(outcome.value.size()))) {
    ReplyLent(command, outcome);
  } else {
    Reply(command, outcome);
  }
}

void Connection::Stop(const BatchEntry& entry) {
  stopped_ = true;
  closing_ = false;
  window_ = {entry.begin, static_cast<size_t>(window_end_ - entry.begin)};
  resume_ = entry.resume;
  discard_bytes_ = 0;
  needed_bytes_ = 0;
}

void Connection::Reply(const Command& command, const Outcome& outcome) {
  const size_t bytes_max = codec_->encoded_bytes_max(command, outcome);
  if (HasPending()) {
    PendingReplies& slots = errands_.slots();
    slots.Commit(codec_->encode(command, outcome, slots.Reserve(bytes_max)));
  } else {
    output_.Commit(codec_->encode(command, outcome, output_.Reserve(bytes_max)));
  }
  Recharge();
}

void Connection::ReplyLent(const Command& command, const Outcome& outcome) {
  const size_t frame_bytes_max = codec_->encoded_bytes_max(command, outcome) - outcome.value.size();
  worker_.counters().Add(Counter::kValuesLent);
  io::LoanPtr value = worker_.lender().Lend(outcome.item, outcome.value);
  if (HasPending()) {
    std::string around(frame_bytes_max, '\0');
    char* tail = codec_->encode_head(command, outcome, around.data());
    const char* end = codec_->encode_tail(command, outcome, tail);
    around.resize(static_cast<size_t>(end - around.data()));
    errands_.slots().AppendLent(around, static_cast<size_t>(tail - around.data()),
                                std::move(value));
  } else {
    output_.Commit(codec_->encode_head(command, outcome, output_.Reserve(frame_bytes_max)));
    output_.AppendLent(std::move(value));
    output_.Commit(codec_->encode_tail(command, outcome, output_.Reserve(frame_bytes_max)));
  }
  Recharge();
}

bool Connection::StartWatching(Streams streams) {
  if (!worker_.AddWatcher(*this, streams)) return false;
  watcher_ = std::make_unique<Watcher>(streams);
  closing_ = true;  // nothing that it sends is read; CloseIfDone knows that it stays
  return true;
}

void Connection::StopWatching() {
  if (watcher_ == nullptr) return;
  worker_.RemoveWatcher(*this, watcher_->streams());
  watcher_.reset();
}

void Connection::TakeEvents(std::string_view batch) {
  watcher_->Take(batch, output_, worker_.counters());
  Recharge();
  worker_.AddToTurn(*this);
}

// --- RESP ---------------------------------------------------------------------------------------

protocol::RespVersion Connection::resp_version() const {
  return codec_->protocol == protocol::Protocol::kResp3 ? protocol::RespVersion::kResp3
                                                        : protocol::RespVersion::kResp2;
}

void Connection::Speak(protocol::RespVersion version) {
  codec_ =
      &protocol::CodecOf(version == protocol::RespVersion::kResp3 ? protocol::Protocol::kResp3
                                                                  : protocol::Protocol::kResp2);
}

void Connection::HearReplies(Replies which) {
  using Mute = protocol::Resume::Mute;
  resume_.mute = which == Replies::kAll    ? Mute::kNothing
                 : which == Replies::kNone ? Mute::kAll
                                           : Mute::kNext;
}

RespSession& Connection::session() {
  if (session_ == nullptr) session_ = std::make_unique<RespSession>();
  return *session_;
}

void Connection::Reset() {
  session_.reset();
  queue_.reset();
  resume_ = {.at = protocol::Resume::At::kLineStart};
  const bool open = worker_.cluster().credentials == nullptr;
  codec_ = &protocol::CodecOf(open ? protocol::Protocol::kResp2 : protocol::Protocol::kLockedResp2);
}

Transaction& Connection::BeginTransaction(Transaction::Frame frame, const Command& command) {
  DCHECK(!HasPending());
  transaction_ = std::make_unique<Transaction>(worker_, *this, errands_, codec_->protocol, frame);
  transaction_muted_ = command.noreply;
  return *transaction_;
}

void Connection::ContinueTransaction() {
  if (transaction_ == nullptr) return;
  transaction_->Continue();
  if (!transaction_->done()) return;
  const std::string text = transaction_->Reply();
  transaction_.reset();
  if (closed_) return;
  Reply({.verb = Verb::kCall, .noreply = transaction_muted_},
        {.status = Status::kOk, .value = text});
}

void Connection::TakePart(Message& message) {
  errands_.NoteArrived(message);
  transaction_->TakePart(message);
  message.FreeBlock();
  worker_.AddToTurn(*this);
}

void Connection::TakeKeys() {
  transaction_->TakeKeys();
  worker_.AddToTurn(*this);
}

RespQueue& Connection::queue() {
  if (queue_ == nullptr) queue_ = std::make_unique<RespQueue>();
  return *queue_;
}

void Connection::Watch(std::vector<WatchedKey> keys) {
  std::vector<WatchedKey>& watched = queue().watched;
  watched.insert(watched.end(), std::make_move_iterator(keys.begin()),
                 std::make_move_iterator(keys.end()));
}

void Connection::Unlock() { codec_ = &protocol::CodecOf(codec_->unlocked); }

void Connection::Lock() { codec_ = &protocol::CodecOf(codec_->locked); }

void Connection::ReplyWhenAllHave(const Command& command, const Outcome& outcome) {
  std::string text(codec_->encoded_bytes_max(command, outcome), '\0');
  text.resize(static_cast<size_t>(codec_->encode(command, outcome, text.data()) - text.data()));
  errands_.AskEverywhere(command, text, *codec_);
}

void Connection::TakeReply(Message& message) {
  if (closed_) {
    errands_.NoteArrived(message);
    message.Drop();
  } else {
    worker_.AddToTurn(*this);
    errands_.TakeReply(message);
    Recharge();
  }
  DestroyIfGone();
}

void Connection::StartListing(const Selection& selection) {
  DCHECK(!HasPending());
  listing_ = std::make_unique<Listing>(selection, worker_, errands_, output_);
  ContinueListing();
}

void Connection::ContinueListing() {
  if (listing_ == nullptr) return;
  switch (listing_->Continue()) {
    case Listing::State::kWaits:
      break;
    case Listing::State::kNextTurn:
      worker_.AddStarved(*this);
      break;
    case Listing::State::kDone:
      listing_.reset();
      break;
  }
}

void Connection::TakePage(Message& message) {
  errands_.NoteArrived(message);
  if (!closed_) {
    worker_.AddToTurn(*this);
    listing_->TakePage(message);
  }
  message.FreeBlock();
  DestroyIfGone();
}

// --- the end of a turn --------------------------------------------------------------------------

void Connection::EndTurn() {
  FinishInput();
  in_turn_ = false;
  ContinueTransaction();
  if (!closed_) {
    // First of all: its memory counts.
    errands_.Tidy();
    ContinueListing();
    if (watcher_ != nullptr) watcher_->TellSkipped(output_);
    Resume();
  }
  // Whoever has had its share of this turn goes on in the next.
  yielded_ = stopped_ && executed_ == worker_.cluster().requests_per_turn;
  executed_ = 0;
  if (!closed_) {
    if (yielded_) worker_.AddYielded(*this);
    Flush();
    SteerReceive();
    CloseIfDone();
  }
  // Blocks that were taken and not written to.
  if (output_.owed() == 0) output_.Sent(0);
  Recharge();
  if (moves_ && !closed_) SetOff();
}

void Connection::Resume() {
  if (!stopped_ || !MayExecute() || executed_ == worker_.cluster().requests_per_turn) return;
  stopped_ = false;
  in_turn_ = true;  // no second entry while we are at it
  if (incoming_ != nullptr) EndValue();
  if (!stopped_ && !closed_) {
    window_ = input_.view();
    window_end_ = window_.data() + window_.size();
    window_is_lent_ = false;
    has_window_ = true;
    ParseWindow();
    worker_.ExecuteBatch();
    FinishInput();
  }
  in_turn_ = false;
}

void Connection::Flush() {
  if (sending_ || output_.owed() == 0) return;
  std::array<iovec, io::Loop::kSendPartsMax> parts;
  const size_t count = output_.Parts(parts);
  sending_ = true;
  // Nothing to do when it is done: then the completion needs no turn of its own.
  uint64_t bytes = 0;
  for (const iovec& part : std::span(parts).first(count)) bytes += part.iov_len;
  const bool lazy = bytes == output_.owed() && !stopped_ && !closing_ && !received_all_ &&
                    listing_ == nullptr && !moves_;
  worker_.loop().Send(*this, std::span(parts).first(count),
                      lazy ? io::Notice::kLazy : io::Notice::kPrompt);
}

void Connection::SteerReceive() {
  // A yield is short: to stop receiving and begin again would cost more than what comes meanwhile.
  const bool want =
      !waits_for_room_ &&
      (!stopped_ || (yielded_ && input_.size() < kInputAheadBytesMax && worker_.MayKeepInput()));
  if (want == !paused_ || received_all_) return;
  paused_ = !want;
  if (paused_) {
    worker_.loop().PauseReceive(*this);
  } else {
    worker_.loop().ResumeReceive(*this);
  }
}

bool Connection::Idle() const {
  return output_.owed() == 0 && !sending_ && errands_.asked() == 0 && !stopped_ &&
         listing_ == nullptr && transaction_ == nullptr;
}

bool Connection::LooksDeaf(CacheSeconds second) {
  const uint64_t untaken = output_.owed() + io::UntakenBytes(fd_);
  const bool in_vain = second - looked_at_ <= 2 && untaken >= untaken_bytes_;
  vain_looks_ = in_vain ? vain_looks_ + 1 : 0;
  looked_at_ = second;
  untaken_bytes_ = untaken;
  return vain_looks_ >= kVainLooksMax;
}

void Connection::CloseWhenDone(Leaving why) {
  if (!closing()) leaving_ = why;
  StopWatching();
  if (keeps_value_) EndKeeping();
  closing_ = true;
  worker_.AddToTurn(*this);
}

void Connection::CloseIfDone() {
  if (closed_ || !Idle()) return;
  if (received_all_) {
    // Nothing more can come, and everything owed is sent.
    Abort(Leaving::kNormal);
  } else if (closing_ && !lingering_ && watcher_ == nullptr) {
    // Closing with unread bytes in the kernel would reset the connection, and the client might lose
    // its replies: so the FIN goes first, and the rest happens when the client hangs up, or soon.
    lingering_ = true;
    linger_until_ = worker_.now().FloorSeconds() + kLingerSeconds;
    worker_.loop().FinishSending(*this);
  }
}

void Connection::OnReceiveEnd(int error) {
  worker_.BeginTurn();
  received_all_ = true;
  // A watcher has nothing to wait for: there is always more to come.
  if (error != 0 || watcher_ != nullptr) {
    Abort(error != 0 ? Leaving::kError : Leaving::kNormal);
    return;
  }
  worker_.AddToTurn(*this);
}

void Connection::OnSent(int result) {
  worker_.BeginTurn();
  sending_ = false;
  if (closed_) return;
  if (result < 0) {
    Abort(Leaving::kError);
    return;
  }
  worker_.counters().Add(Counter::kBytesWritten, static_cast<uint64_t>(result));
  last_active_ = worker_.now().FloorSeconds();
  output_.Sent(static_cast<size_t>(result));
  // Most sends end here: everything is sent, and nothing waited for it.
  if (Idle() && !closing_ && !received_all_ && !moves_) {
    Recharge();
  } else {
    worker_.AddToTurn(*this);
  }
}

void Connection::Abort(Leaving why) {
  if (closed_) return;
  if (!closing()) leaving_ = why;
  StopWatching();
  if (worker_.observer().observes()) worker_.observer().SawClientLeave(fd_, leaving_);
  closed_ = true;
  worker_.AddToTurn(*this);
  worker_.loop().Close(*this);
}

void Connection::OnClosed() {
  if (visits_) worker_.cluster().visitor(fd_, input_.view());
  if (moving_ && !worker_.placement().SetOff(*this)) {
    Settle();
    return;
  }
  gone_ = true;
  DestroyIfGone();
}

void Connection::DestroyIfGone() {
  if (MayBeDestroyed() && !in_turn_) worker_.Destroy(*this);
}

uint64_t Connection::OutputBytes() const { return output_.capacity() + errands_.memory_bytes(); }

uint64_t Connection::LentBytes() const { return output_.lent() + errands_.lent(); }

void Connection::Recharge() {
  const HeldBytes held = {.input = InputBytes(), .output = OutputBytes(), .lent = LentBytes()};
  if (held == charged_) return;
  worker_.Recharge(charged_, held);
  charged_ = held;
}

}  // namespace larder::server
