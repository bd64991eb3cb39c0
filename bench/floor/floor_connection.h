// One client of the floor: lines in, fixed answers out.
//
//   get KEY…                 for each key: VALUE KEY 0 N, and the value that larder-load expects of
//                            it: the key, filled up with 'v'; then END
//   set KEY F E BYTES …      the data block is skipped; STORED
//   anything else            ERROR
//
// No verb is looked up, nothing is hashed, looked for or stored. The key is copied back because
// larder-load checks each reply, and a benchmark that is not checked is none: two copies of 20
// bytes.
#ifndef LARDER_BENCH_FLOOR_FLOOR_CONNECTION_H_
#define LARDER_BENCH_FLOOR_FLOOR_CONNECTION_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "io/loop.h"

namespace larder::bench {

class FloorConnection;

// What a connection needs of its server.
class FloorTurn {
 public:
  // Calls connection.EndTurn() at the end of the turn, once.
  virtual void AddToTurn(FloorConnection& connection) = 0;
  // The connection is closed: destroys it.
  virtual void Forget(FloorConnection& connection) = 0;

 protected:
  ~FloorTurn() = default;
};

class FloorConnection final : public io::Stream {
 public:
  // `filler` outlives the connection, and is as long as a value.
  FloorConnection(FloorTurn& server, io::Loop& loop, std::string_view filler)
      : server_(server), loop_(loop), filler_(filler) {}

  void OnReceive(std::string_view bytes) override;
  void OnReceiveEnd(int error) override;
  void OnSent(int result) override;
  void OnClosed() override;

  // All replies of the turn leave in one send.
  void EndTurn();

  bool in_turn = false;  // of the server's

 private:
  // Replies: text, into which, at some offsets, the rest of a large value is spliced. That is sent
  // from where it lies, because a floor copies nothing that need not be copied.
  struct Output {
    std::string text;
    std::vector<size_t> splices;
    [[nodiscard]] bool empty() const { return text.empty(); }
    void clear() {
      text.clear();
      splices.clear();
    }
  };

  void TakeLine(std::string_view line);
  void AnswerGet(std::string_view keys);
  void SendRest();

  FloorTurn& server_;
  io::Loop& loop_;
  const std::string_view filler_;

  std::string line_;         // the beginning of a line that has not all come
  uint64_t skip_bytes_ = 0;  // of a data block, still to come; then STORED
  Output next_;
  Output leaving_;  // in flight from sent_ on
  size_t sent_ = 0;
  size_t spliced_bytes_ = 0;  // of each splice of leaving_
  bool sending_ = false;
  bool closed_ = false;
};

}  // namespace larder::bench

#endif  // LARDER_BENCH_FLOOR_FLOOR_CONNECTION_H_
