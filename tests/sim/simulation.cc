#include "simulation.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <iostream>
#include <string>

#include "server/connection.h"

namespace larder::sim {

using server::Connection;
using server::Worker;
using stats::Counter;

namespace {

constexpr uint64_t kItemBytesMax = 256 << 10;
// What a connection may hold in memory of the server's own: its mark, as much again in small values
// that were asked for while replies were smaller, and the rest of blocks.
constexpr uint64_t kOutputBytesMax = (2 << 20) + (96 << 10);
// What a connection may hold whatever the others do: small values, each with the rest of its
// blocks.
constexpr uint64_t kSmallOutputBytesMax = 64 << 10;
constexpr uint64_t kMillisecond = 1'000'000;

// For the last words of a process that is about to end.
struct Running {
  uint64_t seed = 0;
  uint64_t step = 0;
};
Running g_running;

}  // namespace

void PrintHowToReplay() {
  std::cerr << "sim --seed=" << g_running.seed << " --until=" << g_running.step << std::endl;
}

void SimFailed(const std::string& what) {
  std::cerr << "sim: " << what << std::endl;
  PrintHowToReplay();
  std::_Exit(1);
}

Simulation::Shape Simulation::ShapeOf(const SimOptions& options, util::Prng& prng) {
  Shape shape{};
  shape.cores = static_cast<uint32_t>(prng.Below(5)) + 1;
  shape.clients = static_cast<uint32_t>(prng.Below(prng.OneIn(3) ? 12 : 4)) + 1;
  if (options.cores) shape.cores = *options.cores;
  if (options.clients) shape.clients = *options.clients;
  shape.connections_max = prng.OneIn(4) ? std::max(1U, shape.clients - 1) : 1024;
  shape.ring_messages = std::array<size_t, 4>{4, 4, 16, 1024}[prng.Below(4)];
  shape.requests_per_turn = std::array<uint32_t, 4>{1, 3, 20, 512}[prng.Below(4)];
  shape.lossy = prng.OneIn(3);
  shape.memory_bytes_max = shape.lossy ? 1 << 20 : 64 << 20;
  shape.buffer_pool_bytes_min = prng.OneIn(2) ? 2 << 20 : 72 << 10;
  shape.evict = !shape.lossy || prng.OneIn(2);
  shape.flush_enabled = !prng.OneIn(4);
  return shape;
}

Simulation::Simulation(const SimOptions& options)
    : options_(options),
      prng_(options.seed),
      shape_(ShapeOf(options, prng_)),
      cluster_(shape_.cores, util::KeyHash(prng_.Next()), clock_, shape_.ring_messages),
      shared_(shape_.clients),
      running_(shape_.cores, false),
      in_order_(shape_.cores, false) {
  g_running = {.seed = options.seed, .step = 0};
  cluster_.item_bytes_max = kItemBytesMax;
  cluster_.connections_max = shape_.connections_max;
  cluster_.requests_per_turn = shape_.requests_per_turn;
  cluster_.flush_enabled = shape_.flush_enabled;
  cluster_.settings = {{"maxbytes", "many"}};
  cluster_.listener_names = {"tcp:sim"};
  if (options.forget_order) {
    cluster_.order.Join();
    cluster_.order.Establish();
  }
  // For some seconds the packets of all clients arrive here, then there; and any core may be full.
  places_ = util::Prng(prng_.Next());
  cluster_.homes.of = [this](int) -> std::optional<uint32_t> {
    if (places_.OneIn(8)) return std::nullopt;
    return static_cast<uint32_t>(clock_.now.ns / 1'000'000'000 % shape_.cores);
  };
  cluster_.homes.busy_ns = [this](uint32_t core) {
    const bool full = clock_.now.ns / 3'000'000'000 % 4 == core;
    return clock_.now.ns / 1000 * (full ? 990 : 300);
  };
  // Nothing may be evicted of it, or flushed.
  shared_.used = shape_.clients > 1 && !shape_.lossy;
  for (uint32_t core = 0; core < shape_.cores; ++core) {
    loops_.push_back(std::make_unique<io::SimLoop>(prng_.Next()));
    loops_.back()->SetWhileAsleep([this, core] { WhileAsleep(core); });
    const Worker::Options worker{.index = core,
                                 .memory_bytes_max = shape_.memory_bytes_max,
                                 .evict = shape_.evict,
                                 .huge_pages = false,
                                 .buffer_pool_bytes_min = shape_.buffer_pool_bytes_min};
    workers_.push_back(std::make_unique<Worker>(worker, cluster_, *loops_.back()));
    cluster_.workers.push_back(workers_.back().get());
    cluster_.mailboxes.SetLoop(core, loops_.back().get());
    workers_.back()->AddListener(0);
  }
  for (uint32_t id = 0; id < shape_.clients; ++id) {
    const SimClient::Options client{.id = id,
                                    .item_bytes_max = kItemBytesMax,
                                    .lossy = shape_.lossy,
                                    .alone = shape_.clients == 1,
                                    .flush_enabled = shape_.flush_enabled};
    clients_.push_back(std::make_unique<SimClient>(client, shared_, prng_.Next()));
  }
}

Simulation::~Simulation() {
  // Whoever stops in the middle leaves connections behind; the workers want to see them off.
  for (const auto& worker : workers_) {
    if (worker->HasConnections()) worker->CloseAll();
  }
  for (int turn = 0; turn < 10'000; ++turn) {
    for (const auto& worker : workers_) worker->RunTurn(0);
  }
}

SimReport Simulation::Run() {
  bool go_on = true;
  while (go_on && report_.steps < options_.steps) {
    go_on = Step();
    const uint64_t choice = prng_.Below(16);
    if (choice < 7) {
      RunSomeCore();
    } else if (choice < 15) {
      ClientActs();
    } else {
      ClockMoves();
    }
  }
  const uint64_t ending = prng_.Below(4);
  go_on = go_on && (ending == 0 || Settle());
  go_on = go_on && (ending == 3 ? CutOff() : Drain());
  if (go_on) {
    CheckShared();
    CheckNothingLeft();
  }
  for (const auto& worker : workers_) {
    report_.sent_bytes += worker->counters().Get(Counter::kBytesWritten);
    report_.messages += worker->counters().Get(Counter::kMessagesSent);
    report_.lent += worker->counters().Get(Counter::kValuesLent);
    report_.in_place += worker->counters().Get(Counter::kValuesInPlace);
    report_.moved += worker->counters().Get(Counter::kClientsMoved);
  }
  report_.resp = shared_.tally;
  for (const auto& loop : loops_) report_.received_bytes += loop->received_bytes();
  return report_;
}

bool Simulation::Step() {
  if (report_.steps == options_.until) return false;
  g_running.step = ++report_.steps;
  return true;
}

// --- who moves ----------------------------------------------------------------------------------

void Simulation::RunCore(uint32_t core) {
  if (running_[core]) return;
  running_[core] = true;
  // A second is long here.
  if (places_.OneIn(2)) workers_[core]->placement().Look(clock_.now.FloorSeconds());
  workers_[core]->RunTurn(prng_.OneIn(2) ? 0 : 1'000'000'000);
  running_[core] = false;
  const bool in_order = workers_[core]->keeper().keeps_order();
  if (in_order != in_order_[core]) ++(in_order ? report_.orders_begun : report_.orders_ended);
  in_order_[core] = in_order;
  LookForDeaf();
  CheckBounds();
}

// Clients that took nothing while others waited for memory were closed: whoever stood still long
// enough may be one of them.
void Simulation::LookForDeaf() {
  uint64_t closed = 0;
  for (const auto& worker : workers_) closed += worker->counters().Get(Counter::kDeafClosed);
  if (closed == report_.deaf_closed) return;
  report_.deaf_closed = closed;
  for (const auto& client : clients_) {
    if (client->connected()) client->ExpectCut();
  }
}

void Simulation::RunSomeCore() { RunCore(static_cast<uint32_t>(prng_.Below(shape_.cores))); }

// A core sleeps, in its RunOnce. The others go on; whoever sends it something must ring.
void Simulation::WhileAsleep(uint32_t core) {
  for (uint64_t n = prng_.Below(5); n > 0 && !loops_[core]->rung(); --n) {
    if (prng_.OneIn(3)) {
      ClientActs();
    } else {
      RunSomeCore();
    }
  }
  if (loops_[core]->rung()) return;
  for (uint32_t from = 0; from < shape_.cores; ++from) {
    const auto* inbox = cluster_.mailboxes.Inbox(core, from);
    SIM_CHECK(inbox == nullptr || !inbox->HasMail(), "a core sleeps and has mail");
  }
}

void Simulation::ClientActs() {
  SimClient& client = *clients_[prng_.Below(clients_.size())];
  if (settling_) {
    client.ReadAll();
  } else if (!client.connected()) {
    client.Connect(*loops_[prng_.Below(loops_.size())], 0);
  } else if (client.Finished()) {
    client.Forget();
  } else if (prng_.OneIn(2)) {
    client.Write();
  } else {
    client.Read();
  }
}

void Simulation::ClockMoves() {
  clock_.now.ns += prng_.Below(5 * kMillisecond);
  clock_.now.unix_ns += static_cast<int64_t>(prng_.Below(5 * kMillisecond));
  if (prng_.OneIn(50)) {
    constexpr int64_t kDay = 86'400'000'000'000;
    clock_.now.unix_ns += prng_.OneIn(2) ? kDay : -kDay;
  }
  // Whoever is about to leave has some seconds for it; those may not pass in a step.
  const bool somebody_leaves =
      std::any_of(clients_.begin(), clients_.end(), [](const auto& c) { return c->leaving(); });
  if (!somebody_leaves && prng_.OneIn(20)) clock_.now.ns += prng_.Below(5'000) * kMillisecond;
}

std::string Simulation::DescribeClients() const {
  std::string text;
  for (const auto& client : clients_) {
    if (client->connected() && !client->Finished()) text += "\n  " + client->Describe();
  }
  return text;
}

// --- what must hold -----------------------------------------------------------------------------

void Simulation::CheckBounds() {
  for (const auto& client : clients_) {
    if (!client->connected() || client->socket().stream() == nullptr) continue;
    const auto& connection = static_cast<const Connection&>(*client->socket().stream());
    const uint64_t bytes = connection.OutputBytes();
    report_.output_bytes_peak = std::max(report_.output_bytes_peak, bytes);
    SIM_CHECK(bytes <= kOutputBytesMax,
              "a connection holds " + std::to_string(bytes) + " bytes of replies");
  }
  for (const auto& worker : workers_) {
    const uint64_t bytes = worker->held().output;
    SIM_CHECK(bytes <= worker->buffer_pool_bytes() + shape_.clients * kSmallOutputBytesMax,
              "a core holds " + std::to_string(bytes) + " bytes of replies");
    report_.lent_bytes_peak = std::max(report_.lent_bytes_peak, worker->held().lent);
    SIM_CHECK(worker->shard().MemoryBytes() <= shape_.memory_bytes_max + store::kHeapSegmentBytes,
              "a shard is over its budget");
  }
}

// All clients are content: nothing may be left to do.
void Simulation::CheckQuiet() {
  for (const auto& client : clients_) {
    if (!client->connected() || client->socket().stream() == nullptr) continue;
    const auto& connection = static_cast<const Connection&>(*client->socket().stream());
    SIM_CHECK(!connection.HasPending(), "a pending reply of a content client");
    SIM_CHECK(!client->socket().sending(), "a send in flight to a content client");
    SIM_CHECK(connection.Idle() || client->socket().notice_held(),
              "a content client whose connection is not idle");
  }
  for (uint32_t to = 0; to < shape_.cores; ++to) {
    for (uint32_t from = 0; from < shape_.cores; ++from) {
      const auto* inbox = cluster_.mailboxes.Inbox(to, from);
      SIM_CHECK(inbox == nullptr || !inbox->HasMail(), "mail that nobody takes");
    }
  }
}

void Simulation::CheckNothingLeft() {
  for (uint32_t core = 0; core < shape_.cores; ++core) {
    const Worker& worker = *workers_[core];
    SIM_CHECK(worker.counters().Get(Counter::kCurrConnections) == 0, "curr_connections is not 0");
    SIM_CHECK(worker.BufferBytes() == 0, "buffers are left in the count");
    SIM_CHECK(loops_[core]->attached() == 0, "a socket is left");
    worker.shard().CheckInvariants();
  }
  SIM_CHECK(cluster_.connections.load() == 0, "connections are left in the count");
}

std::optional<std::string> Simulation::ValueOf(const std::string& key) {
  const uint64_t hash = cluster_.hash(key);
  store::Shard& shard = workers_[workers_[0]->OwnerOf(hash)]->shard();
  const store::Item* item = shard.Find(key, hash, store::Shard::Access::kPeek);
  if (item == nullptr) return std::nullopt;
  return std::string(item->Value());
}

// Whatever clients have not heard of any more: nothing is half done, nothing that was told is lost.
void Simulation::CheckShared() {
  const auto pair = ValueOf(SimShared::PairKey(0));
  const auto sum = ValueOf(SimShared::SumKey(0));
  for (size_t i = 1; i < SimShared::kKeys; ++i) {
    SIM_CHECK(ValueOf(SimShared::PairKey(i)) == pair, "half of the pairs was written");
    SIM_CHECK(ValueOf(SimShared::SumKey(i)) == sum, "half of the sums was counted");
  }
  const uint64_t sums = sum ? std::stoull(*sum) : 0;
  SIM_CHECK(shared_.tally.sums <= sums && sums <= shared_.sums_sent, "sums do not add up");
  const uint64_t swaps = std::stoull(ValueOf(SimShared::kSwapKey).value_or("0"));
  SIM_CHECK(shared_.tally.swaps <= swaps && swaps <= shared_.swaps_sent, "swaps do not add up");
}

// --- the end ------------------------------------------------------------------------------------

// Nobody sends any more and all read: after a bounded time, everything is answered.
bool Simulation::Settle() {
  settling_ = true;
  constexpr int kRoundsMax = 30'000;
  for (int round = 0; round < kRoundsMax; ++round) {
    if (!Step()) return false;
    bool content = true;
    for (const auto& client : clients_) {
      if (!client->connected()) continue;
      client->ReadAll();
      content = content && (client->Finished() || (client->Satisfied() && !client->leaving()));
    }
    if (content) break;
    SIM_CHECK(round + 1 < kRoundsMax, "somebody waits for ever" + DescribeClients());
    for (uint32_t core = 0; core < shape_.cores; ++core) RunSomeCore();
    if (prng_.OneIn(4)) clock_.now.ns += prng_.Below(2 * kMillisecond);
  }
  // Notices of the last sends, and connections that were closed.
  for (int turn = 0; turn < 200; ++turn) {
    for (uint32_t core = 0; core < shape_.cores; ++core) RunCore(core);
  }
  CheckQuiet();
  return true;
}

bool Simulation::Drain() {
  settling_ = true;
  for (const auto& client : clients_) {
    if (client->connected()) client->ExpectDrain();
  }
  for (const auto& worker : workers_) worker->Signal(Worker::Phase::kDrain);
  constexpr int kRoundsMax = 30'000;
  for (int round = 0; round < kRoundsMax; ++round) {
    if (!Step()) return false;
    bool gone = true;
    for (const auto& worker : workers_) gone = gone && !worker->HasConnections();
    if (gone) break;
    SIM_CHECK(round + 1 < kRoundsMax, "the server does not drain" + DescribeClients());
    for (const auto& client : clients_) {
      if (client->connected()) client->ReadAll();
    }
    for (uint32_t core = 0; core < shape_.cores; ++core) RunSomeCore();
    clock_.now.ns += prng_.Below(kMillisecond / 10);
  }
  for (const auto& client : clients_) {
    if (client->connected()) client->ReadAll();
  }
  return true;
}

bool Simulation::CutOff() {
  settling_ = true;
  for (const auto& client : clients_) client->ExpectCut();
  for (const auto& worker : workers_) worker->CloseAll();
  constexpr int kRoundsMax = 30'000;
  for (int round = 0; round < kRoundsMax; ++round) {
    if (!Step()) return false;
    bool gone = true;
    for (const auto& worker : workers_) gone = gone && !worker->HasConnections();
    if (gone) return true;
    RunSomeCore();
  }
  SimFailed("a server that was cut off keeps its connections");
}

}  // namespace larder::sim
