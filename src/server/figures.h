// The figures of all cores (stats/figures.h), for whoever asks.
#ifndef LARDER_SERVER_FIGURES_H_
#define LARDER_SERVER_FIGURES_H_

#include "server/worker.h"
#include "stats/figures.h"

namespace larder::server {

// From any thread. A few microseconds, and a call of the kernel for the CPU time.
stats::Figures ReadFigures(const Cluster& cluster);

}  // namespace larder::server

#endif  // LARDER_SERVER_FIGURES_H_
