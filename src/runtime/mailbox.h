// Messages between cores: a bounded ring per ordered pair of cores, published once a turn, and a
// doorbell only for a core that sleeps.
//
// A ring is made when its pair first talks. Room is the sender's to arrange: it keeps at most half
// a ring of requests unanswered per peer (CanAsk), so the other half always has room for the
// replies that the peer is owed, and two cores never wait for each other. The last of those places
// is for requests that end what the others may be waiting for (CanAskLast).
//
// Sleeping: the consumer announces its sleep, then looks into its rings once more; the producer
// publishes, then looks whether the consumer sleeps. All four accesses are sequentially consistent,
// so that at least one of the two sees the other. (Not fences:
// gcc's ThreadSanitizer does not know them.)
#ifndef LARDER_RUNTIME_MAILBOX_H_
#define LARDER_RUNTIME_MAILBOX_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "io/loop.h"
#include "util/check.h"
#include "util/spsc_ring.h"

namespace larder::runtime {

// The rings of all cores. `Message` is any default-constructible type that is filled in place.
template <typename Message>
class Mailboxes {
 public:
  struct Options {
    uint32_t cores = 1;
    size_t ring_messages = 1024;  // power of two; half for requests, half for replies
  };

  explicit Mailboxes(const Options& options)
      : options_(options),
        rings_(std::make_unique<std::atomic<Ring*>[]>(size_t{options.cores} * options.cores)),
        cores_(std::make_unique<CoreState[]>(options.cores)) {
    CHECK_GE(options.ring_messages, 4);
    for (uint32_t core = 0; core < options.cores; ++core) {
      cores_[core].unanswered.assign(options.cores, 0);
      cores_[core].dirty.reserve(options.cores);
    }
  }
  ~Mailboxes() {
    for (size_t i = 0; i < size_t{options_.cores} * options_.cores; ++i) {
      delete rings_[i].load(std::memory_order_relaxed);
    }
  }
  Mailboxes(const Mailboxes&) = delete;
  Mailboxes& operator=(const Mailboxes&) = delete;

  [[nodiscard]] uint32_t cores() const { return options_.cores; }

  // Before any core runs: the loop that sleeps for `core`.
  void SetLoop(uint32_t core, io::Loop* loop) { cores_[core].loop = loop; }

  // Core `from`: may it send another request to `to`?
  [[nodiscard]] bool CanAsk(uint32_t from, uint32_t to) const {
    return cores_[from].unanswered[to] + 1 < options_.ring_messages / 2;
  }
  // The same for a request that is answered at once, whatever else waits.
  [[nodiscard]] bool CanAskLast(uint32_t from, uint32_t to) const {
    return cores_[from].unanswered[to] < options_.ring_messages / 2;
  }
  // Core `from`: the envelope of a request to `to`, to be filled now; CanAsk() has been true. It
  // leaves with Publish().
  Message& Ask(uint32_t from, uint32_t to) {
    ++cores_[from].unanswered[to];
    return Put(from, to);
  }
  // Core `from`: the envelope of a reply to a request of `to`. There is always room.
  Message& Answer(uint32_t from, uint32_t to) { return Put(from, to); }
  // Core `core`: a reply from `peer` has been taken from the ring.
  void Answered(uint32_t core, uint32_t peer) {
    DCHECK_GT(cores_[core].unanswered[peer], 0);
    --cores_[core].unanswered[peer];
  }

  // Core `from`, at the end of its turn: shows what was put since the last time, and wakes who
  // sleeps. Returns the number of doorbells.
  uint32_t Publish(uint32_t from) {
    CoreState& self = cores_[from];
    uint32_t doorbells = 0;
    for (const uint32_t to : self.dirty) {
      RingOf(from, to)->Publish();
      CoreState& peer = cores_[to];
      // The exchange lets one of several producers ring.
      if (peer.sleeping.load(std::memory_order_seq_cst) && peer.sleeping.exchange(false)) {
        self.loop->Ring(*peer.loop);
        ++doorbells;
      }
    }
    self.dirty.clear();
    return doorbells;
  }

  // Core `to`: the ring of messages from `from`, or null if that core has never sent one.
  util::SpscRing<Message>* Inbox(uint32_t to, uint32_t from) {
    Ring* ring = rings_[Index(from, to)].load(std::memory_order_acquire);
    return ring;
  }

  // Core `core`, before it waits: false if there is mail, and it must not sleep.
  bool PrepareSleep(uint32_t core) {
    cores_[core].sleeping.store(true, std::memory_order_seq_cst);
    for (uint32_t from = 0; from < options_.cores; ++from) {
      // seq_cst: a ring that is made after this look is published after it too,
      // and then rings the bell.
      Ring* ring = rings_[Index(from, core)].load(std::memory_order_seq_cst);
      if (ring != nullptr && ring->HasMail()) {
        Awake(core);
        return false;
      }
    }
    return true;
  }
  void Awake(uint32_t core) { cores_[core].sleeping.store(false, std::memory_order_relaxed); }

 private:
  using Ring = util::SpscRing<Message>;

  struct alignas(64) CoreState {
    std::atomic<bool> sleeping{false};
    // The rest is of the core's own thread.
    alignas(64) io::Loop* loop = nullptr;
    std::vector<uint32_t> unanswered;  // requests to each peer that have no reply yet
    std::vector<uint32_t> dirty;       // peers with something to publish
  };

  [[nodiscard]] size_t Index(uint32_t from, uint32_t to) const {
    return size_t{from} * options_.cores + to;
  }
  Ring* RingOf(uint32_t from, uint32_t to) {
    return rings_[Index(from, to)].load(std::memory_order_relaxed);  // we made it
  }

  Message& Put(uint32_t from, uint32_t to) {
    Ring* ring = RingOf(from, to);
    if (ring == nullptr) {
      ring = new Ring(options_.ring_messages);
      rings_[Index(from, to)].store(ring, std::memory_order_seq_cst);
    }
    Message* message = ring->Reserve();
    CHECK(message != nullptr);  // the halves were kept
    if (!ring->HasUnpublished()) cores_[from].dirty.push_back(to);
    ring->Commit();
    return *message;
  }

  const Options options_;
  const std::unique_ptr<std::atomic<Ring*>[]> rings_;
  const std::unique_ptr<CoreState[]> cores_;
};

}  // namespace larder::runtime

#endif  // LARDER_RUNTIME_MAILBOX_H_
