// Commands that are executed as one, on the cores that own their keys, and answered together.
//
//   order ──► acquire ──► execute step by step ──► release ──► done: Reply()
//   once      core by core, in the order of their numbers
//
// A step's parts run on all cores at the same time; what one step reads, the next one may write on
// another core (RENAME, COPY, MSETNX). The last step gives up the keys. Commands whose keys are all
// on one core need no keys kept, and those of this one no message.
//
// With one step, the last core executes its part as soon as it grants the keys: the others keep
// theirs until then, so nobody sees a half.
//
// Before the first one that writes on several cores, every core is told to keep the commands of
// each RESP client in order: from then on, none of them is asked of one core while an earlier one
// is unanswered by another. Without that, a pipeline of two reads could see the first key after
// such a transaction and the second one before it. Some seconds after the last of them it is so no
// longer (order.h). So nobody pays for it who has no use for it.
//
// A connection has one while it waits, and executes no later command before its end. It goes on to
// its end even if the client is gone.
#ifndef LARDER_SERVER_TRANSACTION_H_
#define LARDER_SERVER_TRANSACTION_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "larder/command.h"
#include "protocol/codec.h"
#include "server/errands.h"
#include "server/part.h"
#include "server/search.h"

namespace larder::server {

class Connection;
class Worker;

// What a client has read before, and wants unchanged.
struct WatchedKey {
  std::string key;
  uint64_t hash = 0;
  uint64_t unique = 0;  // 0: it was not there
  CacheSeconds expire_at = kNever;
};

class Transaction {
 public:
  // What becomes of the replies to a unit, which is one command of the client.
  enum class Join : uint8_t {
    kText,    // known from the start
    kOne,     // there is one
    kList,    // an array of them
    kSum,     // all are numbers
    kOk,      // the first that is an error, or OK
    kCall,    // there are no keys: executed when it is certain that the transaction is
    kMsetnx,  // the rest: two steps
    kRename,
    kRenamenx,
    kCopy,
    kReplace,  // copy, whatever is there
    kWatch,    // tells the connection
    kScan,     // searches: one step of one core
    kRandom,   // core after core, until one is found
    kKeys,     // all of all cores, as a list
    kCount,    // as a number
    kOnce,     // OK, or that there is no such client
    kLines,    // as text
    kDone,     // OK, when all is done
    kRoom,     // OK, if all found room
    kUnwatch,  // nothing more is done if a key has changed
  };
  // One unit, or the array of many that EXEC answers.
  enum class Frame : uint8_t { kBare, kArray };

  Transaction(Worker& worker, Connection& client, Errands& errands, protocol::Protocol protocol,
              Frame frame);

  // Begins a unit, for the calls of Add that follow. `text` is of kText only.
  void BeginUnit(Join join, std::string_view text = {});
  // A command with its hash. Of kMsetnx, those that set; of the other two-step units, the source
  // and the destination, as any command with their keys.
  void Add(const Command& command);
  // A command without keys, of a unit of its own.
  void AddCall(const Command& call);
  // Of searches: what is done on `core`; the same on all.
  void AddSearch(uint32_t core, const Search& search);
  // Before all else.
  void AddWatched(const std::vector<WatchedKey>& watched);

  // Goes on as far as it can; to be called until done(), whenever something has happened.
  void Continue();
  // An answer of another core.
  void TakePart(const Message& message);
  // The keys of this core are granted, or its clients' commands are in order.
  void TakeKeys() { waits_for_keys_ = false; }
  [[nodiscard]] bool done() const { return stage_ == Stage::kDone; }
  [[nodiscard]] std::string Reply() const;

  // Executes entries of a part, and appends their replies, encoded as `protocol` has it.
  static void ExecuteEntries(Worker& worker, const Connection& client, std::string_view entries,
                             protocol::Protocol protocol, std::string& replies);

 private:
  enum class Stage : uint8_t { kOrder, kAcquire, kExecute, kDone };
  static constexpr uint32_t kNoUnit = UINT32_MAX;

  struct Unit {
    Join join;
    uint32_t first = 0;  // slot
    uint32_t count = 0;
    std::string text = {};
    // Of kMsetnx: its second step, as entries; of searches: the pattern; of kCall: its arguments.
    std::string then = {};
    Command call = {};  // but for the arguments
    std::vector<WatchedKey> keys = {};
    // Of searches.
    Search search = {};  // but for the pattern, which is in `then`
    std::vector<uint32_t> cores = {};
    uint64_t found = 0;
    uint64_t cursor = 0;
  };
  struct Step {
    std::vector<std::string> entries;  // by core
    uint32_t unit = kNoUnit;           // the one whose second step is made when this has ended
  };

  void ExecuteCalls();
  void AddEntry(const Command& command, EntryKind kind);
  void AddKey(const Command& command);
  [[nodiscard]] Step& LastStep() { return steps_.back(); }
  std::string& EntriesOf(Step& step, uint64_t hash);
  void Want(uint64_t hash);
  void Schedule();
  bool TakeOrder();
  bool AcquireNext();
  bool ExecuteStep();
  [[nodiscard]] bool MayAskAll() const;
  void Ask(uint32_t core, PartHead head, std::string_view entries);
  void TakeReplies(std::string_view replies);
  // The second steps.
  void EndStep(const Step& step);
  void ThenMsetnx(Unit& unit, Step& next);
  void ThenRename(Unit& unit, Step& next);
  void ThenSearch(uint32_t index);
  void SearchOn(Unit& unit, uint32_t slot, uint64_t position, Step& step);
  void TakeFound(Unit& unit, uint32_t slot, Step& more);
  [[nodiscard]] std::string ReplyOfSearch(const Unit& unit) const;
  void ThenWatch(Unit& unit);
  void ThenUnwatch(const Unit& unit);
  void Write(Unit& unit, const WatchedKey& to, std::string_view source, Step& next);
  void Erase(Unit& unit, const WatchedKey& key, Step& next);
  [[nodiscard]] std::string ReplyOf(const Unit& unit) const;

  Worker& worker_;
  Connection& client_;
  Errands& errands_;
  const protocol::Protocol protocol_;
  const Frame frame_;
  Stage stage_ = Stage::kOrder;
  bool scheduled_ = false;
  bool waits_for_keys_ = false;
  bool writes_ = false;
  bool relies_on_order_ = false;
  bool ordering_ = false;
  bool keeps_ours_ = false;
  bool changed_ = false;  // a watched key has been
  std::vector<Unit> units_;
  std::vector<Step> steps_;
  size_t step_ = 0;                            // the next one
  std::vector<bool> takes_part_;               // by core
  std::vector<std::vector<uint64_t>> hashes_;  // of keys, by core
  std::vector<uint32_t> cores_;                // that have any
  size_t acquired_ = 0;                        // of them
  std::vector<std::string> replies_;           // by slot
  uint32_t waits_ = 0;                         // for answers
};

}  // namespace larder::server

#endif  // LARDER_SERVER_TRANSACTION_H_
