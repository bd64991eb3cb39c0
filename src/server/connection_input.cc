// How a connection receives: bytes become commands of the batch, what is unread is kept, and large
// values go where they will stay.
#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "io/socket.h"
#include "protocol/detect.h"
#include "server/connection.h"
#include "server/worker.h"
#include "util/check.h"

namespace larder::server {

using stats::Counter;

namespace {

// Less than this may always be kept for a connection, whatever the others hold: a line, or a small
// value.
constexpr size_t kSmallInputBytes = 4 << 10;
// A connection that has sent a large value is received from this way for so long.
constexpr uint32_t kLargeExpectedReceives = 16;

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

void Connection::OnReceive(std::string_view bytes) {
  worker_.BeginTurn();
  worker_.counters().Add(Counter::kBytesRead, bytes.size());
  if (visits_ || moving_) return KeepInput(bytes);
  if (closing_ || closed_ || bytes.empty()) return;
  if (codec_ == nullptr && !Meet(bytes)) return;
  last_active_ = worker_.now().FloorSeconds();
  if (has_window_) {
    // A second piece in one turn: what refers to the first must be done with.
    worker_.ExecuteBatch();
    FinishInput();
  }
  worker_.AddToTurn(*this);
  if (closing_ || closed_) return;
  if (incoming_ != nullptr && !incoming_->IsWhole()) {
    incoming_->Take(bytes);
    if (!incoming_->IsWhole()) return;
    EndValue();
    if (closed_ || bytes.empty()) return;
  }
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

io::Landing Connection::NextLanding() {
  if (incoming_ != nullptr && !incoming_->IsWhole()) return incoming_->Missing();
  const bool once = large_expected_ > 0;
  if (once) --large_expected_;
  return {.once = once};
}

void Connection::OnLanded(size_t bytes) {
  worker_.BeginTurn();
  worker_.counters().Add(Counter::kBytesRead, bytes);
  incoming_->Took(bytes);
  if (closing_ || closed_) return;
  last_active_ = worker_.now().FloorSeconds();
  worker_.AddToTurn(*this);
  if (incoming_->IsWhole()) EndValue();
}

bool Connection::Meet(std::string_view bytes) {
  const Cluster& cluster = worker_.cluster();
  const Entrance entrance = cluster.EntranceOf(listener_);
  if (cluster.visitor && cluster.credentials == nullptr && entrance == Entrance::kAny) {
    using protocol::AsksForPage;
    std::string begin(input_.view());
    begin += bytes.substr(0, protocol::kHttpBeginBytesMax);
    const AsksForPage asks = protocol::DetectHttp(begin);
    if (asks != AsksForPage::kNo) KeepInput(bytes);
    if (asks == AsksForPage::kYes) GiveAway();
    if (asks != AsksForPage::kNo) return false;
  }
  const char first = input_.empty() ? bytes.front() : input_.view().front();
  codec_ = &protocol::Detect(
      cluster.protocol, first,
      cluster.credentials == nullptr ? protocol::Door::kOpen : protocol::Door::kLocked, entrance);
  return true;
}

// It has asked for nothing and is owed nothing: this is the first that it says.
void Connection::GiveAway() {
  if (worker_.observer().observes()) {
    worker_.observer().SawClientLeave(fd_, Leaving::kNormal);
  }
  visits_ = true;
  closed_ = true;
  worker_.loop().Release(*this);
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
    const protocol::Parsed parsed =
        codec_->parse(window_, resume_, worker_.limits(), worker_.batch().NextSpace());
    switch (parsed.state) {
      case protocol::ParseState::kNeedMore:
        resume_ = parsed.resume;
        return;
      case protocol::ParseState::kNeedBody:
        resume_ = parsed.resume;
        needed_bytes_ = parsed.consumed + parsed.body_bytes;
        return;
      case protocol::ParseState::kReady:
        AddToBatch(parsed.command);
        break;
      case protocol::ParseState::kExecuteFirst:
        ExecuteFirst(parsed);
        if (closed_) return;
        continue;
      case protocol::ParseState::kSkip:
        break;
    }
    window_.remove_prefix(parsed.consumed);
    resume_ = parsed.resume;
    discard_bytes_ = parsed.discard_bytes;
    if (parsed.close) CloseBehind(parsed.command);
  }
}

void Connection::CloseBehind(const Command& command) {
  closing_ = true;
  leaving_ = command.verb == Verb::kRejected ? Leaving::kError : Leaving::kNormal;
}

void Connection::ExecuteFirst(const protocol::Parsed& parsed) {
  AddToBatch(parsed.command);
  window_.remove_prefix(parsed.consumed);
  resume_ = parsed.resume;
  discard_bytes_ = parsed.discard_bytes;
  if (parsed.close) CloseBehind(parsed.command);
  worker_.ExecuteBatch();
}

void Connection::AddToBatch(const Command& command) {
  BatchEntry& entry = worker_.batch().Add();
  entry.connection = this;
  entry.begin = window_.data();
  entry.resume = resume_;
  entry.command = command;
  entry.names_key = NamesKey(command);
  if (entry.names_key) {
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
  if (closing_ || closed_) {
    input_.Clear();
  } else if (needed_bytes_ > store::Shard::kSharingValueBytesMax && BeginValue(rest)) {
    // Nothing more of it is kept here.
  } else if (window_is_lent_) {
    KeepInput(rest);
  } else {
    input_.Consume(input_.size() - rest.size());
    Recharge();
  }
  if (needed_bytes_ > 0 && input_.size() > kSmallInputBytes) {
    AskToKeepMore();
  } else if (keeps_value_) {
    EndKeeping();
  }
}

void Connection::EndKeeping() {
  keeps_value_ = false;
  waits_for_room_ = false;
  worker_.inflow().Forget(*this);
}

void Connection::AskToKeepMore() {
  const Inflow::Verdict verdict = worker_.AskToKeep(*this);
  keeps_value_ = true;
  TakeVerdict(verdict);
}

void Connection::TakeVerdict(Inflow::Verdict verdict) {
  const bool waits = verdict == Inflow::Verdict::kWait;
  if (waits != waits_for_room_) {
    waits_for_room_ = waits;
    worker_.AddToTurn(*this);
  }
  // With more to be parsed it asks again in this turn.
  if (verdict != Inflow::Verdict::kRefuse || closing_ || closed_ || has_window_) return;
  EndKeeping();
  worker_.AddToTurn(*this);
  RefuseBody();
}

void Connection::KeepInput(std::string_view bytes) {
  if (bytes.empty()) return;
  input_.Append(bytes, needed_bytes_);
  Recharge();
}

void Connection::RefuseBody() {
  if (worker_.batch().full()) worker_.ExecuteBatch();
  // The line is at the front of input_, and its value has not all come.
  const protocol::Parsed parsed =
      codec_->parse(input_.view(), resume_, worker_.limits(), worker_.batch().NextSpace());
  DCHECK(parsed.state == protocol::ParseState::kNeedBody);
  Command refused = parsed.command;
  if (refused.verb != Verb::kSet) refused.key = {};
  refused.verb = Verb::kRejected;
  refused.rejection = Status::kNoMemory;
  refused.value = {};
  window_ = input_.view();
  window_end_ = window_.data() + window_.size();
  AddToBatch(refused);
  worker_.ExecuteBatch();
  window_ = {};
  if (stopped_) return;  // it is refused again when it may be answered
  discard_bytes_ = needed_bytes_ - input_.size();
  // If CLIENT REPLY SKIP was said, it was about this one.
  using Mute = protocol::Resume::Mute;
  if (resume_.mute == Mute::kNext) resume_.mute = Mute::kNothing;
  resume_.arguments_read = 0;
  if (parsed.arguments_behind > 0) {
    resume_.at = protocol::Resume::At::kSkipArguments;
    resume_.arguments_left = parsed.arguments_behind;
  }
  needed_bytes_ = 0;
  input_.Clear();
  Recharge();
}

bool Connection::BeginValue(std::string_view unread) {
  // Nothing is given for what is only promised.
  const size_t there = needed_bytes_ / 4;
  if (unread.size() < there && unread.size() + io::WaitingBytes(fd_) < there) return false;
  if (worker_.batch().full()) worker_.ExecuteBatch();
  const protocol::Parsed line =
      codec_->parse(unread, resume_, worker_.limits(), worker_.batch().NextSpace());
  DCHECK(line.state == protocol::ParseState::kNeedBody);
  const Command& command = line.command;
  const bool replaces = command.verb == Verb::kSet || command.verb == Verb::kAdd ||
                        command.verb == Verb::kReplace || command.verb == Verb::kCas;
  if (!replaces || worker_.OwnerOf(worker_.cluster().hash(command.key)) != worker_.index()) {
    return false;
  }
  const size_t end_bytes = line.body_ends_line ? 2 : 0;
  store::Item* draft = worker_.shard().Draft(command.key.size(), line.body_bytes - end_bytes,
                                             command.client_flags, command.exptime != 0);
  if (draft == nullptr) return false;
  incoming_ = std::make_unique<IncomingValue>(worker_.shard(), draft, line.consumed, end_bytes);
  std::string_view body = unread.substr(line.consumed);
  incoming_->Take(body);
  DCHECK(!incoming_->IsWhole());
  const std::string kept(unread.substr(0, line.consumed));
  input_.Clear();
  input_.Append(kept);
  needed_bytes_ = 0;
  large_expected_ = kLargeExpectedReceives;
  worker_.loop().LandingChanged(*this);
  Recharge();
  return true;
}

void Connection::EndValue() {
  if (worker_.batch().full()) worker_.ExecuteBatch();
  // What has come behind the value, while it waited, is not the value.
  window_ = input_.view().substr(0, incoming_->line_bytes());
  const protocol::Parsed line =
      codec_->parse(window_, resume_, worker_.limits(), worker_.batch().NextSpace());
  DCHECK(line.state == protocol::ParseState::kNeedBody);
  const protocol::Parsed parsed = protocol::WithBody(line, incoming_->value(), incoming_->end());
  window_end_ = window_.data() + window_.size();
  AddToBatch(parsed.command);
  worker_.ExecuteBatch();
  window_ = {};
  if (stopped_) return;  // it is executed when it may be
  incoming_.reset();
  resume_ = parsed.resume;
  input_.Consume(parsed.consumed);
  Recharge();
}

}  // namespace larder::server
