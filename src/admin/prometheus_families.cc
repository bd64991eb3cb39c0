#include "admin/prometheus_families.h"

#include <limits>
#include <utility>

#include "larder/clock.h"

namespace larder::admin {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using stats::DurationCounts;
using stats::DurationHistogram;

MetricFamily& AddFamily(Families& families, MetricType type, std::string_view name,
                        std::string_view help) {
  return families.emplace_back(MetricFamily{
      .name = std::string(name), .help = std::string(help), .type = type, .metric = {}});
}

void AddSample(MetricFamily& family, double value, Labels labels) {
  ClientMetric& metric = family.metric.emplace_back();
  metric.label = std::move(labels);
  (family.type == MetricType::Counter ? metric.counter.value : metric.gauge.value) = value;
}

void AddSample(MetricFamily& family, const DurationCounts& counts, Labels labels) {
  ClientMetric& metric = family.metric.emplace_back();
  metric.label = std::move(labels);
  metric.histogram.bucket.reserve(DurationCounts::kBuckets);
  uint64_t count = 0;
  for (size_t bucket = 0; bucket < DurationCounts::kBuckets; ++bucket) {
    count += counts.buckets[bucket];
    const bool last = bucket + 1 == DurationCounts::kBuckets;
    const double bound =
        last ? std::numeric_limits<double>::infinity()
             : static_cast<double>(DurationHistogram::LastOf(bucket)) / kNsPerSecond;
    metric.histogram.bucket.push_back({.cumulative_count = count, .upper_bound = bound});
  }
  metric.histogram.sample_count = count;
  metric.histogram.sample_sum = static_cast<double>(counts.sum_ns) / kNsPerSecond;
}

void AddSingle(Families& families, MetricType type, std::string_view name, std::string_view help,
               double value) {
  AddSample(AddFamily(families, type, name, help), value);
}

}  // namespace larder::admin
