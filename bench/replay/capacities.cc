#include "bench/replay/capacities.h"

#include <charconv>

#include "util/units.h"

namespace larder::bench {
namespace {

uint64_t PeakOf(const Workload& workload, CapacityKind kind) {
  return kind == CapacityKind::kObjects ? workload.peak.objects : workload.peak.bytes;
}

}  // namespace

uint64_t CapacitySetting::AmountFor(const Workload& workload) const {
  if (amount > 0) return amount;
  return static_cast<uint64_t>(share * static_cast<double>(PeakOf(workload, kind)));
}

double CapacitySetting::ShareOf(const Workload& workload) const {
  if (amount == 0) return share;
  return static_cast<double>(amount) / static_cast<double>(PeakOf(workload, kind));
}

std::optional<CapacitySetting> ParseCapacity(CapacityKind kind, std::string_view text) {
  CapacitySetting setting = {.kind = kind};
  if (text.find('.') != std::string_view::npos) {
    const char* end = text.data() + text.size();
    const auto parsed = std::from_chars(text.data(), end, setting.share, std::chars_format::fixed);
    const bool well = parsed.ec == std::errc() && parsed.ptr == end;
    if (!well || !(setting.share > 0) || setting.share > 1) return std::nullopt;
    return setting;
  }
  const bool bytes = kind == CapacityKind::kBytes;
  const auto amount = bytes ? util::ParseBytes(text) : util::ParseUnsigned(text);
  if (!amount || *amount == 0) return std::nullopt;
  setting.amount = *amount;
  return setting;
}

std::string_view NameOf(CapacityKind kind) {
  switch (kind) {
    case CapacityKind::kObjects:
      return "objects";
    case CapacityKind::kBytes:
      return "bytes";
  }
  return "";
}

}  // namespace larder::bench
