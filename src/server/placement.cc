#include "server/placement.h"

#include <algorithm>
#include <ctime>
#include <fstream>
#include <utility>

#include "server/connection.h"
#include "server/worker.h"

namespace larder::server {

using stats::Counter;

namespace {

// Of the clients of a core, one in so many moves in a second: loads follow slowly.
constexpr size_t kClientsPerMove = 8;

// CPU time of this thread, and the time that it was ready and waited for a CPU: clients on this
// machine, and the kernel's own threads, fill a core just as we do.
uint64_t BusyNsOfThisThread(uint32_t /*core*/) {
  uint64_t worked_ns = 0;
  uint64_t waited_ns = 0;
  std::ifstream file("/proc/thread-self/schedstat");
  if (file >> worked_ns >> waited_ns) return worked_ns + waited_ns;
  timespec used = {};
  (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  return static_cast<uint64_t>(used.tv_sec) * kNsPerSecond + static_cast<uint64_t>(used.tv_nsec);
}

}  // namespace

Homes::Homes(uint32_t cores) : loads(cores), busy_ns(BusyNsOfThisThread) {}

uint32_t Placement::LoadOf(uint32_t core) const {
  return worker_.cluster().homes.loads[core].thousandths.load(std::memory_order_relaxed);
}

void Placement::NoteLoad() {
  const uint64_t now_ns = worker_.now().ns;
  const uint64_t busy_ns = worker_.cluster().homes.busy_ns(worker_.index());
  const uint64_t passed_ns = now_ns - std::exchange(looked_ns_, now_ns);
  const uint64_t used_ns = busy_ns - std::exchange(busy_ns_, busy_ns);
  if (passed_ns == 0) return;
  worker_.cluster().homes.loads[worker_.index()].thousandths.store(
      static_cast<uint32_t>(used_ns * 1000 / passed_ns), std::memory_order_relaxed);
}

uint32_t Placement::IdlestCore() const {
  uint32_t idlest = worker_.index();
  for (uint32_t core = 0; core < worker_.cluster().mailboxes.cores(); ++core) {
    if (LoadOf(core) < LoadOf(idlest)) idlest = core;
  }
  return idlest;
}

void Placement::Look(CacheSeconds second) {
  if (!worker_.cluster().homes.of || worker_.cluster().mailboxes.cores() == 1) return;
  NoteLoad();
  const Worker::Connections& clients = worker_.connections();
  auto client = clients.upper_bound(looked_at_);
  looked_.clear();
  const size_t looks = std::min<size_t>(clients.size(), kLooksMax);
  for (size_t i = 0; i < looks; ++i) {
    if (client == clients.end()) client = clients.begin();
    looked_at_ = client->first;
    Connection& connection = *client->second;
    connection.Stay();
    // Of one that is silent nobody knows where it will talk.
    const bool talks = connection.last_active() + 1 >= second && !connection.watching();
    if (talks && second >= connection.home().settled_until) looked_.push_back(&connection);
    ++client;
  }
  to_go_home_ = 1 + looked_.size() / kClientsPerMove;
  // The last one is not better off elsewhere.
  to_leave_ = looked_.size() > 1 ? to_go_home_ : 0;
  for (Connection* connection : looked_) LookAt(*connection, second);
}

void Placement::LookAt(Connection& connection, CacheSeconds second) {
  const uint32_t here = worker_.index();
  Home& home = connection.home();
  if (LoadOf(here) > kFullThousandths && to_leave_ > 0) {
    const uint32_t idlest = IdlestCore();
    if (LoadOf(idlest) + kMuchThousandths < LoadOf(here)) {
      --to_leave_;
      home.settled_until = second + kSettledSeconds;
      connection.Move(idlest);
      return;
    }
  }
  const uint32_t seen = worker_.cluster().homes.of(connection.fd()).value_or(here);
  // Once is chance.
  const bool again = std::exchange(home.seen, seen) == seen;
  if (!again || seen == here || to_go_home_ == 0 || LoadOf(seen) > kFullThousandths) return;
  --to_go_home_;
  connection.Move(seen);
}

bool Placement::SetOff(Connection& connection) {
  Cluster& cluster = worker_.cluster();
  const uint32_t core = connection.home().next;
  if (worker_.phase() != Worker::Phase::kServe) return false;
  if (!cluster.mailboxes.CanAsk(worker_.index(), core)) return false;
  worker_.counters().Add(Counter::kClientsMoved);
  // It is counted there from now on, and no longer here.
  cluster.connections.fetch_add(1, std::memory_order_relaxed);
  Message& message = cluster.mailboxes.Ask(worker_.index(), core);
  message.kind = Message::Kind::kMoved;
  message.MakeRoom(0);
  message.client = std::make_unique<MovingClient>(connection.Pack()).release();
  return true;
}

void Placement::Arrived(Message& message) {
  const std::unique_ptr<MovingClient> client(message.client);
  worker_.TakeClient(std::move(*client));
}

}  // namespace larder::server
