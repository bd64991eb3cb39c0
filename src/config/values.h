// Values of settings, to and from text: one pair of functions for each ValueType.
//
// ReadValue leaves `value` alone and returns false if `text` does not fit. WriteValue gives what
// ReadValue takes. Pure.
#ifndef LARDER_CONFIG_VALUES_H_
#define LARDER_CONFIG_VALUES_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "config/settings.h"

namespace larder::config {

struct Bounds {
  int64_t least;
  int64_t most;
};

template <ValueType kType>
bool ReadValue(Bounds bounds, std::string_view text, typename ValueOf<kType>::Type& value);

template <ValueType kType>
std::string WriteValue(const typename ValueOf<kType>::Type& value);

// "127.0.0.1,[::1]:11212" to its parts; empty if one of them is wrong.
std::vector<ListenAddress> ParseAddresses(std::string_view text);
std::string FormatAddresses(const std::vector<ListenAddress>& addresses);

// Nobody but this host or its private networks can reach it. A name that is not "localhost" counts
// as private: who it is, is known only when it is resolved.
bool IsPrivate(const ListenAddress& address);

}  // namespace larder::config

#endif  // LARDER_CONFIG_VALUES_H_
