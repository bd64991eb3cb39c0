// A picture of hit ratio over capacity: a small panel for each trace, a line for each policy.
// Readable on light and on dark; no scripts, nothing from elsewhere.
#ifndef LARDER_BENCH_REPLAY_CURVES_SVG_H_
#define LARDER_BENCH_REPLAY_CURVES_SVG_H_

#include <string>
#include <vector>

#include "bench/replay/laboratory.h"

namespace larder::bench {

struct CurvePanel {
  std::string trace;
  CapacityKind kind = CapacityKind::kObjects;
  std::vector<Cell> cells;  // all of this kind
};

// `policies` in the order of the legend. Panels without cells are left out.
std::string CurvesSvg(const std::vector<std::string>& policies,
                      const std::vector<CurvePanel>& panels);

}  // namespace larder::bench

#endif  // LARDER_BENCH_REPLAY_CURVES_SVG_H_
