// One core: its shard, its connections, its part of the mailboxes, driven by one loop.
//
// Everything here runs on the core's thread (in the simulator, one thread runs all cores), but for
// the functions that say otherwise. A turn:
//
//   loop: receive ──► connections parse into the batch ──► execute it
//     ──► inboxes: execute for other cores, take their replies
//     ──► connections send ──► publish to other cores
//     ──► loop: one system call that submits all and waits
#ifndef LARDER_SERVER_WORKER_H_
#define LARDER_SERVER_WORKER_H_

#include <absl/container/btree_map.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/execute.h"
#include "io/loop.h"
#include "io/output_queue.h"
#include "io/socket.h"
#include "larder/clock.h"
#include "larder/options.h"
#include "protocol/codec.h"
#include "runtime/mailbox.h"
#include "server/batch.h"
#include "server/connection.h"
#include "server/credentials.h"
#include "server/inflow.h"
#include "server/keeper.h"
#include "server/lender.h"
#include "server/list_request.h"
#include "server/message.h"
#include "server/observer.h"
#include "server/order.h"
#include "server/resp_cluster.h"
#include "server/wishes.h"
#include "stats/counters.h"
#include "stats/request_times.h"
#include "stats/traffic.h"
#include "store/shard.h"
#include "util/hash.h"

namespace larder::server {

using Mailboxes = runtime::Mailboxes<Message>;

// What all workers know. Set before the first one runs, and constant but for the atomics.
struct Cluster {
  explicit Cluster(uint32_t cores, util::KeyHash key_hash, const Clock& system_clock,
                   size_t ring_messages = 1024)
      : mailboxes(Mailboxes::Options{.cores = cores, .ring_messages = ring_messages}),
        hash(key_hash),
        clock(system_clock) {}

  Mailboxes mailboxes;
  util::KeyHash hash;
  const Clock& clock;
  std::vector<class Worker*> workers;
  uint64_t item_bytes_max = 1 << 20;
  uint32_t connections_max = 1024;
  uint32_t idle_timeout_s = 0;
  uint32_t requests_per_turn = 512;  // of one client; at least 1
  bool flush_enabled = true;
  Dumps dumps = Dumps::kAllowed;
  std::unique_ptr<Credentials> credentials;  // null: nobody has to say who they are
  ProtocolChoice protocol = ProtocolChoice::kAuto;
  uint32_t databases = 16;  // RESP
  uint64_t keys_output_max = UINT64_MAX;
  bool debug_enabled = false;               // DEBUG POPULATE
  std::optional<EmulatedCluster> emulated;  // none: there is no cluster
  std::string run_id;                       // 40 hexadecimal digits, others at each start
  bool sasl_enabled = false;                // binary clients may say who they are
  bool watch_enabled = true;
  // Ends the process, in its own time; empty: no client may ask for that.
  std::function<void(Shutdown)> shutdown;
  // Takes over whoever asks for a page over HTTP; empty: nobody does.
  std::function<void(int fd, std::string_view said)> visitor;
  char prefix_delimiter = ':';  // of `stats detail`
  Wishes wishes{mailboxes.cores()};
  CacheSeconds started_s = 0;
  std::vector<std::pair<std::string, std::string>> settings;
  std::string loop_version;
  std::vector<std::string> listener_names;  // of each listener number, for `stats conns`
  std::vector<Entrance> entrances;          // of each listener number
  [[nodiscard]] Entrance EntranceOf(int listener) const {
    const auto index = static_cast<size_t>(listener);
    return index < entrances.size() ? entrances[index] : Entrance::kAny;
  }
  // Open client connections of all cores: the limit is one for all. Relaxed: a count, nothing is
  // published by it.
  std::atomic<uint32_t> connections{0};
  Homes homes{mailboxes.cores()};
  // Clients of all cores' listeners so far, which go round. Relaxed: a count.
  std::atomic<uint32_t> clients_of_all{0};
  std::atomic<int> verbosity{0};
  // Do all cores keep the commands of RESP clients in order?
  Order order;
  // A client has selected another database than the first. Relaxed: whoever stores there has.
  std::atomic<bool> databases_used{false};
  std::atomic<uint64_t> memory_bytes_max{64ULL << 20};
  // A shard has had no room for a value while it had lent others: until then, loans to clients that
  // take nothing are ended. Relaxed: a hint.
  std::atomic<CacheSeconds> loans_missed_until_s{0};
};

class Worker final : public io::LoopOwner {
 public:
  struct Options {
    uint32_t index = 0;
    uint64_t memory_bytes_max = 64ULL << 20;  // this core's part
    bool evict = true;
    bool huge_pages = true;
    uint64_t buffer_pool_bytes_min = 2 << 20;
  };

  Worker(const Options& options, Cluster& cluster, io::Loop& loop);
  ~Worker() = default;
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // One turn. Waits at most `wait_ns` if there is nothing to do.
  void RunTurn(int64_t wait_ns);

  // How the worker ends. Each phase implies those before it.
  enum class Phase : uint8_t { kServe, kDrain, kStop };
  // From any thread: the phase to go to; wakes the loop.
  void Signal(Phase phase);
  // From any thread.
  [[nodiscard]] Phase phase() const { return phase_.load(std::memory_order_acquire); }
  // From any thread: when the last turn began, by the cluster's clock; 0 before the first.
  [[nodiscard]] uint64_t TurnBeganNs() const {
    return turn_began_ns_.load(std::memory_order_relaxed);
  }
  [[nodiscard]] bool HasConnections() const { return !connections_.empty(); }
  // Closes everything at once, and turns until the kernel has let go.
  void CloseAll();
  // When no worker runs any more, of each before the first is destroyed: what connections and
  // letters hold of other cores goes back to them.
  void LetGo();

  // Whose the clients of a listener are: this core's, as each has a socket of its own; or, of one
  // socket that all cores accept on, every core's in turn. (The kernel wakes the core that waited
  // first, which would be the same each time.)
  enum class Clients : uint8_t { kOwn, kOfAll };
  // A listening socket, which the worker does not own.
  // All workers add the same ones in the same order.
  void AddListener(int fd, Clients clients = Clients::kOwn);

  // io::LoopOwner
  void OnAccept(int listener, int fd) override;
  void OnAcceptError(int listener, int error) override;
  void OnWake() override {}
  void OnTurnEnd() override;

  // For connections.
  void BeginTurn();
  void AddToTurn(Connection& connection);
  void ExecuteBatch();
  void Destroy(Connection& connection);
  // A connection could not ask another core; it goes on when mail has come.
  void AddStarved(Connection& connection) { starved_.push_back(&connection); }
  // A connection has had its share of this turn; it goes on in the next, at once.
  void AddYielded(Connection& connection) { yielded_.push_back(&connection); }
  // A page of a listing may be made here in this turn, and is about to be. If not, there is a next
  // turn at once.
  [[nodiscard]] bool TakePageOfTurn();
  // Another page may be asked of other cores; if not, mail will come.
  [[nodiscard]] bool MayAskPage() const { return pages_asked_ < kPagesMax; }
  // What a connection holds has changed.
  void Recharge(const HeldBytes& before, const HeldBytes& after);
  static constexpr uint64_t kReserveMin = 1 << 10;
  // Bytes on their way to or from other cores: values that are to be stored, or room that is set
  // aside for replies, or for a page of a listing.
  enum class Cargo : uint8_t { kValue, kReply, kPage };
  void SetOff(Cargo what, uint64_t bytes);
  void Arrived(Cargo what, uint64_t bytes);
  // What all connections hold, and what replies in memory of our own may come to, as unread bytes
  // may: but for a block or two and a value of kSmallValueBytes of each connection.
  [[nodiscard]] const HeldBytes& held() const { return held_; }
  [[nodiscard]] uint64_t buffer_pool_bytes() const { return buffer_pool_bytes_; }
  // Bytes that all connections hold: unread, and owed.
  [[nodiscard]] uint64_t BufferBytes() const {
    return held_.input + held_.output + held_.lent + coming_bytes_;
  }
  // Owing so much, a connection is not read: the more all connections owe together,
  // the less each may. Bytes.
  [[nodiscard]] uint64_t ReplyMark() const;
  // Has the pool room for a copy of a value of `bytes`? If not, it is lent. Small values always
  // have.
  [[nodiscard]] bool MayCopy(uint64_t bytes) const {
    return bytes <= kSmallValueBytes || held_.output + coming_bytes_ + bytes <= buffer_pool_bytes_;
  }
  static constexpr uint64_t kSmallValueBytes = 4 << 10;
  // What to set aside for a reply of another core: as much as the largest of late.
  [[nodiscard]] uint32_t ReplyReserve() const {
    const uint64_t bytes = reply_estimate_ + kReserveMin;
    return static_cast<uint32_t>(MayCopy(bytes) ? bytes : kSmallValueBytes);
  }
  // A reply of another core had so many bytes, and as many of a value lent.
  void NoteReply(uint64_t bytes, uint64_t lent_bytes) {
    if (lent_bytes == 0) reply_estimate_ = std::max(bytes, reply_estimate_ - reply_estimate_ / 16);
    lent_mean_ = lent_mean_ - lent_mean_ / 16 + lent_bytes / 16;
  }
  // Lent bytes of a reply of another core, on average of late.
  [[nodiscard]] uint64_t lent_mean() const { return lent_mean_; }
  // Is there room for more of the values that are arriving?
  [[nodiscard]] bool MayKeepInput() const { return held_.input <= InputPool(); }
  // May `connection` keep more of a value that is arriving?
  [[nodiscard]] Inflow::Verdict AskToKeep(Connection& connection) {
    return inflow_.Ask(connection, held_.input, InputPool(), now_.ns);
  }

  [[nodiscard]] Batch& batch() { return batch_; }
  [[nodiscard]] io::Loop& loop() { return loop_; }
  [[nodiscard]] io::BlockPool& blocks() { return blocks_; }
  [[nodiscard]] store::Shard& shard() { return shard_; }
  [[nodiscard]] stats::CounterBlock& counters() { return counters_; }
  [[nodiscard]] const stats::CounterBlock& counters() const { return counters_; }
  [[nodiscard]] const store::Shard& shard() const { return shard_; }
  [[nodiscard]] stats::RequestTimes& times() { return times_; }
  [[nodiscard]] const stats::RequestTimes& times() const { return times_; }
  // From any thread: what a second of late has brought.
  [[nodiscard]] stats::Traffic RecentTraffic() const { return recent_traffic_.PerSecond(); }
  [[nodiscard]] Cluster& cluster() const { return cluster_; }
  // For texts that are copied at once.
  [[nodiscard]] std::string& scratch() { return scratch_; }
  [[nodiscard]] uint32_t index() const { return options_.index; }
  [[nodiscard]] Now now() const { return now_; }
  using Connections = absl::btree_map<uint64_t, std::unique_ptr<Connection>>;
  [[nodiscard]] const Connections& connections() const { return connections_; }
  // Of each listener number.
  [[nodiscard]] std::span<const int> listener_fds() const { return listener_fds_; }
  [[nodiscard]] engine::Place place() { return {shard_, counters_, old_value_}; }
  [[nodiscard]] Lender& lender() { return lender_; }
  [[nodiscard]] Keeper& keeper() { return keeper_; }
  [[nodiscard]] Inflow& inflow() { return inflow_; }
  [[nodiscard]] Placement& placement() { return placement_; }
  // A client of another core lives here from now on.
  void TakeClient(MovingClient client);
  [[nodiscard]] const Keeper& keeper() const { return keeper_; }
  [[nodiscard]] const protocol::ParserLimits& limits() const { return limits_; }
  // Which core owns the key.
  [[nodiscard]] uint32_t OwnerOf(uint64_t hash) const {
    return util::ShardOf(hash, cluster_.mailboxes.cores());
  }

  // Of a command whose key is ours, from a client of any core.
  Outcome Execute(const Command& command, const Connection& client) {
    if (observer_.observes()) [[unlikely]] {
      return observer_.Execute(command, client.fd());
    }
    return engine::Execute(place(), command);
  }
  [[nodiscard]] Observer& observer() { return observer_; }
  [[nodiscard]] const Observer& observer() const { return observer_; }
  // A connection watches `streams` from now on; false if there are too many that do. And no longer.
  bool AddWatcher(Connection& connection, Streams streams);
  void RemoveWatcher(Connection& connection, Streams streams);
  // Events that some core has seen in a turn.
  void TellWatchers(std::string_view batch);

  // Does what a message of another core asks for, and answers it.
  void Answer(uint32_t from, Message& request);
  // An answer to it, but for what it says.
  Message& BeginAnswer(uint32_t from, const Message& request);

  // Some number, for who needs no better one than that.
  [[nodiscard]] uint64_t Draw() {
    const uint64_t seed[] = {now_.ns, ++draws_};
    return cluster_.hash({reinterpret_cast<const char*>(seed), sizeof(seed)});
  }

  // This core's part of a verb of all cores.
  void ExecuteEverywhere(const Command& command);

 private:
  void TakeClient(int listener, int fd);
  [[nodiscard]] uint32_t HomeOfClient(int listener);
  void DrainInboxes();
  void EndTurns();
  void AnswerGroup(uint32_t from, util::SpscRing<Message>& inbox, size_t count);
  void AnswerCommand(Message& request, Message& reply);
  void Tick();
  void TickConnections();
  void ReleaseMemory();
  void AddWaitingToTurn();
  void MissLoans();
  void SetMemoryBytesMax(uint64_t bytes);
  void AdjustBudget();
  [[nodiscard]] uint64_t InputPool() const;
  void DrainConnections();

  const Options options_;
  Cluster& cluster_;
  io::Loop& loop_;
  stats::CounterBlock counters_;
  stats::RequestTimes times_;
  stats::RecentTraffic recent_traffic_;
  store::Shard shard_;
  Lender lender_;
  Keeper keeper_{*this};
  Inflow inflow_;
  Placement placement_{*this};
  Observer observer_;
  io::BlockPool blocks_;
  const protocol::ParserLimits limits_;

  Now now_;
  bool turn_begun_ = false;
  bool more_mail_ = false;
  bool more_to_tick_ = false;
  // Pages of listings: however many clients list, others have their share of a turn.
  static constexpr uint32_t kPagesMax = 2;
  uint32_t pages_made_ = 0;  // here in this turn, for our own clients
  bool pages_wait_ = false;  // for the next one
  uint32_t pages_asked_ = 0;
  uint64_t next_tick_ns_ = 0;
  CacheSeconds last_second_ = 0;

  Batch batch_;
  std::vector<Connection*> turn_;
  std::vector<Connection*> starved_;
  std::vector<Connection*> yielded_;
  std::vector<Connection*> watchers_;
  uint64_t refused_ = 0;  // values refused for lack of memory, a second ago
  Connections connections_;
  uint64_t next_id_ = 1;
  uint64_t draws_ = 0;

  uint64_t memory_bytes_max_ = 0;
  uint64_t buffer_pool_bytes_ = 0;  // for owed bytes in memory of our own; as much for unread ones
  HeldBytes held_;                  // by all connections
  uint64_t coming_bytes_ = 0;       // set aside for replies of other cores
  uint64_t reply_estimate_ = kSmallValueBytes;  // of copies
  uint64_t lent_mean_ = 0;
  uint64_t budgeted_bytes_ = 0;
  uint64_t allocated_bytes_ = 0;  // a second ago

  std::string scratch_;
  std::string old_value_;          // of an item that is gone
  std::vector<int> listener_fds_;  // by the loop's numbers
  std::vector<Clients> listener_clients_;
  io::ReserveFd reserve_;
  std::vector<int> paused_listeners_;
  uint32_t drain_turns_ = 0;
  std::atomic<Phase> phase_{Phase::kServe};
  // Relaxed: a sign of life, nothing is published by it.
  std::atomic<uint64_t> turn_began_ns_{0};
};

}  // namespace larder::server

#endif  // LARDER_SERVER_WORKER_H_
