// What the server is told, from what the process was told.
#ifndef LARDER_CONFIG_SERVER_OPTIONS_H_
#define LARDER_CONFIG_SERVER_OPTIONS_H_

#include "config/settings.h"
#include "larder/options.h"
#include "runtime/topology.h"
#include "util/log.h"

namespace larder::config {

// `log` outlives the server.
ServerOptions ServerOptionsOf(const Settings& settings, const runtime::Topology& topology,
                              util::Log& log);

}  // namespace larder::config

#endif  // LARDER_CONFIG_SERVER_OPTIONS_H_
