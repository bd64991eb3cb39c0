// The pages of the admin door: which path shows what. Pure, but for the figures that are asked for.
//
//   /            the console: a page that shows all of it live, and asks for nothing from elsewhere
//   /stats.json  for it and for scripts (admin/json_export.h)
//   /metrics     for Prometheus
//   /healthz     200 while every core turns, 503 with a sentence when one does not
//   /readyz      200 while new clients are served: healthy, and not draining
#ifndef LARDER_ADMIN_PAGES_H_
#define LARDER_ADMIN_PAGES_H_

#include <string_view>

#include "admin/http_server.h"
#include "admin/prometheus_export.h"
#include "stats/figures.h"

namespace larder::admin {

// A core that has not turned for so long hangs: an idle one turns every second.
inline constexpr uint64_t kHangNs = 5'000'000'000;

Page PageAt(std::string_view path, const stats::Figures& figures,
            MoreNames more = MoreNames::kNone);

}  // namespace larder::admin

#endif  // LARDER_ADMIN_PAGES_H_
