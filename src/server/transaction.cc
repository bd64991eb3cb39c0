#include "server/transaction.h"

#include <cstring>

#include "server/part.h"
#include "server/worker.h"
#include "util/bytes.h"

namespace larder::server {

namespace {

// The number of a reply that is one.
int64_t NumberIn(std::string_view reply) {
  return util::ParseInt64(reply.substr(1, reply.size() - 3)).value_or(0);
}

}  // namespace

Transaction::Transaction(Worker& worker, Errands& errands, protocol::Protocol protocol, Join join)
    : worker_(worker),
      errands_(errands),
      protocol_(protocol),
      join_(join),
      parts_(worker.cluster().mailboxes.cores()) {}

void Transaction::Add(const Command& command) {
  AppendEntry(command, commands_++, parts_[worker_.OwnerOf(command.hash)]);
}

void Transaction::Start() {
  replies_.resize(commands_);
  for (uint32_t core = 0; core < parts_.size(); ++core) {
    if (core == worker_.index() || parts_[core].empty()) continue;
    errands_.AskPart(core, parts_[core], protocol_);
    parts_[core] = {};
    ++waits_;
  }
  std::string replies;
  ExecutePart(worker_, errands_.asker(), parts_[worker_.index()], protocol_, replies);
  TakeReplies(replies);
}

void Transaction::TakePart(const Message& message) {
  --waits_;
  TakeReplies(message.Payload());
}

void Transaction::TakeReplies(std::string_view replies) {
  while (!replies.empty()) {
    ReplyHead head;
    std::memcpy(&head, replies.data(), sizeof(head));
    replies_[head.slot] = replies.substr(sizeof(head), head.bytes);
    replies.remove_prefix(sizeof(head) + head.bytes);
  }
}

std::string Transaction::Reply() const {
  std::string text;
  if (join_ == Join::kSum) {
    int64_t sum = 0;
    for (const std::string& reply : replies_) sum += NumberIn(reply);
    return ":" + std::to_string(sum) + "\r\n";
  }
  if (join_ == Join::kOk) {
    for (const std::string& reply : replies_) {
      if (reply.starts_with('-')) return reply;
    }
    return "+OK\r\n";
  }
  text = "*" + std::to_string(replies_.size()) + "\r\n";
  for (const std::string& reply : replies_) text += reply;
  return text;
}

void Transaction::ExecutePart(Worker& worker, const Connection& client, std::string_view part,
                              protocol::Protocol protocol, std::string& replies) {
  const protocol::Codec& codec = protocol::CodecOf(protocol);
  PartReader reader(part);
  while (!reader.empty()) {
    uint32_t slot = 0;
    const Command& command = reader.Next(slot);
    const Outcome outcome = worker.Execute(command, client);
    const size_t head_at = replies.size();
    const size_t begin = head_at + sizeof(ReplyHead);
    replies.resize(begin + codec.encoded_bytes_max(command, outcome));
    const char* end = codec.encode(command, outcome, replies.data() + begin);
    const auto bytes = static_cast<size_t>(end - replies.data()) - begin;
    replies.resize(begin + bytes);
    const ReplyHead head = {.slot = slot, .bytes = static_cast<uint32_t>(bytes)};
    std::memcpy(replies.data() + head_at, &head, sizeof(head));
  }
}

}  // namespace larder::server
