#include "admin/pages.h"

#include <string>
#include <utility>

#include "admin/console_html.h"
#include "admin/json_export.h"
#include "admin/prometheus_export.h"
#include "larder/clock.h"

namespace larder::admin {
namespace {

constexpr int kNotFound = 404;
constexpr int kUnavailable = 503;

// What is wrong with a core, or nothing.
std::string Trouble(const stats::Figures& figures) {
  for (size_t i = 0; i < figures.cores.size(); ++i) {
    const uint64_t age_ns = figures.cores[i].turn_age_ns;
    const std::string core = "core " + std::to_string(i);
    if (age_ns == stats::CoreFigures::kNoTurn) return core + " has not started yet\n";
    if (age_ns >= kHangNs) {
      return core + " has not turned for " + std::to_string(age_ns / kNsPerSecond) + " s\n";
    }
  }
  return "";
}

Page State(std::string trouble) {
  if (!trouble.empty()) return {.status = kUnavailable, .body = std::move(trouble)};
  return {.body = "ok\n"};
}

}  // namespace

Page PageAt(std::string_view path, const stats::Figures& figures, MoreNames more) {
  if (path == "/") return {.content_type = "text/html; charset=utf-8", .body = kConsoleHtml};
  if (path == "/stats.json") {
    return {.content_type = "application/json", .body = JsonText(figures)};
  }
  if (path == "/metrics") {
    return {.content_type = "text/plain; version=0.0.4; charset=utf-8",
            .body = PrometheusText(figures, more)};
  }
  if (path == "/healthz") return State(Trouble(figures));
  if (path == "/readyz") {
    return State(figures.draining ? "draining: no new clients\n" : Trouble(figures));
  }
  return {.status = kNotFound,
          .body = "no such page; there are /, /stats.json, /metrics, /healthz, /readyz\n"};
}

}  // namespace larder::admin
