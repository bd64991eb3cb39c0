// One client: bytes in, replies out, in order.
//
// A connection lives on one core. What it receives in a turn is parsed where it lies, into the
// worker's batch; when the batch has been executed, unread bytes are kept (input_), and the turn's
// replies leave in one send.
//
//   lent bytes ──┐
//                ├─► window_ ──parse──► Batch ──Execute──► output_ ──Flush──► kernel
//   input_ ──────┘        ▲                │  └─► another core ─► errands_ ──►┘
//                         └──── Stop ──────┘
//
// A large value is not kept with the unread bytes: when a quarter of it has come, the rest goes
// straight to where the item will be (incoming_), and input_ keeps the command's line.
//
// It stops reading its client while it owes too much (ReplyMark), when it has had its share of the
// turn (requests_per_turn: a key of a get is a request), while it waits for a slot, or for room for
// a value (Inflow), or while it streams: the first command that cannot be executed becomes the
// front of the window again, and no later one is executed before it.
//
// Idle, it holds no buffers.
#ifndef LARDER_SERVER_CONNECTION_H_
#define LARDER_SERVER_CONNECTION_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "io/input_buffer.h"
#include "io/loop.h"
#include "io/output_queue.h"
#include "larder/clock.h"
#include "protocol/codec.h"
#include "server/batch.h"
#include "server/errands.h"
#include "server/events.h"
#include "server/incoming_value.h"
#include "server/inflow.h"
#include "server/listing.h"
#include "server/message.h"
#include "server/placement.h"
#include "server/resp_client.h"
#include "server/resp_multi.h"
#include "server/transaction.h"
#include "server/watcher.h"

namespace larder::server {

class Worker;

// Memory of a connection, or of all of a core: unread bytes, owed ones in memory of our own, and
// owed ones that are lent.
struct HeldBytes {
  uint64_t input = 0;
  uint64_t output = 0;
  uint64_t lent = 0;
  bool operator==(const HeldBytes&) const = default;
};

class Connection final : public io::Stream {
 public:
  Connection(Worker& worker, uint64_t id, int fd, int listener);
  // One that another core has packed. To be attached, and then settled.
  Connection(Worker& worker, MovingClient client);

  // io::Stream, from the loop.
  void OnReceive(std::string_view bytes) override;
  io::Landing NextLanding() override;
  void OnLanded(size_t bytes) override;
  void OnReceiveEnd(int error) override;
  void OnSent(int result) override;
  void OnClosed() override;

  // From the worker, in the order of the batch: executes, asks another core, or stops.
  void Execute(const BatchEntry& entry);
  // From the worker, at the end of every turn in which the connection took part: goes on with what
  // was stopped, sends, closes.
  void EndTurn();
  // An answer from another core.
  void TakeReply(Message& message);

  // Answers `command`, in its turn.
  void Reply(const Command& command, const Outcome& outcome);
  // The same when all other cores have done their part of it, which they are given here.
  void ReplyWhenAllHave(const Command& command, const Outcome& outcome);
  // From now on the client is told of `streams` and no longer heard; false if too many are. What
  // some core has seen of them.
  [[nodiscard]] bool StartWatching(Streams streams);
  void TakeEvents(std::string_view batch);
  [[nodiscard]] bool watching() const { return watcher_ != nullptr; }
  // The client has said who it is: from the next byte on it is served; it has to say so again.
  void Unlock();
  void Lock();
  // Executes a command whose key is ours, and replies.
  void ExecuteHere(const Command& command);
  // It has waited for room for a value that is arriving, and now there is, or there is none.
  void TakeVerdict(Inflow::Verdict verdict);

  // It holds part of a value, could be received from, and has said nothing for some seconds.
  [[nodiscard]] bool KeepsInSilence(CacheSeconds second) const {
    return keeps_value_ && !waits_for_room_ && second > last_active_ + Inflow::kSilentSeconds;
  }

  // Sends the client to another core as soon as it is between two requests.
  void Move(uint32_t core);
  // Unless it has gone, it stays.
  void Stay() { moves_ = false; }
  // All that another core has to know of it.
  [[nodiscard]] MovingClient Pack();
  // It lives here, from now on or after all: what it has said on its way is read.
  void Settle();
  [[nodiscard]] Home& home() { return home_; }

  // RESP: what the client has chosen, and told of itself.
  [[nodiscard]] protocol::RespVersion resp_version() const;
  void Speak(protocol::RespVersion version);
  [[nodiscard]] uint8_t database() const { return resume_.database; }
  void SelectDatabase(uint8_t database) { resume_.database = database; }
  // kNotNext: from the one after the next command on, as before.
  enum class Replies : uint8_t { kAll, kNone, kNotNext };
  void HearReplies(Replies which);
  [[nodiscard]] RespSession& session();
  [[nodiscard]] const RespSession* told() const { return session_.get(); }  // null: nothing
  // It has to say who it is.
  [[nodiscard]] bool locked() const { return codec_->unlocked != codec_->protocol; }
  // As when the client came.
  void Reset();
  // The next commands of the client wait for the end of it.
  Transaction& BeginTransaction(Transaction::Frame frame, const Command& command);
  // Goes on with it, and replies at its end.
  void ContinueTransaction();
  // A part of the transaction, from another core.
  void TakePart(Message& message);
  // What it waited for on this core is there.
  void TakeKeys();
  // RESP: what it has said since MULTI, and what it watches.
  [[nodiscard]] RespQueue& queue();
  void SetQueueing(bool queueing) { resume_.queueing = queueing; }
  void Watch(std::vector<WatchedKey> keys);
  // A command was refused before it could be queued.
  void NoteRefused() {
    if (queue_ != nullptr && queue_->open) queue_->wrong = true;
  }

  // Streams what `selection` says, of all cores. Nothing is pending.
  void StartListing(const Selection& selection);
  // A page of the listing, from another core.
  void TakePage(Message& message);
  // Is any earlier command still unanswered?
  [[nodiscard]] bool HasPending() const { return errands_.HasPending(); }

  // Ends the conversation once everything owed has been sent; what the client still sends is not
  // read as commands.
  void CloseWhenDone(Leaving why);
  // Ends it at once. Of one that was ending already, the first reason counts.
  void Abort(Leaving why);
  // True if nothing is owed, unread or in flight.
  [[nodiscard]] bool Idle() const;

  [[nodiscard]] uint64_t id() const { return id_; }
  [[nodiscard]] int fd() const { return fd_; }
  [[nodiscard]] int listener() const { return listener_; }
  [[nodiscard]] CacheSeconds last_active() const { return last_active_; }
  [[nodiscard]] CacheSeconds accepted_at() const { return accepted_at_; }
  [[nodiscard]] bool closing() const { return (closing_ && watcher_ == nullptr) || closed_; }
  // Of a connection that has sent everything and waits for the client to hang up: until when.
  [[nodiscard]] CacheSeconds linger_until() const { return linger_until_; }
  // Bytes of buffers that this connection holds; OutputBytes() without what is lent to it.
  [[nodiscard]] uint64_t InputBytes() const {
    return input_.capacity() + (queue_ == nullptr ? 0 : queue_->bytes);
  }
  [[nodiscard]] uint64_t OutputBytes() const;
  [[nodiscard]] uint64_t LentBytes() const;
  // What the client has not taken yet, as memory: ours and lent.
  [[nodiscard]] uint64_t Owes() const { return OutputBytes() + LentBytes(); }
  // Looks, about once a second, whether the client takes what it is owed. True if it has taken
  // nothing for some looks.
  [[nodiscard]] bool LooksDeaf(CacheSeconds second);

 private:
  // The first bytes have come: they tell the protocol. False if it is not known yet, or the client
  // goes to whoever shows pages.
  bool Meet(std::string_view bytes);
  void GiveAway();
  void StopWatching();
  void ParseWindow();
  // No command is read behind this one.
  void CloseBehind(const Command& command);
  // Of a command that the next bytes depend on.
  void ExecuteFirst(const protocol::Parsed& parsed);
  void AddToBatch(const Command& command);
  // The batch has been executed: keeps what is unread.
  void FinishInput();
  void KeepInput(std::string_view bytes);
  // Part of a value is kept, and more of it will come: is there room?
  void AskToKeepMore();
  void EndKeeping();
  // The value that is arriving finds no room: refuses its command, and swallows the rest of it.
  void RefuseBody();
  // `unread` begins with the line of a command whose value is arriving: from now on the value goes
  // where it will stay. False if it has to be kept with the line.
  bool BeginValue(std::string_view unread);
  // All of it is there: executes the command, or stops.
  void EndValue();
  [[nodiscard]] bool MayExecute() const;
  void Stop(const BatchEntry& entry);
  void Resume();
  void Flush();
  void SteerReceive();
  void CloseIfDone();
  void Recharge();
  void ReplyLent(const Command& command, const Outcome& outcome);
  void ContinueListing();
  // If it may be moved now.
  void SetOff();
  [[nodiscard]] bool MayBeDestroyed() const {
    return gone_ && errands_.asked() == 0 && transaction_ == nullptr;
  }
  // Has the command of `owner` to wait until others are answered?
  [[nodiscard]] bool MustKeepOrder(uint32_t owner) const;
  void DestroyIfGone();

  Worker& worker_;
  const protocol::Codec* codec_ = nullptr;  // until the first byte has come
  const uint64_t id_;

  // The bytes being parsed in this turn: lent by the loop, or in input_.
  std::string_view window_;
  const char* window_end_ = nullptr;
  uint64_t discard_bytes_ = 0;  // of a refused value, still to come
  size_t needed_bytes_ = 0;     // the window is not worth parsing before it has so many
  protocol::Resume resume_;

  io::InputBuffer input_;
  io::OutputQueue output_;
  Errands errands_;
  std::unique_ptr<IncomingValue> incoming_;  // null: none is; else input_ begins with its line
  std::unique_ptr<Listing> listing_;
  std::unique_ptr<Watcher> watcher_;  // null: it does not watch
  std::unique_ptr<Transaction> transaction_;
  std::unique_ptr<RespSession> session_;  // null: nothing was told
  std::unique_ptr<RespQueue> queue_;      // null: nothing was said

  HeldBytes charged_;
  uint32_t executed_ = 0;  // commands in this turn
  // After a large value another is expected: so many more receives are single, that most of it need
  // not come through lent bytes.
  uint32_t large_expected_ = 0;
  CacheSeconds last_active_ = 0;
  CacheSeconds linger_until_ = 0;
  const CacheSeconds accepted_at_;
  // Of LooksDeaf.
  CacheSeconds looked_at_ = 0;
  uint32_t vain_looks_ = 0;
  uint64_t untaken_bytes_ = 0;
  Home home_;
  const int fd_;
  const int16_t listener_;
  Leaving leaving_ = Leaving::kNormal;  // of one that is closing

  bool in_turn_ : 1 = false;         // is in the worker's list of this turn
  bool has_window_ : 1 = false;      // window_ is set
  bool window_is_lent_ : 1 = false;  // and is not input_
  bool stopped_ : 1 = false;         // the next command cannot be executed now
  bool yielded_ : 1 = false;         // because it has had its share of the turn
  bool keeps_value_ : 1 = false;     // Inflow knows of it
  bool waits_for_room_ : 1 = false;  // and has told it to wait
  bool paused_ : 1 = false;          // the loop has been told not to receive
  bool sending_ : 1 = false;
  bool closing_ : 1 = false;       // no more commands are read
  bool lingering_ : 1 = false;     // all is sent; waiting for the client's FIN
  bool received_all_ : 1 = false;  // the client's FIN has come
  bool closed_ : 1 = false;        // the loop has been told to close
  bool gone_ : 1 = false;          // and has done so
  bool visits_ : 1 = false;        // the client is given away, with what is in input_
  bool moves_ : 1 = false;         // to home_.next, when it is between two requests
  bool moving_ : 1 = false;        // the loop has been told to let go of it
  bool transaction_muted_ : 1 = false;

  friend class Worker;
};

}  // namespace larder::server

#endif  // LARDER_SERVER_CONNECTION_H_
