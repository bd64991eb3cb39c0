// Metric families of prometheus-cpp, and how to fill them.
#ifndef LARDER_ADMIN_PROMETHEUS_FAMILIES_H_
#define LARDER_ADMIN_PROMETHEUS_FAMILIES_H_

#include <prometheus/metric_family.h>

#include <string>
#include <string_view>
#include <vector>

#include "stats/duration_histogram.h"
#include "stats/figures.h"

namespace larder::admin {

using Families = std::vector<prometheus::MetricFamily>;
using Labels = std::vector<prometheus::ClientMetric::Label>;
using prometheus::MetricType;
inline constexpr MetricType kCounter = MetricType::Counter;
inline constexpr MetricType kGauge = MetricType::Gauge;

// A new family at the end, without samples. What is returned is valid until the next call.
prometheus::MetricFamily& AddFamily(Families& families, MetricType type, std::string_view name,
                                    std::string_view help);
// A sample of a counter or a gauge.
void AddSample(prometheus::MetricFamily& family, double value, Labels labels = {});
// A sample of a histogram, in seconds.
void AddSample(prometheus::MetricFamily& family, const stats::DurationCounts& counts,
               Labels labels);
// A family of one sample, with no labels.
void AddSingle(Families& families, MetricType type, std::string_view name, std::string_view help,
               double value);

// What dashboards made for others ask for, by the names of their exporters.
void AddMemcachedFamilies(Families& families, const stats::Figures& figures);
void AddRedisFamilies(Families& families, const stats::Figures& figures);

}  // namespace larder::admin

#endif  // LARDER_ADMIN_PROMETHEUS_FAMILIES_H_
