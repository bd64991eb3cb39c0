#include "server/part.h"

namespace larder::server {

void AppendEntry(const Command& command, EntryKind kind, uint32_t slot, std::string& entries) {
  AppendValue(EntryHead{.hash = command.hash,
                        .exptime = command.exptime,
                        .number = command.number,
                        .slot = slot,
                        .key_bytes = static_cast<uint32_t>(command.key.size()),
                        .value_bytes = static_cast<uint32_t>(command.value.size()),
                        .client_flags = command.client_flags,
                        .verb = command.verb,
                        .kind = kind,
                        .has_extras = command.extras != nullptr},
              entries);
  if (command.extras != nullptr) AppendValue(*command.extras, entries);
  entries += command.key;
  entries += command.value;
}

std::string MakePart(PartHead head, std::span<const uint64_t> hashes, std::string_view entries) {
  head.hashes = static_cast<uint32_t>(hashes.size());
  std::string part;
  part.reserve(sizeof(head) + hashes.size_bytes() + entries.size());
  AppendValue(head, part);
  for (const uint64_t hash : hashes) AppendValue(hash, part);
  part += entries;
  return part;
}

PartReader::PartReader(std::string_view part) : rest_(part) {
  head_ = TakeValue<PartHead>(rest_);
  hashes_.reserve(head_.hashes);
  for (uint32_t i = 0; i < head_.hashes; ++i) hashes_.push_back(TakeValue<uint64_t>(rest_));
}

const Command& EntryReader::Next(EntryHead& head) {
  head = TakeValue<EntryHead>(rest_);
  if (head.has_extras) extras_ = TakeValue<Extras>(rest_);
  command_ = {.verb = head.verb,
              .client_flags = head.client_flags,
              .exptime = head.exptime,
              .number = head.number,
              .hash = head.hash,
              .key = rest_.substr(0, head.key_bytes),
              .value = rest_.substr(head.key_bytes, head.value_bytes),
              .extras = head.has_extras ? &extras_ : nullptr};
  rest_.remove_prefix(head.key_bytes + head.value_bytes);
  return command_;
}

}  // namespace larder::server
