// The key that an item is stored under, and what clients call it.
//
//     database 0, which Memcached's clients have:  key            as it is
//     the others, and keys of the first one        NUL N key      N is the database's number
//     that are empty or begin with a NUL
//
// So no two names are stored as one, whatever bytes they are of: RESP, binary requests and encoded
// keys of meta commands may have any.
#ifndef LARDER_PROTOCOL_STORED_KEY_H_
#define LARDER_PROTOCOL_STORED_KEY_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>

#include "larder/command.h"

namespace larder::protocol {

inline constexpr size_t kKeyPrefixBytes = 2;

inline bool IsStoredAsItIs(std::string_view key, uint8_t database) {
  return database == 0 && !key.empty() && key.front() != '\0';
}

// Of a key that is not stored as it is, which may lie at the front of `space.key`: the stored one,
// in `space`.
inline std::string_view PrefixKey(std::string_view key, uint8_t database, ParserSpace& space) {
  const size_t bytes = key.size() + kKeyPrefixBytes;
  char* to = space.key;
  if (bytes > sizeof(space.key)) {
    space.long_key.resize(bytes);
    to = space.long_key.data();
  }
  if (!key.empty()) std::memmove(to + kKeyPrefixBytes, key.data(), key.size());
  to[0] = '\0';
  to[1] = static_cast<char>(database);
  return {to, bytes};
}

// The stored key of one that a client of Memcached has sent; it has none that are empty.
inline std::string_view StoreMemcachedKey(std::string_view key, ParserSpace& space) {
  return key.starts_with('\0') ? PrefixKey(key, 0, space) : key;
}

// What that client called it.
inline std::string_view ToldKey(std::string_view stored) {
  return stored.starts_with('\0') ? stored.substr(kKeyPrefixBytes) : stored;
}

// What clients of Memcached call a stored key; none, if they have no name for it: it is of another
// database, or too long.
inline std::optional<std::string_view> MemcachedKeyOf(std::string_view stored) {
  if (stored.starts_with('\0') && (stored.size() == kKeyPrefixBytes || stored[1] != '\0')) {
    return std::nullopt;
  }
  const std::string_view key = ToldKey(stored);
  return key.size() <= kKeyBytesMax ? std::optional(key) : std::nullopt;
}

}  // namespace larder::protocol

#endif  // LARDER_PROTOCOL_STORED_KEY_H_
