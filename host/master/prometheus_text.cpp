// The only user of prometheus-cpp in the house.
#include "metrics.hpp"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <map>
#include <sstream>

namespace shaddock::master {

namespace {

using base::metric_family;
using base::metric_kind;
using base::metric_sample;

prometheus::MetricType type_of(metric_kind kind) {
    switch (kind) {
    case metric_kind::counter:
        return prometheus::MetricType::Counter;
    case metric_kind::gauge:
        return prometheus::MetricType::Gauge;
    case metric_kind::histogram:
        return prometheus::MetricType::Histogram;
    }
    return prometheus::MetricType::Untyped;
}

prometheus::ClientMetric::Histogram histogram_of(const metric_family& family,
                                                 const metric_sample& sample) {
    prometheus::ClientMetric::Histogram made;
    for (std::size_t i = 0; i < sample.buckets.size(); ++i) {
        made.sample_count += sample.buckets[i];
        if (i < family.bounds.size()) {
            made.bucket.push_back({made.sample_count, family.bounds[i]});
        }
    }
    // The serializer adds the bucket +Inf.
    made.sample_sum = sample.sum;
    return made;
}

prometheus::ClientMetric metric_of(const server_metrics& server, const metric_family& family,
                                   const metric_sample& sample) {
    prometheus::ClientMetric made;
    made.label = {{"server", server.id}, {"type", server.type}};
    if (!server.machine.empty()) {
        made.label.push_back({"machine", server.machine});
    }
    for (std::size_t i = 0; i < family.label_names.size() && i < sample.labels.size(); ++i) {
        made.label.push_back({family.label_names[i], sample.labels[i]});
    }
    switch (family.kind) {
    case metric_kind::counter:
        made.counter.value = sample.value;
        break;
    case metric_kind::gauge:
        made.gauge.value = sample.value;
        break;
    case metric_kind::histogram:
        made.histogram = histogram_of(family, sample);
        break;
    }
    return made;
}

} // namespace

std::string prometheus_text(const std::vector<server_metrics>& servers) {
    // All samples of a name must stand together.
    std::map<std::string, prometheus::MetricFamily> by_name;
    for (const auto& server : servers) {
        for (const auto& family : server.families) {
            auto& made = by_name[family.name];
            if (made.name.empty()) {
                made.name = family.name;
                made.help = family.help;
                made.type = type_of(family.kind);
            }
            // Servers of two versions may mean different things by a name: the first one counts.
            if (made.type != type_of(family.kind)) {
                continue;
            }
            for (const auto& sample : family.samples) {
                made.metric.push_back(metric_of(server, family, sample));
            }
        }
    }
    std::vector<prometheus::MetricFamily> all;
    all.reserve(by_name.size());
    for (auto& [name, family] : by_name) {
        all.push_back(std::move(family));
    }
    std::ostringstream text;
    prometheus::TextSerializer().Serialize(text, all);
    return std::move(text).str();
}

} // namespace shaddock::master
