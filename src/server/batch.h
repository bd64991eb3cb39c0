// The commands of a turn, collected over all connections before they are executed, so that their
// buckets and items are on their way from memory at the same time.
#ifndef LARDER_SERVER_BATCH_H_
#define LARDER_SERVER_BATCH_H_

#include <array>
#include <cstddef>

#include "larder/command.h"
#include "protocol/parser.h"

namespace larder::server {

class Connection;

struct BatchEntry {
  Connection* connection;
  // Where the command began, to come back to if it cannot be executed now.
  const char* begin;
  protocol::Resume resume;
  Command command;
  bool names_key;     // an item of the cache is meant, of `command.hash`
  ParserSpace space;  // what `command` may point to, beside the bytes
};

// Filled by parsing, emptied by executing. Sixteen to thirty-two lookups keep
// a core's line fill buffers busy.
class Batch {
 public:
  static constexpr size_t kEntriesMax = 32;

  [[nodiscard]] bool empty() const { return size_ == 0; }
  [[nodiscard]] bool full() const { return size_ == kEntriesMax; }
  [[nodiscard]] size_t size() const { return size_; }
  BatchEntry& operator[](size_t index) { return entries_[index]; }
  // Of the entry that Add() will return; not to be called if full.
  ParserSpace& NextSpace() { return entries_[size_].space; }
  BatchEntry& Add() { return entries_[size_++]; }
  void Clear() { size_ = 0; }

 private:
  std::array<BatchEntry, kEntriesMax> entries_;
  size_t size_ = 0;
};

}  // namespace larder::server

#endif  // LARDER_SERVER_BATCH_H_
