// Putting it together: sockets, loops, workers, threads.
#include "larder/server.h"

#include <absl/status/status.h>
#include <absl/strings/str_cat.h>
#include <sys/random.h>

#include <algorithm>
#include <cstring>
#include <latch>
#include <utility>

#include "io/make_loop.h"
#include "io/socket.h"
#include "runtime/boottime_clock.h"
#include "runtime/core_thread.h"
#include "server/figures.h"
#include "server/worker.h"
#include "util/check.h"

namespace larder {
namespace {

using server::Cluster;
using server::Worker;

// Between two looks at the phase, at most; signals wake a worker anyway.
constexpr int64_t kWaitNs = 1'000'000'000;
// Turns that a worker gives its kernel to let go of closed connections.
constexpr int kClosingTurns = 1000;
constexpr int64_t kClosingWaitNs = 1'000'000;

uint64_t RandomSecret() {
  uint64_t secret = 0;
  CHECK_EQ(getrandom(&secret, sizeof(secret), 0), static_cast<ssize_t>(sizeof(secret)));
  return secret;
}

// Of the secret, which nobody can tell from it.
std::string MakeRunId(const util::KeyHash& hash) {
  return absl::StrCat(absl::Hex(hash("1"), absl::kZeroPad16),
                      absl::Hex(hash("2"), absl::kZeroPad16),
                      absl::Hex(hash("3") & 0xffff'ffff, absl::kZeroPad8));
}

absl::Status NoAddresses(uint32_t index, uint32_t threads) {
  return absl::ResourceExhaustedError(
      absl::StrCat("the system refuses to reserve addresses for the items of thread ", index + 1,
                   " of ", threads, ": 2 GiB or more, which cost no memory; raise its limit ",
                   "(ulimit -v, LimitAS=), or give fewer threads (-t)"));
}

io::LoopKind KindOf(IoChoice choice) {
  switch (choice) {
    case IoChoice::kAuto:
      return io::LoopKind::kAuto;
    case IoChoice::kUring:
      return io::LoopKind::kUring;
    case IoChoice::kEvent:
      return io::LoopKind::kEvent;
  }
  CHECK(false);
}

// One core: what it runs on, and how it runs. Members are destroyed from the last to the first: the
// thread ends before its worker.
struct Core {
  std::unique_ptr<io::Loop> loop;
  std::unique_ptr<Worker> worker;
  std::unique_ptr<runtime::CoreThread> thread;
  uint64_t turns_seen = 0;  // by SilentCores()
};

void RunWorker(Worker& worker, std::latch& all_serve) {
  // The first turn tells the kernel what to wait for.
  worker.RunTurn(0);
  all_serve.count_down();
  while (worker.phase() != Worker::Phase::kStop) worker.RunTurn(kWaitNs);
  for (int turn = 0; turn < kClosingTurns && worker.HasConnections(); ++turn) {
    // Each time: the first of these turns may still accept, before it removes the listeners.
    worker.CloseAll();
    worker.RunTurn(kClosingWaitNs);
  }
}

class ServerImpl final : public Server {
 public:
  explicit ServerImpl(const ServerOptions& options)
      : options_(options), all_serve_(static_cast<std::ptrdiff_t>(options.threads)) {}

  ~ServerImpl() override {
    for (Core& core : cores_) {
      if (core.thread != nullptr) core.worker->Signal(Worker::Phase::kStop);
    }
    for (Core& core : cores_) core.thread.reset();
    // Answers on their way between workers name connections of others: the workers go together, and
    // the mailboxes after them.
    for (Core& core : cores_) {
      if (core.worker != nullptr) core.worker->LetGo();
    }
    for (Core& core : cores_) core.worker.reset();
  }

  absl::Status Listen();
  absl::Status MakeCores();
  void Run();

  [[nodiscard]] std::vector<Address> Addresses() const override;
  [[nodiscard]] std::string_view LoopName() const override { return cores_[0].loop->Name(); }
  [[nodiscard]] stats::Figures ReadFigures() const override {
    stats::Figures figures = server::ReadFigures(*cluster_);
    for (size_t i = 0; i < cores_.size(); ++i) figures.cores[i].cpu_ns = cores_[i].thread->CpuNs();
    return figures;
  }
  void SetUsers(const std::vector<ServerOptions::User>& users) override {
    CHECK(cluster_->credentials != nullptr);
    cluster_->credentials->Replace(users);
  }
  std::vector<uint32_t> SilentCores() override;
  void BeginDrain() override {
    for (Core& core : cores_) core.worker->Signal(Worker::Phase::kDrain);
    // After the signal: a worker that is told an error by its listener does not try again then.
    for (const auto& group : listeners_) {
      for (const io::Listener& listener : group) io::StopListening(listener.fd.get());
    }
  }
  [[nodiscard]] bool Drained() const override {
    return cluster_->connections.load(std::memory_order_relaxed) == 0;
  }

 private:
  void Log(std::string_view line, bool warning) const {
    if (options_.log) options_.log(line, warning);
  }

  const ServerOptions options_;
  runtime::BoottimeClock clock_;
  // One group a TCP address: a socket for each core. A Unix socket is one that all cores accept on.
  std::vector<std::vector<io::Listener>> listeners_;
  // Who waits on a passed socket is for whoever has it after us: it is never shut down.
  std::vector<io::Listener> passed_listeners_;
  std::vector<Entrance> entrances_;  // of each group
  std::unique_ptr<Cluster> cluster_;
  std::latch all_serve_;  // counted down by each core after its first turn
  std::vector<Core> cores_;
};

absl::Status ServerImpl::Listen() {
  for (const ServerOptions::Listen& listen : options_.listen) {
    const auto port = static_cast<uint16_t>(std::max(listen.port, 0));
    absl::StatusOr<std::vector<io::Listener>> sockets =
        io::ListenTcp({.host = listen.host, .port = port},
                      {.backlog = options_.backlog, .sockets = options_.threads});
    if (!sockets.ok()) return sockets.status();
    // A name may have several addresses.
    for (size_t first = 0; first < sockets->size(); first += options_.threads) {
      std::vector<io::Listener>& group = listeners_.emplace_back();
      entrances_.push_back(listen.entrance);
      for (size_t i = 0; i < options_.threads; ++i) {
        group.push_back(std::move((*sockets)[first + i]));
      }
    }
  }
  if (!options_.unix_path.empty()) {
    absl::StatusOr<io::Listener> socket = io::ListenUnix(
        options_.unix_path, {.mode = options_.unix_mode, .backlog = options_.backlog});
    if (!socket.ok()) return socket.status();
    listeners_.emplace_back().push_back(*std::move(socket));
    entrances_.push_back(Entrance::kAny);
  }
  for (const int fd : options_.passed_fds) {
    absl::StatusOr<io::Listener> socket = io::AdoptListener(fd);
    if (!socket.ok()) return socket.status();
    passed_listeners_.push_back(*std::move(socket));
  }
  return absl::OkStatus();
}

absl::Status ServerImpl::MakeCores() {
  if (options_.memory_bytes_max / options_.threads > kShardMemoryBytesMax) {
    return absl::InvalidArgumentError("a thread uses at most 16 GiB of memory; give more threads");
  }
  cluster_ = std::make_unique<Cluster>(options_.threads, util::KeyHash(RandomSecret()), clock_);
  cluster_->item_bytes_max = options_.item_bytes_max;
  cluster_->connections_max = options_.connections_max;
  cluster_->idle_timeout_s = options_.idle_timeout_s;
  cluster_->requests_per_turn = options_.requests_per_turn;
  cluster_->flush_enabled = options_.flush_enabled;
  cluster_->dumps = options_.dumps_enabled ? server::Dumps::kAllowed : server::Dumps::kForbidden;
  cluster_->watch_enabled = options_.watch_enabled;
  cluster_->shutdown = options_.shutdown;
  cluster_->visitor = options_.visitor;
  cluster_->prefix_delimiter = options_.prefix_delimiter;
  if (options_.detail) cluster_->wishes.Set(server::Wishes::Detail::kOn);
  if (!options_.users.empty()) {
    cluster_->credentials = std::make_unique<server::Credentials>(options_.users);
  }
  cluster_->protocol = options_.protocol;
  cluster_->sasl_enabled = options_.sasl_enabled;
  cluster_->databases = options_.databases;
  cluster_->keys_output_max = options_.keys_output_max;
  cluster_->debug_enabled = options_.debug_enabled;
  if (options_.cluster == ClusterChoice::kEmulated) {
    cluster_->emulated = {.announced_host = options_.cluster_announced_host};
  }
  cluster_->run_id = MakeRunId(cluster_->hash);
  cluster_->entrances = entrances_;
  cluster_->started_s = clock_.Read().FloorSeconds();
  cluster_->settings = options_.settings;
  cluster_->verbosity = options_.verbosity;
  cluster_->memory_bytes_max = options_.memory_bytes_max;
  cluster_->loop_version = std::string(io::EventLoop::LibraryVersion());
  for (const auto& group : listeners_) {
    cluster_->listener_names.push_back(io::LocalName(group[0].fd.get()));
  }
  for (const io::Listener& listener : passed_listeners_) {
    cluster_->listener_names.push_back(io::LocalName(listener.fd.get()));
  }

  absl::StatusOr<io::LoopChoice> choice = io::ChooseLoop(KindOf(options_.io));
  if (!choice.ok()) return choice.status();
  if (!choice->note.empty()) Log(choice->note, true);
  for (uint32_t index = 0; index < options_.threads; ++index) {
    Core& core = cores_.emplace_back();
    absl::StatusOr<std::unique_ptr<io::Loop>> loop = io::MakeLoop(choice->kind, {});
    if (!loop.ok()) return loop.status();
    core.loop = *std::move(loop);
    core.worker = std::make_unique<Worker>(
        Worker::Options{.index = index,
                        .memory_bytes_max = options_.memory_bytes_max / options_.threads,
                        .evict = options_.evict},
        *cluster_, *core.loop);
    if (core.worker->shard().BudgetBytesMax() == 0) return NoAddresses(index, options_.threads);
    cluster_->workers.push_back(core.worker.get());
    cluster_->mailboxes.SetLoop(index, core.loop.get());
    for (const auto& group : listeners_) {
      const bool own = group.size() == options_.threads;
      core.worker->AddListener(group[index % group.size()].fd.get(),
                               own ? Worker::Clients::kOwn : Worker::Clients::kOfAll);
    }
    for (const io::Listener& listener : passed_listeners_) {
      core.worker->AddListener(listener.fd.get(), Worker::Clients::kOfAll);
    }
  }
  return absl::OkStatus();
}

void ServerImpl::Run() {
  // A connection is best served by the core that its packets arrive on. The kernel takes the socket
  // number (CPU modulo sockets): that is right only if this number is the index of the thread that
  // is pinned to the CPU, for each of them.
  bool placed = !options_.cpus.empty();
  if (placed) {
    cluster_->homes.of = [cpus = options_.cpus](int fd) -> std::optional<uint32_t> {
      const auto cpu = std::ranges::find(cpus, io::IncomingCpu(fd));
      if (cpu == cpus.end()) return std::nullopt;
      return static_cast<uint32_t>(cpu - cpus.begin());
    };
  }
  for (uint32_t index = 0; placed && index < options_.threads; ++index) {
    placed = static_cast<uint32_t>(options_.cpus[index]) % options_.threads == index;
  }
  for (const auto& group : listeners_) {
    if (!placed || group.size() < 2) continue;
    const absl::Status status = io::AttachReuseportByCpu(group[0].fd.get(), options_.threads);
    if (!status.ok()) Log(std::string{status.message()}, true);
  }
  for (uint32_t index = 0; index < options_.threads; ++index) {
    runtime::CoreThread::Options thread{.index = index};
    if (!options_.cpus.empty()) thread.cpu = options_.cpus[index];
    Worker* worker = cores_[index].worker.get();
    cores_[index].thread = std::make_unique<runtime::CoreThread>(
        thread, [worker, this] { RunWorker(*worker, all_serve_); });
  }
  all_serve_.wait();
  (void)SilentCores();
}

std::vector<uint32_t> ServerImpl::SilentCores() {
  std::vector<uint32_t> silent;
  for (Core& core : cores_) {
    const uint64_t turns = core.worker->counters().Get(stats::Counter::kTurns);
    if (turns == core.turns_seen) silent.push_back(core.worker->index());
    core.turns_seen = turns;
    core.loop->Wake();
  }
  return silent;
}

std::vector<Server::Address> ServerImpl::Addresses() const {
  std::vector<Address> addresses;
  const auto add = [&](const io::Listener& listener) {
    addresses.push_back({.ipv6 = listener.address.starts_with('['),
                         .port = listener.port,
                         .text = listener.address});
  };
  for (const auto& group : listeners_) add(group[0]);
  for (const io::Listener& listener : passed_listeners_) add(listener);
  return addresses;
}

}  // namespace

std::unique_ptr<Server> Server::Start(const ServerOptions& options, std::string* error) {
  CHECK_GT(options.threads, 0);
  CHECK(options.cpus.empty() || options.cpus.size() == options.threads);
  auto server = std::make_unique<ServerImpl>(options);
  absl::Status status = server->Listen();
  if (status.ok()) status = server->MakeCores();
  if (!status.ok()) {
    *error = std::string{status.message()};
    return nullptr;
  }
  server->Run();
  return server;
}

}  // namespace larder
