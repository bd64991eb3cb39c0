#include "server/connection.h"

#include <algorithm>
#include <array>
#include <utility>

#include "engine/execute.h"
#include "server/server_verbs.h"
#include "server/worker.h"
#include "util/check.h"

namespace larder::server {

using stats::Counter;

namespace {

// Less than this may always be kept for a connection, whatever the others hold: a line, or a small
// value.
constexpr size_t kSmallInputBytes = 4 << 10;
// A reply up to here is sent whatever the others owe.
constexpr size_t kSmallReplyBytes = 4 << 10;
// While a connection waits for its next turn, it is received from up to here.
constexpr size_t kInputAheadBytesMax = 16 << 10;
// How long a client may take to hang up after it was told that nothing more will come.
constexpr CacheSeconds kLingerSeconds = 2;

// Of a rejected line the key matters only if a value was refused: what it names must then be
// forgotten. A parser leaves the key of any other line as it found it.
bool NamesKey(const Command& command) {
  if (command.verb == Verb::kRejected) {
    const bool refused =
        command.rejection == Status::kTooLarge || command.rejection == Status::kNoMemory;
    return refused && !command.key.empty();
  }
  return KindOf(command.verb) != VerbKind::kServer;
}

}  // namespace

Connection::Connection(Worker& worker, uint64_t id, int fd, int listener)
    : worker_(worker),
      codec_(&protocol::CodecOf(protocol::Protocol::kText)),
      id_(id),
      output_(worker.blocks()),
      last_active_(worker.now().FloorSeconds()),
      fd_(fd),
      listener_(static_cast<int16_t>(listener)) {}

// --- bytes in -----------------------------------------------------------------------------------

void Connection::OnReceive(std::string_view bytes) {
  worker_.BeginTurn();
  worker_.counters().Add(Counter::kBytesRead, bytes.size());
  if (closing_ || closed_) return;
  last_active_ = worker_.now().FloorSeconds();
  if (has_window_) {
    // A second piece in one turn: what refers to the first must be done with.
    worker_.ExecuteBatch();
    FinishInput();
  }
  worker_.AddToTurn(*this);
  if (closing_ || closed_) return;
  if (stopped_) {
    KeepInput(bytes);
    return;
  }
  if (input_.empty()) {
    window_ = bytes;
    window_is_lent_ = true;
  } else {
    KeepInput(bytes);
    window_ = input_.view();
    window_is_lent_ = false;
  }
  has_window_ = true;
  window_end_ = window_.data() + window_.size();
  ParseWindow();
}

void Connection::ParseWindow() {
  while (!closing_ && !stopped_) {
    if (discard_bytes_ > 0) {
      const size_t bytes = static_cast<size_t>(std::min<uint64_t>(discard_bytes_, window_.size()));
      window_.remove_prefix(bytes);
      discard_bytes_ -= bytes;
    }
    if (window_.empty() || window_.size() < needed_bytes_) return;
    needed_bytes_ = 0;
    if (worker_.batch().full()) {
      worker_.ExecuteBatch();
      if (stopped_ || closed_) return;
    }
    const protocol::Parsed parsed = codec_->parse(window_, resume_, worker_.limits());
    switch (parsed.state) {
      case protocol::ParseState::kNeedMore:
        return;
      case protocol::ParseState::kNeedBody:
        needed_bytes_ = parsed.consumed + parsed.body_bytes + 2;
        return;
      case protocol::ParseState::kReady:
        AddToBatch(parsed.command);
        break;
      case protocol::ParseState::kSkip:
        break;
    }
    window_.remove_prefix(parsed.consumed);
    resume_ = parsed.resume;
    discard_bytes_ = parsed.discard_bytes;
    if (parsed.close) closing_ = true;
  }
}

void Connection::AddToBatch(const Command& command) {
  BatchEntry& entry = worker_.batch().Add();
  entry.connection = this;
  entry.begin = window_.data();
  entry.resume = resume_;
  entry.command = command;
  if (NamesKey(command)) {
    entry.command.hash = worker_.cluster().hash(command.key);
    if (worker_.OwnerOf(entry.command.hash) == worker_.index()) {
      worker_.shard().PrefetchBucket(entry.command.hash);
    }
  }
}

void Connection::FinishInput() {
  if (!has_window_) return;
  has_window_ = false;
  const std::string_view rest = std::exchange(window_, {});
  if (closing_) {
    input_.Clear();
  } else if (window_is_lent_) {
    KeepInput(rest);
  } else {
    input_.Consume(input_.size() - rest.size());
    Recharge();
  }
  const bool is_body = needed_bytes_ > 0;
  if (is_body && input_.size() > kSmallInputBytes && !worker_.MayKeepInput()) RefuseBody();
}

void Connection::KeepInput(std::string_view bytes) {
  if (bytes.empty()) return;
  input_.Append(bytes);
  Recharge();
}

void Connection::RefuseBody() {
  // The line is at the front of input_, and its value has not all come.
  const protocol::Parsed parsed = codec_->parse(input_.view(), resume_, worker_.limits());
  DCHECK(parsed.state == protocol::ParseState::kNeedBody);
  Command refused = parsed.command;
  if (refused.verb != Verb::kSet) refused.key = {};
  refused.verb = Verb::kRejected;
  refused.rejection = Status::kNoMemory;
  refused.value = {};
  window_ = input_.view();
  window_end_ = window_.data() + window_.size();
  if (worker_.batch().full()) worker_.ExecuteBatch();
  AddToBatch(refused);
  worker_.ExecuteBatch();
  window_ = {};
  if (stopped_) return;  // it is refused again when it may be answered
  discard_bytes_ = needed_bytes_ - input_.size();
  needed_bytes_ = 0;
  input_.Clear();
  Recharge();
}

// --- execution ----------------------------------------------------------------------------------

bool Connection::MayExecute() const {
  // What other cores are about to send counts by what they have sent of late. With nothing of ours
  // in memory and nothing asked, there is always room for one: nobody would wake us later.
  const uint64_t coming = asked_ * worker_.reply_estimate();
  if (OutputBytes() + coming >= worker_.ReplyMark() && (OutputBytes() > 0 || asked_ > 0)) {
    return false;
  }
  return (pending_ == nullptr || !pending_->full()) && !listing_.active;
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
  if (NamesKey(command)) {
    const uint32_t owner = worker_.OwnerOf(command.hash);
    if (owner == worker_.index()) {
      const Outcome outcome = engine::Execute(worker_.place(), command);
      if (outcome.value.size() > kSmallReplyBytes && !worker_.MayOwe(outcome.value.size())) {
        // Done again when there is room: only reads have a value, and these may be repeated.
        worker_.AddHungry(*this, outcome.value.size());
        Stop(entry);
        return;
      }
      Reply(command, outcome);
    } else if (worker_.cluster().mailboxes.CanAsk(worker_.index(), owner)) {
      Ask(command, owner);
    } else {
      worker_.AddStarved(*this);
      Stop(entry);
    }
    return;
  }
  if (!MayExecuteServerVerb(worker_, *this, command)) {
    worker_.AddStarved(*this);
    Stop(entry);
    return;
  }
  const Outcome outcome = ExecuteServerVerb(worker_, *this, command);
  if (outcome.progress == Progress::kDone) Reply(command, outcome);
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
    pending_->Commit(codec_->encode(command, outcome, pending_->Reserve(bytes_max)));
  } else {
    output_.Commit(codec_->encode(command, outcome, output_.Reserve(bytes_max)));
  }
  Recharge();
}

uint32_t Connection::Park(uint32_t answers) {
  if (pending_ == nullptr) pending_ = std::make_unique<PendingReplies>();
  asked_ += answers;
  return pending_->Wait(answers);
}

void Connection::Unpark(uint32_t ticket, std::string_view bytes) {
  --asked_;
  if (closed_) return;
  worker_.AddToTurn(*this);
  if (pending_->Fill(ticket, bytes)) pending_->MoveReady(output_);
}

void Connection::UnparkWith(uint32_t ticket, const Command& command, const Outcome& outcome) {
  std::string text(codec_->encoded_bytes_max(command, outcome), '\0');
  text.resize(static_cast<size_t>(codec_->encode(command, outcome, text.data()) - text.data()));
  Unpark(ticket, text);
}

void Connection::Ask(const Command& command, uint32_t owner) {
  Message& message = worker_.cluster().mailboxes.Ask(worker_.index(), owner);
  PutCommand(command, message);
  message.asker = this;
  message.protocol = codec_->protocol;
  message.ticket = Park(1);
  worker_.counters().Add(Counter::kMessagesSent);
}

void Connection::TakeReply(Message& message) {
  worker_.NoteReply(message.payload_bytes);
  if (!message.in_block || closed_) {
    Unpark(message.ticket, message.in_block ? std::string_view() : message.Payload());
    message.FreeBlock();
  } else {
    --asked_;
    worker_.AddToTurn(*this);
    std::unique_ptr<char[]> block(std::exchange(message.block, nullptr));
    message.in_block = false;
    if (pending_->FillBlock(message.ticket, std::move(block), message.payload_bytes)) {
      pending_->MoveReady(output_);
    }
  }
  if (gone_ && asked_ == 0 && !in_turn_) worker_.Destroy(*this);
}

void Connection::StartListing() {
  DCHECK(!HasPending());
  listing_ = {.active = true};
  ContinueListing();
}

void Connection::ContinueListing() {
  // One page at a time, and none before the client has taken enough of the last.
  while (listing_.active && !listing_.asked && output_.owed() < worker_.ReplyMark()) {
    if (listing_.core == worker_.cluster().mailboxes.cores()) {
      listing_.active = false;
      AppendText("END\r\n");
      return;
    }
    if (listing_.core == worker_.index()) {
      AppendText(worker_.ListConnections(listing_.cursor));
      if (listing_.cursor == 0) ++listing_.core;
    } else if (worker_.cluster().mailboxes.CanAsk(worker_.index(), listing_.core)) {
      Message& message = worker_.cluster().mailboxes.Ask(worker_.index(), listing_.core);
      PutCommand({.verb = Verb::kStats, .number = listing_.cursor}, message);
      message.kind = Message::Kind::kListPage;
      message.asker = this;
      ++asked_;
      listing_.asked = true;
    } else {
      worker_.AddStarved(*this);
      return;
    }
  }
}

void Connection::TakePage(Message& message) {
  --asked_;
  if (!closed_) {
    worker_.AddToTurn(*this);
    AppendText(message.Payload());
    listing_.asked = false;
    listing_.cursor = message.number;
    if (listing_.cursor == 0) ++listing_.core;
  }
  message.FreeBlock();
  if (gone_ && asked_ == 0 && !in_turn_) worker_.Destroy(*this);
}

void Connection::AppendText(std::string_view text) {
  char* out = output_.Reserve(text.size());
  output_.Commit(std::copy(text.begin(), text.end(), out));
}

// --- the end of a turn --------------------------------------------------------------------------

void Connection::EndTurn() {
  FinishInput();
  in_turn_ = false;
  if (!closed_) {
    // First of all: its memory counts.
    if (pending_ != nullptr && pending_->empty()) pending_.reset();
    ContinueListing();
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
}

void Connection::Resume() {
  if (!stopped_ || !MayExecute() || executed_ == worker_.cluster().requests_per_turn) return;
  stopped_ = false;
  window_ = input_.view();
  window_end_ = window_.data() + window_.size();
  window_is_lent_ = false;
  has_window_ = true;
  in_turn_ = true;  // no second entry while we are at it
  ParseWindow();
  worker_.ExecuteBatch();
  FinishInput();
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
  const bool lazy =
      bytes == output_.owed() && !stopped_ && !closing_ && !received_all_ && !listing_.active;
  worker_.loop().Send(*this, std::span(parts).first(count),
                      lazy ? io::Notice::kLazy : io::Notice::kPrompt);
}

void Connection::SteerReceive() {
  // A yield is short: to stop receiving and begin again would cost more than what comes meanwhile.
  const bool want =
      !stopped_ || (yielded_ && input_.size() < kInputAheadBytesMax && worker_.MayKeepInput());
  if (want == !paused_ || received_all_) return;
  paused_ = !want;
  if (paused_) {
    worker_.loop().PauseReceive(*this);
  } else {
    worker_.loop().ResumeReceive(*this);
  }
}

bool Connection::Idle() const {
  return output_.owed() == 0 && !sending_ && asked_ == 0 && !stopped_ && !listing_.active;
}

void Connection::CloseWhenDone() {
  closing_ = true;
  worker_.AddToTurn(*this);
}

void Connection::CloseIfDone() {
  if (closed_ || !Idle()) return;
  if (received_all_) {
    // Nothing more can come, and everything owed is sent.
    Abort();
  } else if (closing_ && !lingering_) {
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
  if (error != 0) {
    Abort();
    return;
  }
  worker_.AddToTurn(*this);
}

void Connection::OnSent(int result) {
  worker_.BeginTurn();
  sending_ = false;
  if (closed_) return;
  if (result < 0) {
    Abort();
    return;
  }
  worker_.counters().Add(Counter::kBytesWritten, static_cast<uint64_t>(result));
  last_active_ = worker_.now().FloorSeconds();
  output_.Sent(static_cast<size_t>(result));
  // Most sends end here: everything is sent, and nothing waited for it.
  if (Idle() && !closing_ && !received_all_) {
    Recharge();
  } else {
    worker_.AddToTurn(*this);
  }
}

void Connection::Abort() {
  if (closed_) return;
  closed_ = true;
  worker_.AddToTurn(*this);
  worker_.loop().Close(*this);
}

void Connection::OnClosed() {
  gone_ = true;
  if (asked_ == 0 && !in_turn_) worker_.Destroy(*this);
}

uint64_t Connection::OutputBytes() const {
  return output_.capacity() + (pending_ != nullptr ? pending_->memory_bytes() : 0);
}

void Connection::Recharge() {
  const uint64_t input = input_.capacity();
  const uint64_t output = OutputBytes();
  if (input == charged_input_bytes_ && output == charged_output_bytes_) return;
  worker_.Recharge(static_cast<int64_t>(input - charged_input_bytes_),
                   static_cast<int64_t>(output - charged_output_bytes_));
  charged_input_bytes_ = input;
  charged_output_bytes_ = output;
}

}  // namespace larder::server
